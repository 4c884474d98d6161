"""Wall-clock times against a table worked out by hand from the zones' published rules, and the two rules for every zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from waplus.lib.walltime import exists, to_utc, validate_zone, zone_names

TABLE = [
    # zone, wall clock, moment in UTC
    # New York jumps from 02:00 to 03:00 on 8 March 2026 …
    ("America/New_York", "2026-03-08T01:59", "2026-03-08T06:59"),
    ("America/New_York", "2026-03-08T02:00", "2026-03-08T07:00"),
    ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:30"),
    ("America/New_York", "2026-03-08T02:59:59", "2026-03-08T07:59:59"),
    ("America/New_York", "2026-03-08T03:00", "2026-03-08T07:00"),
    ("America/New_York", "2026-03-08T03:30", "2026-03-08T07:30"),
    # … and goes from 02:00 back to 01:00 on 1 November.
    ("America/New_York", "2026-11-01T00:59", "2026-11-01T04:59"),
    ("America/New_York", "2026-11-01T01:00", "2026-11-01T05:00"),
    ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30"),
    ("America/New_York", "2026-11-01T01:59:59", "2026-11-01T05:59:59"),
    ("America/New_York", "2026-11-01T02:00", "2026-11-01T07:00"),
    ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30"),
    ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),
    ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00"),
    # Lord Howe moves by half an hour.
    ("Australia/Lord_Howe", "2026-04-05T01:29", "2026-04-04T14:29"),
    ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45"),
    ("Australia/Lord_Howe", "2026-04-05T02:00", "2026-04-04T15:30"),
    ("Australia/Lord_Howe", "2026-10-04T01:59", "2026-10-03T15:29"),
    ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45"),
    ("Australia/Lord_Howe", "2026-10-04T02:30", "2026-10-03T15:30"),
    # São Paulo gave summer time up in 2019.
    ("America/Sao_Paulo", "2026-01-15T12:00", "2026-01-15T15:00"),
    ("America/Sao_Paulo", "2026-07-15T12:00", "2026-07-15T15:00"),
    ("America/Sao_Paulo", "2026-11-01T00:30", "2026-11-01T03:30"),
    ("America/Sao_Paulo", "2018-11-04T00:30", "2018-11-04T03:30"),
    # Morocco goes back for Ramadan and forward after it.
    ("Africa/Casablanca", "2025-02-22T12:00", "2025-02-22T11:00"),
    ("Africa/Casablanca", "2025-02-23T02:30", "2025-02-23T01:30"),
    ("Africa/Casablanca", "2025-03-01T12:00", "2025-03-01T12:00"),
    ("Africa/Casablanca", "2025-04-06T02:30", "2025-04-06T02:30"),
    ("Africa/Casablanca", "2025-04-06T03:30", "2025-04-06T02:30"),
    # Samoa left out a whole day when it crossed the date line, and has no summer time since 2021.
    ("Pacific/Apia", "2011-12-29T23:59", "2011-12-30T09:59"),
    ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T22:00"),
    ("Pacific/Apia", "2011-12-31T12:00", "2011-12-30T22:00"),
    ("Pacific/Apia", "2026-01-15T12:00", "2026-01-14T23:00"),
    ("Pacific/Apia", "2026-07-15T12:00", "2026-07-14T23:00"),
    # Midnight does not exist in Cairo on the last Friday of April.
    ("Africa/Cairo", "2026-04-24T00:00", "2026-04-23T22:00"),
    ("Asia/Kathmandu", "2026-05-01T09:00", "2026-05-01T03:15"),
    ("Pacific/Kiritimati", "2026-01-01T00:00", "2025-12-31T10:00"),
    ("Etc/GMT+5", "2026-05-01T09:00", "2026-05-01T14:00"),
    ("UTC", "2026-05-01T09:00", "2026-05-01T09:00"),
]


@pytest.mark.parametrize(("zone", "wall", "moment"), TABLE)
def test_reads_wall_time(zone, wall, moment):
    assert to_utc(datetime.fromisoformat(wall), zone) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


def test_reads_table_that_contains_gaps_and_overlaps():
    """Control: a table of ordinary times only would prove nothing about the two rules."""

    def kind(wall, zone):
        early, late = (wall.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() for fold in (0, 1))
        return (early > late) - (early < late)

    kinds = [kind(datetime.fromisoformat(wall), zone) for zone, wall, _ in TABLE]
    assert (kinds.count(-1), kinds.count(1)) == (9, 6)  # gaps, overlaps


def test_ignores_fold():
    """The second of two equal times cannot be meant by accident."""
    wall = datetime(2026, 11, 1, 1, 30)
    assert to_utc(wall.replace(fold=1), "America/New_York") == to_utc(wall, "America/New_York")


@pytest.mark.parametrize(
    ("zone", "wall", "shown"),
    [
        ("America/New_York", "2026-03-08T01:59:59", True),
        ("America/New_York", "2026-03-08T02:00", False),
        ("America/New_York", "2026-03-08T03:00", True),
        ("America/New_York", "2026-11-01T01:30", True),
        ("Pacific/Apia", "2011-12-30T12:00", False),
        ("Pacific/Apia", "2011-12-31T00:00", True),
    ],
)
def test_tells_times_that_clocks_showed(zone, wall, shown):
    assert exists(datetime.fromisoformat(wall), zone) is shown


def test_refuses_offset():
    with pytest.raises(ValueError, match="no offset"):
        to_utc(datetime(2026, 5, 1, 9, tzinfo=UTC), "Europe/Berlin")


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(
    zone=st.sampled_from(sorted(zone_names())),
    wall=st.datetimes(datetime(1971, 1, 1), datetime(2037, 12, 31)),
)
def test_keeps_both_rules_in_every_zone(zone, wall):
    """A time that exists is itself again, as the earlier of two; one that does not has moved on by the gap."""
    moment = to_utc(wall, zone)
    back = moment.astimezone(ZoneInfo(zone))
    if back.replace(tzinfo=None) == wall:
        assert back.fold == 0
        return
    before, after = ((moment + timedelta(days=days)).astimezone(ZoneInfo(zone)).utcoffset() for days in (-1.01, 0))
    assert back.replace(tzinfo=None) - wall == after - before > timedelta()


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT-14"])
def test_accepts_zone(zone):
    validate_zone(zone)


@pytest.mark.parametrize(
    "zone",
    ["", "Berlin", "EST", "GMT+3", "+03:00", "america/sao_paulo", "America/Nowhere", "../etc/passwd", "/etc/localtime"]
    + ["localtime", "posixrules", "America/Sao_Paulo ", "posix/Europe/Berlin", "right/Europe/Berlin"],
)
def test_refuses_zone(zone):
    with pytest.raises(ValidationError) as refused:
        validate_zone(zone)
    assert refused.value.code == "invalid_time_zone"
