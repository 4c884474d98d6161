"""What waits, what holds it back, and when it will probably go."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from crm.models import WhatsAppAccount
from messaging.models import HeldBy
from messaging.services.budget.state import BudgetNow, budget_now
from waplus.lib.prepared import PreparedStatement

DAY = timedelta(days=1)
# More is not looked at one by one: the rest is told as "and more".
MOST = 200_000

_WAITING = PreparedStatement(
    f"""
SELECT held_by, count(*), min(not_before), max(not_before) FROM (
    SELECT CASE WHEN q.not_before > $2 THEN q.held_by ELSE '' END AS held_by, q.not_before
    FROM messaging_queuedmessage q
    WHERE q.whatsapp_account_id = $1 AND q.state = 'queued' AND q.broadcast_id IS NULL
      AND (q.due_at <= $2 OR q.held_by <> '')
    UNION ALL
    SELECT CASE WHEN q.not_before > $2 THEN q.held_by ELSE '' END, q.not_before
    FROM messaging_broadcast b JOIN messaging_queuedmessage q ON q.broadcast_id = b.id AND q.state = 'queued'
    WHERE b.whatsapp_account_id = $1 AND b.state = 'running'
    LIMIT {MOST}
) waiting GROUP BY held_by
"""
)


@dataclass(frozen=True)
class Held:
    """Messages that one thing holds back; `until` is when the first of them may go."""

    code: str
    count: int
    until: datetime


@dataclass(frozen=True)
class Forecast:
    """What waits for a number. `next_at` and `last_at` are estimates from its limits, None if nothing waits."""

    waiting: int
    held: list[Held]
    next_at: datetime | None
    last_at: datetime | None
    budget: BudgetNow


def forecast(account: WhatsAppAccount) -> Forecast:
    """How much is due or held at a number, by what, and when it will go if nothing else comes in between."""
    now = timezone.now()
    budget = budget_now(account, now)
    rows = _WAITING.fetch([account.pk, now])
    waiting = sum(count for _, count, _, _ in rows)
    held = [Held(code, count, first) for code, count, first, _ in rows if code]
    ready = waiting - sum(each.count for each in held)
    stop = whole_number_stop(budget)
    if ready and stop is not None:
        held.append(Held(stop[0], ready, stop[1]))
    if not waiting:
        return Forecast(0, [], None, None, budget)
    next_at = min([each.until for each in held] + ([now] if ready and stop is None else []))
    latest = max(last for _, _, _, last in rows)
    return Forecast(
        waiting,
        sorted(held, key=lambda each: (-each.count, each.code)),
        next_at,
        max(latest, now + time_for(waiting, budget, now)),
        budget,
    )


def whole_number_stop(budget: BudgetNow) -> tuple[HeldBy, datetime] | None:
    """What of the number is used up, so that nothing but answers goes, and until when."""
    if budget.left_day == 0:
        return HeldBy.DAY, budget.day_ends_at
    if budget.left_hour == 0:
        return HeldBy.HOUR, budget.hour_ends_at
    return None


def time_for(count: int, budget: BudgetNow, now: datetime) -> timedelta:
    """About how long so many messages take under the limits: by distance, hour and day, whichever is slowest.

    Days of a warm-up count as today's; it is an estimate and errs to the late side.
    """
    seconds = count * (budget.spacing + budget.jitter / 2)
    if budget.max_hour is not None:
        beyond = count - (budget.left_hour or 0)
        seconds = max(seconds, beyond / budget.max_hour * 3600 if beyond > 0 else 0)
    taken = timedelta(seconds=seconds)
    if budget.max_day is not None and count > (budget.left_day or 0):
        days = math.ceil((count - (budget.left_day or 0)) / max(1, budget.max_day))
        taken = max(taken, (budget.day_ends_at - now) + (days - 1) * DAY)
    return taken
