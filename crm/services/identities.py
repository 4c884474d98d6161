"""Identities of contacts: canonical forms, match keys, and whose a key is."""

from dataclasses import dataclass

from crm.models import ContactIdentity, IdentityKind
from waplus.lib.errors import FieldError, Refused
from waplus.lib.jids import InvalidJid, JidKind, parse_jid
from waplus.lib.phones import InvalidPhone, match_key, parse_phone


@dataclass(frozen=True)
class Identity:
    """A canonical identity: `+digits`, `digits@c.us` or `digits@lid`, and its match key."""

    kind: IdentityKind
    value: str
    match_key: str


def identity_of(kind: str, value: str, region: str | None = None) -> Identity:
    """Canonicalise one identity, or raise `InvalidPhone` or `InvalidJid` with a sentence.

    What WhatsApp wrote keeps its digits even where they are no valid number;
    only what a person typed is read with a default country.
    """
    if kind == IdentityKind.PHONE:
        digits = parse_phone(value, region or None)
        return Identity(IdentityKind.PHONE, f"+{digits}", match_key(digits))
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


def owners_of(workspace, keys) -> dict[str, object]:
    """Which contact holds each of some match keys: `{match_key: contact_id}`."""
    held = ContactIdentity.objects.for_workspace(workspace).filter(match_key__in=list(keys), holds_key=True)
    return dict(held.values_list("match_key", "contact_id"))
