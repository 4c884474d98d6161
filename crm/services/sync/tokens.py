"""Tokens of synchronisation: where a device goes on. Opaque to it, signed by us.

A position is the key of the last change that the device was given. It is the
id of a transaction that has committed, never the horizon itself: ids above the
last commit may be handed out anew after a crash of the database server, those
at or below it not. So no crash can put a change behind a token.

The signature keeps a token from being made up. What it protects is not access
(a pull reads the caller's workspace whatever the token says) but a conclusion:
a genuine token from ahead of the database proves that the database was set
back (`epoch.py`).
"""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

from waplus.lib.errors import Refused

FORMAT = 1
NIL = UUID(int=0)
# Behind every kind: the end of a transaction.
END = 0xFFFF
_LAYOUT = struct.Struct(">BB16s8sQQQH16s")
_MAC_LENGTH = 10
_SIZE = _LAYOUT.size + _MAC_LENGTH

SENTENCES = {
    "other_database": "The server's data was restored or moved since. Pull again without a token.",
    "set_back": "The server's data was set back to an earlier state. Pull again without a token.",
    "too_old": "This device was away for longer than deletions are remembered. Pull again without a token.",
    "other_account": "The token belongs to another workspace or person. Pull again without a token.",
    "unknown_signature": "The token was not signed by a key that is still in use. Pull again without a token.",
}


def start_over(reason: str) -> Refused:
    """The refusal that lets a device begin anew; `reason` is a key of `SENTENCES`."""
    return Refused("sync_start_over", SENTENCES[reason], extra={"reason": reason})


@dataclass(frozen=True)
class Token:
    """Where a device goes on.

    In changes it goes on behind `(xid, rank, row_id)`: kinds of one transaction
    by rank, rows by id. In a first pull it goes on behind `(rank, xid, row_id)`
    with rows up to `bound`, and after it with the changes behind the
    transaction `since`.
    """

    epoch: UUID
    xid: int = 0
    rank: int = END
    row_id: UUID = NIL
    first: bool = False
    since: int = 0
    bound: int = 0

    def at(self, xid: int, rank: int, row_id: UUID) -> "Token":
        return replace(self, xid=xid, rank=rank, row_id=row_id)


def scope_of(workspace_id: UUID, user_id: UUID) -> bytes:
    """Whose token it is: two members see different rows, so one must not go on with the other's."""
    return hashlib.blake2b(workspace_id.bytes + user_id.bytes, digest_size=8).digest()


def _mac(body: bytes, secret: str) -> bytes:
    return salted_hmac("crm.sync.tokens", body, secret=secret, algorithm="sha256").digest()[:_MAC_LENGTH]


def encode(token: Token, scope: bytes) -> str:
    body = _LAYOUT.pack(
        *(FORMAT, token.first, token.epoch.bytes, scope),
        *(token.since, token.bound, token.xid, token.rank, token.row_id.bytes),
    )
    return base64.urlsafe_b64encode(body + _mac(body, settings.SECRET_KEY)).decode().rstrip("=")


def _raw(text: str) -> bytes:
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError) as error:
        raise Refused("invalid_cursor") from error
    if len(raw) != _SIZE or raw[0] != FORMAT or raw[1] > 1:
        raise Refused("invalid_cursor")
    return raw


def transaction_of(text: str) -> int | None:
    """The transaction that a token claims to be the last of, unchecked; None where it stands elsewhere or is no token."""
    try:
        _, first, *_, xid, rank, _ = _LAYOUT.unpack(_raw(text)[: _LAYOUT.size])
    except Refused:
        return None
    return xid if rank == END and not first else None


def decode(text: str, scope: bytes) -> Token:
    """Read a token, or refuse: `invalid_cursor` for what never was one, `sync_start_over` for one that no longer counts."""
    raw = _raw(text)
    body, mac = raw[:-_MAC_LENGTH], raw[-_MAC_LENGTH:]
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not any(hmac.compare_digest(mac, _mac(body, key)) for key in keys):
        raise start_over("unknown_signature")
    _, first, epoch, owner, since, bound, xid, rank, row_id = _LAYOUT.unpack(body)
    if owner != scope:
        raise start_over("other_account")
    return Token(UUID(bytes=epoch), xid, rank, UUID(bytes=row_id), bool(first), since, bound)
