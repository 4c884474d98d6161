"""When a reminder is due: its series, the occurrence that is up, and what follows it. Nothing here writes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile

from crm.models import Reminder
from waplus.lib.errors import Invalid
from waplus.lib.recurrence import (
    InvalidRule,
    Occurrence,
    first_occurrence,
    next_occurrence,
    occurrences,
    parse_rule,
)
from waplus.lib.walltime import to_utc

FIRST_YEAR = 1970
YEARS_AHEAD = 50
# A series that is entered late (made offline, or begun years ago) starts with what was up within this time.
LOOK_BACK = timedelta(days=1)
# What was missed is counted so far; nobody asks more exactly.
MAX_MISSED = 1_000


@dataclass(frozen=True)
class Following:
    """What comes after an occurrence: the next one (None where the series is over), and how many passed meanwhile."""

    occurrence: Occurrence | None
    missed: int


def canonical_rule(text: str) -> str:
    """The canonical text of a rule; empty for no recurrence. Refuses what is no rule that we follow."""
    try:
        return str(parse_rule(text)) if text.strip() else ""
    except InvalidRule as refused:
        raise Invalid("rrule", refused.code, str(refused)) from refused


def check_wall_time(wall: datetime, now: datetime) -> None:
    """Refuse times that are mistyped for certain, and the ends of the calendar, where zones cannot be applied."""
    if not FIRST_YEAR <= wall.year <= now.year + YEARS_AHEAD:
        raise Invalid("wall_time", "too_far", f"A reminder is for {FIRST_YEAR} to {now.year + YEARS_AHEAD}.")


def present_occurrence(
    *, wall_time: datetime, time_zone: str, rrule: str, now: datetime, done_at: datetime | None = None
) -> Occurrence:
    """The occurrence with which a reminder begins, or begins anew after it was done last at `done_at`.

    Without a rule it is the time itself. Of a series it is the first one that
    was up within `LOOK_BACK`, and not before it was done, or comes after; of a
    series that was over before, its first.
    """
    check_wall_time(wall_time, now)
    if not rrule:
        return Occurrence(wall_time, to_utc(wall_time, time_zone))
    rule = parse_rule(rrule)
    try:
        first = first_occurrence(rule, start=wall_time, zone=time_zone)
    except InvalidRule as refused:
        raise Invalid("rrule", refused.code, str(refused)) from refused
    after = max(now - LOOK_BACK, done_at or now - LOOK_BACK)
    return next_occurrence(rule, start=wall_time, zone=time_zone, after=after) or first


def due_at(reminder: Reminder) -> datetime:
    """The moment that follows from the snooze or, without one, from the present occurrence, by today's rules of its zone."""
    return reminder.snoozed_until or to_utc(reminder.occurrence_wall, reminder.time_zone)


def following(reminder: Reminder, now: datetime) -> Following:
    """What comes after the present occurrence: the first one that is later than it and than now."""
    if not reminder.rrule:
        return Following(None, 0)
    rule = parse_rule(reminder.rrule)
    series = {"start": reminder.wall_time, "zone": reminder.time_zone}
    present = to_utc(reminder.occurrence_wall, reminder.time_zone)
    passed = takewhile(lambda occurrence: occurrence.at <= now, occurrences(rule, **series, after=present))
    missed = sum(1 for _ in islice(passed, MAX_MISSED))
    return Following(next_occurrence(rule, **series, after=max(present, now)), missed)
