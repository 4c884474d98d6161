"""Whose a chat or a group's member is: follows from the contacts' identities."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from crm.models import Chat, ChatKind, Contact, GroupMember
from crm.services.identities import Identity, identity_of, jids_of, settled
from waplus.lib.jids import Jid
from waplus.lib.locks import Hold, held
from waplus.lib.prepared import PreparedStatement


def linking(*, workspace: str, known: str) -> str:
    """SQL, as parts of a WITH: gives lonely chats and members of groups their contact, and leaves a row for each in `linked`.

    `workspace` is SQL for the workspace's id, `known` a select of `jid` and `contact_id`.
    """
    return f"""
known_jid AS ({known}), lonely_chat AS (
    SELECT c.id, k.contact_id FROM crm_chat c JOIN known_jid k ON k.jid = c.jid
    WHERE c.workspace_id = {workspace} AND c.contact_id IS NULL ORDER BY c.id FOR NO KEY UPDATE OF c
), linked_chat AS (
    UPDATE crm_chat c SET contact_id = l.contact_id FROM lonely_chat l WHERE c.id = l.id RETURNING 1
), lonely_member AS (
    SELECT m.id, k.contact_id FROM crm_groupmember m JOIN known_jid k ON k.jid = m.jid
    WHERE m.workspace_id = {workspace} AND m.contact_id IS NULL ORDER BY m.id FOR NO KEY UPDATE OF m
), linked_member AS (
    UPDATE crm_groupmember m SET contact_id = l.contact_id FROM lonely_member l WHERE m.id = l.id RETURNING 1
), linked AS (
    SELECT FROM linked_chat UNION ALL SELECT FROM linked_member
)
"""


_KNOWN = "SELECT * FROM unnest($2::text[], $3::text[]::uuid[]) AS k (jid, contact_id)"
_LINK = PreparedStatement(f"WITH {linking(workspace='$1::uuid', known=_KNOWN)} SELECT count(*) FROM linked")

_UNLINK = """
WITH theirs AS (
    SELECT t.id FROM {table} t JOIN unnest(%s::uuid[], %s::text[]) AS lost (contact_id, jid)
      ON t.contact_id = lost.contact_id AND t.jid = lost.jid
    WHERE t.workspace_id = %s ORDER BY t.id FOR NO KEY UPDATE OF t
)
UPDATE {table} t SET contact_id = NULL FROM theirs WHERE t.id = theirs.id
"""


def link_chats(*, workspace: Workspace, holders: Mapping[str, UUID]) -> int:
    """Give chats and members of groups that nobody is known for their contact, where one holds their key.

    `holders` maps match keys to contacts. Whoever adds identities calls this in
    the same transaction. Answers how many rows got a contact.
    """
    contacts = contacts_of_jids(holders)
    if not contacts:
        return 0
    return _LINK.fetch([workspace.pk, list(contacts), list(map(str, contacts.values()))])[0][0]


def contacts_of_jids(holders: Mapping[str, UUID]) -> dict[str, UUID]:
    """The contacts of match keys by the JIDs that chats may have for them."""
    contacts: dict[str, UUID] = {}
    # Numbers before LIDs: the digits of a LID are only looked for where no number has them.
    for key in sorted(holders, key=lambda key: (":" in key, key)):
        for jid in jids_of(key):
            contacts.setdefault(jid, holders[key])
    return contacts


def hold_contacts(*, workspace: Workspace, jids: Iterable[Jid]) -> dict[str, UUID]:
    """The contacts of people's JIDs, where one holds the key: none of them goes or loses a number before the transaction ends.

    Whoever links new rows to contacts calls this before locking any row that
    hangs on one: contacts come first. They are looked up again once they are
    held, because until then they may have been merged or put into the bin.
    """
    identities = [identity_of(jid.kind.value, str(jid)) for jid in jids if jid.is_person]
    wanted = set(_holders(workspace, identities).values()) if identities else set()
    if not wanted:
        return {}
    contacts = Contact.objects.for_workspace(workspace).alive().filter(pk__in=wanted).order_by("pk").only("pk")
    there = {contact.pk for contact in held(contacts, Hold.FROM_CHANGE)}
    return {jid: contact for jid, contact in _holders(workspace, identities).items() if contact in there}


def _holders(workspace: Workspace, identities: list[Identity]) -> dict[str, UUID]:
    keyed, owners = settled(workspace, identities)
    return {identity.value: owners[identity.match_key] for identity in keyed if identity.match_key in owners}


def has_lonely_chats(workspace: Workspace) -> bool:
    """Whether there is a person's chat or a member of a group that nobody is known for: else there is nothing to link."""
    chats, members = (model.objects.for_workspace(workspace).filter(contact=None) for model in (Chat, GroupMember))
    return chats.filter(kind=ChatKind.PERSON).exists() or members.exists()


def unlink_chats(*, workspace: Workspace, lost: Iterable[tuple[UUID, str]]) -> None:
    """Take chats and members of groups off contacts that no longer have keys: pairs of a contact and a match key."""
    pairs = [(str(contact_id), jid) for contact_id, key in lost for jid in jids_of(key)]
    if not pairs:
        return
    contacts, jids = map(list, zip(*pairs, strict=True))
    with connection.cursor() as cursor:
        for table in ("crm_chat", "crm_groupmember"):
            cursor.execute(_UNLINK.format(table=table), [contacts, jids, workspace.pk])
