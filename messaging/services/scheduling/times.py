"""When a scheduled message goes to somebody: the first time and the next. Nothing here writes."""

from collections.abc import Collection
from datetime import datetime, timedelta

from messaging.models import ScheduledMessage
from messaging.models.scheduled import MAX_EXCLUDED
from waplus.lib.errors import Invalid
from waplus.lib.recurrence import InvalidRule, Occurrence, next_occurrence, parse_rule
from waplus.lib.walltime import to_utc

# A message that was meant for the past: a clock a little wrong is no reason to refuse.
TOLERANCE = timedelta(minutes=5)
# A year that was mistyped is told at once; the ends of the calendar, where zones cannot be applied, are far beyond.
YEARS_AHEAD = 10
# A series may have begun so long ago.
YEARS_BACK = 1


def canonical_rule(text: str) -> str:
    """The canonical text of a rule; empty for no recurrence. Refuses what is no rule that we follow."""
    try:
        return str(parse_rule(text)) if text.strip() else ""
    except InvalidRule as refused:
        raise Invalid("rrule", refused.code, str(refused)) from refused


def canonical_exclusions(walls: Collection[datetime], rrule: str) -> list[datetime]:
    """Wall-clock times that are left out, each once and in order; only a series leaves any out."""
    walls = sorted({wall.replace(microsecond=0) for wall in walls}) if rrule else []
    if len(walls) > MAX_EXCLUDED:
        raise Invalid("excluded", "too_many", f"A series leaves out {MAX_EXCLUDED} times at most.")
    return walls


def check_wall_time(wall: datetime, rrule: str, now: datetime) -> None:
    """Refuse times that are mistyped for certain, and the ends of the calendar."""
    if wall.year > now.year + YEARS_AHEAD:
        raise Invalid("wall_time", "too_far", f"A message can be scheduled {YEARS_AHEAD} years ahead at most.")
    if wall.year < now.year - YEARS_BACK:
        raise Invalid("wall_time", "in_the_past", "This time has passed in that time zone.")


def occurrence_after(
    *, wall_time: datetime, rrule: str, excluded: Collection[datetime], zone: str, after: datetime
) -> Occurrence | None:
    """The first time of a schedule in a zone that is later than a moment, or None where nothing follows."""
    if rrule:
        return next_occurrence(parse_rule(rrule), start=wall_time, zone=zone, after=after, excluded=excluded)
    once = Occurrence(wall_time, to_utc(wall_time, zone))
    return once if once.at > after else None


def following(message: ScheduledMessage, zone: str, after: datetime) -> Occurrence | None:
    """`occurrence_after` of a schedule as it is."""
    return occurrence_after(
        wall_time=message.wall_time, rrule=message.rrule, excluded=message.excluded, zone=zone, after=after
    )


def first(message: ScheduledMessage, zone: str, now: datetime, *, is_new: bool) -> Occurrence:
    """When a new or changed schedule goes to somebody first. Refuses what lies in the past, or never comes.

    A new one may be a few minutes late, for a clock that is a little wrong; a
    series that is changed goes on with what is later than now.
    """
    check_wall_time(message.wall_time, message.rrule, now)
    once = not message.rrule
    after = now - TOLERANCE - timedelta(microseconds=1) if once or is_new else now
    found = following(message, zone, after)
    if found is None and once:
        raise Invalid("wall_time", "in_the_past", f"This time has passed in {zone}.")
    if found is None:
        raise Invalid("rrule", "never_occurs", "This rule never occurs from now on.")
    return Occurrence(found.wall, max(found.at, now))
