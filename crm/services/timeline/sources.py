"""What the CRM itself tells in the timeline of a contact.

Who did a reminder or undid a merge stands in no column of theirs, but in the
event that the same transaction wrote a moment later: it is the first one of the
object from that time on.
"""

from crm.services.timeline.registry import register_timeline_source

# As much of a text as a timeline shows.
EXCERPT = 300


def _actor_of_event(object_id: str, at: str, kinds: str) -> str:
    """SQL: who did what the first event of an object says, of those of some kinds from a time on."""
    return f"""(
        SELECT e.actor_user_id FROM accounts_event e
        WHERE e.object_id = {object_id} AND e.workspace_id = person.workspace_id AND e.kind IN ({kinds})
          AND e.id >= (lpad(to_hex(floor(extract(epoch FROM {at}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
        ORDER BY e.id LIMIT 1
    )"""


# A contact that a file brought is told of by its import.
_CREATED = """
SELECT c.created_at AS at, c.id, 'contact.created' AS kind, (
    SELECT e.actor_user_id FROM (
        SELECT kind, actor_user_id FROM accounts_event
        WHERE object_id = c.id AND workspace_id = c.workspace_id ORDER BY id LIMIT 1
    ) e WHERE e.kind = 'contact.created'
) AS actor, '{}'::jsonb AS detail
FROM crm_contact c
WHERE c.id = person.id AND c.workspace_id = person.workspace_id AND NOT EXISTS (
    SELECT FROM crm_importrow r
    WHERE r.contact_id = c.id AND r.workspace_id = c.workspace_id AND r.outcome = 'created'
)
"""
# All that events tell comes from one look at them, for a contact may have thousands.
_CHANGED = """
SELECT e.id, CASE e.kind WHEN 'contact.untagged' THEN 'tag.removed' ELSE e.kind END AS kind, e.actor_user_id AS actor,
       CASE e.kind WHEN 'contact.untagged' THEN jsonb_build_object('tag', substr(e.changed[1], 6))
       ELSE jsonb_build_object('changed', e.changed) END AS detail
FROM accounts_event e
WHERE e.object_id = person.id AND e.workspace_id = person.workspace_id
  AND (e.kind IN ('contact.updated', 'contact.observed', 'contact.deleted', 'contact.restored')
       OR e.kind = 'contact.untagged' AND starts_with(e.changed[1], 'tags.'))
"""
# Bulk changes leave one event with a count, and which contacts it is about.
_CHANGED_TOGETHER = """
SELECT t.id,
       CASE e.kind WHEN 'contact.untagged' THEN 'tag.removed' WHEN 'contact.reassigned' THEN 'contact.updated'
       ELSE e.kind END AS kind,
       e.actor_user_id AS actor,
       CASE e.kind WHEN 'contact.untagged' THEN jsonb_build_object('tag', substr(e.changed[1], 6))
       ELSE jsonb_build_object('changed', e.changed) END AS detail
FROM crm_contactsofevent t JOIN accounts_event e ON e.id = t.id AND e.workspace_id = t.workspace_id
WHERE t.workspace_id = person.workspace_id AND t.first_contact_id <= person.id AND t.last_contact_id >= person.id
  AND person.id = ANY (t.contact_ids)
"""
_TAG_ADDED = """
SELECT t.added_at AS at, t.id, 'tag.added' AS kind, t.added_by_id AS actor, jsonb_build_object('tag', t.tag_id) AS detail
FROM crm_contacttag t
WHERE t.workspace_id = person.workspace_id AND t.contact_id = person.id
"""
_NOTE_WRITTEN = f"""
SELECT n.created_at AS at, n.id, 'note.written' AS kind, n.author_id AS actor,
       jsonb_build_object('text', left(n.text, {EXCERPT})) AS detail
FROM crm_note n
WHERE n.workspace_id = person.workspace_id AND n.contact_id = person.id AND n.deleted_at IS NULL
"""
_NOTE_EDITED = f"""
SELECT n.edited_at AS at, n.id, 'note.edited' AS kind, n.edited_by_id AS actor,
       jsonb_build_object('text', left(n.text, {EXCERPT})) AS detail
FROM crm_note n
WHERE n.workspace_id = person.workspace_id AND n.contact_id = person.id AND n.deleted_at IS NULL
  AND n.edited_at IS NOT NULL
"""
_REMINDER_MADE = f"""
SELECT r.created_at AS at, r.id, 'reminder.made' AS kind, r.created_by_id AS actor,
       jsonb_build_object('text', left(r.text, {EXCERPT})) AS detail
FROM crm_reminder r
WHERE r.workspace_id = person.workspace_id AND r.contact_id = person.id
"""
_REMINDER_DONE = f"""
SELECT r.done_at AS at, r.id, 'reminder.done' AS kind,
       {_actor_of_event("r.id", "r.done_at", "'reminder.done'")} AS actor,
       jsonb_build_object('text', left(r.text, {EXCERPT})) AS detail
FROM crm_reminder r
WHERE r.workspace_id = person.workspace_id AND r.contact_id = person.id AND r.done_at IS NOT NULL
"""
# A merge of two of the people is told by the one that stayed.
_OF_MERGE = """
FROM crm_merge m
WHERE m.workspace_id = person.workspace_id AND (m.kept_id = person.id OR m.absorbed_id = person.id)
  AND (m.kept_id = person.id OR NOT EXISTS (SELECT FROM people p WHERE p.id = m.kept_id))
"""
_OTHER = (
    "jsonb_build_object('contact', CASE WHEN m.kept_id = person.id THEN m.absorbed_id ELSE m.kept_id END) AS detail"
)
_MERGE_MADE = f"""
SELECT m.merged_at AS at, m.id, 'merge.made' AS kind, m.merged_by_id AS actor, {_OTHER} {_OF_MERGE}
"""
_MERGE_UNDONE = f"""
SELECT m.undone_at AS at, m.id, 'merge.undone' AS kind,
       {_actor_of_event("m.kept_id", "m.undone_at", "'contact.unmerged'")} AS actor, {_OTHER} {_OF_MERGE}
  AND m.undone_at IS NOT NULL
"""
_IMPORTED = """
SELECT r.id, CASE r.outcome WHEN 'created' THEN 'import.created' ELSE 'import.changed' END AS kind,
       b.created_by_id AS actor, jsonb_build_object('batch', r.batch_id) AS detail
FROM crm_importrow r JOIN crm_importbatch b ON b.id = r.batch_id AND b.workspace_id = r.workspace_id
WHERE r.workspace_id = person.workspace_id AND r.contact_id = person.id AND r.outcome IN ('created', 'merged')
"""
_LAST_MESSAGE = """
SELECT c.last_message_at AS at, c.id, 'chat.message' AS kind, NULL::uuid AS actor, jsonb_build_object('chat', c.id) AS detail
FROM crm_chat c
WHERE c.workspace_id = person.workspace_id AND c.contact_id = person.id AND c.last_message_at IS NOT NULL
"""


def register_sources() -> None:
    """Register what the CRM tells."""
    register_timeline_source("contact.created", kinds=["contact.created"], sql=_CREATED)
    register_timeline_source(
        "contact.changed",
        kinds=["contact.updated", "contact.observed", "contact.deleted", "contact.restored", "tag.removed"],
        sql=_CHANGED,
        timed_by_id=True,
    )
    register_timeline_source(
        "contact.changed_together",
        kinds=["contact.updated", "contact.deleted", "tag.removed"],
        sql=_CHANGED_TOGETHER,
        timed_by_id=True,
    )
    register_timeline_source("tag.added", kinds=["tag.added"], sql=_TAG_ADDED)
    register_timeline_source("note.written", kinds=["note.written"], sql=_NOTE_WRITTEN)
    register_timeline_source("note.edited", kinds=["note.edited"], sql=_NOTE_EDITED)
    register_timeline_source("reminder.made", kinds=["reminder.made"], sql=_REMINDER_MADE)
    register_timeline_source("reminder.done", kinds=["reminder.done"], sql=_REMINDER_DONE)
    register_timeline_source("merge.made", kinds=["merge.made"], sql=_MERGE_MADE)
    register_timeline_source("merge.undone", kinds=["merge.undone"], sql=_MERGE_UNDONE)
    register_timeline_source("imported", kinds=["import.created", "import.changed"], sql=_IMPORTED, timed_by_id=True)
    register_timeline_source("chat.message", kinds=["chat.message"], sql=_LAST_MESSAGE)
