"""Which chats are switched on: the switch of a chat itself before the rules of several."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from crm.filters.sql import Sql
from crm.models import Tab, TabTarget
from crm.services.tabs import filter_of
from waplus.lib.locks import take_turns
from waplus.lib.prepared import PreparedStatement

# Everything but tabs, whose filters are statements of their own. Groups are on only where they are named.
_RULES = PreparedStatement(
    """
    SELECT h.id, r.id, r.kind, r.metadata_on, r.content_on
    FROM crm_chat h CROSS JOIN LATERAL (
        SELECT r.* FROM messaging_conversationrule r WHERE r.chat_id = h.id
        UNION ALL
        SELECT r.* FROM crm_chat o JOIN messaging_conversationrule r ON r.chat_id = o.id
        WHERE h.kind = 'person' AND o.workspace_id = h.workspace_id AND o.contact_id = h.contact_id
          AND o.whatsapp_account_id = h.whatsapp_account_id AND o.id <> h.id
        UNION ALL
        SELECT r.* FROM messaging_conversationrule r
        WHERE r.whatsapp_account_id = h.whatsapp_account_id AND h.kind = 'person'
        UNION ALL
        SELECT r.* FROM messaging_conversationrule r JOIN crm_contacttag t ON t.tag_id = r.tag_id
        WHERE r.workspace_id = h.workspace_id AND r.kind = 'tag' AND h.kind = 'person'
          AND t.workspace_id = h.workspace_id AND t.contact_id = h.contact_id
    ) r
    WHERE h.workspace_id = $1 AND h.id = ANY($2::uuid[])
    ORDER BY r.changed_at DESC, r.id
    """,
    planned_once=True,
)
_TABS = PreparedStatement(
    "SELECT r.id, r.tab_id, r.metadata_on, r.content_on FROM messaging_conversationrule r "
    "WHERE r.workspace_id = $1 AND r.kind = 'tab' ORDER BY r.changed_at DESC, r.id"
)


@dataclass(frozen=True, slots=True)
class Switch:
    """What of a chat is on, by the rules that say so; None is off. `own` is the rule of the chat itself, on or off."""

    metadata: UUID | None = None
    content: UUID | None = None
    own: UUID | None = None


OFF = Switch()


def hold_switches(workspace: Workspace) -> None:
    """Keep everything switched as it is until the transaction ends: who switches waits for those who store, and they for it."""
    take_turns("conversation_switches", workspace.pk, shared=True)


def turn_switches(workspace: Workspace) -> None:
    """Take the turn to switch: nobody stores by the old state any more once this has returned."""
    take_turns("conversation_switches", workspace.pk)


def switches_of(workspace: Workspace, homes: Collection[UUID]) -> dict[UUID, Switch]:
    """What is on of some chats, by their ids; chats that nothing speaks of are missing."""
    found: dict[UUID, Switch] = {}
    if not homes:
        return found
    rows = _RULES.fetch([workspace.pk, list(homes)])
    own = {}
    for home, rule, kind, metadata, content in rows:
        if kind == "chat":
            # The latest of the switches that a conversation's chats have.
            own.setdefault(home, Switch(rule if metadata else None, rule if content else None, rule))
        else:
            found[home] = _also(found.get(home, OFF), rule, metadata, content)
    for rule, tab_id, metadata, content in _TABS.fetch([workspace.pk]):
        for home in chats_of_tab(workspace, tab_id, homes):
            found[home] = _also(found.get(home, OFF), rule, metadata, content)
    return found | own


def _also(switch: Switch, rule: UUID, metadata: bool, content: bool) -> Switch:
    return Switch(
        switch.metadata or (rule if metadata else None), switch.content or (rule if content else None), switch.own
    )


def chats_of_tab(workspace: Workspace, tab_id: UUID, among: Iterable[UUID] | None = None) -> list[UUID]:
    """Chats with persons that a tab lists, or whose contacts it lists; its filter reads "me" as the tab's owner."""
    tab = Tab.objects.for_workspace(workspace).select_related("owner").filter(pk=tab_id).first()
    if tab is None:
        return []
    condition = filter_of(tab).condition(tab.owner)
    statement = Sql(
        "SELECT crm_chat.id FROM crm_chat WHERE crm_chat.workspace_id = %s AND crm_chat.kind = 'person'",
        (workspace.pk,),
    )
    if among is not None:
        statement += Sql(" AND crm_chat.id = ANY(%s::uuid[])", ([str(id) for id in among],))
    if tab.target == TabTarget.CHATS:
        statement += " AND (" + condition + ")"
    else:
        statement += (
            Sql(
                " AND EXISTS (SELECT 1 FROM crm_contact WHERE crm_contact.workspace_id = %s AND crm_contact.id = "
                "crm_chat.contact_id AND crm_contact.deleted_at IS NULL AND crm_contact.merged_into_id IS NULL AND (",
                (workspace.pk,),
            )
            + condition
            + "))"
        )
    with connection.cursor() as cursor:
        cursor.execute(statement.text, statement.params)
        return [row[0] for row in cursor.fetchall()]
