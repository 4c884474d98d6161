"""Facts: WhatsApp has a message. However late one comes, it wins over whatever was assumed meanwhile."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from messaging.models import DispatchAttempt, DispatchState, QueuedMessage
from messaging.models.dispatch import GONE_OUT
from messaging.services.dispatch.attempts import attempt_under_way, end_attempt, last_attempt
from messaging.services.dispatch.moves import move
from messaging.services.observed import ObservedMessage
from waplus.lib.prepared import PreparedStatement

# Both lock many rows of the queue, and so in one order: that of their ids.
_RESERVED = """
SELECT q.* FROM unnest(%s::uuid[], %s::text[]) AS own (account, message_id)
JOIN messaging_queuedmessage q ON q.whatsapp_account_id = own.account AND q.message_id = own.message_id
WHERE q.workspace_id = %s AND q.fence >= 1 AND q.state <> ALL (%s) ORDER BY q.id FOR UPDATE OF q
"""
_LET_GO = PreparedStatement("""
WITH waiting AS (
    SELECT q.id FROM unnest($1::uuid[], $2::text[]) AS written (account, chat_key)
    JOIN messaging_queuedmessage q ON q.whatsapp_account_id = written.account AND q.chat_key = written.chat_key
    WHERE q.workspace_id = $3 AND q.state = 'queued' AND q.held_by IN ('new_contacts', 'cold_paused', 'reply_ratio')
    ORDER BY q.id FOR NO KEY UPDATE OF q
)
UPDATE messaging_queuedmessage q SET not_before = $4, held_by = '' FROM waiting WHERE q.id = waiting.id RETURNING 1
""")


def confirm_sent(
    *,
    message: QueuedMessage,
    actor: Actor,
    attempt: DispatchAttempt | None = None,
    sent_at: datetime | None = None,
) -> bool:
    """Note that a locked message was sent; False if that was known.

    `attempt` is the one that sent it; without it (an acknowledgement, a sight
    of it in the chat) it is the last one that was given. `sent_at` is
    WhatsApp's time as a device tells it, taken within what can be true.
    """
    now = timezone.now()
    attempt = attempt or last_attempt(message)
    if attempt is None:
        return False
    if attempt.outcome != "sent":
        end_attempt(attempt, "sent", now)
        later = attempt_under_way(message)
        if later is not None and later.fence != attempt.fence:
            # It has nothing left to send.
            end_attempt(later, "overtaken", now)
    if message.state in GONE_OUT:
        return False
    message.sent_at = max(attempt.claimed_at, min(sent_at or now, now))
    message.sending_at = message.sending_at or message.sent_at
    message.held_by = ""
    move(message, DispatchState.SENT, actor)
    return True


def take_sight_of_own_messages(workspace: Workspace, actor: Actor, messages: Sequence[ObservedMessage]) -> None:
    """Whoever sees a message under an id that was reserved for it has seen that it was sent.

    And whoever is written to is no new contact any more: what waited for that may go.
    """
    own = {(one.whatsapp_account_id, one.message_id): one.sent_at for one in messages if one.from_me}
    if own:
        for row in QueuedMessage.objects.raw(_RESERVED, [*_columns(own), workspace.pk, list(GONE_OUT)]):
            confirm_sent(message=row, actor=actor, sent_at=own[row.whatsapp_account_id, row.message_id])
    if written := _written_from(messages):
        _LET_GO.fetch([*_columns(written), workspace.pk, timezone.now()])


def _columns(pairs: Iterable[tuple[UUID, str]]) -> tuple[list[UUID], list[str]]:
    accounts, texts = zip(*pairs, strict=True)
    return list(accounts), list(texts)


def _written_from(messages: Sequence[ObservedMessage]) -> set[tuple[UUID, str]]:
    """The numbers that were written to, and from which chats: by the contact and by the address."""
    return {
        (one.whatsapp_account_id, chat)
        for one in messages
        if not one.from_me and one.is_live
        for chat in (one.contact_id and str(one.contact_id), one.chat_jid)
        if chat
    }
