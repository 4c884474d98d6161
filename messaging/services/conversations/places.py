"""Where messages belong: the chat that an id shows, and the home of its conversation.

WhatsApp shows one conversation under a number (`c.us`) and under a LID. Chats
of one number with one contact are one conversation; its home is the oldest of
them, so that everybody finds the same one without asking anybody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from crm.models import ChatKind
from waplus.lib.prepared import PreparedStatement

# The oldest chat of the same number with the same contact. Ids are UUIDv7, so the smallest is the oldest.
HOME = """(
    SELECT o.id FROM crm_chat o
    WHERE o.workspace_id = c.workspace_id AND o.contact_id = c.contact_id AND o.kind = 'person'
      AND o.whatsapp_account_id = c.whatsapp_account_id
    ORDER BY o.id LIMIT 1
)"""
_COLUMNS = f"""
    c.jid, c.id, c.kind, c.contact_id,
    CASE WHEN c.kind = 'person' AND c.contact_id IS NOT NULL THEN {HOME} ELSE c.id END
"""
_BY_JID = PreparedStatement(
    f"SELECT {_COLUMNS} FROM crm_chat c WHERE c.workspace_id = $1 AND c.whatsapp_account_id = $2 AND c.jid = ANY($3)"
)
_BY_ID = PreparedStatement(f"SELECT {_COLUMNS} FROM crm_chat c WHERE c.workspace_id = $1 AND c.id = ANY($2::uuid[])")
# Chats whose messages are kept elsewhere than where they belong now: a contact was linked, merged or parted.
_MISPLACED = f"""
SELECT s.chat_id, s.home_id, place.home FROM messaging_conversationsync s
JOIN crm_chat c ON c.id = s.chat_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.kind = 'person' AND c.contact_id IS NOT NULL THEN {HOME} ELSE c.id END AS home
) place
WHERE s.workspace_id = %(workspace)s AND s.chat_id = ANY(%(chats)s::uuid[]) AND s.home_id <> place.home
ORDER BY s.id
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A chat by its id, and the home of its conversation."""

    jid: str
    chat_id: UUID
    kind: str
    contact_id: UUID | None
    home: UUID

    @property
    def may_sync(self) -> bool:
        """Channels, lists and the status never are."""
        return self.kind in (ChatKind.PERSON, ChatKind.GROUP)


def places_of(workspace: Workspace, account_id: UUID, jids: Iterable[str]) -> dict[str, Place]:
    """The chats of a number that JIDs show; those that the CRM does not know are missing."""
    rows = _BY_JID.fetch([workspace.pk, account_id, list(jids)])
    return {row[0]: Place(*row) for row in rows}


def places_of_chats(workspace: Workspace, chat_ids: Iterable[UUID]) -> dict[UUID, Place]:
    """The places of chats by their ids."""
    return {row[1]: Place(*row) for row in _BY_ID.fetch([workspace.pk, list(chat_ids)])}


def misplaced(workspace: Workspace, chat_ids: Iterable[UUID]) -> list[tuple[UUID, UUID, UUID]]:
    """Which of some chats have their messages elsewhere than where they belong: chat, present home, right home."""
    with connection.cursor() as cursor:
        cursor.execute(_MISPLACED, {"workspace": workspace.pk, "chats": [str(id) for id in chat_ids]})
        return cursor.fetchall()
