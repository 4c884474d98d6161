"""From a number or a WhatsApp id to the hash that recognises it, in Python and in SQL alike."""

import hashlib
import hmac
from functools import lru_cache

from django.conf import settings

from waplus.lib.jids import InvalidJid, JidKind, parse_jid
from waplus.lib.phones import match_key, match_key_sql

_BLOCK = 64  # bytes; what SHA-256 reads at a time
IPAD, OPAD = "suppression_ipad", "suppression_opad"


@lru_cache(maxsize=8)
def _pads(pepper: str) -> dict[str, bytes]:
    key = pepper.encode()
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    key = key.ljust(_BLOCK, b"\0")
    return {IPAD: bytes(byte ^ 0x36 for byte in key), OPAD: bytes(byte ^ 0x5C for byte in key)}


def pads() -> dict[str, bytes]:
    """The two pads of HMAC under the pepper: parameters of every statement with `hash_sql`."""
    return dict(_pads(settings.SUPPRESSION_PEPPER))


def key_version() -> int:
    """Which pepper is in use: 31 bits that tell peppers apart and do not give them away."""
    return int.from_bytes(hashlib.sha256(b"version " + settings.SUPPRESSION_PEPPER.encode()).digest()[:4]) >> 1


def hash_of(key: str) -> bytes:
    """HMAC-SHA256 (RFC 2104) of a match key under the pepper."""
    return hmac.digest(settings.SUPPRESSION_PEPPER.encode(), key.encode(), "sha256")


# Where the two pads stand in a statement: parameters by name, unless the caller says `$1`, `$2`.
NAMED_PADS = (f"%({IPAD})s", f"%({OPAD})s")


def hash_sql(key: str, places: tuple[str, str] = NAMED_PADS) -> str:
    """SQL of the same hash, of an SQL expression that gives a match key; NULL of NULL. Needs the parameters of `pads`."""
    inner, outer = places
    return f"sha256({outer}::bytea || sha256({inner}::bytea || convert_to({key}, 'UTF8')))"


def keys_of_jid(jid: str) -> list[str]:
    """The match keys under which the person of a chat may be known; none of a group.

    The digits of a `c.us` id may be those of a LID that leaked (docs/adr/0018-identities.md).
    """
    try:
        parsed = parse_jid(jid)
    except InvalidJid:
        return []
    if parsed.kind == JidKind.PERSON:
        return [match_key(parsed.user), f"lid:{parsed.user}"]
    return [f"lid:{parsed.user}"] if parsed.kind == JidKind.LID else []


def jid_keys_sql(jid: str) -> tuple[str, str]:
    """SQL of the same two keys, of an SQL expression that gives a canonical JID; NULL where there is none."""
    user, server = f"split_part({jid}, '@', 1)", f"split_part({jid}, '@', 2)"
    return (
        f"CASE WHEN {server} = 'c.us' THEN {match_key_sql(user)} END",
        f"CASE WHEN {server} IN ('c.us', 'lid') THEN 'lid:' || {user} END",
    )
