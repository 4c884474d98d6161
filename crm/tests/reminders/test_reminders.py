"""Reminders on the API: when they are due, who is reminded, and what snooze and done do to a series."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import actors
from accounts.models import Event, Membership, Role, User
from accounts.services import workspaces
from accounts.services.departures import finish_departures
from accounts.tests.together import assert_refused
from conftest import join, make_device, make_person
from crm.models import Chat, Contact, Reminder, WhatsAppAccount
from crm.services.reminders.changes import derive_due_times, update_reminder
from crm.services.reminders.lists import count_overdue, reminders_of
from crm.tests.reminders.calls import (
    REMINDERS,
    act,
    created,
    edit,
    ids,
    path_of,
    post,
    problem,
    read,
    stored,
    story,
)
from crm.tests.reminders.conftest import make_contact
from waplus.lib.ids import uuid7

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def chat_of(workspace, name="Group") -> Chat:
    number = WhatsAppAccount.objects.create(workspace=workspace, jid=f"55119{uuid7().int % 10**8:08}@c.us")
    return Chat.objects.create(
        workspace=workspace, whatsapp_account=number, jid="123456-789012@g.us", kind="group", name=name
    )


# --- Making ---------------------------------------------------------------------------------------


def test_creates_reminder_with_event(alice, alice_device, ana):
    reminder = created(
        alice_device,
        text="  Call Ana\u200e \n about the offer ",
        contact=str(ana.pk),
        wall_time="2026-06-02T09:30",
        time_zone="America/Sao_Paulo",
    )
    created_at = "2026-06-01T12:00:00Z"
    assert reminder == {
        "id": reminder["id"],
        "contact": str(ana.pk),
        "chat": None,
        "text": "Call Ana \n about the offer",
        "wall_time": "2026-06-02T09:30:00",
        "time_zone": "America/Sao_Paulo",
        "rrule": "",
        "occurrence_wall": "2026-06-02T09:30:00",
        "due_at": "2026-06-02T12:30:00Z",
        "snoozed_until": None,
        "state": "open",
        "overdue": False,
        "assignee": str(alice.pk),
        "created_by": str(alice.pk),
        "created_at": created_at,
        "done_at": None,
    }
    assert read(alice_device, reminder) == reminder
    assert story(reminder) == [("reminder.created", [])]


def test_creates_reminder_in_own_zone(alice, alice_device):
    User.objects.filter(pk=alice.pk).update(time_zone="Asia/Kathmandu")
    reminder = created(alice_device, time_zone=..., wall_time="2026-06-02T09:00")
    assert (reminder["time_zone"], reminder["due_at"]) == ("Asia/Kathmandu", "2026-06-02T03:15:00Z")


def test_creates_reminder_once(alice_device, charlie_device):
    id = str(uuid7())
    first = created(alice_device, id=id)
    again = post(alice_device, id=id, text="Something else")
    assert (again.status_code, again.json()) == (200, first)
    before = stored()
    assert problem(post(charlie_device, id=id)) == (409, "id_taken", ("id", "id_taken"))
    assert stored() == before


@pytest.mark.parametrize(
    ("wall", "zone", "due"),
    [
        ("2027-03-14T02:30", "America/New_York", "2027-03-14T07:30:00Z"),
        ("2026-11-01T01:30", "America/New_York", "2026-11-01T05:30:00Z"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z"),
        ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:45:00Z"),
    ],
)
def test_derives_moment_from_wall_clock(alice_device, wall, zone, due):
    assert created(alice_device, wall_time=wall, time_zone=zone)["due_at"] == due


def test_creates_reminder_of_past_time(alice_device):
    reminder = created(alice_device, wall_time="2026-05-20T09:00")
    assert (reminder["overdue"], reminder["due_at"]) == (True, "2026-05-20T09:00:00Z")


@pytest.mark.parametrize(
    ("start", "rule", "occurrence"),
    [
        ("2026-06-01T13:00", "FREQ=DAILY", "2026-06-01T13:00:00"),
        # What was up within a day is still to be done …
        ("2026-06-01T09:00", "FREQ=DAILY", "2026-06-01T09:00:00"),
        ("2026-05-01T09:00", "FREQ=DAILY", "2026-06-01T09:00:00"),
        ("2016-01-01T12:30", "FREQ=DAILY", "2026-05-31T12:30:00"),
        # … what is longer ago is not.
        ("2016-01-05T09:00", "FREQ=WEEKLY", "2026-06-02T09:00:00"),
        ("2026-01-31T09:00", "FREQ=MONTHLY", "2026-07-31T09:00:00"),
        ("2026-01-31T09:00", "FREQ=MONTHLY;BYMONTHDAY=-1", "2026-06-30T09:00:00"),
        # A start that the rule does not hit is none; a series that is over shows how it began.
        ("2026-06-02T09:00", "FREQ=WEEKLY;BYDAY=FR", "2026-06-05T09:00:00"),
        ("2026-05-01T09:00", "FREQ=DAILY;COUNT=3", "2026-05-01T09:00:00"),
    ],
)
def test_begins_series(alice_device, start, rule, occurrence):
    reminder = created(alice_device, wall_time=start, rrule=rule)
    assert (reminder["occurrence_wall"], reminder["rrule"]) == (occurrence, rule)
    assert reminder["due_at"] == f"{occurrence}Z"


def test_stores_rule_canonically(alice_device):
    reminder = created(alice_device, rrule="rrule:freq=weekly;interval=1;byday=fr,mo")
    assert reminder["rrule"] == "FREQ=WEEKLY;BYDAY=MO,FR"


REFUSED = [
    ({"text": "  "}, "text", "blank"),
    ({"text": "\u200e"}, "text", "invalid"),
    ({"text": "x" * 2001}, "text", "max_length"),
    ({"text": ["x"]}, "text", "invalid"),
    ({"text": ...}, "text", "required"),
    ({"wall_time": ...}, "wall_time", "required"),
    ({"wall_time": "2026-06-01T13:00Z"}, "wall_time", "offset"),
    ({"wall_time": "2026-06-01"}, "wall_time", "invalid"),
    ({"wall_time": 1}, "wall_time", "invalid"),
    ({"wall_time": "1969-12-31T23:59"}, "wall_time", "too_far"),
    ({"wall_time": "0001-01-01T00:00"}, "wall_time", "too_far"),
    ({"wall_time": "9999-12-31T23:59"}, "wall_time", "too_far"),
    ({"time_zone": "Nowhere/Land"}, "time_zone", "invalid_time_zone"),
    ({"time_zone": ""}, "time_zone", "blank"),
    ({"rrule": "FREQ=HOURLY"}, "rrule", "unsupported_rule"),
    ({"rrule": "every day"}, "rrule", "invalid_rule"),
    ({"rrule": "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"}, "rrule", "never_occurs"),
    ({"rrule": "FREQ=DAILY;UNTIL=20260101"}, "rrule", "never_occurs"),
    ({"rrule": "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1"}, "rrule", "never_occurs"),
    ({"rrule": "FREQ=DAILY;" + "X" * 300}, "rrule", "max_length"),
    ({"rrule": 7}, "rrule", "invalid_rule"),
    ({"contact": str(uuid7())}, "contact", "does_not_exist"),
    ({"chat": str(uuid7())}, "chat", "does_not_exist"),
    ({"assignee": str(uuid7())}, "assignee", "does_not_exist"),
    ({"assignee": "bob"}, "assignee", "invalid"),
    ({"state": "done"}, "state", None),
    ({"due_at": "2026-06-01T13:00:00Z"}, "due_at", None),
    ({"id": "1"}, "id", "invalid"),
    ({"other": 1}, "other", "unknown_field"),
]


@pytest.mark.parametrize(("values", "field", "code"), REFUSED)
def test_refuses_reminder(alice_device, values, field, code):
    answer = post(alice_device, **values)
    if code is None:  # what is derived is read, and ignored where it is written
        assert answer.status_code == 201
        assert (answer.json()["state"], answer.json()["due_at"]) == ("open", "2026-06-01T13:00:00Z")
        return
    assert answer.status_code == 400, answer.json()
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert stored() == [0]


def test_refuses_what_is_not_own(alice_device, other, charlie):
    foreign = make_contact(other, charlie, "Foreign")
    chat = chat_of(other)
    for values, field in (
        ({"contact": str(foreign.pk)}, "contact"),
        ({"chat": str(chat.pk)}, "chat"),
        ({"assignee": str(charlie.pk)}, "assignee"),
    ):
        assert problem(post(alice_device, **values)) == (400, "invalid", (field, "does_not_exist"))
    assert stored() == [0]


def test_refuses_contact_in_bin(alice_device, ana, clock):
    Contact.objects.filter(pk=ana.pk).update(deleted_at=clock.now)
    assert problem(post(alice_device, contact=str(ana.pk))) == (400, "invalid", ("contact", "does_not_exist"))


def test_refuses_contact_and_chat(alice_device, acme, ana):
    chat = chat_of(acme)
    answer = post(alice_device, contact=str(ana.pk), chat=str(chat.pk))
    assert problem(answer) == (400, "invalid", ("chat", "contact_or_chat"))
    reminder = created(alice_device, chat=str(chat.pk))
    assert problem(edit(alice_device, reminder, contact=str(ana.pk))) == (400, "invalid", ("chat", "contact_or_chat"))
    moved = edit(alice_device, reminder, contact=str(ana.pk), chat=None).json()
    assert (moved["contact"], moved["chat"]) == (str(ana.pk), None)


def test_refuses_inactive_assignee(alice_device, bob):
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert problem(post(alice_device, assignee=str(bob.pk))) == (400, "invalid", ("assignee", "not_a_member"))
    assert stored() == [0]


# --- Changing -------------------------------------------------------------------------------------


def test_changes_reminder(alice_device, bob):
    reminder = created(alice_device)
    changed = edit(alice_device, reminder, text="Write to Ana", assignee=str(bob.pk)).json()
    assert changed == {**reminder, "text": "Write to Ana", "assignee": str(bob.pk)}
    assert story(reminder)[1:] == [("reminder.updated", ["assignee", "text"])]
    assert edit(alice_device, reminder, text="Write to Ana").json() == changed
    assert len(story(reminder)) == 2


def test_derives_moment_anew_when_time_or_zone_change(alice_device):
    reminder = created(alice_device, wall_time="2026-06-02T09:00")
    moved = edit(alice_device, reminder, wall_time="2026-06-03T10:00").json()
    assert (moved["occurrence_wall"], moved["due_at"]) == ("2026-06-03T10:00:00", "2026-06-03T10:00:00Z")
    moved = edit(alice_device, reminder, time_zone="Europe/Berlin").json()
    assert (moved["occurrence_wall"], moved["due_at"]) == ("2026-06-03T10:00:00", "2026-06-03T08:00:00Z")
    assert story(reminder)[1:] == [
        ("reminder.updated", ["due_at", "occurrence_wall", "wall_time"]),
        ("reminder.updated", ["due_at", "time_zone"]),
    ]


def test_keeps_present_occurrence_in_new_zone(alice_device, clock):
    reminder = created(alice_device, rrule="FREQ=DAILY")
    clock.advance(days=3)
    moved = edit(alice_device, reminder, time_zone="America/Sao_Paulo").json()
    assert (moved["occurrence_wall"], moved["due_at"]) == ("2026-06-01T13:00:00", "2026-06-01T16:00:00Z")


def test_begins_series_anew_with_new_rule(alice_device, clock):
    reminder = created(alice_device, wall_time="2026-05-04T13:00", rrule="FREQ=WEEKLY")
    act(alice_device, reminder, "snooze", minutes=600)
    changed = edit(alice_device, reminder, rrule="FREQ=WEEKLY;BYDAY=TH").json()
    assert (changed["occurrence_wall"], changed["snoozed_until"]) == ("2026-06-04T13:00:00", None)


def test_keeps_what_was_done_when_rule_changes(alice_device, clock):
    reminder = created(alice_device, wall_time="2026-06-01T11:00", rrule="FREQ=DAILY")
    act(alice_device, reminder, "done")
    changed = edit(alice_device, reminder, rrule="FREQ=WEEKLY").json()
    assert changed["occurrence_wall"] == "2026-06-08T11:00:00"


def test_keeps_present_occurrence_when_recurrence_ends(alice_device, clock):
    reminder = created(alice_device, wall_time="2020-01-01T13:00", rrule="FREQ=DAILY")
    assert reminder["occurrence_wall"] == "2026-05-31T13:00:00"
    single = edit(alice_device, reminder, rrule="").json()
    assert (single["wall_time"], single["occurrence_wall"]) == ("2026-05-31T13:00:00", "2026-05-31T13:00:00")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"rrule": "FREQ=SECONDLY"}, ("rrule", "unsupported_rule")),
        ({"wall_time": None}, ("wall_time", "null")),
        ({"text": ""}, ("text", "blank")),
        ({"assignee": str(uuid7())}, ("assignee", "does_not_exist")),
        ({"id": str(uuid7())}, ("id", "unknown_field")),
        ({"state": "done"}, ("state", "unknown_field")),
    ],
)
def test_refuses_change(alice_device, values, expected):
    reminder = created(alice_device)
    before = stored()
    assert problem(edit(alice_device, reminder, **values)) == (400, "invalid", expected)
    assert stored() == before


def test_refuses_change_of_older_state(alice_device):
    reminder = created(alice_device)
    tag = alice_device.client.get(path_of(reminder))["ETag"]
    edit(alice_device, reminder, text="Changed meanwhile")
    before = stored()
    for path, method in (
        (path_of(reminder), "patch"),
        (path_of(reminder) + "done/", "post"),
        (path_of(reminder), "delete"),
    ):
        answer = getattr(alice_device.client, method)(path, {}, headers={"If-Match": tag})
        assert problem(answer)[:2] == (412, "precondition_failed")
    assert stored() == before


def test_deletes_reminder(alice_device, bob_device):
    reminder = created(alice_device)
    assert bob_device.client.delete(path_of(reminder)).status_code == 204
    assert_refused(alice_device.client.get(path_of(reminder)), "not_found")
    assert_refused(alice_device.client.delete(path_of(reminder)), "not_found")
    assert story(reminder) == [("reminder.created", []), ("reminder.deleted", [])]


def test_hides_reminder_from_outsiders(alice_device, charlie_device):
    reminder = created(alice_device)
    before = stored()
    for answer in (
        charlie_device.client.get(path_of(reminder)),
        edit(charlie_device, reminder, text="stolen"),
        act(charlie_device, reminder, "snooze", minutes=5),
        act(charlie_device, reminder, "done"),
        act(charlie_device, reminder, "reopen"),
        act(charlie_device, reminder, "deliver"),
        charlie_device.client.delete(path_of(reminder)),
    ):
        assert_refused(answer, "not_found")
    assert ids(charlie_device) == []
    assert stored() == before


# --- Snooze ---------------------------------------------------------------------------------------


def test_snoozes_by_minutes(alice_device, clock):
    reminder = created(alice_device)
    clock.advance(hours=2)
    snoozed = act(alice_device, reminder, "snooze", minutes=15).json()
    assert (snoozed["due_at"], snoozed["snoozed_until"]) == ("2026-06-01T14:15:00Z", "2026-06-01T14:15:00Z")
    assert (snoozed["occurrence_wall"], snoozed["overdue"]) == ("2026-06-01T13:00:00", False)
    assert story(reminder)[1:] == [("reminder.snoozed", ["due_at", "snoozed_until"])]


def test_snoozes_to_wall_time_in_reminders_zone(alice_device):
    reminder = created(alice_device, time_zone="America/New_York")
    snoozed = act(alice_device, reminder, "snooze", until="2027-03-14T02:30").json()
    assert snoozed["due_at"] == "2027-03-14T07:30:00Z"


def test_snooze_moves_no_series(alice_device, clock):
    reminder = created(alice_device, rrule="FREQ=DAILY")
    clock.advance(hours=2)
    act(alice_device, reminder, "snooze", until="2026-06-01T20:00")
    clock.advance(hours=7)
    done = act(alice_device, reminder, "done").json()
    assert (done["occurrence_wall"], done["due_at"]) == ("2026-06-02T13:00:00", "2026-06-02T13:00:00Z")
    assert (done["snoozed_until"], done["missed"]) == (None, 0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ("minutes", "required")),
        ({"minutes": 5, "until": "2026-06-02T09:00"}, ("minutes", "required")),
        ({"minutes": 0}, ("minutes", "min_value")),
        ({"minutes": 10**12}, ("minutes", "max_value")),
        ({"minutes": "x"}, ("minutes", "invalid")),
        ({"until": "2026-06-01T12:00"}, ("until", "in_the_past")),
        ({"until": "0001-01-01T00:00"}, ("until", "too_far")),
        ({"until": "9999-12-31T23:59"}, ("until", "too_far")),
        ({"until": "2026-06-02T09:00Z"}, ("until", "offset")),
        ({"for": 5}, ("for", "unknown_field")),
    ],
)
def test_refuses_snooze(alice_device, values, expected):
    reminder = created(alice_device)
    before = stored()
    answer = alice_device.client.post(f"{path_of(reminder)}snooze/", values)
    assert problem(answer) == (400, "invalid", expected)
    assert stored() == before


def test_refuses_snooze_of_done(alice_device):
    reminder = created(alice_device)
    act(alice_device, reminder, "done")
    before = stored()
    assert problem(act(alice_device, reminder, "snooze", minutes=5)) == (409, "wrong_state")
    assert stored() == before


# --- Done -----------------------------------------------------------------------------------------


def test_does_reminder_and_reopens_it(alice_device, clock):
    reminder = created(alice_device)
    clock.advance(hours=3)
    done = act(alice_device, reminder, "done").json()
    assert (done["state"], done["done_at"], done["overdue"]) == ("done", "2026-06-01T15:00:00Z", False)
    assert done["missed"] == 0
    before = stored()
    assert act(alice_device, reminder, "done").json() == done
    assert stored() == before
    opened = act(alice_device, reminder, "reopen").json()
    assert opened == {**reminder, "overdue": True}
    before = stored()
    assert act(alice_device, reminder, "reopen").json() == opened
    assert stored() == before
    assert [kind for kind, _ in story(reminder)] == ["reminder.created", "reminder.done", "reminder.reopened"]


@pytest.mark.parametrize(
    ("later", "occurrence", "missed"),
    [
        ({}, "2026-06-02T13:00:00", 0),  # done before its time
        ({"hours": 1}, "2026-06-02T13:00:00", 0),
        ({"hours": 25}, "2026-06-03T13:00:00", 1),  # at the very moment of the next
        ({"hours": 24}, "2026-06-02T13:00:00", 0),
        ({"days": 10, "hours": 2}, "2026-06-12T13:00:00", 10),
        ({"days": 1500}, "2030-07-10T13:00:00", 1000),  # counted so far
    ],
)
def test_goes_on_to_next_occurrence_after_now(alice_device, clock, later, occurrence, missed):
    reminder = created(alice_device, rrule="FREQ=DAILY")
    clock.advance(**later)
    done = act(alice_device, reminder, "done").json()
    assert (done["state"], done["occurrence_wall"], done["missed"]) == ("open", occurrence, missed)
    assert done["done_at"] == clock.now.isoformat().replace("+00:00", "Z")


def test_ends_series_with_its_last_occurrence(alice_device, clock):
    reminder = created(alice_device, rrule="FREQ=DAILY;COUNT=3")
    assert act(alice_device, reminder, "done").json()["occurrence_wall"] == "2026-06-02T13:00:00"
    clock.advance(days=9)
    done = act(alice_device, reminder, "done").json()
    assert (done["state"], done["occurrence_wall"], done["missed"]) == ("done", "2026-06-02T13:00:00", 1)


def test_keeps_wall_clock_over_change_to_summer_time(alice_device, clock):
    reminder = created(alice_device, wall_time="2027-03-13T02:30", time_zone="America/New_York", rrule="FREQ=DAILY")
    found = [reminder["due_at"]]
    for _ in range(2):
        found.append(act(alice_device, reminder, "done").json()["due_at"])
    assert found == ["2027-03-13T07:30:00Z", "2027-03-14T07:30:00Z", "2027-03-15T06:30:00Z"]


def test_does_occurrence_once_on_two_computers(alice_device, bob_device):
    reminder = created(alice_device, rrule="FREQ=DAILY")
    seen = reminder["occurrence_wall"]
    first = act(alice_device, reminder, "done", occurrence=seen).json()
    before = stored()
    assert act(bob_device, reminder, "done", occurrence=seen).json() == first
    assert stored() == before
    assert first["occurrence_wall"] == "2026-06-02T13:00:00"
    refused = act(bob_device, reminder, "done", occurrence="2026-06-09T13:00")
    assert problem(refused) == (409, "conflict", ("occurrence", "conflict"))
    assert stored() == before


def test_answers_repeated_request_alike(alice_device):
    reminder = created(alice_device, rrule="FREQ=DAILY")
    answers = [
        alice_device.client.post(f"{path_of(reminder)}done/", {}, headers={"Idempotency-Key": "done-once-1"})
        for _ in range(2)
    ]
    assert [answer.json()["occurrence_wall"] for answer in answers] == ["2026-06-02T13:00:00"] * 2
    assert read(alice_device, reminder)["occurrence_wall"] == "2026-06-02T13:00:00"


# --- What a device that was offline tells ---------------------------------------------------------


def tell(reminder, workspace, person, **values) -> Reminder:
    return update_reminder(workspace=workspace, reminder_id=reminder["id"], actor=actors.person(person), **values)


def test_takes_state_and_snooze_of_offline_device(acme, alice, alice_device, clock):
    reminder = created(alice_device, rrule="FREQ=DAILY")
    row = tell(reminder, acme, alice, snoozed_until=clock.now - timedelta(hours=1), text="Call")
    assert (row.due_at, row.text) == (clock.now - timedelta(hours=1), "Call")
    row = tell(reminder, acme, alice, state="done")
    assert (row.state, row.occurrence_wall, row.snoozed_until) == ("open", datetime(2026, 6, 2, 13), None)
    clock.advance(hours=1)
    row = tell(reminder, acme, alice, rrule="", state="done")
    assert (row.state, row.wall_time) == ("done", datetime(2026, 6, 2, 13))
    row = tell(reminder, acme, alice, state="open", snoozed_until=None)
    assert (row.state, row.done_at, row.due_at.isoformat()) == ("open", None, "2026-06-02T13:00:00+00:00")
    assert story(reminder)[1:] == [
        ("reminder.updated", ["due_at", "snoozed_until", "text"]),
        ("reminder.done", ["done_at", "due_at", "occurrence_wall", "snoozed_until"]),
        ("reminder.done", ["done_at", "rrule", "state", "wall_time"]),
        ("reminder.reopened", ["done_at", "state"]),
    ]


def test_keeps_version_of_each_column(acme, alice, alice_device):
    reminder = created(alice_device)
    edit(alice_device, reminder, text="Changed")
    act(alice_device, reminder, "done")
    row = Reminder.objects.get(pk=reminder["id"])
    assert (row.version, row.field_versions) == (3, {"text": 2, "state": 3})


# --- Lists ----------------------------------------------------------------------------------------


def test_lists_and_filters(alice, bob, alice_device, acme, ana, clock):
    chat = chat_of(acme)
    late = created(alice_device, wall_time="2026-06-01T09:00", contact=str(ana.pk))
    soon = created(alice_device, wall_time="2026-06-01T13:00", chat=str(chat.pk))
    bobs = created(alice_device, wall_time="2026-06-01T10:00", assignee=str(bob.pk))
    nobodys = created(alice_device, wall_time="2026-06-03T09:00", assignee=None)
    done = created(alice_device, wall_time="2026-05-01T09:00")
    act(alice_device, done, "done")
    late, soon, bobs, nobodys, done = (reminder["id"] for reminder in (late, soon, bobs, nobodys, done))
    assert ids(alice_device) == [done, late, bobs, soon, nobodys]
    assert ids(alice_device, sort="-due_at") == [nobodys, soon, bobs, late, done]
    assert ids(alice_device, mine="true") == [done, late, soon]
    assert ids(alice_device, assignee=str(bob.pk)) == [bobs]
    assert ids(alice_device, assignee=str(bob.pk), mine="true") == []
    assert ids(alice_device, assignee="none") == [nobodys]
    assert ids(alice_device, contact=str(ana.pk)) == [late]
    assert ids(alice_device, chat=str(chat.pk)) == [soon]
    assert ids(alice_device, state="done") == [done]
    assert ids(alice_device, overdue="true") == [late, bobs]
    assert ids(alice_device, overdue="false") == [done, soon, nobodys]
    assert ids(alice_device, state="open", due_before="2026-06-01T13:00:00Z") == [late, bobs]
    assert ids(alice_device, due_after="2026-06-01T10:00:00+00:00", due_before="2026-06-02T00:00:00Z") == [bobs, soon]
    page = alice_device.client.get(REMINDERS, {"limit": 2}).json()
    rest = alice_device.client.get(REMINDERS, {"limit": 3, "cursor": page["next_cursor"]}).json()
    assert [row["id"] for row in page["results"] + rest["results"]] == [done, late, bobs, soon, nobodys]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"mine": "yes"},
        {"overdue": "1"},
        {"assignee": "bob"},
        {"contact": "1"},
        {"chat": "x"},
        {"state": "gone"},
        {"due_before": "tomorrow"},
        {"due_before": "2026-06-01T00:00:00"},
        {"due_after": "2026-02-30T00:00:00Z"},
        {"sort": "text"},
    ],
)
def test_refuses_query(alice_device, query):
    answer = alice_device.client.get(REMINDERS, query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, next(iter(query)))


def test_hides_reminders_of_contact_in_bin(alice_device, ana, clock):
    reminder = created(alice_device, contact=str(ana.pk))
    Contact.objects.filter(pk=ana.pk).update(deleted_at=clock.now)
    assert ids(alice_device) == []
    assert_refused(act(alice_device, reminder, "done"), "not_found")
    Contact.objects.filter(pk=ana.pk).update(deleted_at=None)
    assert ids(alice_device) == [reminder["id"]]


def test_costs_fixed_queries(alice, alice_device, acme, ana):
    def cost(ask):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ask()
        return len(queries)

    def heaps():
        for heap in vars(reminders_of(workspace=acme, user=alice)).values():
            assert all(str(row.contact) == "Ana" and row.assignee for row in heap)

    created(alice_device, contact=str(ana.pk))
    few = (cost(lambda: ids(alice_device)), cost(heaps))
    for day in range(1, 9):
        created(alice_device, contact=str(ana.pk), wall_time=f"2026-06-0{day}T09:00")
    assert (cost(lambda: ids(alice_device)), cost(heaps)) == few
    assert few[1] == 3


def test_sorts_into_heaps_by_own_day(acme, alice, bob, alice_device):
    """At noon in UTC it is half past nine in the evening on Lord Howe: its day ends 90 minutes later."""
    User.objects.filter(pk=alice.pk).update(time_zone="Australia/Lord_Howe")
    alice.refresh_from_db()
    wanted = {
        "overdue": ["2026-05-30T12:00", "2026-06-01T12:00"],
        "today": ["2026-06-01T12:01", "2026-06-01T13:29"],
        "upcoming": ["2026-06-01T13:30", "2026-06-05T12:00"],
    }
    for walls in wanted.values():
        for wall in walls:
            created(alice_device, wall_time=wall)
            created(alice_device, wall_time=wall, assignee=str(bob.pk))
    heaps = reminders_of(workspace=acme, user=alice)
    assert {name: [f"{row.wall_time:%Y-%m-%dT%H:%M}" for row in heap] for name, heap in vars(heaps).items()} == wanted
    assert count_overdue(workspace=acme, user=alice) == 2
    assert [len(heap) for heap in vars(reminders_of(workspace=acme, user=alice, limit=1)).values()] == [1, 1, 1]


# --- Members who leave, and zones that change -----------------------------------------------------


def leave(acme, alice, bob, **kwargs) -> None:
    workspaces.remove_member(
        workspace=acme,
        membership_id=Membership.objects.get(workspace=acme, user=bob).pk,
        actor=actors.person(alice),
        remover=Membership.objects.get(workspace=acme, role=Role.OWNER),
        **kwargs,
    )


def test_hands_reminders_of_leaver_to_owner(acme, alice, bob, alice_device, monkeypatch):
    monkeypatch.setattr("accounts.services.departures.CHUNK", 2)
    theirs = [created(alice_device, assignee=str(bob.pk)) for _ in range(3)]
    act(alice_device, theirs[0], "done")
    own = created(alice_device)
    leave(acme, alice, bob)
    finish_departures()
    assert [read(alice_device, reminder)["assignee"] for reminder in (*theirs, own)] == [str(alice.pk)] * 4
    events = Event.objects.filter(kind="reminder.handed_over").order_by("id")
    assert [(event.count, event.changed, event.actor_kind) for event in events] == [
        (2, ["assignee"], "system"),
        (1, ["assignee"], "system"),
    ]
    assert problem(edit(alice_device, own, assignee=str(bob.pk))) == (400, "invalid", ("assignee", "does_not_exist"))


def test_hands_reminders_of_leaver_to_heir(acme, alice, bob, alice_device):
    heir = join(acme, make_person("Dora"))
    reminder = created(alice_device, assignee=str(bob.pk))
    leave(acme, alice, bob, heir_membership_id=heir.pk)
    finish_departures()
    assert read(alice_device, reminder)["assignee"] == str(heir.user_id)


def test_leaves_reminders_of_other_workspaces(acme, other, alice, bob, charlie):
    workspaces_of_bob = make_device(charlie, other)
    Membership.objects.create(workspace=other, user=bob, role=Role.MEMBER)
    reminder = created(workspaces_of_bob, assignee=str(bob.pk))
    membership = Membership.objects.get(workspace=acme, user=bob)
    workspaces.remove_member(workspace=acme, membership_id=membership.pk, actor=actors.person(bob), remover=membership)
    finish_departures()
    assert read(workspaces_of_bob, reminder)["assignee"] == str(bob.pk)
    assert not Event.objects.filter(kind="reminder.handed_over").exists()


def test_derives_due_times_by_new_rules_of_zone(acme, alice_device, clock, monkeypatch):
    """São Paulo takes summer time up again: what is yet to come moves, what is past or snoozed stays."""
    values = {"time_zone": "America/Sao_Paulo"}
    future = created(alice_device, wall_time="2026-12-01T09:00", **values)
    series = created(alice_device, wall_time="2026-12-01T09:00", rrule="FREQ=DAILY", **values)
    past = created(alice_device, wall_time="2026-05-01T09:00", **values)
    snoozed = created(alice_device, wall_time="2026-12-01T09:00", **values)
    act(alice_device, snoozed, "snooze", until="2026-12-02T09:00")
    done = created(alice_device, wall_time="2026-12-01T09:00", **values)
    act(alice_device, done, "done")
    elsewhere = created(alice_device, wall_time="2026-12-01T09:00", time_zone="Europe/Berlin")
    before = {reminder["id"]: read(alice_device, reminder)["due_at"] for reminder in (past, snoozed, done, elsewhere)}
    events = Event.objects.count()
    assert derive_due_times() == 0
    assert Event.objects.count() == events

    def summer(wall, zone):
        return to_utc(wall, zone) - timedelta(hours=zone == "America/Sao_Paulo")

    from crm.services.reminders import times

    to_utc = times.to_utc
    monkeypatch.setattr(times, "to_utc", summer)
    monkeypatch.setattr("crm.services.reminders.changes.CHUNK", 2)
    assert derive_due_times() == 2
    assert [read(alice_device, reminder)["due_at"] for reminder in (future, series)] == ["2026-12-01T11:00:00Z"] * 2
    assert {key: read(alice_device, {"id": key})["due_at"] for key in before} == before
    assert Event.objects.filter(kind="reminder.updated", actor_kind="system", changed=["due_at"]).count() == 2
    assert derive_due_times() == 0
