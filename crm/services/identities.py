"""Identities of contacts: canonical forms, match keys, and whose a key is.

LID digits once leaked as `…@c.us`, so a `c.us` id is no proof of a phone: one
whose digits the workspace knows as a LID has that LID's key (`settle_leaks`),
whereas a phone that a person typed is a phone (docs/adr/0018-identities.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from accounts.models import Workspace
from crm.models import IdentityKind
from waplus.lib.errors import FieldError, Refused
from waplus.lib.jids import InvalidJid, JidKind, parse_bsuid, parse_jid
from waplus.lib.phones import InvalidPhone, match_key, spellings
from waplus.lib.plain_phones import read_phone
from waplus.lib.prepared import PreparedStatement

_OWNERS = PreparedStatement(
    "SELECT match_key, contact_id FROM crm_contactidentity WHERE workspace_id = %s AND match_key = ANY(%s) AND holds_key"
)


@dataclass(frozen=True)
class Identity:
    """A canonical identity: `+digits`, `digits@c.us`, `digits@lid` or `BR.digits`, and its match key."""

    kind: IdentityKind
    value: str
    match_key: str

    @property
    def leak_key(self) -> str:
        """The key that this is known by if its digits are a LID that leaked; empty where none can have."""
        return f"lid:{self.value.partition('@')[0]}" if self.kind == IdentityKind.C_US else ""


def identity_of(kind: str, value: str, region: str | None = None) -> Identity:
    """Canonicalise one identity, or raise `InvalidPhone` or `InvalidJid` with a sentence.

    What WhatsApp wrote keeps its digits even where they are no valid number;
    only what a person typed is read with a default country.
    """
    if kind == IdentityKind.PHONE:
        digits = read_phone(value, region or None)
        return Identity(IdentityKind.PHONE, f"+{digits}", match_key(digits))
    if kind == IdentityKind.BSUID:
        bsuid = parse_bsuid(value)
        return Identity(IdentityKind.BSUID, bsuid, f"bsuid:{bsuid}")
    jid = parse_jid(value)
    if not jid.is_person:
        raise InvalidJid("A contact is a person: groups, channels and broadcasts are chats.")
    if jid.kind.value != kind:
        raise InvalidJid(f"This is a {jid.server} id and not what its kind says.")
    key = match_key(jid.user) if jid.kind == JidKind.PERSON else f"lid:{jid.user}"
    return Identity(IdentityKind(kind), str(jid), key)


def canonical_identities(raw: list[dict], region: str | None, field: str = "identities") -> list[Identity]:
    """Canonicalise what a client sent, without repeats; refuses with one error for each that is wrong."""
    identities, errors = {}, []
    for index, item in enumerate(raw):
        try:
            identity = identity_of(item["kind"], item["value"], region)
        except (InvalidPhone, InvalidJid) as error:
            code = "invalid_phone" if isinstance(error, InvalidPhone) else "invalid_jid"
            errors.append(FieldError(f"{field}.{index}.value" if field else "value", code, str(error)))
        else:
            identities[identity.kind, identity.value] = identity
    if errors:
        refusal = Refused("invalid")
        refusal.fields = errors
        raise refusal
    return list(identities.values())


def settle_leaks(identities: Iterable[Identity], lid_keys: Iterable[str]) -> list[Identity]:
    """Give `c.us` ids whose digits are a LID that LID's key; `lid_keys` are the keys of the LIDs that are known."""
    identities = list(identities)
    known = {*lid_keys, *(identity.match_key for identity in identities if identity.kind == IdentityKind.LID)}
    return [
        replace(identity, match_key=identity.leak_key) if identity.leak_key in known else identity
        for identity in identities
    ]


def settled(workspace: Workspace, identities: Iterable[Identity]) -> tuple[list[Identity], dict[str, UUID]]:
    """The identities with the keys that they have in this workspace, and whose these keys are (see `owners_of`)."""
    identities = list(identities)
    keys = {identity.match_key for identity in identities} | {identity.leak_key for identity in identities} - {""}
    owners = owners_of(workspace, keys)
    identities = settle_leaks(identities, owners)
    return identities, {i.match_key: owners[i.match_key] for i in identities if i.match_key in owners}


def jids_of(key: str) -> list[str]:
    """Every JID under which WhatsApp may show the person whom a match key stands for: what chats are found by.

    A LID's digits are also looked for as `…@c.us`, where they may have leaked to.
    """
    scope, colon, rest = key.rpartition(":")
    if not colon:
        return [f"{digits}@c.us" for digits in spellings(key)]
    return [f"{rest}@lid", f"{rest}@c.us"] if scope == "lid" else []


def owners_of(workspace: Workspace, keys: Iterable[str]) -> dict[str, UUID]:
    """Which contact holds each of some match keys: `{match_key: contact_id}`."""
    return dict(_OWNERS.fetch([workspace.pk, list(keys)]))
