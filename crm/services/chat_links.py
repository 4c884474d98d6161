"""Whose a chat or a group's member is: follows from the contacts' identities."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from accounts.models import Workspace
from crm.models import Chat, GroupMember
from crm.services.identities import jids_of
from waplus.lib.prepared import PreparedStatement

_LINK = PreparedStatement("""
WITH known AS (
    SELECT * FROM unnest($2::text[], $3::uuid[]) AS k (jid, contact_id)
), lonely_chat AS (
    SELECT c.id, k.contact_id FROM crm_chat c JOIN known k ON k.jid = c.jid
    WHERE c.workspace_id = $1::uuid AND c.contact_id IS NULL ORDER BY c.id FOR NO KEY UPDATE OF c
), linked_chat AS (
    UPDATE crm_chat c SET contact_id = l.contact_id FROM lonely_chat l WHERE c.id = l.id RETURNING 1
), lonely_member AS (
    SELECT m.id, k.contact_id FROM crm_groupmember m JOIN known k ON k.jid = m.jid
    WHERE m.workspace_id = $1::uuid AND m.contact_id IS NULL ORDER BY m.id FOR NO KEY UPDATE OF m
), linked_member AS (
    UPDATE crm_groupmember m SET contact_id = l.contact_id FROM lonely_member l WHERE m.id = l.id RETURNING 1
)
SELECT (SELECT count(*) FROM linked_chat) + (SELECT count(*) FROM linked_member)
""")


def link_chats(*, workspace: Workspace, holders: Mapping[str, UUID]) -> int:
    """Give chats and members of groups that nobody is known for their contact, where one holds their key.

    `holders` maps match keys to contacts. Whoever adds identities calls this in
    the same transaction. Answers how many rows got a contact.
    """
    contacts: dict[str, UUID] = {}
    # Numbers before LIDs: the digits of a LID are only looked for where no number has them.
    for key in sorted(holders, key=lambda key: (":" in key, key)):
        for jid in jids_of(key):
            contacts.setdefault(jid, holders[key])
    if not contacts:
        return 0
    return _LINK.fetch([workspace.pk, list(contacts), list(contacts.values())])[0][0]


def unlink_chats(*, workspace: Workspace, contact_id: UUID, keys: Iterable[str]) -> None:
    """Take chats and members of groups off a contact that no longer has these keys."""
    jids = [jid for key in keys for jid in jids_of(key)]
    for model in (Chat, GroupMember):
        rows = model.objects.for_workspace(workspace).filter(contact_id=contact_id, jid__in=jids)
        model.objects.filter(pk__in=rows.order_by("pk").select_for_update(no_key=True)).update(contact=None)
