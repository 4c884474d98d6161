"""Scheduling: the moment that is meant, the plan's limit, and changes until the message is handed out."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from accounts.actors import SYSTEM
from accounts.models import Event, Plan, Resource, Usage
from accounts.services import plans
from crm.models import Contact
from crm.services.contacts import create_contact
from messaging.models import QueuedMessage, ScheduledMessage, ScheduledRecipient
from messaging.services.dispatch import settle_expired_leases
from messaging.services.scheduling import queue_due_messages
from messaging.tests.calls import (
    CHAT,
    cancel,
    claim,
    edit,
    everything,
    kinds,
    nothing_happens,
    place,
    problem,
    queued,
    read,
    report,
    schedule,
    scheduled,
    story,
    waiting,
    wall,
)
from messaging.tests.schedules import make_schedule
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db


def add_contact(workspace, *identities: tuple[str, str]) -> Contact:
    identities = [{"kind": kind, "value": value} for kind, value in identities]
    return create_contact(workspace=workspace, actor=SYSTEM, source="api", name="Diana", identities=identities)[0]


# --- Making ---


def test_schedules_message(alice_device, acme, number, alice):
    message_id = str(uuid7())
    answer = schedule(
        alice_device, number, id=message_id, wall_time="2026-06-01T09:30", time_zone="America/Sao_Paulo", body="  Oi\n"
    )
    assert answer.status_code == 201
    assert answer.json() == {
        "id": message_id,
        "whatsapp_account": str(number.pk),
        "recipients": [
            {
                "id": str(ScheduledRecipient.objects.get().pk),
                "contact": None,
                "chat_jid": CHAT,
                "time_zone": "America/Sao_Paulo",
                "recipient_zone": "America/Sao_Paulo",
                "state": "waiting",
                "next_wall": "2026-06-01T09:30:00",
                "next_at": "2026-06-01T12:30:00Z",
                "last_at": None,
                "dispatch_id": None,
                "dispatch_state": None,
                "reason_code": "",
                "reason": "",
            }
        ],
        "parts": [{"body": "Oi", "media": None}],
        "wall_time": "2026-06-01T09:30:00",
        "time_zone": "America/Sao_Paulo",
        "clock": "sender",
        "rrule": "",
        "excluded": [],
        "due_at": "2026-06-01T12:30:00Z",
        "lateness_minutes": 60,
        "on_late": "skip",
        "state": "waiting",
        "created_at": "2026-06-01T12:00:00Z",
        "updated_at": "2026-06-01T12:00:00Z",
    }
    row = ScheduledMessage.objects.get()
    assert (row.pk, row.workspace, row.created_by) == (UUID(message_id), acme, alice)
    assert (row.wall_time, row.due_at) == (datetime(2026, 6, 1, 9, 30), datetime(2026, 6, 1, 12, 30, tzinfo=UTC))
    assert waiting(acme) == 1
    assert not QueuedMessage.objects.exists()


@pytest.mark.parametrize(
    ("wall_time", "zone", "due_at"),
    [
        ("2026-11-01T01:30", "America/New_York", "2026-11-01T05:30:00Z"),  # twice: the first
        ("2027-03-14T02:30", "America/New_York", "2027-03-14T07:30:00Z"),  # never: 03:30
        ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:45:00Z"),  # never: 02:45
        ("2026-12-25T09:00:15", "Pacific/Apia", "2026-12-24T20:00:15Z"),
    ],
)
def test_schedules_wall_time(alice_device, number, wall_time, zone, due_at):
    message = scheduled(alice_device, number, wall_time=wall_time, time_zone=zone)
    assert message["due_at"] == due_at
    assert read(alice_device, message["id"])["wall_time"].startswith(wall_time)  # kept as it was meant


@pytest.mark.parametrize("seconds", [-300, 0, 1])
def test_schedules_time_of_clock_that_is_a_little_slow(alice_device, acme, number, seconds):
    scheduled(alice_device, number, seconds=seconds)
    assert waiting(acme) == 1


@pytest.mark.parametrize("seconds", [-300.001, -3600, -86400 * 400])
def test_refuses_past_time(alice_device, number, seconds):
    with nothing_happens():
        assert problem(schedule(alice_device, number, seconds=seconds)) == (
            400,
            "invalid",
            ("wall_time", "in_the_past"),
        )


def test_refuses_time_that_has_passed_in_that_zone_only(alice_device, number):
    with nothing_happens():
        answer = schedule(alice_device, number, wall_time="2026-06-01T20:00", time_zone="Asia/Tokyo")
        assert problem(answer) == (400, "invalid", ("wall_time", "in_the_past"))
    scheduled(alice_device, number, wall_time="2026-06-01T20:00", time_zone="Europe/Berlin")


@pytest.mark.parametrize("wall_time", ["2026-06-02T09:00Z", "2026-06-02T09:00+02:00", "2026-06-02T09:00:00.5-03:00"])
def test_refuses_offset(alice_device, number, wall_time):
    with nothing_happens():
        assert problem(schedule(alice_device, number, wall_time=wall_time)) == (400, "invalid", ("wall_time", "offset"))


@pytest.mark.parametrize("wall_time", ["tomorrow", "2026-06-31T09:00", "2026-06-02T24:30", "", 5, [], {}])
def test_refuses_what_is_no_time(alice_device, number, wall_time):
    with nothing_happens():
        assert problem(schedule(alice_device, number, wall_time=wall_time))[:2] == (400, "invalid")


@pytest.mark.parametrize(
    ("wall_time", "zone", "code"),
    [
        ("0001-01-01T00:00", "Asia/Tokyo", "in_the_past"),
        ("0001-01-01T00:00", "UTC", "in_the_past"),
        ("2025-12-31T23:00", "America/Adak", "in_the_past"),
        ("2037-01-01T00:00", "Asia/Tokyo", "too_far"),
        ("9999-12-31T23:59", "America/New_York", "too_far"),
        ("9999-12-31T23:59", "UTC", "too_far"),
    ],
)
def test_refuses_time_far_away(alice_device, number, wall_time, zone, code):
    """At the ends of the calendar a zone cannot even be applied."""
    with nothing_happens():
        answer = schedule(alice_device, number, wall_time=wall_time, time_zone=zone)
        assert problem(answer) == (400, "invalid", ("wall_time", code))


def test_schedules_message_years_ahead(alice_device, number):
    message = scheduled(alice_device, number, wall_time="2036-12-31T23:59", time_zone="America/Sao_Paulo")
    assert message["due_at"] == "2037-01-01T02:59:00Z"


@pytest.mark.parametrize("zone", ["EST", "Mars/Olympus", "america/sao_paulo", "+03:00", "../etc/passwd", "Etc/GMT+99"])
def test_refuses_zone(alice_device, number, zone):
    with nothing_happens():
        answer = schedule(alice_device, number, seconds=3600, time_zone=zone)
        assert problem(answer) == (400, "invalid", ("time_zone", "invalid_time_zone"))


@pytest.mark.parametrize("name", ["whatsapp_account", "parts", "wall_time", "time_zone", "recipients"])
def test_refuses_message_without_what_it_needs(alice_device, number, name):
    given = {"parts": "body", "recipients": "chat_jid"}.get(name, name)
    with nothing_happens():
        assert problem(schedule(alice_device, number, **{given: None})) == (400, "invalid", (name, "required"))


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("lateness_minutes", 0, "min_value"),
        ("lateness_minutes", 7 * 24 * 60 + 1, "max_value"),
        ("wall_time", "2026-06-02", "invalid"),
        ("id", "7d444840-9dc0-11d1-b245-5ffdce74fad2", "invalid_id"),
        ("dispatch_status", "sent", "unknown_field"),
    ],
)
def test_refuses_value(alice_device, number, field, value, code):
    with nothing_happens():
        assert problem(schedule(alice_device, number, **{field: value})) == (400, "invalid", (field, code))


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"body": ""}, ("parts.0", "required")),
        ({"body": " \n "}, ("parts.0", "required")),
        ({"body": "x" * 65_537}, ("parts.0.body", "max_length")),
        ({"parts": []}, ("parts", "min_length")),
        ({"body": "Hello {{nickname}}"}, ("parts.0.body", "unknown_variable")),
        ({"body": "Hello {{name"}, ("parts.0.body", "unbalanced_braces")),
        ({"chat_jid": "120363000000000000@newsletter"}, ("recipients.0.chat_jid", "invalid_jid")),
        ({"chat_jid": "status@broadcast"}, ("recipients.0.chat_jid", "invalid_jid")),
        ({"chat_jid": "+55 11 98765-4321"}, ("recipients.0.chat_jid", "invalid_jid")),
        ({"recipients": []}, ("recipients", "min_length")),
        ({"recipients": [{}]}, ("recipients.0", "required")),
        ({"recipients": [{"chat_jid": CHAT}] * 101}, ("recipients", "max_length")),
        ({"recipients": [{"chat_jid": CHAT}] * 2}, ("recipients.1", "duplicate")),
        ({"clock": "mine"}, ("clock", "invalid_choice")),
        ({"on_late": "send"}, ("on_late", "invalid_choice")),
        ({"rrule": "FREQ=HOURLY"}, ("rrule", "unsupported_rule")),
        ({"rrule": "every day"}, ("rrule", "invalid_rule")),
    ],
)
def test_refuses_rows(alice_device, number, values, error):
    with nothing_happens():
        assert problem(schedule(alice_device, number, **values)) == (400, "invalid", error)


def test_decides_state_and_moment_itself(alice_device, number):
    """An answer may be sent back as it came; what the server decides is read and not written."""
    message = scheduled(alice_device, number, seconds=3600, state="queued", due_at="2026-06-02T09:00:00Z")
    assert (message["state"], message["due_at"]) == ("waiting", "2026-06-01T13:00:00Z")


def test_schedules_longest_text(alice_device, number):
    assert len(scheduled(alice_device, number, body="é" * 65_536)["parts"][0]["body"]) == 65_536


@pytest.mark.parametrize(
    ("identities", "chat"),
    [
        ([("phone", "+5511987654321")], "5511987654321@c.us"),
        ([("phone", "+5511987654321"), ("c_us", "551187654321@c.us")], "551187654321@c.us"),
        ([("phone", "+5511987654321"), ("lid", "98765432101234@lid")], "98765432101234@lid"),
        ([("lid", "98765432101234@lid"), ("c_us", "551187654321@c.us")], "551187654321@c.us"),
    ],
)
def test_finds_chat_of_contact(alice_device, acme, number, identities, chat):
    contact = add_contact(acme, *identities)
    message = scheduled(alice_device, number, contact=str(contact.pk), chat_jid=None)
    assert (place(message)["chat_jid"], place(message)["contact"]) == (chat, str(contact.pk))


def test_refuses_contact_without_address(alice_device, acme, number):
    contact = add_contact(acme)
    with nothing_happens():
        answer = schedule(alice_device, number, contact=str(contact.pk), chat_jid=None)
        assert problem(answer) == (400, "invalid", ("recipients.0.contact", "no_identity"))


def test_writes_chat_in_one_spelling(alice_device, number):
    message = scheduled(alice_device, number, chat_jid="5511987654321:12@s.whatsapp.net")
    assert place(message)["chat_jid"] == CHAT


def test_schedules_message_once_with_one_id(alice_device, bob_device, acme, number):
    message_id = str(uuid7())
    first = scheduled(alice_device, number, id=message_id, body="first")
    with nothing_happens():
        again = schedule(bob_device, number, id=message_id, body="second")
    assert (again.status_code, again.json()) == (200, first)
    assert (ScheduledMessage.objects.count(), waiting(acme)) == (1, 1)


def test_refuses_id_of_another_workspace(alice_device, charlie_device, number, foreign_number):
    message = scheduled(charlie_device, foreign_number)
    with nothing_happens():
        assert problem(schedule(alice_device, number, id=message["id"])) == (409, "id_taken", ("id", "id_taken"))


def test_hides_rows_of_another_workspace(alice_device, acme, other, number, foreign_number):
    """A foreign id in the payload is as unknown as one that does not exist, word for word."""
    foreign, missing = add_contact(other, ("phone", "+4915112345678")), str(uuid7())
    with nothing_happens():
        for name, foreign_id in (("whatsapp_account", foreign_number.pk), ("contact", foreign.pk)):
            field = {"contact": "recipients.0.contact"}.get(name, name)
            answers = [schedule(alice_device, number, **{name: str(value)}) for value in (foreign_id, missing)]
            for answer in answers:
                assert problem(answer) == (400, "invalid", (field, "does_not_exist"))
            sentences = [a.json()["errors"][0]["detail"].replace(str(foreign_id), missing) for a in answers]
            assert sentences[0] == sentences[1]


def test_hides_message_of_another_workspace(alice_device, charlie_device, foreign_number):
    message = scheduled(charlie_device, foreign_number)
    with nothing_happens():
        for message_id in (message["id"], uuid7()):
            path = f"/api/v1/scheduled-messages/{message_id}/"
            answers = [
                alice_device.client.get(path),
                edit(alice_device, message_id, body="mine"),
                cancel(alice_device, message_id),
            ]
            assert [problem(answer) for answer in answers] == [(404, "not_found")] * 3
    assert alice_device.client.get("/api/v1/scheduled-messages/").json()["results"] == []


# --- The plan's limit ---


@pytest.fixture
def three_messages(team_plan) -> None:
    """A plan that allows three messages to wait."""
    Plan.objects.filter(pk=team_plan.pk).update(max_scheduled_messages=3)


@pytest.mark.usefixtures("three_messages")
def test_refuses_message_beyond_the_plan(alice_device, acme, number):
    for _ in range(3):
        scheduled(alice_device, number, seconds=3600)
    with nothing_happens():
        answer = schedule(alice_device, number, seconds=3600)
        assert problem(answer) == (403, "plan_limit_reached")
        body = answer.json()
        assert (body["resource"], body["limit"], body["used"]) == ("scheduled_messages", 3, 3)
    assert (ScheduledMessage.objects.count(), waiting(acme)) == (3, 3)


@pytest.mark.usefixtures("three_messages")
def test_gives_place_back_on_cancel_and_on_queueing(alice_device, acme, number):
    far = [scheduled(alice_device, number, seconds=3600) for _ in range(2)]
    scheduled(alice_device, number, seconds=0)
    assert waiting(acme) == 3
    assert cancel(alice_device, far[0]["id"]).status_code == 200
    assert waiting(acme) == 2
    assert queue_due_messages() == 1
    assert waiting(acme) == 1
    for _ in range(2):
        scheduled(alice_device, number, seconds=3600)
    assert schedule(alice_device, number, seconds=3600).status_code == 403
    assert plans.recount(acme).get("scheduled_messages") is None


@pytest.mark.usefixtures("three_messages")
def test_takes_no_place_for_what_is_refused_or_repeated(alice_device, acme, number):
    message_id = str(uuid7())
    for _ in range(5):
        assert schedule(alice_device, number, id=message_id).status_code in (200, 201)
        assert schedule(alice_device, number, chat_jid="nobody").status_code == 400
    assert waiting(acme) == 1


@pytest.mark.usefixtures("three_messages")
def test_refuses_edit_that_needs_a_place_beyond_the_plan(alice_device, acme, number):
    """A message that goes back from the queue waits again, and needs its place again."""
    message = queued(alice_device, number).scheduled_message_id
    for _ in range(3):
        scheduled(alice_device, number, seconds=3600)
    with nothing_happens():
        assert problem(edit(alice_device, message, wall_time=wall(1800))) == (403, "plan_limit_reached")
    assert place(read(alice_device, message))["dispatch_state"] == "queued"


# --- Changing ---


def test_edits_waiting_message(alice_device, bob_device, acme, number, second_number, clock):
    message = scheduled(alice_device, number, seconds=3600)
    clock.advance(60)
    answer = edit(
        bob_device,
        message["id"],
        body="Later, please",
        wall_time="2026-06-02T09:00",
        time_zone="Europe/Berlin",
        lateness_minutes=5,
        whatsapp_account=str(second_number.pk),
        chat_jid="120363012345678901@g.us",
    )
    assert answer.status_code == 200
    group = {
        "chat_jid": "120363012345678901@g.us",
        "time_zone": "Europe/Berlin",
        "recipient_zone": "",
        "next_wall": "2026-06-02T09:00:00",
        "next_at": "2026-06-02T07:00:00Z",
    }
    assert answer.json() == message | {
        "recipients": [place(message) | group | {"id": place(answer.json())["id"]}],
        "parts": [{"body": "Later, please", "media": None}],
        "wall_time": "2026-06-02T09:00:00",
        "time_zone": "Europe/Berlin",
        "due_at": "2026-06-02T07:00:00Z",
        "lateness_minutes": 5,
        "whatsapp_account": str(second_number.pk),
        "updated_at": "2026-06-01T12:01:00Z",
    }
    assert read(alice_device, message["id"]) == answer.json()
    assert waiting(acme) == 1


def test_moves_due_time_with_zone_alone(alice_device, number):
    message = scheduled(alice_device, number, wall_time="2026-06-02T09:00", time_zone="Europe/Berlin")
    assert message["due_at"] == "2026-06-02T07:00:00Z"
    changed = edit(alice_device, message["id"], time_zone="America/Sao_Paulo").json()
    assert (changed["wall_time"], changed["due_at"]) == ("2026-06-02T09:00:00", "2026-06-02T12:00:00Z")


def test_edits_nothing_when_nothing_changes(alice_device, number, clock):
    message = scheduled(alice_device, number, seconds=3600)
    clock.advance(60)
    with nothing_happens():
        assert edit(alice_device, message["id"], parts=message["parts"]).json() == message


def test_leaves_queue_when_nothing_changes(alice_device, number):
    row = queued(alice_device, number)
    with nothing_happens():
        assert edit(alice_device, row.scheduled_message_id, body=row.body).status_code == 200


def test_takes_edited_message_back_from_queue(alice_device, acme, number, clock):
    row = queued(alice_device, number, seconds=30, body="old")
    assert waiting(acme) == 0
    answer = edit(alice_device, row.scheduled_message_id, body="new", wall_time=wall(1800))
    assert (answer.json()["state"], place(answer.json())["dispatch_state"]) == ("waiting", None)
    assert (QueuedMessage.objects.count(), waiting(acme)) == (0, 1)
    clock.advance(60)
    assert queue_due_messages() == 0
    assert claim(alice_device, number) == []
    clock.advance(1740)
    assert queue_due_messages() == 1
    [message] = claim(alice_device, number)
    assert (message["body"], message["fence"], message["due_at"]) == ("new", 1, "2026-06-01T12:30:00Z")
    assert message["id"] != str(row.pk)
    assert waiting(acme) == 0


def test_keeps_place_of_message_whose_time_stays(alice_device, acme, number):
    """Only the text changes: the message keeps its place, and no later one of its chat can overtake it."""
    row = queued(alice_device, number, body="old")
    answer = edit(alice_device, row.scheduled_message_id, body="new", lateness_minutes=5)
    assert (answer.json()["state"], place(answer.json())["dispatch_state"]) == ("queued", "queued")
    assert (queue_due_messages(), waiting(acme)) == (0, 0)
    [message] = claim(alice_device, number)
    assert (message["id"], message["body"]) == (str(row.pk), "new")
    assert QueuedMessage.objects.get().expires_at == row.due_at + timedelta(minutes=5)


def test_keeps_attempts_of_edited_message(alice_device, acme, number, clock):
    row = queued(alice_device, number)
    [message] = claim(alice_device, number)
    report(alice_device, message, "released")
    answer = edit(alice_device, row.scheduled_message_id, wall_time=wall(1800))
    assert place(answer.json())["dispatch_state"] == "queued"
    assert claim(alice_device, number) == []
    clock.advance(1800)
    [again] = claim(alice_device, number)
    assert (again["id"], again["fence"]) == (message["id"], 2)
    assert story(row) == [(1, "released", ""), (2, "", "")]


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"wall_time": "2026-05-01T09:00"}, ("wall_time", "in_the_past")),
        ({"time_zone": "Pacific/Kiritimati"}, ("wall_time", "in_the_past")),
        ({"wall_time": "2026-06-02T09:00Z"}, ("wall_time", "offset")),
        ({"time_zone": "Nowhere"}, ("time_zone", "invalid_time_zone")),
        ({"lateness_minutes": 0}, ("lateness_minutes", "min_value")),
        ({"chat_jid": "status@broadcast"}, ("recipients.0.chat_jid", "invalid_jid")),
        ({"body": ""}, ("parts.0", "required")),
        ({"state": "sent"}, ("state", "unknown_field")),
        ({"id": "0190aaaa-0000-7000-8000-000000000000"}, ("id", "unknown_field")),
    ],
)
def test_refuses_edit(alice_device, number, values, wrong):
    row = queued(alice_device, number)
    with nothing_happens():
        answer = edit(alice_device, row.scheduled_message_id, **{"body": "new", **values})
        assert problem(answer) == (400, "invalid", wrong)


def test_refuses_edit_by_somebody_who_saw_an_older_state(alice_device, bob_device, number):
    message = scheduled(alice_device, number, seconds=3600)
    path = f"/api/v1/scheduled-messages/{message['id']}/"
    tag = alice_device.client.get(path).headers["ETag"]
    assert bob_device.client.patch(path, {"parts": [{"body": "Bob's"}]}, headers={"If-Match": tag}).status_code == 200
    with nothing_happens():
        answer = alice_device.client.patch(path, {"parts": [{"body": "Alice's"}]}, headers={"If-Match": tag})
        assert problem(answer) == (412, "precondition_failed")


HANDED_OUT = {
    "leased": [],
    "sending": ["sending"],
    "sent": ["sending", "sent"],
    "failed": ["sending", "failed"],
}


@pytest.mark.parametrize("state", HANDED_OUT)
def test_refuses_change_after_hand_out(alice_device, number, state):
    row = queued(alice_device, number)
    [message] = claim(alice_device, number)
    for step in HANDED_OUT[state]:
        assert report(alice_device, message, step).status_code == 200
    with nothing_happens():
        for answer in (
            edit(alice_device, row.scheduled_message_id, body="too late"),
            cancel(alice_device, row.scheduled_message_id),
        ):
            assert problem(answer) == (409, "wrong_state")
            assert answer.json()["dispatch_state"] == state


def test_refuses_change_while_outcome_is_unknown(alice_device, number, clock):
    row = queued(alice_device, number)
    report(alice_device, claim(alice_device, number)[0], "sending")
    clock.advance(61)
    settle_expired_leases()
    with nothing_happens():
        assert problem(edit(alice_device, row.scheduled_message_id, body="x")) == (409, "wrong_state")
        assert problem(cancel(alice_device, row.scheduled_message_id)) == (409, "wrong_state")


def test_allows_change_when_device_gave_message_back(alice_device, number):
    row = queued(alice_device, number)
    report(alice_device, claim(alice_device, number)[0], "released")
    assert edit(alice_device, row.scheduled_message_id, body="new").status_code == 200
    assert [message["body"] for message in claim(alice_device, number)] == ["new"]


# --- Cancelling ---


def test_cancels_waiting_message(alice_device, acme, number, clock):
    message = scheduled(alice_device, number, seconds=120)
    answer = cancel(alice_device, message["id"])
    assert (answer.status_code, answer.json()["state"], place(answer.json())["dispatch_state"]) == (
        200,
        "cancelled",
        None,
    )
    assert waiting(acme) == 0
    clock.advance(3600)
    assert queue_due_messages() == 0
    assert claim(alice_device, number) == []


def test_cancels_queued_message(alice_device, acme, number):
    row = queued(alice_device, number)
    scheduled(alice_device, number, seconds=3600)
    answer = cancel(alice_device, row.scheduled_message_id)
    assert (answer.json()["state"], place(answer.json())["dispatch_state"]) == ("cancelled", "cancelled")
    assert waiting(acme) == 1  # the place of the other one stays taken
    assert claim(alice_device, number) == []
    assert queue_due_messages() == 0


@pytest.mark.parametrize("in_queue", [False, True])
def test_cancels_twice_as_once(alice_device, acme, number, in_queue):
    scheduled(alice_device, number, seconds=3600)
    message = scheduled(alice_device, number)
    if in_queue:
        queue_due_messages()
    first = cancel(alice_device, message["id"]).json()
    with nothing_happens():
        again = cancel(alice_device, message["id"])
    assert (again.status_code, again.json()) == (200, first)
    assert waiting(acme) == 1


@pytest.mark.parametrize("in_queue", [False, True])
def test_refuses_edit_of_cancelled_message(alice_device, number, in_queue):
    message = scheduled(alice_device, number)
    if in_queue:
        queue_due_messages()
    cancel(alice_device, message["id"])
    with nothing_happens():
        assert problem(edit(alice_device, message["id"], body="new")) == (409, "wrong_state")


# --- Entering the queue ---


def test_queues_what_is_due_within_a_minute(alice_device, acme, number):
    near, far = (scheduled(alice_device, number, seconds=seconds) for seconds in (60, 61))
    assert queue_due_messages() == 1
    row = QueuedMessage.objects.get()
    assert str(row.scheduled_message_id) == near["id"]
    assert (row.state, row.fence, row.body, row.chat_jid) == ("queued", 0, near["parts"][0]["body"], CHAT)
    assert row.due_at == row.occurrence_at == datetime(2026, 6, 1, 12, 1, tzinfo=UTC)
    assert row.expires_at == row.due_at + timedelta(minutes=60)
    assert (read(alice_device, near["id"])["state"], read(alice_device, far["id"])["state"]) == ("queued", "waiting")
    assert (queue_due_messages(), waiting(acme)) == (0, 1)


def test_reserves_message_id_of_its_own_for_each(alice_device, number):
    for _ in range(50):
        scheduled(alice_device, number)
    queue_due_messages()
    ids = set(QueuedMessage.objects.values_list("message_id", flat=True))
    assert len(ids) == 50
    for message_id in ids:
        assert message_id.startswith("3EB0")
        assert len(message_id) == 22
        assert set(message_id) <= set("0123456789ABCDEF")


def test_queues_no_more_than_the_limit_earliest_first(alice_device, acme, number):
    for seconds in (30, 10, 20):
        scheduled(alice_device, number, seconds=seconds)
    assert queue_due_messages(limit=2) == 2
    late = ScheduledMessage.objects.get(state="waiting")
    assert late.due_at == datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
    assert waiting(acme) == 1


def test_lets_no_later_message_overtake_the_missed_times_of_a_series(number, clock):
    """After days without a worker: the series and what was to come between its times, one after the other."""
    due_at = clock()
    make_schedule(number, chat_jid=CHAT, body="daily", rrule="FREQ=DAILY", due_at=due_at)
    for hours, body in ((12, "first"), (36, "second"), (48, "third")):
        make_schedule(number, chat_jid=CHAT, body=body, due_at=due_at + timedelta(hours=hours))
    plans.recount(number.workspace)
    clock.advance(60 * 60 * 60)
    rows = QueuedMessage.objects.order_by("due_at", "body").values_list("body", flat=True)
    steps = [(queue_due_messages(), list(rows.all())) for _ in range(4)]
    assert steps[0] == (2, ["daily", "first"])
    assert steps[1] == (2, ["daily", "first", "daily", "second"])
    assert steps[2] == (2, ["daily", "first", "daily", "second", "daily", "third"])
    assert steps[3][0] == 0


def test_queues_of_several_workspaces_and_counts_each(
    alice_device, charlie_device, acme, other, number, foreign_number
):
    for device, sender, count in ((alice_device, number, 3), (charlie_device, foreign_number, 2)):
        for seconds in (*range(count), 3600):
            scheduled(device, sender, seconds=seconds)
    assert (waiting(acme), waiting(other)) == (4, 3)
    assert queue_due_messages() == 5
    assert (waiting(acme), waiting(other)) == (1, 1)


@pytest.mark.parametrize(("seconds", "expected"), [(60, ["messaging.tasks.queue_due_messages"]), (61, [])])
def test_tells_worker_of_near_message(
    alice_device, number, hints, django_capture_on_commit_callbacks, seconds, expected
):
    with django_capture_on_commit_callbacks(execute=True):
        message = scheduled(alice_device, number, seconds=seconds)
    assert hints == expected
    with django_capture_on_commit_callbacks(execute=True):
        edit(alice_device, message["id"], wall_time=wall(5))
    assert hints == [*expected, "messaging.tasks.queue_due_messages"]


def test_tells_worker_nothing_of_refused_message(alice_device, number, hints, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        schedule(alice_device, number, chat_jid="nobody")
    assert hints == []


# --- Events ---


def test_records_events_without_values(alice_device, number):
    secret = "the password is hunter2"
    message = scheduled(alice_device, number, body=secret, seconds=3600)
    edit(alice_device, message["id"], body=secret + "!", lateness_minutes=7)
    edit(alice_device, message["id"], body=secret + "!")
    cancel(alice_device, message["id"])
    cancel(alice_device, message["id"])
    events = Event.objects.filter(object_id=message["id"]).order_by("id")
    assert list(events.values_list("kind", "changed")) == [
        ("scheduled_message.created", []),
        ("scheduled_message.updated", ["lateness_minutes", "parts"]),
        ("scheduled_message.cancelled", ["state"]),
    ]
    assert {(event.actor_kind, event.actor_instance_id) for event in events} == {("instance", alice_device.instance.pk)}
    told = json.dumps(list(Event.objects.values()), default=str)
    assert "hunter2" not in told
    assert CHAT.partition("@")[0] not in told


def test_repeats_answer_for_one_idempotency_key(alice_device, acme, number):
    payload = {
        "whatsapp_account": str(number.pk),
        "recipients": [{"chat_jid": CHAT}],
        "parts": [{"body": "x"}],
        "wall_time": wall(60),
        "time_zone": "UTC",
    }
    answers = [
        alice_device.client.post("/api/v1/scheduled-messages/", payload, headers={"Idempotency-Key": "key-of-this-one"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert (ScheduledMessage.objects.count(), waiting(acme)) == (1, 1)


def test_lists_messages_by_due_time(alice_device, number):
    ids = [scheduled(alice_device, number, seconds=seconds)["id"] for seconds in (300, 100, 200)]
    page = alice_device.client.get("/api/v1/scheduled-messages/?limit=2").json()
    rest = alice_device.client.get(f"/api/v1/scheduled-messages/?limit=2&cursor={page['next_cursor']}").json()
    assert [message["id"] for message in page["results"] + rest["results"]] == [ids[1], ids[2], ids[0]]


def test_sees_change_where_one_happened(alice_device, number):
    """Control: what proves that refusals change nothing does notice a change."""
    before = everything()
    scheduled(alice_device, number)
    after = everything()
    assert {name for name in before if before[name] != after[name]} == {
        "messaging.ScheduledMessage",
        "messaging.ScheduledRecipient",
        "messaging.ContentPart",
        "accounts.Usage",
        "accounts.Event",
    }
    assert Usage.objects.get(resource=Resource.SCHEDULED_MESSAGES).used == 1
    assert kinds(uuid4()) == []


def test_returns_places_of_what_goes_with_contact_or_number(alice_device, acme, number):
    contact = add_contact(acme, ("phone", "+4915112345678"))
    schedule(alice_device, number, seconds=3600, contact=str(contact.pk))
    schedule(alice_device, number, seconds=3600)
    assert waiting(acme) == 2
    assert alice_device.client.delete(f"/api/v1/contacts/{contact.pk}/").status_code == 204
    assert waiting(acme) == 2
    assert alice_device.client.delete(f"/api/v1/contacts/bin/{contact.pk}/").status_code == 204
    assert waiting(acme) == 1
    assert alice_device.client.delete(f"/api/v1/whatsapp-accounts/{number.pk}/").status_code == 204
    assert (waiting(acme), ScheduledMessage.objects.count()) == (0, 0)


def test_takes_time_just_past_as_now(alice_device, number, clock):
    message = scheduled(alice_device, number, seconds=-240, lateness_minutes=1)
    assert message["due_at"] == "2026-06-01T12:00:00Z"
    assert queue_due_messages() == 1
    [handed] = claim(alice_device, number)
    shown = place(read(alice_device, message["id"]))
    assert (shown["dispatch_id"], shown["dispatch_state"], shown["reason"]) == (handed["id"], "leased", "")


def test_loses_no_post_without_slash(alice_device, number):
    with nothing_happens():
        answer = alice_device.client.post("/api/v1/scheduled-messages", {}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert answer.json()["detail"] == "There is nothing at this address. Those of the API end with a slash."
