"""Recurrence: what a person means by "every last Friday at nine", as an RRULE (RFC 5545) in their own wall clock.

A rule is expanded on wall-clock times, and each of them then becomes a moment by
the two rules of `waplus.lib.walltime`. Beside those, stated once:

- Nothing recurs more often than daily, and all occurrences have the time of day of the start.
- A day that a month lacks is skipped: monthly on the 31st leaves out February and April. The end of every month is
  `BYMONTHDAY=-1`.
- A start that the rule does not hit is no occurrence; the first one is the first hit at or after it.
- `COUNT` counts wall-clock occurrences, whether or not the clock showed them and whether or not they are excluded.
- `UNTIL` includes its end: a date means that whole day, a time the wall clock in the series' zone, a time with `Z` a
  moment.
- Where a whole day is left out (Samoa, 30 December 2011), two occurrences can fall on one moment. They are one, and
  it has the name of the time that the clock showed.
- No series goes on for more than `SERIES_YEARS` after its start, so a rule that never matches ends, too.

The expansion is our own and not dateutil's, whose rules cannot be entered in the
middle and search up to the year 9999, UNTIL or not, for a match that never comes
(seconds of processor time for one short text). Tests hold the two equal.
"""

import calendar
import re
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from waplus.lib.walltime import exists, to_utc

MAX_LENGTH = 280
MAX_INTERVAL = 999
MAX_COUNT = 5_000
SERIES_YEARS = 100
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class Frequency(StrEnum):
    """How often a series recurs, before anything narrows it."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


class InvalidRule(ValueError):
    """The text is no rule that we follow. `code`: `invalid_rule`, `unsupported_rule` or `never_occurs`; a sentence."""

    def __init__(self, code: str, sentence: str):
        self.code = code
        super().__init__(sentence)


@dataclass(frozen=True)
class Rule:
    """A checked rule. Its text (`str`) is canonical: two texts that say the same are equal.

    `by_day` holds weekdays (Monday is 0) with their ordinal, 0 for every one;
    `until` is naive for a wall-clock time and in UTC for a moment.
    """

    frequency: Frequency
    interval: int = 1
    by_month: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_day: tuple[tuple[int, int], ...] = ()
    by_set_pos: tuple[int, ...] = ()
    count: int | None = None
    until: datetime | None = None
    week_start: int = 0

    def __str__(self) -> str:
        parts = [f"FREQ={self.frequency}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.by_month:
            parts.append("BYMONTH=" + ",".join(map(str, self.by_month)))
        if self.by_month_day:
            parts.append("BYMONTHDAY=" + ",".join(map(str, self.by_month_day)))
        if self.by_day:
            parts.append("BYDAY=" + ",".join(f"{n or ''}{WEEKDAYS[weekday]}" for weekday, n in self.by_day))
        if self.by_set_pos:
            parts.append("BYSETPOS=" + ",".join(map(str, self.by_set_pos)))
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.until is not None:
            # `%Y` leaves the zeros of early years away.
            year, rest = f"{self.until.year:04}", f"{self.until:%m%dT%H%M%S}"
            parts.append(f"UNTIL={year}{rest}" + ("Z" if self.until.tzinfo else ""))
        if self.week_start:
            parts.append(f"WKST={WEEKDAYS[self.week_start]}")
        return ";".join(parts)


@dataclass(frozen=True)
class Occurrence:
    """One time of a series: `wall` as the rule names it, `at` the moment in UTC."""

    wall: datetime
    at: datetime


# --- Reading a rule ------------------------------------------------------------------------------

_NUMBER = re.compile(r"[+-]?[0-9]{1,5}")
_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")
# Parts of RFC 5545 that mean nothing to people who set reminders, or split the day.
_UNSUPPORTED = ("BYSECOND", "BYMINUTE", "BYHOUR", "BYYEARDAY", "BYWEEKNO")


def _whole(name: str, text: str, least: int, most: int) -> int:
    """A whole number between two bounds."""
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise InvalidRule("invalid_rule", f"{name} is a whole number from {least} to {most}.")
    return int(text)


def _numbers(name: str, text: str, most: int, *, negative: bool = True) -> tuple[int, ...]:
    """A list of numbers from 1 (or, counted from the end, -1) to `most`."""
    found = {_whole(name, item, -most if negative else 1, most) for item in text.split(",")}
    if 0 in found:
        raise InvalidRule("invalid_rule", f"{name} counts from 1, or from the end with -1.")
    return tuple(sorted(found))


def _days_of_week(text: str) -> tuple[tuple[int, int], ...]:
    found = set()
    for item in text.split(","):
        match = _DAY.fullmatch(item)
        if match is None or (match[1] and not 1 <= abs(int(match[1])) <= 53):
            raise InvalidRule("invalid_rule", "BYDAY lists days such as MO or FR, in a month also 1MO or -1FR.")
        found.add((WEEKDAYS.index(match[2]), int(match[1] or 0)))
    return tuple(sorted(found))


def _end(text: str) -> datetime:
    match = _UNTIL.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        moment = datetime.strptime(match[1] + (match[2] or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007  (a wall clock)
    except ValueError:
        raise InvalidRule(
            "invalid_rule", "UNTIL is a date such as 20271231, or a time such as 20271231T180000."
        ) from None
    return moment.replace(tzinfo=UTC) if match[3] else moment


def _parts(text: str) -> dict[str, str]:
    """The parts of a rule by name, each once."""
    if len(text) > MAX_LENGTH:
        raise InvalidRule("invalid_rule", f"A rule has at most {MAX_LENGTH} characters.")
    parts = {}
    for part in text.strip().upper().removeprefix("RRULE:").removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise InvalidRule("invalid_rule", "A rule looks like FREQ=WEEKLY;BYDAY=MO,FR.")
        if name in parts:
            raise InvalidRule("invalid_rule", "Each part of a rule stands once.")
        parts[name] = value
    return parts


_READERS = {
    "INTERVAL": ("interval", lambda text: _whole("INTERVAL", text, 1, MAX_INTERVAL)),
    "BYMONTH": ("by_month", lambda text: _numbers("BYMONTH", text, 12, negative=False)),
    "BYMONTHDAY": ("by_month_day", lambda text: _numbers("BYMONTHDAY", text, 31)),
    "BYDAY": ("by_day", _days_of_week),
    "BYSETPOS": ("by_set_pos", lambda text: _numbers("BYSETPOS", text, 366)),
    "COUNT": ("count", lambda text: _whole("COUNT", text, 1, MAX_COUNT)),
    "UNTIL": ("until", _end),
}


@lru_cache(maxsize=4096)
def parse_rule(text: str) -> Rule:
    """Read the value of an RRULE (with or without `RRULE:`), or raise `InvalidRule`."""
    parts = _parts(text)
    frequency = parts.pop("FREQ", "")
    if frequency in ("HOURLY", "MINUTELY", "SECONDLY"):
        raise InvalidRule("unsupported_rule", "Nothing recurs more often than daily.")
    if frequency not in Frequency.__members__:
        raise InvalidRule("invalid_rule", "FREQ is DAILY, WEEKLY, MONTHLY or YEARLY.")
    week_start = parts.pop("WKST", "MO")
    if week_start not in WEEKDAYS:
        raise InvalidRule("invalid_rule", "WKST is one day such as MO or SU.")
    values = {}
    for name, value in parts.items():
        if name in _UNSUPPORTED:
            raise InvalidRule("unsupported_rule", f"{name} is not supported.")
        if name not in _READERS:
            raise InvalidRule("invalid_rule", "A part of this rule is not known to RFC 5545.")
        field, read = _READERS[name]
        values[field] = read(value)
    rule = Rule(Frequency(frequency), week_start=WEEKDAYS.index(week_start), **values)
    _check_combination(rule)
    # Where no interval skips weeks, the day on which they begin decides nothing.
    return rule if rule.frequency == Frequency.WEEKLY and rule.interval > 1 else replace(rule, week_start=0)


def _check_combination(rule: Rule) -> None:
    """Refuse parts that RFC 5545 forbids together, or whose meaning together it leaves open."""
    ordinals = [abs(n) for _, n in rule.by_day if n]
    short = rule.frequency in (Frequency.DAILY, Frequency.WEEKLY)
    if rule.count is not None and rule.until is not None:
        raise InvalidRule("invalid_rule", "A series ends by COUNT or by UNTIL, not by both.")
    if ordinals and short:
        raise InvalidRule("invalid_rule", "Only MONTHLY and YEARLY rules count days of the week, as in 1MO or -1FR.")
    if ordinals and max(ordinals) > 5 and (rule.frequency == Frequency.MONTHLY or rule.by_month):
        raise InvalidRule("invalid_rule", "A month has at most five of one day of the week.")
    if rule.by_month_day and rule.frequency == Frequency.WEEKLY:
        raise InvalidRule("invalid_rule", "A WEEKLY rule has no BYMONTHDAY.")
    if rule.by_month_day and rule.frequency == Frequency.YEARLY and not rule.by_month:
        raise InvalidRule("unsupported_rule", "A YEARLY rule with BYMONTHDAY also says in which BYMONTH.")
    if rule.by_set_pos and short:
        raise InvalidRule("unsupported_rule", "BYSETPOS is for MONTHLY and YEARLY rules.")
    if rule.by_set_pos and not (rule.by_day or rule.by_month_day or rule.by_month):
        raise InvalidRule("invalid_rule", "BYSETPOS chooses among the days of BYDAY, BYMONTHDAY or BYMONTH.")
    months = rule.by_month or range(1, 13)
    if rule.by_month_day and not any(
        abs(day) <= calendar.monthrange(2024, month)[1] for day in rule.by_month_day for month in months
    ):
        raise InvalidRule("never_occurs", "None of these months has such a day.")


# --- Wall-clock occurrences ----------------------------------------------------------------------


def _completed(rule: Rule, start: date) -> Rule:
    """The rule with what it leaves to its start said aloud."""
    if rule.by_day or rule.by_month_day:
        return rule
    if rule.frequency == Frequency.WEEKLY:
        return replace(rule, by_day=((start.weekday(), 0),))
    if rule.frequency == Frequency.MONTHLY:
        return replace(rule, by_month_day=(start.day,))
    if rule.frequency == Frequency.YEARLY:
        return replace(rule, by_month=rule.by_month or (start.month,), by_month_day=(start.day,))
    return rule


def _periods(rule: Rule, start: date, near: date, last: date) -> Iterator[date]:
    """First days of the rule's periods up to `last`: every interval-th since that of `start`, from the one at `near` on.

    Days are numbered for DAILY and WEEKLY, months for MONTHLY and YEARLY, so that
    the way to `near` is one division however long ago the series began.
    """
    if rule.frequency in (Frequency.DAILY, Frequency.WEEKLY):
        weekly = rule.frequency == Frequency.WEEKLY
        first = start.toordinal() - ((start.weekday() - rule.week_start) % 7 if weekly else 0)
        step, target, end = rule.interval * (7 if weekly else 1), near.toordinal(), last.toordinal()
        day_of = date.fromordinal
    else:
        yearly = rule.frequency == Frequency.YEARLY
        first = start.year * 12 + (0 if yearly else start.month - 1)
        step = rule.interval * (12 if yearly else 1)
        target, end = near.year * 12 + near.month - 1, last.year * 12 + last.month - 1

        def day_of(number):
            return date(number // 12, number % 12 + 1, 1)

    number = first + max(0, target - first) // step * step
    while number <= end:
        yield day_of(number)
        number += step


def _nth(position: int, length: int, n: int) -> bool:
    """Whether the `position`-th day (from 0) of `length` days is the n-th of its day of the week."""
    return position // 7 + 1 == n if n > 0 else (length - 1 - position) // 7 + 1 == -n


def _is_hit(rule: Rule, day: date) -> bool:
    """Whether a day passes the rule's filters."""
    if rule.by_month and day.month not in rule.by_month:
        return False
    length = calendar.monthrange(day.year, day.month)[1]
    if rule.by_month_day and not {day.day, day.day - length - 1}.intersection(rule.by_month_day):
        return False
    if not rule.by_day:
        return True
    position = day.day - 1
    if rule.frequency == Frequency.YEARLY and not rule.by_month:
        position, length = day.timetuple().tm_yday - 1, 366 if calendar.isleap(day.year) else 365
    return any(weekday == day.weekday() and (not n or _nth(position, length, n)) for weekday, n in rule.by_day)


def _days(rule: Rule, first: date) -> list[date]:
    """The days of the period that begins on `first` on which the rule hits, in order."""
    if rule.frequency == Frequency.DAILY:
        lengths = [(first, 1)]
    elif rule.frequency == Frequency.WEEKLY:
        lengths = [(first, 7)]
    elif rule.frequency == Frequency.MONTHLY:
        lengths = [(first, calendar.monthrange(first.year, first.month)[1])]
    else:
        lengths = [
            (first.replace(month=month), calendar.monthrange(first.year, month)[1])
            for month in rule.by_month or range(1, 13)
        ]
    days = [
        day
        for beginning, length in lengths
        for day in (beginning + timedelta(days=offset) for offset in range(length))
        if _is_hit(rule, day)
    ]
    if not rule.by_set_pos:
        return days
    positions = {position - 1 if position > 0 else len(days) + position for position in rule.by_set_pos}
    return [day for index, day in enumerate(days) if index in positions]


def _walls(rule: Rule, start: datetime, near: date) -> Iterator[datetime]:
    """Wall-clock occurrences without a look at COUNT and UNTIL, from some time before `near` on."""
    rule = _completed(rule, start.date())
    last = date(min(start.year + SERIES_YEARS, date.max.year - 1), 12, 31)
    for first in _periods(rule, start.date(), near, last):
        for day in _days(rule, first):
            wall = datetime.combine(day, start.time())
            if wall >= start:
                yield wall


@lru_cache(maxsize=4096)
def _counted_out(rule: Rule, start: datetime) -> datetime:
    """The last wall-clock occurrence that COUNT allows."""
    last = deque(islice(_walls(rule, start, start.date()), rule.count), maxlen=1)
    return last[0] if last else start


# --- Moments -------------------------------------------------------------------------------------


def occurrences(
    rule: Rule, *, start: datetime, zone: str, after: datetime | None = None, excluded: Collection[datetime] = ()
) -> Iterator[Occurrence]:
    """The occurrences of a series in rising order, each moment once.

    `start` is the naive wall-clock time at which the series begins, in `zone`
    (IANA); it is read in whole seconds. `after` leaves out what is not later: a
    naive time by the wall clock, an aware one by the moment. `excluded` are naive
    wall-clock times that do not occur (EXDATE). Asking is as cheap for a series
    that began long ago as for a new one.
    """
    if start.tzinfo is not None:
        raise ValueError("a series begins at a wall-clock time, without an offset")
    start = start.replace(microsecond=0, fold=0)
    near = start
    if after is not None:
        # A gap moves a time on by a day at most, so two days before the moment nothing has been missed.
        local = after if after.tzinfo is None else after.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        near = max(start, local - timedelta(days=2))
    end = rule.until
    if rule.count is not None:
        end = _counted_out(rule, start)
    excluded = frozenset(excluded)
    held = None
    for wall in _walls(rule, start, near.date()):
        at = to_utc(wall, zone)
        if end is not None and (wall if end.tzinfo is None else at) > end:
            break
        if wall in excluded or (after is not None and (wall if after.tzinfo is None else at) <= after):
            continue
        if held is not None and held.at != at:
            yield held
        held = Occurrence(wall, at)
        if exists(wall, zone):
            yield held
            held = None
    if held is not None:
        yield held


def next_occurrence(
    rule: Rule, *, start: datetime, zone: str, after: datetime | None = None, excluded: Collection[datetime] = ()
) -> Occurrence | None:
    """The first occurrence after a wall-clock time or a moment (see `occurrences`), or None where the series is over."""
    return next(occurrences(rule, start=start, zone=zone, after=after, excluded=excluded), None)


def first_occurrence(rule: Rule, *, start: datetime, zone: str, excluded: Collection[datetime] = ()) -> Occurrence:
    """The first occurrence of a series, or `InvalidRule` with the code `never_occurs`."""
    first = next_occurrence(rule, start=start, zone=zone, excluded=excluded)
    if first is None:
        raise InvalidRule("never_occurs", "This rule never occurs at or after the time at which it begins.")
    return first
