"""Recurrence against tables worked out by hand from the zones' published rules, and against dateutil where clocks never change."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from waplus.lib.recurrence import (
    MAX_COUNT,
    InvalidRule,
    first_occurrence,
    next_occurrence,
    occurrences,
    parse_rule,
)


def walls(text, start, zone="UTC", limit=10, **kwargs):
    """The names of the first occurrences, as text without seconds."""
    found = occurrences(parse_rule(text), start=datetime.fromisoformat(start), zone=zone, **kwargs)
    return [f"{occurrence.wall:%Y-%m-%dT%H:%M}" for occurrence in islice(found, limit)]


MOMENTS = [
    # zone, rule, start by the wall clock, expected (wall clock → UTC)
    # New York jumps from 02:00 to 03:00 on 9 March 2025: 02:30 becomes 03:30 on that day only …
    (
        "America/New_York",
        "FREQ=DAILY",
        "2025-03-08T02:30",
        [
            ("2025-03-08T02:30", "2025-03-08T07:30"),
            ("2025-03-09T02:30", "2025-03-09T07:30"),
            ("2025-03-10T02:30", "2025-03-10T06:30"),
        ],
    ),
    # … and goes from 02:00 back to 01:00 on 2 November: 01:30 is the first of the two.
    (
        "America/New_York",
        "FREQ=DAILY",
        "2025-11-01T01:30",
        [
            ("2025-11-01T01:30", "2025-11-01T05:30"),
            ("2025-11-02T01:30", "2025-11-02T05:30"),
            ("2025-11-03T01:30", "2025-11-03T06:30"),
        ],
    ),
    (
        "Europe/Berlin",
        "FREQ=WEEKLY",
        "2025-03-23T02:30",
        [
            ("2025-03-23T02:30", "2025-03-23T01:30"),
            ("2025-03-30T02:30", "2025-03-30T01:30"),
            ("2025-04-06T02:30", "2025-04-06T00:30"),
        ],
    ),
    (
        "Europe/Berlin",
        "FREQ=MONTHLY;BYDAY=-1SU",
        "2025-09-28T02:30",
        [
            ("2025-09-28T02:30", "2025-09-28T00:30"),
            ("2025-10-26T02:30", "2025-10-26T00:30"),
            ("2025-11-30T02:30", "2025-11-30T01:30"),
        ],
    ),
    # São Paulo left out the hour after midnight on 4 November 2018 …
    (
        "America/Sao_Paulo",
        "FREQ=DAILY",
        "2018-11-03T00:15",
        [
            ("2018-11-03T00:15", "2018-11-03T03:15"),
            ("2018-11-04T00:15", "2018-11-04T03:15"),
            ("2018-11-05T00:15", "2018-11-05T02:15"),
        ],
    ),
    # … had the hour before midnight twice on 16 February 2019, and has kept its clocks since.
    (
        "America/Sao_Paulo",
        "FREQ=DAILY",
        "2019-02-15T23:30",
        [
            ("2019-02-15T23:30", "2019-02-16T01:30"),
            ("2019-02-16T23:30", "2019-02-17T01:30"),
            ("2019-02-17T23:30", "2019-02-18T02:30"),
        ],
    ),
    (
        "America/Sao_Paulo",
        "FREQ=YEARLY",
        "2019-11-03T00:15",
        [("2019-11-03T00:15", "2019-11-03T03:15"), ("2020-11-03T00:15", "2020-11-03T03:15")],
    ),
    # Lord Howe moves by half an hour.
    (
        "Australia/Lord_Howe",
        "FREQ=DAILY",
        "2025-10-04T02:15",
        [
            ("2025-10-04T02:15", "2025-10-03T15:45"),
            ("2025-10-05T02:15", "2025-10-04T15:45"),
            ("2025-10-06T02:15", "2025-10-05T15:15"),
        ],
    ),
    (
        "Australia/Lord_Howe",
        "FREQ=DAILY",
        "2025-04-05T01:45",
        [
            ("2025-04-05T01:45", "2025-04-04T14:45"),
            ("2025-04-06T01:45", "2025-04-05T14:45"),
            ("2025-04-07T01:45", "2025-04-06T15:15"),
        ],
    ),
    # Morocco goes back for Ramadan and forward after it.
    (
        "Africa/Casablanca",
        "FREQ=DAILY",
        "2025-02-22T02:30",
        [
            ("2025-02-22T02:30", "2025-02-22T01:30"),
            ("2025-02-23T02:30", "2025-02-23T01:30"),
            ("2025-02-24T02:30", "2025-02-24T02:30"),
        ],
    ),
    (
        "Africa/Casablanca",
        "FREQ=DAILY",
        "2025-04-05T02:30",
        [
            ("2025-04-05T02:30", "2025-04-05T02:30"),
            ("2025-04-06T02:30", "2025-04-06T02:30"),
            ("2025-04-07T02:30", "2025-04-07T01:30"),
        ],
    ),
    # Midnight does not exist in Cairo on the last Friday of April.
    (
        "Africa/Cairo",
        "FREQ=WEEKLY;BYDAY=FR",
        "2025-04-18T00:00",
        [
            ("2025-04-18T00:00", "2025-04-17T22:00"),
            ("2025-04-25T00:00", "2025-04-24T22:00"),
            ("2025-05-02T00:00", "2025-05-01T21:00"),
        ],
    ),
    # Samoa had no 30 December 2011: every day is one occurrence, and the missing one is no second one …
    (
        "Pacific/Apia",
        "FREQ=DAILY",
        "2011-12-28T12:00",
        [
            ("2011-12-28T12:00", "2011-12-28T22:00"),
            ("2011-12-29T12:00", "2011-12-29T22:00"),
            ("2011-12-31T12:00", "2011-12-30T22:00"),
            ("2012-01-01T12:00", "2011-12-31T22:00"),
        ],
    ),
    # … but where nothing else falls there, it happens as far after the jump as it lay behind its beginning.
    (
        "Pacific/Apia",
        "FREQ=WEEKLY",
        "2011-12-23T12:00",
        [
            ("2011-12-23T12:00", "2011-12-23T22:00"),
            ("2011-12-30T12:00", "2011-12-30T22:00"),
            ("2012-01-06T12:00", "2012-01-05T22:00"),
        ],
    ),
    (
        "Asia/Kathmandu",
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        "2026-01-31T09:00",
        [
            ("2026-01-31T09:00", "2026-01-31T03:15"),
            ("2026-02-28T09:00", "2026-02-28T03:15"),
            ("2026-03-31T09:00", "2026-03-31T03:15"),
        ],
    ),
]


@pytest.mark.parametrize(("zone", "text", "start", "expected"), MOMENTS)
def test_finds_moments(zone, text, start, expected):
    found = occurrences(parse_rule(text), start=datetime.fromisoformat(start), zone=zone)
    assert [(f"{o.wall:%Y-%m-%dT%H:%M}", f"{o.at:%Y-%m-%dT%H:%M}") for o in islice(found, len(expected))] == expected


@pytest.mark.parametrize(("zone", "text", "start", "expected"), MOMENTS)
def test_finds_moments_one_by_one(zone, text, start, expected):
    """Asked again from each moment on, and from each wall-clock time on, a series goes on where it was."""
    rule, begins = parse_rule(text), datetime.fromisoformat(start)
    by_moment = by_wall = first_occurrence(rule, start=begins, zone=zone)
    for wall, at in expected:
        assert (f"{by_moment.wall:%Y-%m-%dT%H:%M}", f"{by_moment.at:%Y-%m-%dT%H:%M}") == (wall, at)
        assert by_wall == by_moment
        by_moment = next_occurrence(rule, start=begins, zone=zone, after=by_moment.at)
        by_wall = next_occurrence(rule, start=begins, zone=zone, after=by_wall.wall)


CALENDARS = [
    # rule, start, expected days, worked out with a calendar
    ("FREQ=DAILY;INTERVAL=3", "2026-01-30", ["01-30", "02-02", "02-05"]),
    ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "2026-05-01", ["05-01", "05-04", "05-05"]),
    ("FREQ=WEEKLY;BYDAY=MO,WE", "2026-05-05", ["05-06", "05-11", "05-13"]),
    # Every other week from Tuesday the 5th on, with Sunday: weeks that begin on Monday keep the 10th, on Sunday the 17th.
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU", "2026-05-05", ["05-05", "05-10", "05-19", "05-24"]),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", "2026-05-05", ["05-05", "05-17", "05-19", "05-31"]),
    ("FREQ=MONTHLY", "2026-01-31", ["01-31", "03-31", "05-31", "07-31", "08-31", "10-31", "12-31"]),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31", ["01-31", "02-28", "03-31", "04-30"]),
    ("FREQ=MONTHLY;BYMONTHDAY=-1,15", "2026-01-31", ["01-31", "02-15", "02-28"]),
    ("FREQ=MONTHLY;BYDAY=1MO", "2026-05-05", ["06-01", "07-06", "08-03"]),
    ("FREQ=MONTHLY;BYDAY=-1FR", "2026-05-05", ["05-29", "06-26", "07-31"]),
    ("FREQ=MONTHLY;BYDAY=5SU", "2026-05-01", ["05-31", "08-30", "11-29"]),
    ("FREQ=MONTHLY;BYDAY=1MO,SA", "2026-05-01", ["05-02", "05-04", "05-09", "05-16", "05-23", "05-30", "06-01"]),
    ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2026-01-01", ["02-13", "03-13", "11-13"]),
    # The last working day, and the first of the weekend's days.
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-01-01", ["01-30", "02-27", "03-31"]),
    ("FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1", "2026-01-01", ["01-03", "02-01", "03-01"]),
    ("FREQ=MONTHLY;INTERVAL=3", "2026-01-15", ["01-15", "04-15", "07-15", "10-15"]),
    ("FREQ=YEARLY;BYMONTH=1,6;BYDAY=2TU", "2026-01-14", ["06-09"]),
    ("FREQ=YEARLY;BYDAY=20MO", "2026-01-01", ["05-18"]),
    ("FREQ=YEARLY;BYDAY=-1SU", "2026-01-01", ["12-27"]),
    ("FREQ=YEARLY;BYMONTH=3,9;BYMONTHDAY=1,-1", "2026-01-01", ["03-01", "03-31", "09-01", "09-30"]),
]


@pytest.mark.parametrize(("text", "start", "days"), CALENDARS)
def test_finds_days(text, start, days):
    assert walls(text, start + "T09:00", limit=len(days)) == [f"2026-{day}T09:00" for day in days]


def test_skips_29_february_in_common_years():
    assert walls("FREQ=YEARLY", "2096-02-29T09:00", limit=3) == [
        "2096-02-29T09:00",
        "2104-02-29T09:00",
        "2108-02-29T09:00",
    ]


ENDS = [
    ("FREQ=DAILY;COUNT=2", "2025-03-08T02:30", "America/New_York", ["03-08", "03-09"]),
    # A date means the whole day, a time the wall clock; both include their end.
    ("FREQ=DAILY;UNTIL=20250309", "2025-03-08T02:30", "America/New_York", ["03-08", "03-09"]),
    ("FREQ=DAILY;UNTIL=20250309T023000", "2025-03-08T02:30", "America/New_York", ["03-08", "03-09"]),
    ("FREQ=DAILY;UNTIL=20250309T022959", "2025-03-08T02:30", "America/New_York", ["03-08"]),
    # With Z it is a moment: 02:30 happened at 03:30, which was 07:30 in UTC.
    ("FREQ=DAILY;UNTIL=20250309T073000Z", "2025-03-08T02:30", "America/New_York", ["03-08", "03-09"]),
    ("FREQ=DAILY;UNTIL=20250309T072959Z", "2025-03-08T02:30", "America/New_York", ["03-08"]),
    # The day that Samoa left out counts: four times by the wall clock are three moments.
    ("FREQ=DAILY;COUNT=4", "2011-12-28T12:00", "Pacific/Apia", ["12-28", "12-29", "12-31"]),
    ("FREQ=DAILY;COUNT=3", "2011-12-28T12:00", "Pacific/Apia", ["12-28", "12-29", "12-30"]),
    # COUNT begins with the first hit, not with a start that is none.
    ("FREQ=WEEKLY;BYDAY=WE;COUNT=2", "2025-03-11T09:00", "UTC", ["03-12", "03-19"]),
]


@pytest.mark.parametrize(("text", "start", "zone", "days"), ENDS)
def test_ends_series(text, start, zone, days):
    year, time = start[:4], start[11:]
    assert walls(text, start, zone) == [f"{year}-{day}T{time}" for day in days]
    last = datetime.fromisoformat(f"{year}-{days[-1]}T{time}")
    assert next_occurrence(parse_rule(text), start=datetime.fromisoformat(start), zone=zone, after=last) is None


def test_excludes_times():
    excluded = [datetime(2026, 5, 2, 9), datetime(2026, 5, 3, 10)]
    assert walls("FREQ=DAILY;COUNT=3", "2026-05-01T09:00", excluded=excluded) == [
        "2026-05-01T09:00",
        "2026-05-03T09:00",
    ]


def test_keeps_moment_whose_other_name_is_excluded():
    excluded = [datetime(2011, 12, 31, 12)]
    assert walls("FREQ=DAILY", "2011-12-29T12:00", "Pacific/Apia", 3, excluded=excluded) == [
        "2011-12-29T12:00",
        "2011-12-30T12:00",
        "2012-01-01T12:00",
    ]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("FREQ=DAILY", "FREQ=DAILY"),
        (" rrule:freq=weekly;byday=fr,mo,fr;interval=1; ", "FREQ=WEEKLY;BYDAY=MO,FR"),
        ("BYDAY=-1FR,+1MO;FREQ=MONTHLY", "FREQ=MONTHLY;BYDAY=1MO,-1FR"),
        ("FREQ=MONTHLY;BYMONTHDAY=31,-1,+1", "FREQ=MONTHLY;BYMONTHDAY=-1,1,31"),
        ("FREQ=DAILY;UNTIL=20271231", "FREQ=DAILY;UNTIL=20271231T235959"),
        ("FREQ=DAILY;UNTIL=20271231T100000Z", "FREQ=DAILY;UNTIL=20271231T100000Z"),
        ("FREQ=DAILY;UNTIL=00010101", "FREQ=DAILY;UNTIL=00010101T235959"),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU", "FREQ=WEEKLY;INTERVAL=2;WKST=SU"),
        ("FREQ=WEEKLY;WKST=SU", "FREQ=WEEKLY"),
        ("FREQ=DAILY;COUNT=007", "FREQ=DAILY;COUNT=7"),
    ],
)
def test_writes_rule_canonically(text, canonical):
    rule = parse_rule(text)
    assert str(rule) == canonical
    assert parse_rule(canonical) == rule


REFUSED = [
    ("", "invalid_rule"),
    ("every day", "invalid_rule"),
    ("FREQ", "invalid_rule"),
    ("FREQ=", "invalid_rule"),
    ("FREQ=FORTNIGHTLY", "invalid_rule"),
    ("INTERVAL=2", "invalid_rule"),
    ("FREQ=DAILY;FREQ=DAILY", "invalid_rule"),
    ("FREQ=DAILY;;", "invalid_rule"),
    ("FREQ=DAILY\nDTSTART:20260101T000000", "invalid_rule"),
    ("DTSTART:20260101T000000\nRRULE:FREQ=DAILY", "invalid_rule"),
    ("FREQ=DAILY;X-OWN=1", "invalid_rule"),
    ("FREQ=DAILY;INTERVAL=0", "invalid_rule"),
    ("FREQ=DAILY;INTERVAL=-1", "invalid_rule"),
    ("FREQ=DAILY;INTERVAL=1000", "invalid_rule"),
    ("FREQ=DAILY;INTERVAL=1_0", "invalid_rule"),
    ("FREQ=DAILY;INTERVAL=١", "invalid_rule"),
    ("FREQ=DAILY;INTERVAL=" + "9" * 400, "invalid_rule"),
    ("FREQ=DAILY;COUNT=0", "invalid_rule"),
    (f"FREQ=DAILY;COUNT={MAX_COUNT + 1}", "invalid_rule"),
    ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "invalid_rule"),
    ("FREQ=DAILY;UNTIL=20260230", "invalid_rule"),
    ("FREQ=DAILY;UNTIL=00000101", "invalid_rule"),
    ("FREQ=DAILY;UNTIL=2026-01-01", "invalid_rule"),
    ("FREQ=DAILY;UNTIL=20260101T250000", "invalid_rule"),
    ("FREQ=DAILY;BYMONTH=13", "invalid_rule"),
    ("FREQ=DAILY;BYMONTH=-1", "invalid_rule"),
    ("FREQ=MONTHLY;BYMONTHDAY=0", "invalid_rule"),
    ("FREQ=MONTHLY;BYMONTHDAY=32", "invalid_rule"),
    ("FREQ=MONTHLY;BYMONTHDAY=1,", "invalid_rule"),
    ("FREQ=WEEKLY;BYDAY=XX", "invalid_rule"),
    ("FREQ=WEEKLY;BYDAY=1MO", "invalid_rule"),
    ("FREQ=DAILY;BYDAY=1MO", "invalid_rule"),
    ("FREQ=MONTHLY;BYDAY=0MO", "invalid_rule"),
    ("FREQ=MONTHLY;BYDAY=6MO", "invalid_rule"),
    ("FREQ=YEARLY;BYMONTH=1;BYDAY=6MO", "invalid_rule"),
    ("FREQ=YEARLY;BYDAY=54MO", "invalid_rule"),
    ("FREQ=WEEKLY;BYMONTHDAY=1", "invalid_rule"),
    ("FREQ=MONTHLY;BYSETPOS=1", "invalid_rule"),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "invalid_rule"),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367", "invalid_rule"),
    ("FREQ=WEEKLY;WKST=MO,TU", "invalid_rule"),
    ("FREQ=WEEKLY;BYDAY=MO" + ",MO" * 200, "invalid_rule"),
    ("FREQ=HOURLY", "unsupported_rule"),
    ("FREQ=MINUTELY", "unsupported_rule"),
    ("FREQ=SECONDLY", "unsupported_rule"),
    ("FREQ=DAILY;BYHOUR=9,17", "unsupported_rule"),
    ("FREQ=DAILY;BYMINUTE=1", "unsupported_rule"),
    ("FREQ=DAILY;BYSECOND=1", "unsupported_rule"),
    ("FREQ=YEARLY;BYWEEKNO=20", "unsupported_rule"),
    ("FREQ=YEARLY;BYYEARDAY=100", "unsupported_rule"),
    ("FREQ=YEARLY;BYMONTHDAY=1", "unsupported_rule"),
    ("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1", "unsupported_rule"),
    ("FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2", "never_occurs"),
    ("FREQ=YEARLY;BYMONTH=4,6,9,11;BYMONTHDAY=31,-31", "never_occurs"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_refuses_rule(text, code):
    with pytest.raises(InvalidRule) as refused:
        parse_rule(text)
    assert refused.value.code == code
    assert str(refused.value).endswith(".")


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.text(max_size=40) | st.text("FREQ=DAILYWKMONTH;BY0123456789,-+SUZ:", max_size=60))
def test_refuses_rubbish_with_sentence(text):
    try:
        parse_rule(text)
    except InvalidRule as refused:
        assert refused.code in ("invalid_rule", "unsupported_rule", "never_occurs")


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=WEEKLY;INTERVAL=52;BYMONTH=6",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=6",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
        "FREQ=YEARLY;BYDAY=MO;BYSETPOS=366;COUNT=5000",
        "FREQ=DAILY;UNTIL=20250101",
    ],
)
def test_ends_search_for_what_never_comes(text):
    """Each of these looks at a hundred years at most, and not at eight thousand."""
    rule, start = parse_rule(text), datetime(2026, 1, 5, 9)
    looked_at = []

    class Watched(type(rule)):
        def __getattribute__(self, name):
            looked_at.append(name)
            return super().__getattribute__(name)

    assert next_occurrence(Watched(**vars(rule)), start=start, zone="UTC") is None
    assert len(looked_at) < 1_000_000
    with pytest.raises(InvalidRule) as refused:
        first_occurrence(rule, start=start, zone="UTC")
    assert refused.value.code == "never_occurs"


def test_enters_old_series_in_the_middle():
    """The ten thousandth day costs as much as the first."""

    class Watched(type(parse_rule("FREQ=DAILY"))):
        looked_at = 0

        def __getattribute__(self, name):
            Watched.looked_at += 1
            return super().__getattribute__(name)

    for start in (datetime(1999, 1, 5, 9), datetime(2026, 5, 28, 9)):
        before = Watched.looked_at
        found = next_occurrence(
            Watched(parse_rule("FREQ=DAILY").frequency), start=start, zone="UTC", after=datetime(2026, 6, 1, 12)
        )
        assert found.wall == datetime(2026, 6, 2, 9)
        assert Watched.looked_at - before < 100


def test_reads_whole_seconds():
    start = datetime(2026, 5, 1, 9, 0, 5, 123456)
    assert first_occurrence(parse_rule("FREQ=DAILY"), start=start, zone="UTC").at == datetime(
        2026, 5, 1, 9, 0, 5, tzinfo=UTC
    )


def test_refuses_start_with_offset():
    with pytest.raises(ValueError, match="without an offset"):
        next_occurrence(parse_rule("FREQ=DAILY"), start=datetime(2026, 5, 1, tzinfo=UTC), zone="UTC")


# --- Properties ----------------------------------------------------------------------------------

# Counted days and plain ones stay apart here: dateutil takes a mixture for its intersection, where RFC 5545 adds up.
days_of_week = st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=4)
counted_days = st.lists(st.sampled_from(["1MO", "2TU", "-1FR", "5SU", "-2WE"]), min_size=1, max_size=3)
month_days = st.lists(st.integers(-31, 31).filter(bool), min_size=1, max_size=3)
months = st.lists(st.integers(1, 12), min_size=1, max_size=3)
positions = st.lists(st.integers(-5, 5).filter(bool), min_size=1, max_size=2)
starts = st.datetimes(datetime(1975, 1, 1), datetime(2035, 12, 31)).map(lambda start: start.replace(microsecond=0))
ZONES = [
    "America/New_York",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "UTC",
]


@st.composite
def rules(draw, endless=False):
    """Rules of the whole subset, as text."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}"]

    def part(name, values):
        if draw(st.booleans()):
            parts.append(f"{name}=" + ",".join(map(str, draw(values))))
            return True
        return False

    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 6))}")
    by_month = part("BYMONTH", months)
    by_day = part("BYDAY", days_of_week | counted_days if frequency in ("MONTHLY", "YEARLY") else days_of_week)
    by_month_day = (frequency in ("DAILY", "MONTHLY") or (frequency == "YEARLY" and by_month)) and part(
        "BYMONTHDAY", month_days
    )
    if frequency in ("MONTHLY", "YEARLY") and (by_month or by_day or by_month_day):
        part("BYSETPOS", positions)
    if not endless:
        end = draw(st.sampled_from(["", "COUNT=3", "COUNT=17", "UNTIL=20301231T235959", "UNTIL=20200229T120000"]))
        parts += [end] if end else []
    if draw(st.booleans()):
        parts.append("WKST=" + draw(st.sampled_from(["MO", "SU", "SA"])))
    return ";".join(parts)


def parsed(text):
    """The rule, or another example where it can be told never to occur."""
    try:
        return parse_rule(text)
    except InvalidRule as refused:
        assert refused.code == "never_occurs"
        assume(False)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(text=rules(), start=starts)
def test_agrees_with_dateutil_where_clocks_never_change(text, start):
    ours = [o.wall for o in islice(occurrences(parsed(text), start=start, zone="UTC"), 20)]
    theirs = iter(rrulestr(text, dtstart=start))
    assert list(islice(theirs, len(ours))) == ours
    if "COUNT=3" in text and len(ours) == 3:
        assert next(theirs, None) is None


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=rules(), start=starts, zone=st.sampled_from(ZONES))
def test_rises_in_every_zone(text, start, zone):
    found = list(islice(occurrences(parsed(text), start=start, zone=zone), 40))
    assert all(earlier.at < later.at and earlier.wall < later.wall for earlier, later in pairwise(found))
    for occurrence in found:
        shown = occurrence.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert timedelta() <= shown - occurrence.wall <= timedelta(days=1)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=rules(), start=starts, zone=st.sampled_from(ZONES))
def test_loses_and_doubles_nothing_step_by_step(text, start, zone):
    rule = parsed(text)
    at_once = list(islice(occurrences(rule, start=start, zone=zone), 15))
    by_moment = by_wall = next_occurrence(rule, start=start, zone=zone)
    for occurrence in at_once:
        assert by_moment == by_wall == occurrence
        by_moment = next_occurrence(rule, start=start, zone=zone, after=by_moment.at)
        by_wall = next_occurrence(rule, start=start, zone=zone, after=by_wall.wall)
    if len(at_once) < 15:
        assert by_moment is by_wall is None


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    text=rules(),
    start=starts,
    zone=st.sampled_from(ZONES),
    later=st.timedeltas(timedelta(days=-30), timedelta(days=1500)),
)
def test_enters_series_anywhere(text, start, zone, later):
    """What is found from a moment on is what is left of the whole series."""
    rule = parsed(text)
    moment = (start + later).replace(tzinfo=UTC)
    rest = [o for o in islice(occurrences(rule, start=start, zone=zone), 2000) if o.at > moment][:3]
    assert list(islice(occurrences(rule, start=start, zone=zone, after=moment), 3)) == rest


@settings(max_examples=200, deadline=None, derandomize=True)
@given(text=rules(), start=starts, zone=st.sampled_from(ZONES), dropped=st.sets(st.integers(0, 9), max_size=4))
def test_drops_exactly_what_is_excluded(text, start, zone, dropped):
    rule = parsed(text)
    assume(zone not in ("Pacific/Apia", "Pacific/Kwajalein"))
    found = list(islice(occurrences(rule, start=start, zone=zone), 10))
    excluded = [found[index].wall for index in dropped if index < len(found)]
    left = list(islice(occurrences(rule, start=start, zone=zone, excluded=excluded), len(found) - len(excluded)))
    assert left == [occurrence for occurrence in found if occurrence.wall not in excluded]
