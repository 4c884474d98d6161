"""Where to write: the address of a chat, and the time zone of who reads it.

An address that a person named is kept as it is. A contact is written to at the
address of the conversation that the number has with it, whatever identities the
contact has besides: replies go to the JID of the conversation.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from crm.models import Chat, Contact, WhatsAppAccount
from waplus.lib.errors import Invalid
from waplus.lib.jids import InvalidJid, JidKind, parse_jid
from waplus.lib.phone_zones import LONGEST, zone_of_phone, zones_of_prefixes
from waplus.lib.phones import match_key

WRITABLE = (JidKind.PERSON, JidKind.LID, JidKind.GROUP)


@dataclass(frozen=True)
class Address:
    """A chat to write to. `chat_key` is the same for all addresses of one person; `zone` is IANA, '' where unknown."""

    chat_jid: str
    contact: Contact | None
    chat_key: str
    zone: str


def canonical_chat(text: str) -> str:
    """The canonical form of an address to which messages may go, or `Invalid`."""
    try:
        jid = parse_jid(text)
    except InvalidJid as error:
        raise Invalid("chat_jid", "invalid_jid", str(error)) from error
    if jid.kind not in WRITABLE:
        raise Invalid("chat_jid", "invalid_jid", "Messages go to people and groups, not to channels or broadcasts.")
    return str(jid)


def zone_of_chat(chat_jid: str) -> str:
    """The zone of the number in an address, '' for LIDs and groups."""
    user, _, server = chat_jid.partition("@")
    return zone_of_phone(match_key(user)) if server == "c.us" else ""


def address_for(
    *, workspace: Workspace, account: WhatsAppAccount, contact: Contact | None = None, chat_jid: str = ""
) -> Address:
    """Where a number writes to a contact or a chat, or `Invalid` where that leads nowhere.

    For a chat without a contact, the contact is that of the number's chat in the CRM, where there is one.
    """
    if chat_jid:
        chat_jid = canonical_chat(chat_jid)
        if contact is None:
            chat = (
                Chat.objects.for_workspace(workspace)
                .select_related("contact")
                .filter(whatsapp_account=account, jid=chat_jid)
                .first()
            )
            contact = chat and chat.contact
        zone = zone_of_chat(chat_jid)
        if not zone and contact is not None and not chat_jid.endswith("@g.us"):
            zone = addresses_of(workspace=workspace, account=account, contact_ids=[contact.pk])[contact.pk][1]
    elif contact is None:
        raise Invalid("chat_jid", "required", "Say whom to write to: a contact or a chat.")
    else:
        chat_jid, zone = addresses_of(workspace=workspace, account=account, contact_ids=[contact.pk])[contact.pk]
        if not chat_jid:
            raise Invalid("contact", "no_identity", "This contact has no number and no WhatsApp ID.")
    return Address(chat_jid, contact, str(contact.pk) if contact else chat_jid, zone)


# --- Sets --------------------------------------------------------------------------------------------------------


def address_sql(*, workspace: str, account: str, contact: str) -> str:
    """SQL: the address at which a number writes to a contact, or NULL.

    The number's conversation with the contact that was active last; else what WhatsApp calls the contact, else the
    number that somebody typed. A `c.us` id that is a LID's digits leads to nobody, or to somebody else. The arguments
    are SQL for the ids.
    """
    return f"""coalesce(
    (SELECT chat.jid FROM crm_chat chat
     WHERE chat.workspace_id = {workspace} AND chat.contact_id = {contact} AND chat.whatsapp_account_id = {account}
       AND chat.kind = 'person'
     ORDER BY chat.last_message_at DESC NULLS LAST, chat.id DESC LIMIT 1),
    (SELECT CASE WHEN identity.kind = 'phone' THEN ltrim(identity.value, '+') || '@c.us' ELSE identity.value END
     FROM crm_contactidentity identity
     WHERE identity.workspace_id = {workspace} AND identity.contact_id = {contact}
       AND identity.kind IN ('c_us', 'lid', 'phone')
       AND NOT (identity.kind = 'c_us' AND left(identity.match_key, 4) = 'lid:')
     ORDER BY array_position(ARRAY['c_us', 'lid', 'phone'], identity.kind::text),
              identity.last_seen_at DESC NULLS LAST, identity.id LIMIT 1))"""


def phone_key_sql(*, workspace: str, contact: str) -> str:
    """SQL: the match key of a number of a contact, what WhatsApp observed before what was typed; or NULL."""
    return f"""(SELECT identity.match_key FROM crm_contactidentity identity
     WHERE identity.workspace_id = {workspace} AND identity.contact_id = {contact}
       AND identity.kind IN ('c_us', 'phone') AND left(identity.match_key, 4) <> 'lid:'
     ORDER BY identity.kind = 'phone', identity.id LIMIT 1)"""


@lru_cache(maxsize=1)
def _zones() -> str:
    return json.dumps(zones_of_prefixes())


def recipient_zone_sql(match_key: str) -> tuple[str, dict]:
    """SQL: the IANA zone of the number whose match key an SQL expression gives, '' where unknown; and its parameters.

    The expression is read several times, so it should be a column. The parameter's name is `phone_zones`.
    """
    tries = ", ".join(
        f"(SELECT %(phone_zones)s::jsonb) ->> left({match_key}, {length})" for length in range(LONGEST, 0, -1)
    )
    return f"coalesce({tries}, '')", {"phone_zones": _zones()}


def addresses_of(
    *, workspace: Workspace, account: WhatsAppAccount, contact_ids: Iterable[UUID]
) -> dict[UUID, tuple[str, str]]:
    """`{contact id: (chat_jid, zone)}` of contacts as `address_for` finds them, '' where there is none, in one query."""
    names = {"workspace": "%(workspace)s", "contact": "given.id"}
    statement = f"""
        SELECT given.id, {address_sql(account="%(account)s", **names)}, {phone_key_sql(**names)}
        FROM unnest(%(contacts)s::uuid[]) AS given (id)
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, {"workspace": workspace.pk, "account": account.pk, "contacts": list(contact_ids)})
        found = cursor.fetchall()
    return {contact: (jid or "", zone_of_phone(key or "") or zone_of_chat(jid or "")) for contact, jid, key in found}
