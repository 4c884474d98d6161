"""Facts: WhatsApp has a message. However late one comes, it wins over whatever was assumed meanwhile."""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from messaging.models import DispatchAttempt, DispatchState, HeldBy, QueuedMessage
from messaging.models.dispatch import GONE_OUT
from messaging.services.dispatch.moves import move
from messaging.services.observed import ObservedMessage


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
    attempts = DispatchAttempt.objects.filter(message=message)
    attempt = attempt or attempts.filter(fence=message.fence).first()
    if attempt is None:
        return False
    if attempt.outcome != "sent":
        attempt.outcome, attempt.reason, attempt.ended_at = "sent", "", now
        attempt.save(update_fields=["outcome", "reason", "ended_at"])
        # A later attempt that is under way has nothing left to send.
        attempts.filter(outcome="").update(outcome="overtaken", ended_at=now)
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
        rows = (
            QueuedMessage.objects.for_workspace(workspace)
            .filter(
                whatsapp_account__in={account for account, _ in own},
                message_id__in={message_id for _, message_id in own},
                fence__gte=1,
            )
            .exclude(state__in=GONE_OUT)
            .order_by("pk")
            .select_for_update(of=("self",))
        )
        for row in rows:
            if (row.whatsapp_account_id, row.message_id) in own:
                confirm_sent(message=row, actor=actor, sent_at=own[row.whatsapp_account_id, row.message_id])
    for account_id, chats in _written_from(messages).items():
        QueuedMessage.objects.for_workspace(workspace).filter(
            whatsapp_account=account_id,
            chat_key__in=chats,
            state=DispatchState.QUEUED,
            held_by__in=[HeldBy.NEW_CONTACTS, HeldBy.COLD_PAUSED, HeldBy.REPLY_RATIO],
        ).update(not_before=timezone.now(), held_by="")


def _written_from(messages: Sequence[ObservedMessage]) -> dict:
    chats: dict = {}
    for one in messages:
        if not one.from_me and one.is_live:
            chats.setdefault(one.whatsapp_account_id, set()).update(filter(None, (str(one.contact_id), one.chat_jid)))
    return chats
