"""Taking an instance's reports on what it was handed."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import ExtensionInstance, Workspace
from messaging.models import BroadcastState, DispatchAttempt, Dispatcher, DispatchState, QueuedMessage
from messaging.models.dispatch import OPEN
from messaging.services.dispatch.facts import confirm_sent
from messaging.services.dispatch.moves import LEASE, locked_message, move
from messaging.services.dispatch.verdicts import IN_BIN
from waplus.lib.errors import NotFound, Refused

# What an instance may report, from which states, and where it leads. "Sent" is a fact and stands apart.
_MOVES = {
    "sending": ({DispatchState.LEASED}, DispatchState.SENDING),
    "failed": ({DispatchState.LEASED, DispatchState.SENDING, DispatchState.OUTCOME_UNKNOWN}, DispatchState.FAILED),
    "released": ({DispatchState.LEASED}, DispatchState.QUEUED),
    "not_sent": ({DispatchState.OUTCOME_UNKNOWN}, DispatchState.QUEUED),
}
REPORTS = ["sending", "sent", "failed", "released", "not_sent"]


@transaction.atomic
def report_message(
    *,
    workspace: Workspace,
    message_id: UUID,
    instance: ExtensionInstance,
    actor: Actor,
    fence: int,
    report: str,
    code: str = "",
    reason: str = "",
    sent_at: datetime | None = None,
) -> QueuedMessage:
    """Take an instance's report. A repeat of what is so already changes nothing.

    A report with an older fence is refused (`stale_fence`) with one exception:
    "sent" is a fact, and a fact that comes late still wins over whatever was
    assumed meanwhile. "sending" is also refused to an instance that does not
    hold the number any more (`number_taken`), and before the message's own
    time (`too_early`).
    """
    now = timezone.now()
    number = _renewed_number(workspace, message_id, instance, now) if report == "sending" else None
    message = locked_message(workspace=workspace, message_id=message_id)
    attempt = DispatchAttempt.objects.filter(message=message, fence=fence, instance=instance).first()
    if attempt is None:
        raise Refused("stale_fence", "This instance never held the message under this fence.")
    if report == "sent":
        confirm_sent(message=message, attempt=attempt, actor=actor, sent_at=sent_at)
        return message
    if fence != message.fence:
        raise Refused("stale_fence", extra={"fence": message.fence, "state": message.state})
    sources, target = _MOVES[report]
    if message.state in OPEN and message.lease_until <= now:
        # The sweep has not been here yet; the lease is over all the same, also for a "sending" that comes again.
        raise Refused("stale_fence", "The lease has run out.", extra={"fence": message.fence, "state": message.state})
    if message.state == target and attempt.outcome in ("", report):
        return message
    if message.state not in sources:
        raise Refused(
            "wrong_state",
            f"A message that is {message.state} cannot be reported as {report}.",
            extra={"state": message.state},
        )
    if target == DispatchState.SENDING:
        _check_once_more(message, number, now)
        message.lease_until, message.sending_at = now + LEASE, now
    else:
        attempt.outcome, attempt.reason, attempt.ended_at = report, reason, now
        attempt.save(update_fields=["outcome", "reason", "ended_at"])
        if target == DispatchState.QUEUED:
            # It was not sent: it takes nothing of the budget.
            message.sending_at = None
    move(message, target, actor, code=code if target == DispatchState.FAILED else "", reason=reason)
    return message


def _renewed_number(workspace: Workspace, message_id: UUID, instance: ExtensionInstance, now: datetime) -> Dispatcher:
    """The lease of the message's number, locked before the message as claims do, and renewed if it is the instance's."""
    rows = QueuedMessage.objects.for_workspace(workspace).filter(pk=message_id)
    account_id = rows.values_list("whatsapp_account", flat=True).first()
    if account_id is None:
        raise NotFound
    number = (
        Dispatcher.objects.for_workspace(workspace)
        .filter(whatsapp_account=account_id)
        .select_for_update(no_key=True)
        .first()
    )
    if number is not None and number.instance_id == instance.pk:
        number.lease_until = now + LEASE
        number.save(update_fields=["lease_until"])
    return number


def _check_once_more(message: QueuedMessage, number: Dispatcher | None, now: datetime) -> None:
    """What was checked at the hand-out, at the last moment at which it can still be refused."""
    here = {"state": message.state}
    if number is None or number.instance_id != message.instance_id:
        raise Refused("number_taken", "Another instance sends from this number now.", extra=here)
    if number.paused_at is not None:
        raise Refused("wrong_state", "Sending from this number is paused.", extra=here)
    if message.not_before > now:
        wait = int((message.not_before - now).total_seconds() * 1000) + 1
        raise Refused("too_early", f"It may be sent in {wait:,} milliseconds.", extra={**here, "wait_ms": wait})
    if message.contact is not None and message.contact.deleted_at is not None:
        raise Refused("wrong_state", IN_BIN, extra=here)
    if message.broadcast is not None and message.broadcast.state != BroadcastState.RUNNING:
        raise Refused("wrong_state", "Its broadcast is not running.", extra=here)
