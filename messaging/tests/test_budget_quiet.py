"""Quiet hours by the clocks of all zones, where clocks change included."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messaging.services.budget.quiet import quiet_until, quiet_zones
from waplus.lib.walltime import to_utc, zone_names

ZONES = [
    *("America/Sao_Paulo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"),
    *("Pacific/Apia", "Asia/Kathmandu", "Africa/Cairo", "America/Santiago", "Asia/Kolkata", "UTC"),
]
MINUTES = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))
MOMENTS = st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def shows(zone: str, moment: datetime) -> time:
    return moment.astimezone(ZoneInfo(zone)).time()


def is_within(clock: time, start: time, end: time) -> bool:
    return start <= clock < end if start < end else clock >= start or clock < end


# zone, quiet from, quiet until, now, end of the quiet hours
CASES = [
    ("Europe/Berlin", "21:00", "08:00", "2026-06-01T20:59:59+02:00", None),
    ("Europe/Berlin", "21:00", "08:00", "2026-06-01T21:00:00+02:00", "2026-06-02T08:00:00+02:00"),
    ("Europe/Berlin", "21:00", "08:00", "2026-06-02T07:59:59+02:00", "2026-06-02T08:00:00+02:00"),
    ("Europe/Berlin", "21:00", "08:00", "2026-06-02T08:00:00+02:00", None),
    ("Europe/Berlin", "12:00", "14:00", "2026-06-01T13:00:00+02:00", "2026-06-01T14:00:00+02:00"),
    # the night of 29 March has 23 hours, that of 25 October 25
    ("Europe/Berlin", "21:00", "08:00", "2026-03-28T22:00:00+01:00", "2026-03-29T08:00:00+02:00"),
    ("Europe/Berlin", "21:00", "08:00", "2026-10-24T22:00:00+02:00", "2026-10-25T08:00:00+01:00"),
    # an end that the clocks jump over: as much later as they jump
    ("Europe/Berlin", "21:00", "02:30", "2026-03-29T01:00:00+01:00", "2026-03-29T03:30:00+02:00"),
    # an end that comes twice: the first one, and once that is over the second
    ("Europe/Berlin", "21:00", "02:30", "2026-10-25T01:00:00+02:00", "2026-10-25T02:30:00+02:00"),
    ("Europe/Berlin", "21:00", "02:30", "2026-10-25T02:40:00+02:00", None),
    ("Europe/Berlin", "21:00", "02:30", "2026-10-25T02:10:00+01:00", "2026-10-25T02:30:00+01:00"),
    # half an hour of daylight saving: forward on 4 October at 02:00, back on 5 April at 02:00
    ("Australia/Lord_Howe", "21:00", "02:15", "2026-10-04T01:00:00+10:30", "2026-10-04T02:45:00+11:00"),
    ("Australia/Lord_Howe", "21:00", "01:45", "2026-04-05T01:00:00+11:00", "2026-04-05T01:45:00+11:00"),
    ("Australia/Lord_Howe", "21:00", "08:00", "2026-04-04T22:00:00+11:00", "2026-04-05T08:00:00+10:30"),
    # Ramadan 2026: back to +00 on 15 February, to +01 again on 22 March
    ("Africa/Casablanca", "22:00", "07:00", "2026-02-14T23:00:00+01:00", "2026-02-15T07:00:00+00:00"),
    ("Africa/Casablanca", "22:00", "07:00", "2026-03-21T23:00:00+00:00", "2026-03-22T07:00:00+01:00"),
    # Samoa had no 30 December 2011
    ("Pacific/Apia", "21:00", "08:00", "2011-12-29T22:00:00-10:00", "2011-12-31T08:00:00+14:00"),
]


@pytest.mark.parametrize(("zone", "start", "end", "now", "expected"), CASES)
def test_end_quiet_hours(zone, start, end, now, expected):
    found = quiet_until(time.fromisoformat(start), time.fromisoformat(end), zone, at(now))
    assert found == (expected and at(expected))


@given(zone=st.sampled_from(ZONES), start=MINUTES, length=st.integers(1, 16 * 60), now=MOMENTS)
@example(zone="Australia/Lord_Howe", start=time(21), length=315, now=datetime(2026, 10, 3, 14, 30, tzinfo=UTC))
def test_quiet_hours_end_as_soon_as_the_clock_shows_it(zone, start, length, now):
    end = (datetime.combine(date(2026, 1, 1), start) + timedelta(minutes=length)).time()
    now = now.replace(microsecond=0)
    until = quiet_until(start, end, zone, now)
    assert (until is not None) == is_within(shows(zone, now), start, end)
    if until is None:
        return
    assert now < until
    assert not is_within(shows(zone, until), start, end)
    assert quiet_until(start, end, zone, until) is None
    if shows(zone, until) == end:
        # every minute before is quiet, however often the clock shows it, unless it goes back over the beginning
        step = max(timedelta(minutes=1), (until - now) / 50)
        moment = now
        while moment < until:
            if not is_within(shows(zone, moment), start, end):
                offsets = {at_.astimezone(ZoneInfo(zone)).utcoffset() for at_ in (now, until)}
                assert len(offsets) == 2, "only where clocks change"
            moment += step
    else:
        # its end was jumped over
        local = until.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        skipped = datetime.combine(local.date(), end)
        assert (
            to_utc(skipped, zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != skipped or zone == "Pacific/Apia"
        )


@given(start=MINUTES, length=st.integers(1, 16 * 60), now=MOMENTS)
def test_quiet_zones_are_those_where_it_is_quiet(start, length, now):
    end = (datetime.combine(date(2026, 1, 1), start) + timedelta(minutes=length)).time()
    zones = quiet_zones(start, end, now)
    minute = now.replace(second=0, microsecond=0)
    for zone in ZONES:
        assert zones.get(zone) == quiet_until(start, end, zone, minute)
        assert (zone in zones) == (quiet_until(start, end, zone, now) is not None)


def test_every_zone_that_a_person_can_have_is_looked_at():
    everywhere = quiet_zones(time(0), time(12), at("2026-06-01T06:00:00+00:00")).keys()
    everywhere |= quiet_zones(time(12), time(0), at("2026-06-01T06:00:00+00:00")).keys()
    assert everywhere == zone_names()
    assert quiet_zones(None, None, at("2026-06-01T06:00:00+00:00")) == {}
