"""Calendar rules: exact moments of scheduled messages on either side of changes of the clock, once and as a series."""

from datetime import UTC, datetime

import pytest

from messaging.models import QueuedMessage, ScheduledRecipient
from messaging.services.scheduling import derive_due_times, queue_all_due, queue_due_messages
from messaging.tests.calls import place, scheduled
from messaging.tests.test_scheduling import add_contact

pytestmark = pytest.mark.django_db

# zone, series begins (wall clock), rule, the moments of its first times
SERIES = [
    # New York: 02:30 does not exist on 14 March 2027 (it is 03:30), and exists twice on 7 November 2027 at 01:30.
    ("America/New_York", "2027-03-13T02:30", "FREQ=DAILY", ["03-13T07:30", "03-14T07:30", "03-15T06:30"]),
    ("America/New_York", "2027-11-06T01:30", "FREQ=DAILY", ["11-06T05:30", "11-07T05:30", "11-08T06:30"]),
    ("Europe/London", "2027-03-27T01:30", "FREQ=DAILY", ["03-27T01:30", "03-28T01:30", "03-29T00:30"]),
    ("Europe/London", "2027-10-30T01:30", "FREQ=DAILY", ["10-30T00:30", "10-31T00:30", "11-01T01:30"]),
    # Lord Howe moves by half an hour: 02:15 becomes 02:45 on 3 October 2027.
    ("Australia/Lord_Howe", "2027-10-02T02:15", "FREQ=DAILY", ["10-01T15:45", "10-02T15:45", "10-03T15:15"]),
    ("Australia/Lord_Howe", "2027-04-03T01:45", "FREQ=DAILY", ["04-02T14:45", "04-03T14:45", "04-04T15:15"]),
    # Morocco goes back to UTC for Ramadan: in 2027 from 7 February at 03:00 to 14 March at 02:00.
    ("Africa/Casablanca", "2027-02-06T09:00", "FREQ=DAILY", ["02-06T08:00", "02-07T09:00", "02-08T09:00"]),
    ("Africa/Casablanca", "2027-03-13T09:00", "FREQ=DAILY", ["03-13T09:00", "03-14T08:00", "03-15T08:00"]),
    # Samoa is ahead of everybody since it left out a day, and has no summer time any more.
    ("Pacific/Apia", "2026-12-30T09:00", "FREQ=DAILY", ["12-29T20:00", "12-30T20:00", "12-31T20:00"]),
    ("America/Sao_Paulo", "2026-10-17T09:00", "FREQ=DAILY", ["10-17T12:00", "10-18T12:00", "10-19T12:00"]),
    ("Asia/Kathmandu", "2026-07-01T09:00", "FREQ=WEEKLY", ["07-01T03:15", "07-08T03:15", "07-15T03:15"]),
    # A day that a month lacks is left out; the end of every month is a rule of its own.
    ("UTC", "2026-08-31T09:00", "FREQ=MONTHLY", ["08-31T09:00", "10-31T09:00", "12-31T09:00"]),
    ("UTC", "2026-08-31T09:00", "FREQ=MONTHLY;BYMONTHDAY=-1", ["08-31T09:00", "09-30T09:00", "10-31T09:00"]),
]


def moments() -> list[str]:
    """When messages in the queue are due."""
    found = QueuedMessage.objects.order_by("due_at").values_list("due_at", flat=True)
    return [at.strftime("%m-%dT%H:%M") for at in found]


def pass_times(clock, count: int) -> None:
    """Let so many times of the only schedule come, each swept at its moment."""
    for _ in range(count):
        clock.now = ScheduledRecipient.objects.get().next_at
        assert queue_due_messages() == 1


@pytest.mark.parametrize(("zone", "start", "rrule", "expected"), SERIES)
def test_queues_series_by_clock_of_sender(alice_device, number, clock, zone, start, rrule, expected):
    message = scheduled(alice_device, number, wall_time=start, time_zone=zone, rrule=rrule)
    assert message["due_at"][5:16] == expected[0]
    pass_times(clock, 3)
    assert moments() == expected


PHONES = {
    "America/New_York": "+12125550123",
    "Europe/London": "+447911123456",
    "Africa/Casablanca": "+212612345678",
    "Pacific/Apia": "+6857212345",
    "America/Sao_Paulo": "+5511987654321",
    "Asia/Kathmandu": "+9779812345678",
}


@pytest.mark.parametrize(("zone", "start", "rrule", "expected"), [row for row in SERIES if row[0] in PHONES])
def test_queues_series_by_clock_of_recipient(alice_device, acme, number, clock, zone, start, rrule, expected):
    contact = add_contact(acme, ("phone", PHONES[zone]))
    message = scheduled(
        alice_device,
        number,
        contact=str(contact.pk),
        chat_jid=None,
        wall_time=start,
        time_zone="Asia/Tokyo",
        clock="recipient",
        rrule=rrule,
    )
    assert (place(message)["time_zone"], place(message)["recipient_zone"]) == (zone, zone)
    pass_times(clock, 3)
    assert moments() == expected
    assert set(QueuedMessage.objects.values_list("recipient_zone", flat=True)) == {zone}


ONCE = [
    ("2027-03-14T02:30", "America/New_York", "2027-03-14T07:30:00Z"),  # never: 03:30
    ("2027-11-07T01:30", "America/New_York", "2027-11-07T05:30:00Z"),  # twice: the first
    ("2027-03-28T01:30", "Europe/London", "2027-03-28T01:30:00Z"),  # never: 02:30
    ("2027-10-31T01:30", "Europe/London", "2027-10-31T00:30:00Z"),
    ("2027-02-07T02:30", "Africa/Casablanca", "2027-02-07T01:30:00Z"),  # twice, in the night in which Ramadan begins
    ("2027-03-14T02:30", "Africa/Casablanca", "2027-03-14T02:30:00Z"),  # never: 03:30
    ("2026-12-30T09:00", "Pacific/Apia", "2026-12-29T20:00:00Z"),
    ("2027-01-15T09:00", "America/Sao_Paulo", "2027-01-15T12:00:00Z"),  # no summer time since 2019
    ("2027-01-15T09:00", "Asia/Kathmandu", "2027-01-15T03:15:00Z"),
]


@pytest.mark.parametrize(("wall_time", "zone", "due_at"), ONCE)
def test_schedules_once_by_either_clock(alice_device, acme, number, wall_time, zone, due_at):
    contact = add_contact(acme, ("phone", PHONES[zone]))
    for clock, sender_zone in (("sender", zone), ("recipient", "Asia/Tokyo")):
        message = scheduled(
            alice_device,
            number,
            contact=str(contact.pk),
            chat_jid=None,
            wall_time=wall_time,
            time_zone=sender_zone,
            clock=clock,
        )
        assert (message["due_at"], place(message)["next_at"]) == (due_at, due_at)


@pytest.mark.parametrize("chat_jid", ["61412345678@c.us", "98765432101234@lid", "120363012345678901@g.us"])
def test_takes_clock_of_sender_where_the_recipients_is_unknown(alice_device, number, chat_jid):
    message = scheduled(
        alice_device,
        number,
        chat_jid=chat_jid,
        wall_time="2026-07-01T09:00",
        time_zone="Europe/Berlin",
        clock="recipient",
    )
    assert (place(message)["time_zone"], place(message)["recipient_zone"]) == ("Europe/Berlin", "")
    assert message["due_at"] == "2026-07-01T07:00:00Z"


def test_goes_to_each_recipient_at_nine_there(alice_device, number, clock):
    """One message, three clocks: it is done when the last of them has shown nine."""
    jids = ["6857212345@c.us", "4915112345678@c.us", "13105550123@c.us"]
    message = scheduled(
        alice_device,
        number,
        recipients=[{"chat_jid": jid} for jid in jids],
        chat_jid=None,
        wall_time="2026-07-01T09:00",
        time_zone="UTC",
        clock="recipient",
    )
    assert message["due_at"] == "2026-06-30T20:00:00Z"
    states = []
    for _ in range(3):
        clock.now = min(row.next_at for row in ScheduledRecipient.objects.filter(state="waiting"))
        assert queue_all_due() == 1
        states.append(ScheduledRecipient.objects.filter(state="waiting").count())
    rows = list(QueuedMessage.objects.order_by("due_at").values_list("chat_jid", "due_at"))
    assert rows == [
        (jids[0], datetime(2026, 6, 30, 20, tzinfo=UTC)),
        (jids[1], datetime(2026, 7, 1, 7, tzinfo=UTC)),
        (jids[2], datetime(2026, 7, 1, 16, tzinfo=UTC)),
    ]
    assert states == [2, 1, 0]


def test_follows_zone_that_changes_its_rules(alice_device, number):
    """The moment was derived by older rules: the daily look puts it right, and touches nothing else."""
    scheduled(alice_device, number, wall_time="2026-06-03T09:00", time_zone="Europe/Berlin")
    scheduled(alice_device, number, wall_time="2026-06-03T09:00", time_zone="Europe/Berlin")
    wrong, right = ScheduledRecipient.objects.order_by("id")
    ScheduledRecipient.objects.filter(pk=wrong.pk).update(next_at=datetime(2026, 6, 3, 8, tzinfo=UTC))
    assert (derive_due_times(), derive_due_times()) == (1, 0)
    assert set(ScheduledRecipient.objects.values_list("next_at", flat=True)) == {right.next_at}
