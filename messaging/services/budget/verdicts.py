"""What a budget says to one message: go, or wait for what and until when (the table in docs/budget.md)."""

from dataclasses import dataclass
from datetime import datetime

from messaging.models import HeldBy, MessageSource
from messaging.models.dispatch import AT_ONCE
from messaging.services.budget.state import BudgetNow


@dataclass(frozen=True)
class Hold:
    """A message waits: the code of what holds it, and when to look again."""

    code: HeldBy
    until: datetime


def verdict(*, source: str, is_new: bool, recipient_zone: str, budget: BudgetNow, now: datetime) -> Hold | None:
    """Why a message waits under a budget; None lets it go. Of several reasons the one that lasts longest."""
    if source in AT_ONCE:
        return None
    holds = []
    is_broadcast = source == MessageSource.BROADCAST
    if (is_new or is_broadcast) and (until := budget.quiet_until(recipient_zone)) is not None and until > now:
        holds.append(Hold(HeldBy.QUIET_HOURS, until))
    concerned = is_new or (is_broadcast and budget.cold_held_by == HeldBy.COLD_PAUSED)
    if concerned and budget.cold_held_until is not None and budget.cold_held_until > now:
        holds.append(Hold(HeldBy(budget.cold_held_by), budget.cold_held_until))
    if is_new and budget.left_new == 0:
        holds.append(Hold(HeldBy.NEW_CONTACTS, budget.day_ends_at))
    if budget.left_hour == 0:
        holds.append(Hold(HeldBy.HOUR, budget.hour_ends_at))
    if budget.left_day == 0:
        holds.append(Hold(HeldBy.DAY, budget.day_ends_at))
    return max(holds, key=lambda hold: hold.until, default=None)
