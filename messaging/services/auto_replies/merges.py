"""What two chats of one person know of each other when their contacts become one."""

from django.db import connection

from crm.models import Merge

# How often caps and cool-downs have seen the person answered goes along by itself: answers hang on the contact.
# `gone` is the row that waits at the absorbed contact: messages of its chat are decided on by `kept` from now on. A
# take-over without an end is the longest.
_KEEP_SILENCE = """
UPDATE messaging_autoreplychat kept SET
    taken_over = kept.taken_over OR gone.taken_over,
    taken_over_until = CASE WHEN gone.outlasts THEN gone.taken_over_until ELSE kept.taken_over_until END,
    taken_over_by_id = CASE WHEN gone.outlasts THEN gone.taken_over_by_id ELSE kept.taken_over_by_id END,
    muted_until = greatest(kept.muted_until, gone.muted_until),
    quick_count = greatest(kept.quick_count, gone.quick_count),
    same_count = CASE WHEN gone.is_later THEN gone.same_count ELSE kept.same_count END,
    was_answered = CASE WHEN gone.is_later THEN gone.was_answered ELSE kept.was_answered END,
    last_mark = CASE WHEN gone.is_later THEN gone.last_mark ELSE kept.last_mark END,
    last_inbound_at = greatest(kept.last_inbound_at, gone.last_inbound_at),
    last_human_at = greatest(kept.last_human_at, gone.last_human_at),
    last_reply_at = greatest(kept.last_reply_at, gone.last_reply_at)
FROM (
    SELECT k.id AS kept_id, g.*, g.taken_over AND (
        NOT k.taken_over OR coalesce(g.taken_over_until, 'infinity') > coalesce(k.taken_over_until, 'infinity')
    ) AS outlasts, g.last_inbound_at > coalesce(k.last_inbound_at, '-infinity') AS is_later
    FROM messaging_autoreplychat g JOIN messaging_autoreplychat k
        ON k.workspace_id = g.workspace_id AND k.whatsapp_account_id = g.whatsapp_account_id
    WHERE g.workspace_id = %s AND g.contact_id = %s AND k.contact_id = %s
    ORDER BY k.id FOR NO KEY UPDATE OF k
) gone
WHERE kept.id = gone.kept_id
"""


def keep_silence(merge: Merge) -> None:
    """Let the chat that stays be silent for as long as either was: taken over, muted, or written in by a member.

    The signs of a robot go along as well: those of the chat that was written in last. Undoing the merge leaves both silent: it is for a member to give a chat back.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_SILENCE, [merge.workspace_id, merge.absorbed_id, merge.kept_id])
