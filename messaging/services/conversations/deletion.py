"""Deleting what was switched off, in chunks that each stand for themselves: stopped anywhere, the next sweep goes on."""

from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from messaging.models import ConversationMessage, ConversationSync, Deleting
from messaging.services.conversations.homes import count_again

CHUNK = 5_000
# News of a message that has not come by then is of a message that never will.
STUBS_KEPT = timedelta(days=14)
_REACTIONS = """
DELETE FROM messaging_messagereaction r USING messaging_conversationmessage m
WHERE r.message_id = m.id AND m.id = ANY(%s::uuid[])
"""
_MESSAGES = "DELETE FROM messaging_conversationmessage WHERE id = ANY(%s::uuid[])"
_CONTENTS = """
UPDATE messaging_conversationmessage
SET has_content = false, content_at = NULL, text = '', search_text = '', media_id = NULL, media_details = '{}'
WHERE id = ANY(%s::uuid[])
"""
_OF_CHAT = "SELECT id FROM messaging_conversationmessage WHERE chat_id = %s {} LIMIT %s"
# A message without content may have reactions; they are content.
_HOLDING = (
    "AND (has_content OR EXISTS (SELECT 1 FROM messaging_messagereaction r "
    "WHERE r.message_id = messaging_conversationmessage.id))"
)


def delete_switched_off(chunks: int = 40) -> int:
    """Delete up to so many chunks of what is marked; answers how many messages were deleted or emptied."""
    total = 0
    for _ in range(chunks):
        done = delete_chunk()
        if done is None:
            break
        total += done
    return total


@transaction.atomic
def delete_chunk() -> int | None:
    """Delete one chunk of one chat; None where nothing is marked."""
    sync = (
        ConversationSync.objects.exclude(deleting=Deleting.NOTHING)
        .order_by("pk")
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("workspace")
        .first()
    )
    if sync is None:
        return None
    everything = sync.deleting == Deleting.METADATA
    with connection.cursor() as cursor:
        cursor.execute(_OF_CHAT.format("" if everything else _HOLDING), [sync.chat_id, CHUNK])
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute(_REACTIONS, [ids])
        cursor.execute(_MESSAGES if everything else _CONTENTS, [ids])
    if len(ids) == CHUNK:
        return CHUNK
    if everything:
        sync.delete()
    else:
        sync.deleting = Deleting.NOTHING
        count_again(sync.workspace, sync)
    return len(ids)


def delete_old_stubs(limit: int = 20_000) -> int:
    """Delete news of messages that never came."""
    with transaction.atomic():
        ids = list(
            ConversationMessage.objects.filter(sent_at=None, synced_at__lt=timezone.now() - STUBS_KEPT).values_list(
                "pk", flat=True
            )[:limit]
        )
        with connection.cursor() as cursor:
            cursor.execute(_REACTIONS, [ids])
            cursor.execute(
                "DELETE FROM messaging_conversationmessage WHERE id = ANY(%s::uuid[]) AND sent_at IS NULL", [ids]
            )
    return len(ids)
