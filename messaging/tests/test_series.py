"""Series: each time queued once; paused, skipped, changed, ended; and what is said to each recipient."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts import actors
from accounts.models import Event
from accounts.services import plans
from crm.models import Chat
from crm.services.bin import delete_contact
from crm.services.merging import merge_contacts
from messaging.models import QueuedMessage, ScheduledMessage, ScheduledRecipient
from messaging.services.scheduling import close_abandoned_schedules, queue_due_messages
from messaging.tests.calls import (
    CHAT,
    cancel,
    claim,
    edit,
    nothing_happens,
    place,
    problem,
    read,
    report,
    schedule,
    scheduled,
    waiting,
)
from messaging.tests.test_scheduling import add_contact
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db

DAILY = {"wall_time": "2026-06-02T09:00", "time_zone": "UTC", "rrule": "FREQ=DAILY"}


def post(device, message, action: str, **payload):
    return device.client.post(f"/api/v1/scheduled-messages/{message['id']}/{action}/", payload)


def at(day: int, hour: int = 9, minute: int = 0) -> datetime:
    """A moment of June 2026."""
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC)


def days() -> list[int]:
    """Of which days of June there are messages in the queue."""
    return [row.due_at.day for row in QueuedMessage.objects.order_by("due_at")]


def test_queues_each_time_once_and_keeps_its_place_in_the_plan(alice_device, acme, number, clock):
    message = scheduled(alice_device, number, **DAILY)
    for day in (2, 3, 4):
        clock.now = at(day)
        assert [queue_due_messages(), queue_due_messages()] == [1, 0]
        assert waiting(acme) == 1
    assert days() == [2, 3, 4]
    shown = read(alice_device, message["id"])
    assert (shown["state"], shown["due_at"]) == ("waiting", "2026-06-05T09:00:00Z")
    assert (place(shown)["last_at"], place(shown)["dispatch_state"]) == ("2026-06-04T09:00:00Z", "queued")
    assert plans.recount(acme).get("scheduled_messages") is None


@pytest.mark.parametrize("rrule", ["FREQ=DAILY;COUNT=2", "FREQ=DAILY;UNTIL=20260603"])
def test_ends_series(alice_device, acme, number, clock, rrule):
    message = scheduled(alice_device, number, **DAILY | {"rrule": rrule})
    for day in range(2, 6):
        clock.now = at(day)
        queue_due_messages()
    assert days() == [2, 3]
    shown = read(alice_device, message["id"])
    assert (shown["state"], place(shown)["state"], waiting(acme)) == ("queued", "done", 0)


def test_queues_every_missed_time_for_lateness_to_decide(alice_device, number, clock):
    scheduled(alice_device, number, **DAILY)
    clock.now = at(5, 8)
    assert [queue_due_messages() for _ in range(4)] == [1, 1, 1, 0]
    assert days() == [2, 3, 4]
    assert claim(alice_device, number) == []  # each is later than it may be


def test_refuses_series_that_never_occurs(alice_device, number):
    with nothing_happens():
        answer = schedule(alice_device, number, **DAILY | {"rrule": "FREQ=DAILY;UNTIL=20260501"})
        assert problem(answer) == (400, "invalid", ("rrule", "never_occurs"))


# --- Pauses ---


def test_skips_what_falls_into_pause(alice_device, acme, number, clock):
    message = scheduled(alice_device, number, **DAILY)
    clock.now = at(2)
    queue_due_messages()
    clock.now = at(3, 8)
    answer = post(alice_device, message, "pause").json()
    assert (answer["state"], place(answer)["state"], place(answer)["next_at"]) == ("paused", "paused", None)
    assert waiting(acme) == 1
    clock.now = at(6, 10)
    assert queue_due_messages() == 0
    answer = post(alice_device, message, "resume").json()
    assert (answer["state"], answer["due_at"]) == ("waiting", "2026-06-07T09:00:00Z")
    clock.now = at(7)
    assert queue_due_messages() == 1
    assert days() == [2, 7]
    assert QueuedMessage.objects.filter(reason_code="paused").values_list("due_at", flat=True).get() == at(2)
    kinds = Event.objects.filter(object_id=message["id"]).order_by("id").values_list("kind", flat=True)
    assert list(kinds)[1:] == ["scheduled_message.paused", "scheduled_message.resumed"]


def test_takes_back_what_waits_in_queue_when_paused(alice_device, number, clock):
    message = scheduled(alice_device, number, **DAILY)
    clock.now = at(2, 8, 59) + timedelta(seconds=30)
    assert queue_due_messages() == 1
    post(alice_device, message, "pause")
    assert not QueuedMessage.objects.exists()
    post(alice_device, message, "resume")  # the pause was a short one: the time is still to come
    assert (queue_due_messages(), days()) == (1, [2])


def test_skips_what_a_device_gave_back_when_paused(alice_device, number, clock):
    message = scheduled(alice_device, number, **DAILY)
    clock.now = at(2)
    queue_due_messages()
    report(alice_device, claim(alice_device, number)[0], "released")
    post(alice_device, message, "pause")
    row = QueuedMessage.objects.get()
    assert (row.state, row.reason_code) == ("skipped", "paused")


@pytest.mark.parametrize("action", ["pause", "resume"])
def test_pauses_and_resumes_twice_as_once(alice_device, number, action):
    message = scheduled(alice_device, number, **DAILY)
    if action == "resume":
        post(alice_device, message, "pause")
    first = post(alice_device, message, action).json()
    with nothing_happens():
        assert post(alice_device, message, action).json() == first


@pytest.mark.parametrize("action", ["pause", "resume", "skip"])
def test_refuses_for_message_that_goes_out_once(alice_device, number, action):
    message = scheduled(alice_device, number, seconds=3600)
    with nothing_happens():
        assert problem(post(alice_device, message, action)) == (409, "wrong_state")


# --- Exceptions ---


def test_leaves_out_next_time(alice_device, number, clock):
    message = scheduled(alice_device, number, **DAILY)
    answer = post(alice_device, message, "skip").json()
    assert (answer["excluded"], answer["due_at"]) == (["2026-06-02T09:00:00"], "2026-06-03T09:00:00Z")
    answer = post(alice_device, message, "skip", wall_time="2026-06-04T09:00").json()
    assert answer["due_at"] == "2026-06-03T09:00:00Z"
    for day in range(2, 6):
        clock.now = at(day)
        queue_due_messages()
    assert days() == [3, 5]


def test_leaves_out_time_that_waits_in_queue(alice_device, number, clock):
    message = scheduled(alice_device, number, **DAILY)
    clock.now = at(2, 8, 59) + timedelta(seconds=30)
    queue_due_messages()
    assert post(alice_device, message, "skip", wall_time="2026-06-02T09:00").status_code == 200
    clock.now = at(2)
    assert (queue_due_messages(), claim(alice_device, number)) == (0, [])


@pytest.mark.parametrize(
    ("wall_time", "code"), [("2026-06-03T10:00", "not_an_occurrence"), ("2026-06-01T09:00", "not_an_occurrence")]
)
def test_refuses_to_leave_out_what_is_no_time(alice_device, number, wall_time, code):
    message = scheduled(alice_device, number, **DAILY)
    with nothing_happens():
        answer = post(alice_device, message, "skip", wall_time=wall_time)
        assert problem(answer) == (400, "invalid", ("wall_time", code))


def test_gives_one_time_a_message_of_its_own(alice_device, acme, number, clock):
    message = scheduled(alice_device, number, body="as always", **DAILY)
    own = str(uuid7())
    payload = {
        "id": own,
        "occurrence": "2026-06-03T09:00",
        "wall_time": "2026-06-03T11:00",
        "parts": [{"body": "later today"}],
    }
    answer = post(alice_device, message, "occurrences", **payload)
    assert answer.status_code == 201
    assert (answer.json()["due_at"], answer.json()["rrule"]) == ("2026-06-03T11:00:00Z", "")
    assert place(answer.json())["chat_jid"] == CHAT
    assert post(alice_device, message, "occurrences", **payload).status_code == 200
    assert waiting(acme) == 2
    for hour in (9, 11):
        for day in (2, 3, 4):
            clock.now = max(clock.now, at(day, hour))
            queue_due_messages()
    bodies = QueuedMessage.objects.order_by("due_at").values_list("due_at", "body")
    assert [(due.day, due.hour, body) for due, body in bodies] == [
        (2, 9, "as always"),
        (3, 11, "later today"),
        (4, 9, "as always"),
    ]


# --- Editing ---


def test_edits_future_of_series_only(alice_device, number, clock):
    message = scheduled(alice_device, number, body="old", **DAILY)
    clock.now = at(2)
    queue_due_messages()
    [handed] = claim(alice_device, number)
    report(alice_device, handed, "sending"), report(alice_device, handed, "sent")
    answer = edit(alice_device, message["id"], body="new", wall_time="2026-06-02T10:00", rrule="FREQ=WEEKLY")
    assert answer.json()["due_at"] == "2026-06-02T10:00:00Z"
    clock.now = at(2, 10)
    queue_due_messages()
    rows = QueuedMessage.objects.order_by("due_at").values_list("body", "state")
    assert list(rows) == [("old", "sent"), ("new", "queued")]
    assert read(alice_device, message["id"])["due_at"] == "2026-06-09T10:00:00Z"


def test_turns_message_into_series_and_back(alice_device, acme, number):
    message = scheduled(alice_device, number, seconds=3600)
    assert edit(alice_device, message["id"], rrule="FREQ=DAILY").json()["rrule"] == "FREQ=DAILY"
    answer = edit(alice_device, message["id"], rrule="", wall_time="2026-06-05T09:00").json()
    assert (answer["rrule"], answer["due_at"], waiting(acme)) == ("", "2026-06-05T09:00:00Z", 1)


def test_cancels_series(alice_device, acme, number, clock):
    message = scheduled(alice_device, number, **DAILY)
    clock.now = at(2)
    queue_due_messages()
    assert cancel(alice_device, message["id"]).json()["state"] == "cancelled"
    clock.now = at(3)
    assert (queue_due_messages(), claim(alice_device, number), waiting(acme)) == (0, [], 0)


# --- Several recipients ---

JIDS = [f"55119876543{index:02}@c.us" for index in range(3)]


def to_all(**values) -> dict:
    return {"chat_jid": None, "recipients": [{"chat_jid": jid} for jid in JIDS], **values}


def test_sends_parts_to_each_recipient(alice_device, acme, number):
    message = scheduled(alice_device, number, body=None, parts=[{"body": "one"}, {"body": "two"}], **to_all())
    assert waiting(acme) == 3
    assert (queue_due_messages(), waiting(acme)) == (6, 0)
    rows = QueuedMessage.objects.order_by("chat_jid", "position").values_list("chat_jid", "position", "body")
    assert list(rows) == [(jid, position, body) for jid in JIDS for position, body in enumerate(["one", "two"])]
    assert {row["dispatch_state"] for row in read(alice_device, message["id"])["recipients"]} == {"queued"}


def test_removes_and_adds_recipients_until_they_are_handed_it(alice_device, acme, number):
    message = scheduled(alice_device, number, seconds=30, **to_all())
    queue_due_messages()
    new = "5511912345678@c.us"
    answer = edit(alice_device, message["id"], recipients=[{"chat_jid": JIDS[0]}, {"chat_jid": new}])
    assert [row["chat_jid"] for row in answer.json()["recipients"]] == [JIDS[0], new]
    queue_due_messages()
    assert set(QueuedMessage.objects.values_list("chat_jid", flat=True)) == {JIDS[0], new}
    assert waiting(acme) == 0


def test_changes_those_who_were_not_handed_it_yet(alice_device, number):
    message = scheduled(alice_device, number, body="old", **to_all())
    queue_due_messages()
    [first] = claim(alice_device, number, limit=1)
    assert edit(alice_device, message["id"], parts=[{"body": "new"}, {"body": "and more"}]).status_code == 200
    rows = QueuedMessage.objects.order_by("chat_jid", "position").values_list("chat_jid", "body")
    others = [jid for jid in JIDS if jid != first["chat_jid"]]
    expected = [(first["chat_jid"], "old"), *((jid, body) for jid in others for body in ("new", "and more"))]
    assert sorted(rows) == sorted(expected)
    assert cancel(alice_device, message["id"]).status_code == 200
    assert set(QueuedMessage.objects.exclude(pk=first["id"]).values_list("state", flat=True)) == {"cancelled"}


# --- Who reads it ---


def test_fills_in_variables_when_queued(alice_device, acme, number):
    contact = add_contact(acme, ("phone", "+4915112345678"))
    scheduled(alice_device, number, contact=str(contact.pk), chat_jid=None, body="Hello {{name}}, {{company|friend}}!")
    contact.name = "Diana Prince"
    contact.save(update_fields=["name"])
    assert queue_due_messages() == 1
    row = QueuedMessage.objects.get()
    assert (row.body, row.contact, row.recipient_zone) == ("Hello Diana Prince, friend!", contact, "Europe/Berlin")


def test_skips_whom_a_variable_is_missing_for_and_says_so(alice_device, acme, number):
    contact = add_contact(acme, ("phone", "+4915112345678"))
    parts = [{"body": "First"}, {"body": "Your company {{company}}"}]
    message = scheduled(alice_device, number, contact=str(contact.pk), chat_jid=None, body=None, parts=parts)
    assert queue_due_messages() == 0
    assert list(QueuedMessage.objects.values_list("state", "reason_code")) == [("skipped", "missing_variable")] * 2
    shown = place(read(alice_device, message["id"]))
    assert (shown["dispatch_state"], shown["reason_code"]) == ("skipped", "missing_variable")
    assert "company" in shown["reason"]
    assert Event.objects.filter(kind="message.skipped").count() == 2


def test_looks_address_up_again_when_queued(alice_device, acme, number):
    """The chat moved from `c.us` to `lid` meanwhile; a chat that was named stays."""
    contact = add_contact(acme, ("c_us", "4915112345678@c.us"))
    scheduled(alice_device, number, contact=str(contact.pk), chat_jid=None)
    scheduled(alice_device, number, contact=str(contact.pk), chat_jid="4915112345678@c.us")
    Chat.objects.create(
        workspace=acme, whatsapp_account=number, jid="98765432101234@lid", kind="person", contact=contact
    )
    assert queue_due_messages() == 2
    assert list(QueuedMessage.objects.order_by("origin_id").values_list("chat_jid", "contact")) == [
        ("98765432101234@lid", contact.pk),
        ("4915112345678@c.us", contact.pk),
    ]


def test_skips_contact_that_lost_its_address(alice_device, acme, number):
    contact = add_contact(acme, ("phone", "+4915112345678"))
    message = scheduled(alice_device, number, contact=str(contact.pk), chat_jid=None)
    contact.identities.all().delete()
    assert queue_due_messages() == 0
    assert place(read(alice_device, message["id"]))["reason_code"] == "no_identity"


def test_goes_once_to_contacts_that_were_merged(alice_device, acme, number):
    kept, gone = (add_contact(acme, ("phone", f"+491511234567{n}")) for n in (8, 9))
    scheduled(alice_device, number, chat_jid=None, recipients=[{"contact": str(kept.pk)}, {"contact": str(gone.pk)}])
    merge_contacts(workspace=acme, actor=actors.SYSTEM, kept_id=kept.pk, absorbed_id=gone.pk)
    assert queue_due_messages() == 1
    assert QueuedMessage.objects.get().contact == kept
    assert waiting(acme) == 0


def test_knows_contact_of_chat(alice_device, acme, number):
    """A chat that was named belongs to a contact: its messages go in the order of all others to that person."""
    contact = add_contact(acme, ("phone", "+4915112345678"))
    Chat.objects.create(
        workspace=acme, whatsapp_account=number, jid="4915112345678@c.us", kind="person", contact=contact
    )
    scheduled(alice_device, number, chat_jid="4915112345678@c.us")
    queue_due_messages()
    assert QueuedMessage.objects.get().contact == contact


def test_series_to_contact_in_bin_rests(alice_device, acme, number, clock):
    contact = add_contact(acme, ("phone", "+4915112345678"))
    scheduled(alice_device, number, contact=str(contact.pk), chat_jid=None, **DAILY)
    delete_contact(workspace=acme, contact_id=contact.pk, actor=actors.SYSTEM)
    clock.now = at(2)
    assert (queue_due_messages(), claim(alice_device, number)) == (1, [])


def test_ends_schedule_whose_recipients_are_gone(alice_device, acme, number):
    contact = add_contact(acme, ("phone", "+4915112345678"))
    message = scheduled(alice_device, number, contact=str(contact.pk), chat_jid=None, **DAILY)
    scheduled(alice_device, number, **DAILY)
    assert close_abandoned_schedules() == 0
    contact.delete()
    assert close_abandoned_schedules() == 1
    shown = read(alice_device, message["id"])
    assert (shown["state"], shown["recipients"]) == ("cancelled", [])


def test_lets_paused_series_go_out_once(alice_device, acme, number, clock):
    message = scheduled(alice_device, number, **DAILY)
    post(alice_device, message, "pause")
    answer = edit(alice_device, message["id"], rrule="").json()
    assert (answer["state"], place(answer)["state"], answer["due_at"]) == ("waiting", "waiting", "2026-06-02T09:00:00Z")
    assert waiting(acme) == 1


# --- The calendar ---


def entries(device, start: str, end: str) -> list[tuple]:
    answer = device.client.get("/api/v1/scheduled-messages/calendar/", {"from": start, "to": end})
    assert answer.status_code == 200, answer.json()
    return [(entry["at"], entry["state"], entry["recipients"]) for entry in answer.json()["results"]]


def test_shows_calendar(alice_device, charlie_device, foreign_number, number, clock):
    scheduled(charlie_device, foreign_number, **DAILY)
    series = scheduled(alice_device, number, **DAILY)
    post(alice_device, series, "skip", wall_time="2026-06-04T09:00")
    scheduled(alice_device, number, wall_time="2026-06-03T12:00", time_zone="UTC", **to_all())
    clock.now = at(2)
    queue_due_messages()
    found = entries(alice_device, "2026-06-01T00:00:00Z", "2026-06-06T00:00:00Z")
    assert found == [
        ("2026-06-02T09:00:00Z", "done", 1),
        ("2026-06-03T09:00:00Z", "waiting", 1),
        ("2026-06-03T12:00:00Z", "waiting", 3),
        ("2026-06-05T09:00:00Z", "waiting", 1),
    ]
    assert [entry[0] for entry in entries(alice_device, "2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z")] == [
        "2026-07-01T09:00:00Z"
    ]
    post(alice_device, series, "pause")
    assert ("2026-06-03T09:00:00Z", "paused", 1) in entries(
        alice_device, "2026-06-01T00:00:00Z", "2026-06-06T00:00:00Z"
    )


@pytest.mark.parametrize(
    ("start", "end", "error"),
    [
        ("2026-06-01T00:00:00Z", "2026-09-01T00:00:00Z", ("to", "range")),
        ("2026-06-02T00:00:00Z", "2026-06-01T00:00:00Z", ("to", "range")),
        ("2026-06-01", "2026-06-02T00:00:00Z", ("from", "invalid")),
    ],
)
def test_refuses_calendar_without_bounds(alice_device, start, end, error):
    answer = alice_device.client.get("/api/v1/scheduled-messages/calendar/", {"from": start, "to": end})
    assert problem(answer) == (400, "invalid", error)


def test_lists_messages_between_moments(alice_device, number):
    ids = [scheduled(alice_device, number, seconds=seconds)["id"] for seconds in (100, 200, 300)]
    query = {"from": "2026-06-01T12:03:00Z", "to": "2026-06-01T12:05:00Z"}
    found = alice_device.client.get("/api/v1/scheduled-messages/", query).json()["results"]
    assert [message["id"] for message in found] == [ids[1]]


def test_reads_page_at_fixed_cost(alice_device, number, django_assert_max_num_queries):
    for index in range(5):
        scheduled(alice_device, number, seconds=3600 + index, **to_all())
    with django_assert_max_num_queries(8):
        answer = alice_device.client.get("/api/v1/scheduled-messages/")
    assert len(answer.json()["results"]) == 5
    assert (ScheduledMessage.objects.count(), ScheduledRecipient.objects.count()) == (5, 15)
