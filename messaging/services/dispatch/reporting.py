"""Taking an instance's reports on what it was handed."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.actors import Actor
from accounts.models import ExtensionInstance, Workspace
from messaging.models import BroadcastState, DispatchAttempt, Dispatcher, DispatchState, QueuedMessage
from messaging.models.dispatch import OPEN
from messaging.services.budget import note_whatsapp_error
from messaging.services.dispatch.attempts import attempt_of, end_attempt
from messaging.services.dispatch.facts import confirm_sent
from messaging.services.dispatch.moves import LEASE, locked_message, move
from messaging.services.dispatch.numbers import locked_dispatcher
from messaging.services.dispatch.verdicts import IN_BIN, OPTED_OUT
from messaging.services.reachability import note_failure
from messaging.services.suppression import is_suppressed
from waplus.lib.errors import NotFound, Refused

# What an instance may report, from which states, and where it leads. "Sent" is a fact and stands apart.
_MOVES = {
    "sending": ({DispatchState.LEASED}, DispatchState.SENDING),
    "failed": ({DispatchState.LEASED, DispatchState.SENDING, DispatchState.OUTCOME_UNKNOWN}, DispatchState.FAILED),
    "released": ({DispatchState.LEASED}, DispatchState.QUEUED),
    "not_sent": ({DispatchState.SENDING, DispatchState.OUTCOME_UNKNOWN}, DispatchState.QUEUED),
}
CANCELLED = gettext_noop("Its broadcast was cancelled.")
PAUSED = gettext_noop("Its broadcast is paused.")
REPORTS = ["sending", "sent", "failed", "released", "not_sent"]


# How long after "sending" an instance may still begin to send: later than that, its permission is worth nothing.
PROMPT = timedelta(seconds=30)


def send_within_ms(message: QueuedMessage) -> int:
    """Milliseconds from now within which a message that is `sending` may still be let go; 0 where it may not.

    It ends with the permission (`PROMPT` after "sending"), and with the time
    until which the message may be sent at all.
    """
    if message.state != DispatchState.SENDING or message.sending_at is None:
        return 0
    until = min(message.sending_at + PROMPT, message.expires_at)
    return max(0, int((until - timezone.now()).total_seconds() * 1000))


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
    time (`too_early`). What must not be sent any more (the person has opted
    out, the broadcast was cancelled) ends there, and the refusal tells.
    """
    with transaction.atomic():
        message, refused = _take_report(
            workspace, message_id, instance, actor, fence, report, code=code, reason=reason, sent_at=sent_at
        )
    if refused is not None:
        raise refused
    return message


def _take_report(
    workspace: Workspace,
    message_id: UUID,
    instance: ExtensionInstance,
    actor: Actor,
    fence: int,
    report: str,
    *,
    code: str,
    reason: str,
    sent_at: datetime | None,
) -> tuple[QueuedMessage, Refused | None]:
    now = timezone.now()
    if report == "sending":
        number = _renewed_number(workspace, message_id, instance, now)
    message = locked_message(workspace=workspace, message_id=message_id)
    attempt = attempt_of(message, fence, instance)
    if attempt is None:
        raise Refused("stale_fence", "This instance never held the message under this fence.")
    if report == "sent":
        confirm_sent(message=message, attempt=attempt, actor=actor, sent_at=sent_at)
        return message, None
    if fence != message.fence:
        raise Refused("stale_fence", extra={"fence": message.fence, "state": message.state})
    sources, target = _MOVES[report]
    if message.state in OPEN and message.lease_until <= now:
        # The sweep has not been here yet; the lease is over all the same, also for a "sending" that comes again.
        raise Refused("stale_fence", "The lease has run out.", extra={"fence": message.fence, "state": message.state})
    if message.state == target and attempt.outcome in ("", report):
        # A permission that is asked for again has not been used: what may end the message does so now as well.
        refused = _withdraw(message, attempt, actor, now) if report == "sending" else None
        return message, refused
    if message.state not in sources:
        raise Refused(
            "wrong_state",
            f"A message that is {message.state} cannot be reported as {report}.",
            extra={"state": message.state},
        )
    if target == DispatchState.SENDING:
        _check_once_more(message, number, now)
        if refused := _withdraw(message, attempt, actor, now):
            return message, refused
        message.lease_until, message.sending_at = now + LEASE, now
    else:
        end_attempt(attempt, report, now, reason=reason)
        if target == DispatchState.QUEUED:
            # It was not sent: it takes nothing of the budget.
            message.sending_at = None
    if target == DispatchState.FAILED:
        _note_failure(message, code, actor)
    move(message, target, actor, code=code if target == DispatchState.FAILED else "", reason=reason)
    return message, None


def _renewed_number(workspace: Workspace, message_id: UUID, instance: ExtensionInstance, now: datetime) -> Dispatcher:
    """The lease of the message's number, locked before the message as claims do, and renewed if it is the instance's."""
    rows = QueuedMessage.objects.for_workspace(workspace).filter(pk=message_id)
    account_id = rows.values_list("whatsapp_account", flat=True).first()
    if account_id is None:
        raise NotFound
    number = locked_dispatcher(workspace=workspace, account_id=account_id)
    if number.instance_id == instance.pk:
        number.lease_until = now + LEASE
        number.save(update_fields=["lease_until"])
    return number


def _check_once_more(message: QueuedMessage, number: Dispatcher, now: datetime) -> None:
    """What was checked at the hand-out, at the last moment at which it can still be refused."""
    here = {"state": message.state}
    if number.instance_id != message.instance_id:
        raise Refused("number_taken", "Another instance sends from this number now.", extra=here)
    if number.paused_at is not None:
        raise Refused("wrong_state", "Sending from this number is paused.", extra=here)
    if message.not_before > now:
        wait = int((message.not_before - now).total_seconds() * 1000) + 1
        raise Refused("too_early", f"It may be sent in {wait:,} milliseconds.", extra={**here, "wait_ms": wait})
    if message.contact is not None and message.contact.deleted_at is not None:
        raise Refused("wrong_state", IN_BIN, extra=here)


def _withdraw(message: QueuedMessage, attempt: DispatchAttempt, actor: Actor, now: datetime) -> Refused | None:
    """End a message here that must not be sent (any more), and answer the refusal that tells; None if it may be sent."""
    ending = _ends_here(message)
    if ending is None:
        return None
    state, code, sentence = ending
    if message.state == DispatchState.SENDING and state == DispatchState.QUEUED:
        # Whoever had the permission may have used it: a message that may be under way is not handed out again.
        return None
    end_attempt(attempt, "withdrawn", now, reason=sentence)
    move(message, state, actor, code=code, reason=sentence)
    return Refused("wrong_state", sentence, extra={"state": message.state})


def _ends_here(message: QueuedMessage) -> tuple[DispatchState, str, str] | None:
    """Where a message goes instead of being sent: state, code and sentence; None if it may be sent."""
    state = message.broadcast.state if message.broadcast is not None else BroadcastState.RUNNING
    if state == BroadcastState.CANCELLED:
        return DispatchState.CANCELLED, "broadcast_cancelled", CANCELLED
    if is_suppressed(message.workspace, contact=message.contact_id, chat_jid=message.chat_jid):
        return DispatchState.SKIPPED, "opted_out", OPTED_OUT
    if state != BroadcastState.RUNNING:
        return DispatchState.QUEUED, "", PAUSED
    return None


def _note_failure(message: QueuedMessage, code: str, actor: Actor) -> None:
    """What a failure says of the chat, and of the number."""
    note_failure(
        workspace=message.workspace,
        account_id=message.whatsapp_account_id,
        chat_jid=message.chat_jid,
        code=code,
        actor=actor,
    )
    if code == "account_restricted":
        note_whatsapp_error(message.whatsapp_account, code)
