"""What nobody reported in time, what became too late, and what a person decides."""

from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.actors import SYSTEM, Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from messaging.models import DispatchAttempt, DispatchState, QueuedMessage
from messaging.models.dispatch import GONE_OUT
from messaging.services.dispatch.attempts import ended_attempts_sql
from messaging.services.dispatch.moves import locked_message, move
from messaging.services.dispatch.verdicts import IN_BIN
from waplus.lib.errors import Refused

TOO_LATE = gettext_noop("It was later than the message allows, and no device had sent it.")
UNKNOWN = gettext_noop(
    "The device said that it was sending and was not heard of again. It will look into the chat when it is back."
)
DECIDED = gettext_noop("Decided by a person.")
NOT_WANTED = gettext_noop("It was too late, and a member decided not to send it.")

_SETTLE = f"""
WITH ended AS (
    SELECT id, state, expires_at, on_late, EXISTS (
        SELECT 1 FROM crm_contact c WHERE c.id = messaging_queuedmessage.contact_id AND c.deleted_at IS NOT NULL
    ) AS in_bin FROM messaging_queuedmessage
    WHERE (state IN ('leased', 'sending') AND lease_until <= %(now)s) OR (state = 'queued' AND expires_at <= %(now)s)
    ORDER BY id LIMIT 5000 FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE messaging_queuedmessage q
    SET state = CASE WHEN ended.state = 'sending' THEN 'outcome_unknown'
                     WHEN ended.state = 'leased' AND ended.expires_at > %(now)s THEN 'queued'
                     WHEN ended.on_late = 'ask' AND NOT ended.in_bin THEN 'late' ELSE 'skipped' END,
        reason_code = CASE WHEN ended.state = 'sending' THEN 'silent' WHEN ended.expires_at > %(now)s THEN ''
                           WHEN ended.in_bin THEN 'in_bin' ELSE 'too_late' END,
        reason = CASE WHEN ended.state = 'sending' THEN %(unknown)s WHEN ended.expires_at > %(now)s THEN ''
                      WHEN ended.in_bin THEN %(in_bin)s ELSE %(late)s END,
        lease_until = NULL
    FROM ended WHERE q.id = ended.id
    RETURNING q.id, q.workspace_id, q.fence, q.instance_id, q.claimed_at, q.state, ended.state AS was
), attempts AS (
    {ended_attempts_sql("moved q WHERE q.was <> 'queued'", outcome="'lease_expired'", reason="''")}
)
SELECT id, workspace_id, state FROM moved
"""  # noqa: S608


@transaction.atomic
def settle_expired_leases() -> dict[str, int]:
    """Settle what nobody reported in time; answers how many messages went where.

    A lease that ended before "sending" frees the message; after "sending" its
    outcome is unknown; what is too late is skipped, or waits for a person if it says so.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, {"now": timezone.now(), "unknown": UNKNOWN, "late": TOO_LATE, "in_bin": IN_BIN})
        moved = cursor.fetchall()
    workspaces = Workspace.objects.in_bulk({row[1] for row in moved})
    counts: dict[str, int] = {}
    for message_id, workspace_id, state in moved:
        counts[state] = counts.get(state, 0) + 1
        if state != DispatchState.QUEUED:
            record_event(
                kind=f"message.{state}",
                actor=SYSTEM,
                workspace=workspaces[workspace_id],
                obj=QueuedMessage(pk=message_id),
                changed=["state"],
            )
    return counts


@transaction.atomic
def resolve_message(*, workspace: Workspace, message_id: UUID, actor: Actor, outcome: str) -> QueuedMessage:
    """A person decides what became of a message whose device does not come back: `sent` or `not_sent`.

    They have looked into the chat. `not_sent` puts it into the queue again,
    where lateness decides; deciding again as before changes nothing.
    """
    message = locked_message(workspace=workspace, message_id=message_id)
    if message.state in GONE_OUT and outcome == "sent":
        return message
    if message.state != DispatchState.OUTCOME_UNKNOWN:
        raise Refused("wrong_state", extra={"state": message.state})
    now = timezone.now()
    DispatchAttempt.objects.filter(message=message, fence=message.fence).update(
        outcome=outcome, reason=DECIDED, ended_at=now
    )
    if outcome == "sent":
        message.sent_at = now
    else:
        message.sending_at = None
    move(message, DispatchState.SENT if outcome == "sent" else DispatchState.QUEUED, actor)
    return message


@transaction.atomic
def decide_late(*, workspace: Workspace, message_id: UUID, actor: Actor, decision: str) -> QueuedMessage:
    """A member decides about a message that was too late and asks: `send` or `skip`.

    Sent late, it is due now and has as much time again as it had; in its chat
    it goes behind what went meanwhile. Deciding again as before changes nothing.
    """
    message = locked_message(workspace=workspace, message_id=message_id)
    if decision == "skip" and message.state == DispatchState.SKIPPED and message.reason_code == "not_wanted":
        return message
    if message.state != DispatchState.LATE:
        raise Refused("wrong_state", extra={"state": message.state})
    if decision == "skip":
        move(message, DispatchState.SKIPPED, actor, code="not_wanted", reason=NOT_WANTED)
        return message
    now = timezone.now()
    window = max(message.expires_at - message.due_at, timedelta(minutes=1))
    message.due_at = message.not_before = now
    message.expires_at = now + window
    message.held_by = ""
    move(message, DispatchState.QUEUED, actor)
    return message
