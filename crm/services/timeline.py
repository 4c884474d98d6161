"""The timeline of a contact: what happened to it, newest first, out of many tables.

Each source is a query of its own with the columns of `Entry`; a page asks every
source for as many rows as fit on it and merges them, so that its cost grows with
the number of sources and not with the age of the contact. Higher floors add
sources at start.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from crm.services.contacts import contact_of
from waplus.lib.api.pagination import moment
from waplus.lib.errors import Refused


@dataclass(frozen=True)
class Entry:
    """One thing that happened.

    `at`: when, UTC. `id`: of the row that tells it. `kind`: dotted, past tense.
    `actor`: the person's user id, or None. `object_id`: what it is about, such
    as the tag or the note. `text`: a piece of its text or its name. `changed`:
    names of changed fields, as events have them.
    """

    at: datetime
    id: UUID
    kind: str
    actor: UUID | None
    object_id: UUID | None
    text: str
    changed: list[str]


_sources: dict[str, str] = {}


def register_timeline_source(name: str, query: str) -> None:
    """Add a source: a SELECT of at, id, kind, actor, object_id, text, changed for a contact.

    Its parameters are `%(workspace)s` and `%(contacts)s`, an array with the
    contact's id and those of contacts that were merged into it. It should read
    through an index that begins with these.
    """
    _sources[name] = query


register_timeline_source(
    "events",
    """
    SELECT happened_at, id, kind::text, actor_user_id, object_id, '', changed::text[]
    FROM accounts_event
    WHERE object_id = ANY (%(contacts)s) AND workspace_id = %(workspace)s
      AND kind NOT IN ('contact.tagged', 'contact.merged', 'contact.unmerged')
    """,
)
register_timeline_source(
    "notes",
    """
    SELECT created_at, id, 'note.written', author_id, id, left(text, 300), '{}'::text[]
    FROM crm_note WHERE workspace_id = %(workspace)s AND contact_id = ANY (%(contacts)s) AND deleted_at IS NULL
    """,
)
register_timeline_source(
    "edits of notes",
    """
    SELECT edited_at, id, 'note.edited', edited_by_id, id, left(text, 300), '{}'::text[]
    FROM crm_note
    WHERE workspace_id = %(workspace)s AND contact_id = ANY (%(contacts)s) AND deleted_at IS NULL AND edited_at IS NOT NULL
    """,
)
register_timeline_source(
    "tags",
    """
    SELECT w.added_at, w.id, 'contact.tagged', w.added_by_id, t.id, t.name::text, '{}'::text[]
    FROM crm_contacttag w JOIN crm_tag t ON t.id = w.tag_id
    WHERE w.workspace_id = %(workspace)s AND w.contact_id = ANY (%(contacts)s)
    """,
)
register_timeline_source(
    "reminders",
    """
    SELECT created_at, id, 'reminder.created', created_by_id, id, left(text, 300), '{}'::text[]
    FROM crm_reminder WHERE workspace_id = %(workspace)s AND contact_id = ANY (%(contacts)s)
    """,
)
register_timeline_source(
    "done reminders",
    """
    SELECT done_at, id, 'reminder.done', NULL::uuid, id, left(text, 300), '{}'::text[]
    FROM crm_reminder WHERE workspace_id = %(workspace)s AND contact_id = ANY (%(contacts)s) AND done_at IS NOT NULL
    """,
)
register_timeline_source(
    "merges",
    """
    SELECT m.merged_at, m.id, 'contact.merged', m.merged_by_id, m.absorbed_id, c.name::text, '{}'::text[]
    FROM crm_merge m JOIN crm_contact c ON c.id = m.absorbed_id
    WHERE m.workspace_id = %(workspace)s AND m.kept_id = ANY (%(contacts)s)
    """,
)
register_timeline_source(
    "undone merges",
    """
    SELECT m.undone_at, m.id, 'contact.unmerged', NULL::uuid, m.absorbed_id, c.name::text, '{}'::text[]
    FROM crm_merge m JOIN crm_contact c ON c.id = m.absorbed_id
    WHERE m.workspace_id = %(workspace)s AND m.kept_id = ANY (%(contacts)s) AND m.undone_at IS NOT NULL
    """,
)
register_timeline_source(
    "last messages",
    """
    SELECT last_message_at, id, 'chat.last_message', NULL::uuid, id, name::text, '{}'::text[]
    FROM crm_chat WHERE workspace_id = %(workspace)s AND contact_id = ANY (%(contacts)s) AND last_message_at IS NOT NULL
    """,
)
# Rows of imports are found by their batch: a row that changed the contact through an index, the one that made it by
# its time, if no member made it.
register_timeline_source(
    "imports",
    """
    SELECT r.at, b.id, r.kind, b.created_by_id, b.id, b.file_name::text, '{}'::text[]
    FROM crm_importbatch b CROSS JOIN LATERAL (
        SELECT b.finished_at AS at, 'import.merged' AS kind FROM crm_importrow i
        WHERE i.batch_id = b.id AND i.outcome = 'merged' AND i.contact_id = ANY (%(contacts)s)
        UNION ALL
        SELECT c.created_at, 'import.created' FROM crm_contact c
        WHERE c.workspace_id = b.workspace_id AND c.id = ANY (%(contacts)s)
          AND c.created_at BETWEEN b.created_at AND b.finished_at
          AND NOT EXISTS (SELECT 1 FROM accounts_event e WHERE e.object_id = c.id AND e.kind = 'contact.created')
    ) r
    WHERE b.workspace_id = %(workspace)s AND b.finished_at IS NOT NULL
    """,
)

_MERGED_INTO = """
WITH RECURSIVE family AS (
    SELECT %s::uuid AS id
    UNION SELECT c.id FROM crm_contact c JOIN family f ON c.merged_into_id = f.id WHERE c.workspace_id = %s
)
SELECT array_agg(id) FROM family
"""


def timeline_page(
    *, workspace: Workspace, contact_id: UUID, limit: int, cursor: str | None
) -> tuple[list[Entry], str | None]:
    """One page of a contact's timeline, newest first, and the cursor of the next one."""
    contact = contact_of(workspace=workspace, contact_id=contact_id)
    behind = "WHERE (s.at, s.id) < (%(at)s, %(id)s)" if cursor else ""
    parts = [
        f"(SELECT * FROM ({query}) AS s (at, id, kind, actor, object_id, text, changed) {behind} "  # noqa: S608  (constants)
        "ORDER BY at DESC, id DESC LIMIT %(limit)s)"
        for query in _sources.values()
    ]
    params = {"workspace": workspace.pk, "limit": limit + 1}
    if cursor:
        params["at"], params["id"] = _decode(cursor)
    with connection.cursor() as database:
        database.execute(_MERGED_INTO, [contact.pk, workspace.pk])
        params["contacts"] = database.fetchone()[0]
        database.execute(" UNION ALL ".join(parts) + " ORDER BY at DESC, id DESC LIMIT %(limit)s", params)
        entries = [Entry(*row) for row in database.fetchall()]
    if len(entries) <= limit:
        return entries, None
    last = entries[limit - 1]
    return entries[:limit], _encode(last.at, last.id)


def _encode(at: datetime, id: UUID) -> str:
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), str(id)]).encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, id = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        return moment(at), UUID(id)
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError) as error:
        raise Refused("invalid_cursor") from error
