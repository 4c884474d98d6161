"""Dispatch: hand messages out under leases with fencing numbers, and take reports.

The protocol is drawn in docs/dispatch.md. What must never happen is a second
send: a message whose instance said "sending" and fell silent is never handed
out again by itself; its outcome is unknown until that instance has looked into
the chat for the reserved message id.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import SYSTEM, Actor
from accounts.models import ExtensionInstance, Workspace
from accounts.services.events import record_event
from crm.services.whatsapp_accounts import account_of
from messaging.models import DispatchAttempt, DispatchState, QueuedMessage
from messaging.models.dispatch import OPEN
from waplus.lib.errors import NotFound, Refused

LEASE = timedelta(seconds=60)
MAX_CLAIM = 100
IN_BIN = "Its contact is in the bin."
TOO_LATE = "It was later than the message allows, and no device had sent it."

# Claims for one number take turns already, so a locked row is not skipped: somebody looks at that message (to edit
# it, say) and will be done in a moment, and the next message of its chat must not overtake it meanwhile. Messages for
# one time go in the order in which they were written, which is that of their schedules' ids. No lease outlives the
# time until which a message may be sent, so that nobody begins to send it later than that. A message to a contact in
# the bin waits: it goes out if the contact is taken back in time.
_CLAIM = """
WITH picked AS (
    SELECT q.id FROM messaging_queuedmessage q
    WHERE q.whatsapp_account_id = %(account)s AND q.state = 'queued' AND q.not_before <= %(now)s AND q.expires_at > %(now)s
      AND NOT EXISTS (
          SELECT 1 FROM messaging_queuedmessage busy
          WHERE busy.whatsapp_account_id = q.whatsapp_account_id AND busy.chat_key = q.chat_key
            AND busy.state IN ('leased', 'sending', 'outcome_unknown')
      )
      AND NOT EXISTS (
          SELECT 1 FROM crm_contact c WHERE c.id = q.contact_id AND c.deleted_at IS NOT NULL
      )
    ORDER BY q.not_before, q.due_at, q.origin_id, q.position LIMIT %(limit)s FOR UPDATE OF q
), leased AS (
    UPDATE messaging_queuedmessage q
    SET state = 'leased', fence = q.fence + 1, claim_id = %(claim)s, instance_id = %(instance)s,
        lease_until = least(%(lease_until)s, q.expires_at)
    FROM picked WHERE q.id = picked.id
    RETURNING q.id, q.workspace_id, q.fence
)
INSERT INTO messaging_dispatchattempt (id, workspace_id, message_id, fence, instance_id, claimed_at, outcome, reason)
SELECT gen_random_uuid(), workspace_id, id, fence, %(instance)s, %(now)s, '', '' FROM leased
"""


@dataclass(frozen=True)
class Claim:
    """What an instance is handed: messages to send, in order, and messages of its own whose outcome it must find out."""

    messages: list[QueuedMessage]
    reconcile: list[QueuedMessage]


@transaction.atomic
def claim_messages(
    *, workspace: Workspace, account_id: UUID, instance: ExtensionInstance, claim_id: UUID, limit: int
) -> Claim:
    """Lease due messages of a number to an instance.

    Claims for one number take turns on its row. A repeat with the same
    `claim_id` answers what is still leased under it, for a lost answer.
    """
    account = account_of(workspace=workspace, account_id=account_id, lock=True)
    now = timezone.now()
    mine = QueuedMessage.objects.for_workspace(workspace).filter(whatsapp_account=account, instance=instance)
    if not DispatchAttempt.objects.filter(message__in=mine.filter(claim_id=claim_id)).exists():
        with connection.cursor() as cursor:
            cursor.execute(
                _CLAIM,
                {
                    "account": account.pk,
                    "now": now,
                    "limit": limit,
                    "claim": claim_id,
                    "instance": instance.pk,
                    "lease_until": now + LEASE,
                },
            )
    in_order = mine.order_by("due_at", "origin_id", "position")
    leased = in_order.filter(claim_id=claim_id, state=DispatchState.LEASED, lease_until__gt=now)
    unknown = in_order.filter(state=DispatchState.OUTCOME_UNKNOWN)
    return Claim(list(leased), list(unknown[:MAX_CLAIM]))


# What an instance may report, from which states, and where it leads.
_MOVES = {
    "sending": ({DispatchState.LEASED}, DispatchState.SENDING),
    "sent": ({DispatchState.LEASED, DispatchState.SENDING, DispatchState.OUTCOME_UNKNOWN}, DispatchState.SENT),
    "failed": ({DispatchState.LEASED, DispatchState.SENDING, DispatchState.OUTCOME_UNKNOWN}, DispatchState.FAILED),
    "released": ({DispatchState.LEASED}, DispatchState.QUEUED),
    "not_sent": ({DispatchState.OUTCOME_UNKNOWN}, DispatchState.QUEUED),
}
REPORTS = list(_MOVES)


@transaction.atomic
def report_message(
    *,
    workspace: Workspace,
    message_id: UUID,
    instance: ExtensionInstance,
    actor: Actor,
    fence: int,
    report: str,
    reason: str = "",
    sent_at: datetime | None = None,
) -> QueuedMessage:
    """Take an instance's report. A repeat of what is so already changes nothing.

    A report with an older fence is refused (`stale_fence`) with one exception:
    "sent" is a fact, and a fact that comes late still wins over whatever was
    assumed meanwhile.
    """
    message = QueuedMessage.objects.for_workspace(workspace).select_for_update().filter(pk=message_id).first()
    if message is None:
        raise NotFound
    attempt = DispatchAttempt.objects.filter(message=message, fence=fence, instance=instance).first()
    if attempt is None:
        raise Refused("stale_fence", "This instance never held the message under this fence.")
    now = timezone.now()
    if report == "sent":
        return _take_sent(message, attempt, actor, now, sent_at)
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
    if target == DispatchState.SENDING and message.contact is not None and message.contact.deleted_at is not None:
        raise Refused("wrong_state", IN_BIN, extra={"state": message.state})
    if target == DispatchState.SENDING:
        message.lease_until, message.sending_at = now + LEASE, now
    else:
        attempt.outcome, attempt.reason, attempt.ended_at = report, reason, now
        attempt.save(update_fields=["outcome", "reason", "ended_at"])
    _move(message, target, actor, reason)
    return message


def _take_sent(message, attempt, actor: Actor, now: datetime, sent_at: datetime | None) -> QueuedMessage:
    if attempt.outcome != "sent":
        attempt.outcome, attempt.reason, attempt.ended_at = "sent", "", now
        attempt.save(update_fields=["outcome", "reason", "ended_at"])
        # A later attempt that is under way has nothing left to send.
        DispatchAttempt.objects.filter(message=message, outcome="").update(outcome="overtaken", ended_at=now)
    if message.state != DispatchState.SENT:
        # WhatsApp's time as the device tells it, within what can be true.
        message.sent_at = max(attempt.claimed_at, min(sent_at or now, now))
        _move(message, DispatchState.SENT, actor, "")
    return message


@transaction.atomic
def resolve_message(*, workspace: Workspace, message_id: UUID, actor: Actor, outcome: str) -> QueuedMessage:
    """A person decides what became of a message whose device does not come back: `sent` or `not_sent`.

    They have looked into the chat. `not_sent` puts it into the queue again,
    where lateness decides; deciding again as before changes nothing.
    """
    message = QueuedMessage.objects.for_workspace(workspace).select_for_update().filter(pk=message_id).first()
    if message is None:
        raise NotFound
    if message.state == DispatchState.SENT and outcome == "sent":
        return message
    if message.state != DispatchState.OUTCOME_UNKNOWN:
        raise Refused("wrong_state", extra={"state": message.state})
    now = timezone.now()
    DispatchAttempt.objects.filter(message=message, fence=message.fence).update(
        outcome=outcome, reason="Decided by a person.", ended_at=now
    )
    if outcome == "sent":
        message.sent_at = now
    _move(message, DispatchState.SENT if outcome == "sent" else DispatchState.QUEUED, actor, "")
    return message


def _move(message: QueuedMessage, state: DispatchState, actor: Actor, reason: str) -> None:
    message.state, message.reason = state, reason
    if state not in OPEN:
        message.lease_until = None
    message.save(update_fields=["state", "reason", "lease_until", "sending_at", "sent_at"])
    record_event(
        kind=f"message.{state.value}", actor=actor, workspace=message.workspace, obj=message, changed=["state"]
    )


_SETTLE = """
WITH ended AS (
    SELECT id, state, expires_at, EXISTS (
        SELECT 1 FROM crm_contact c WHERE c.id = messaging_queuedmessage.contact_id AND c.deleted_at IS NOT NULL
    ) AS in_bin FROM messaging_queuedmessage
    WHERE (state IN ('leased', 'sending') AND lease_until <= %(now)s) OR (state = 'queued' AND expires_at <= %(now)s)
    ORDER BY id LIMIT 5000 FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE messaging_queuedmessage q
    SET state = CASE WHEN ended.state = 'sending' THEN 'outcome_unknown'
                     WHEN ended.state = 'leased' AND ended.expires_at > %(now)s THEN 'queued' ELSE 'skipped' END,
        reason = CASE WHEN ended.state = 'sending' THEN %(unknown)s WHEN ended.expires_at > %(now)s THEN ''
                      WHEN ended.in_bin THEN %(in_bin)s ELSE %(late)s END,
        lease_until = NULL
    FROM ended WHERE q.id = ended.id
    RETURNING q.id, q.workspace_id, q.fence, q.state, ended.state AS was
), attempts AS (
    UPDATE messaging_dispatchattempt a SET outcome = 'lease_expired', ended_at = %(now)s
    FROM moved WHERE a.message_id = moved.id AND a.fence = moved.fence AND a.outcome = '' AND moved.was <> 'queued'
)
SELECT id, workspace_id, state FROM moved
"""
UNKNOWN = "The device said that it was sending and was not heard of again. It will look into the chat when it is back."


@transaction.atomic
def settle_expired_leases() -> dict[str, int]:
    """Settle what nobody reported in time; answers how many messages went where.

    A lease that ended before "sending" frees the message; after "sending" its
    outcome is unknown; what is too late is skipped.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, {"now": timezone.now(), "unknown": UNKNOWN, "late": TOO_LATE, "in_bin": IN_BIN})
        moved = cursor.fetchall()
    workspaces = Workspace.objects.in_bulk({row[1] for row in moved})
    counts: dict[str, int] = {}
    for message_id, workspace_id, state in moved:
        counts[state] = counts.get(state, 0) + 1
        if state != DispatchState.QUEUED:
            message = QueuedMessage(pk=message_id)
            record_event(
                kind=f"message.{state}",
                actor=SYSTEM,
                workspace=workspaces[workspace_id],
                obj=message,
                changed=["state"],
            )
    return counts
