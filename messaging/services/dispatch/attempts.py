"""What was tried with a message, and what came of it.

An attempt is a row once it has ended. While it is under way it stands in the
message's own row, so that a hand-out of a hundred messages writes a hundred
rows and not two hundred.
"""

from datetime import datetime

from accounts.models import ExtensionInstance
from messaging.models import DispatchAttempt, QueuedMessage
from messaging.models.dispatch import OPEN


def attempt_under_way(message: QueuedMessage) -> DispatchAttempt | None:
    """The attempt that has not ended, as a row that is not written yet; None if there is none."""
    if message.state not in OPEN:
        return None
    return DispatchAttempt(
        workspace_id=message.workspace_id,
        message=message,
        fence=message.fence,
        instance_id=message.instance_id,
        claimed_at=message.claimed_at,
    )


def last_attempt(message: QueuedMessage) -> DispatchAttempt | None:
    """The last one, under way or ended; None if it was never handed out."""
    return attempt_under_way(message) or DispatchAttempt.objects.filter(message=message, fence=message.fence).first()


def attempt_of(message: QueuedMessage, fence: int, instance: ExtensionInstance) -> DispatchAttempt | None:
    """The attempt that an instance has or had under a fence; None if it had none."""
    under_way = attempt_under_way(message)
    if under_way is not None and under_way.fence == fence:
        return under_way if under_way.instance_id == instance.pk else None
    return DispatchAttempt.objects.filter(message=message, fence=fence, instance=instance).first()


def attempts_of(message: QueuedMessage) -> list[DispatchAttempt]:
    """All of them in their order, with their instances; the one under way is the last."""
    ended = list(message.attempts.select_related("instance").order_by("fence"))
    under_way = attempt_under_way(message)
    return [*ended, under_way] if under_way is not None else ended


def ended_attempts_sql(rows: str, *, outcome: str, reason: str) -> str:
    """SQL that writes the last attempts of `rows` as ended: what `end_attempt` does to one, for sets.

    The arguments are SQL: `rows` what comes behind FROM, with rows of the queue
    as `q`. The parameter `now` is when they ended.
    """
    return f"""
INSERT INTO messaging_dispatchattempt AS a
    (id, workspace_id, message_id, fence, instance_id, claimed_at, outcome, reason, ended_at)
SELECT gen_random_uuid(), q.workspace_id, q.id, q.fence, q.instance_id, q.claimed_at, {outcome}, {reason}, %(now)s
FROM {rows}"""  # noqa: S608


def end_attempt(attempt: DispatchAttempt, outcome: str, now: datetime, *, reason: str = "") -> None:
    """Write what came of an attempt. Before its message moves on, which ends that it is under way."""
    attempt.outcome, attempt.reason, attempt.ended_at = outcome, reason, now
    attempt.save()
