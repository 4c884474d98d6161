"""Acknowledgements: early, late, twice, out of order, in both schemes, and by participant."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import actors
from accounts.models import Event
from conftest import make_device
from messaging.models import DispatchAttempt, DispatchState, MessageAck, QueuedMessage, UnreachableChat
from messaging.services.acks import record_acks
from messaging.services.dispatch import confirm_sent
from messaging.services.dispatch.attempts import end_attempt, last_attempt
from messaging.services.reachability import note_failure
from messaging.services.scheduling import queue_due_messages
from messaging.tests.calls import CHAT, claim, kinds, problem, queued, report, schedule, story
from messaging.tests.test_dispatch_races import offsets, together
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db

GROUP = "120363041234567890@g.us"
ANA, BEA, LID = "5511900000001@c.us", "5511900000002@c.us", "157163732254124@lid"


def send_acks(device, number, *acks: dict):
    payload = {"whatsapp_account": str(number.pk), "acks": [{"scheme": "whatsapp_web", **ack} for ack in acks]}
    return device.client.post("/api/v1/dispatch/acks/", payload)


def outcomes(answer) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [one["outcome"] for one in answer.json()["results"]]


def ack(device, number, message, value: int, **more) -> str:
    """One acknowledgement; answers its outcome."""
    return outcomes(send_acks(device, number, {"message_id": message["message_id"], "ack": value, **more}))[0]


def row(message) -> QueuedMessage:
    return QueuedMessage.objects.get(pk=message["id"])


@pytest.fixture
def at(alice_device, number):
    """A message as it was handed out, brought to a state."""

    def at(state: str, *, chat_jid: str = CHAT) -> dict:
        queued(alice_device, number, chat_jid=chat_jid)
        message = claim(alice_device, number)[0]
        for step in {
            "leased": [],
            "sending": ["sending"],
            "sent": ["sending", "sent"],
            "failed": ["failed"],
            "outcome_unknown": ["sending"],
        }[state]:
            assert report(alice_device, message, step).status_code == 200
        if state == "outcome_unknown":
            held = QueuedMessage.objects.get(pk=message["id"])
            end_attempt(last_attempt(held), "lease_expired", held.lease_until)
            QueuedMessage.objects.filter(pk=held.pk).update(state=state, lease_until=None)
        return message

    return at


# --- What rises ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "value", "state"),
    [
        ("whatsapp_web", 0, "sent"),
        ("whatsapp_web", 1, "sent"),
        ("whatsapp_web", 2, "delivered"),
        ("whatsapp_web", 3, "read"),
        ("whatsapp_web", 4, "played"),
        ("whatsapp_web", 5, "sent"),  # a peer is not better than played
        ("baileys", 1, "sent"),
        ("baileys", 2, "sent"),
        ("baileys", 3, "delivered"),
        ("baileys", 4, "read"),
        ("baileys", 5, "played"),
    ],
)
def test_raises_state(alice_device, number, at, clock, scheme, value, state):
    message = at("sent")
    clock.advance(5)
    ack(alice_device, number, message, value, scheme=scheme)
    stored = row(message)
    assert stored.state == state
    reached = ["sent", "delivered", "read", "played"].index(state)
    times = [stored.delivered_at, stored.read_at, stored.played_at]
    assert times == [clock()] * reached + [None] * (3 - reached)
    assert not MessageAck.objects.exists()  # one recipient: the message's own columns say it all


def test_never_lowers_state(alice_device, number, at):
    message = at("sent")
    assert ack(alice_device, number, message, 3) == "updated"
    before = QueuedMessage.objects.values().get(pk=message["id"])
    for value in (5, 1, 0):
        assert ack(alice_device, number, message, value) == "unchanged"
    assert QueuedMessage.objects.values().get(pk=message["id"]) == before


def test_keeps_the_earliest_time(alice_device, number, at, clock):
    message = at("sent")
    start = clock()
    clock.advance(100)
    assert ack(alice_device, number, message, 2, at=(start + timedelta(seconds=50)).isoformat()) == "updated"
    assert ack(alice_device, number, message, 2, at=(start + timedelta(seconds=70)).isoformat()) == "unchanged"
    assert ack(alice_device, number, message, 3, at=(start + timedelta(seconds=20)).isoformat()) == "updated"
    stored = row(message)
    assert stored.delivered_at == stored.read_at == start + timedelta(seconds=20)


@pytest.mark.parametrize("hours", [-5, 5])
def test_believes_no_wrong_clock(alice_device, number, at, clock, hours):
    message = at("sent")
    claimed = clock()
    now = clock.advance(60)
    ack(alice_device, number, message, 2, at=(now + timedelta(hours=hours)).isoformat())
    assert row(message).delivered_at == (claimed if hours < 0 else now)


def test_takes_acks_of_any_instance(alice_device, bob_device, number, at):
    message = at("sent")
    assert ack(bob_device, number, message, 3) == "updated"
    assert row(message).state == "read"


# --- That it was sent ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["leased", "sending", "outcome_unknown", "failed"])
@pytest.mark.parametrize("value", [1, 3, 5])
def test_shows_that_it_was_sent(alice_device, number, at, clock, state, value):
    message = at(state)
    clock.advance(7)
    assert ack(alice_device, number, message, value) == "updated"
    stored = row(message)
    assert stored.state == ("read" if value == 3 else "sent")
    assert (stored.sent_at, stored.lease_until, stored.reason, stored.reason_code) == (clock(), None, "", "")
    assert stored.sending_at is not None
    assert story(message) == [(1, "sent", "")]
    assert kinds(message)[-1] == "message.sent"
    # the report that comes behind is a repeat
    assert report(alice_device, message, "sent").status_code == 200
    assert row(message).sent_at == stored.sent_at
    assert kinds(message).count("message.sent") == 1


@pytest.mark.parametrize("state", ["leased", "sending", "outcome_unknown", "failed"])
def test_ends_like_a_late_report(alice, acme, alice_device, number, at, clock, state):
    """The set-based way does to a row and its attempts just what the dispatch service does to one."""
    by_ack, by_service = at(state), at(state, chat_jid="5511900000009@c.us")
    moment = clock.advance(7)
    ack(alice_device, number, by_ack, 1)
    actor = actors.instance(alice_device.instance, alice)
    confirm_sent(message=QueuedMessage.objects.get(pk=by_service["id"]), actor=actor, sent_at=moment)
    own = {"id", "origin_id", "scheduled_message_id", "chat_jid", "chat_key", "message_id", "claim_id"}
    own |= {"not_before", "occurrence_at", "due_at", "expires_at", "is_new_contact"}
    rows = QueuedMessage.objects.values()
    one, other = rows.get(pk=by_ack["id"]), rows.get(pk=by_service["id"])
    assert {key: one[key] for key in one.keys() - own} == {key: other[key] for key in other.keys() - own}
    attempts = DispatchAttempt.objects.values("fence", "outcome", "reason", "ended_at", "instance")
    assert list(attempts.filter(message=by_ack["id"])) == list(attempts.filter(message=by_service["id"]))
    assert kinds(by_ack)[-1] == kinds(by_service)[-1] == "message.sent"


def test_ends_a_later_attempt_that_is_under_way(alice_device, number, at, clock):
    """The first attempt had sent it; somebody said it had not; the second is stopped."""
    message = at("outcome_unknown")
    assert report(alice_device, message, "not_sent").status_code == 200
    clock.advance(60)
    [again] = claim(alice_device, number)
    assert again["fence"] == 2
    ack(alice_device, number, again, 2)
    assert row(again).state == "delivered"
    assert [(fence, outcome) for fence, outcome, _ in story(again)] == [(1, "not_sent"), (2, "sent")]
    assert report(alice_device, again, "sending").status_code == 409


@pytest.mark.parametrize("value", [0, -1])
def test_clock_and_failure_show_nothing_while_leased(alice_device, number, at, value):
    message = at("leased")
    ack(alice_device, number, message, value)
    assert row(message).state == "leased"
    assert report(alice_device, message, "sending").status_code == 200


def test_knows_nothing_of_what_was_never_handed_out(alice_device, number):
    message = queued(alice_device, number)
    answer = send_acks(alice_device, number, {"message_id": message.message_id, "ack": 3})
    assert outcomes(answer) == ["unknown"]
    message.refresh_from_db()
    assert message.state == "queued"


# --- Failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["sending", "outcome_unknown"])
@pytest.mark.parametrize(
    ("scheme", "value", "more", "code", "words"),
    [
        ("whatsapp_web", -1, {}, "other", "could not send it"),
        ("whatsapp_web", -2, {}, "other", "gave up"),
        ("whatsapp_web", -4, {}, "media_failed", "too big"),
        ("whatsapp_web", -5, {"code": "account_restricted"}, "account_restricted", "uploaded"),
        ("whatsapp_web", -7, {"code": "blocked"}, "blocked", "in this form"),
        ("baileys", 0, {}, "other", "could not send it"),
    ],
)
def test_fails_what_was_never_sent(alice_device, number, at, clock, state, scheme, value, more, code, words):
    message = at(state)
    assert ack(alice_device, number, message, value, scheme=scheme, **more) == "updated"
    stored = row(message)
    assert (stored.state, stored.reason_code, stored.lease_until) == ("failed", code, None)
    assert words in stored.reason
    assert story(message) == [(1, "failed", stored.reason)]
    assert kinds(message)[-1] == "message.failed"
    assert UnreachableChat.objects.count() == (1 if code == "blocked" else 0)
    assert ack(alice_device, number, message, value, scheme=scheme, **more) == "unchanged"


@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_failure_lowers_nothing(alice_device, number, at, clock, first):
    message = at("sent")
    ack(alice_device, number, message, first)
    state = row(message).state
    assert ack(alice_device, number, message, -3, code="blocked") == "updated"
    assert row(message).state == state
    kept = MessageAck.objects.get()
    assert (kept.participant, kept.ack, kept.failure, kept.failure_code) == ("", 0, -3, "blocked")
    assert kept.failed_at == clock()
    assert story(message) == [(1, "sent", "")]
    assert not UnreachableChat.objects.exists()


def test_leaves_the_reason_of_a_device_alone(alice_device, number, at):
    message = at("sending")
    report(alice_device, message, "failed", reason="No such chat.")
    ack(alice_device, number, message, -1)
    assert (row(message).state, row(message).reason) == ("failed", "No such chat.")


@pytest.fixture
def block(acme, alice_device, number):
    """Mark a chat as one that cannot be reached."""

    def block(chat_jid: str = CHAT) -> None:
        actor = actors.instance(alice_device.instance)
        note_failure(workspace=acme, account_id=number.pk, chat_jid=chat_jid, code="blocked", actor=actor)

    return block


@pytest.mark.parametrize("state", ["sending", "outcome_unknown", "sent", "failed"])
@pytest.mark.parametrize("value", [2, 3, 4])
def test_clears_an_unreachable_chat_by_a_delivery(alice_device, number, at, block, state, value):
    message = at(state)
    block()
    ack(alice_device, number, message, value)
    assert not UnreachableChat.objects.exists()
    assert Event.objects.filter(kind="unreachable_chat.cleared").count() == 1


def test_keeps_a_mark_at_a_late_report_of_an_earlier_delivery(alice_device, number, at, block, clock):
    older, read_later = at("sent"), at("sent")
    delivered = clock.advance(10)
    clock.advance(10)
    block()
    clock.advance(10)
    assert ack(alice_device, number, older, 2, at=delivered.isoformat()) == "updated"
    assert ack(alice_device, number, read_later, 2, at=delivered.isoformat()) == "updated"
    assert row(older).state == row(read_later).state == "delivered"
    assert UnreachableChat.objects.get().code == "blocked"
    assert not Event.objects.filter(kind="unreachable_chat.cleared").exists()
    # whoever reads it now is there, though it had arrived before
    assert ack(alice_device, number, read_later, 3) == "updated"
    assert not UnreachableChat.objects.exists()


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(("delivered", "failed", "marks"), [(10, 20, 1), (20, 10, 0)])
def test_the_later_of_failure_and_delivery_counts(alice_device, number, at, clock, together, delivered, failed, marks):
    first, second = at("sent"), at("sending")
    start = clock()
    clock.advance(60)
    acks = [
        {"message_id": second["message_id"], "ack": -7, "code": "blocked", "at": offset(start, failed)},
        {"message_id": first["message_id"], "ack": 2, "at": offset(start, delivered)},
    ]
    for batch in [acks] if together else [[one] for one in acks]:
        assert set(outcomes(send_acks(alice_device, number, *batch))) == {"updated"}
    assert (row(first).state, row(second).state) == ("delivered", "failed")
    assert UnreachableChat.objects.count() == marks
    if marks:
        assert UnreachableChat.objects.get().since == start + timedelta(seconds=failed)


def offset(start, seconds: int) -> str:
    return (start + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize("state", ["leased", "sending", "outcome_unknown", "sent", "failed"])
@pytest.mark.parametrize(("scheme", "value"), [("whatsapp_web", 1), ("whatsapp_web", 5), ("baileys", 2)])
def test_keeps_an_unreachable_chat_marked_by_one_tick(alice_device, number, at, block, state, scheme, value):
    """WhatsApp's server takes messages to somebody who has blocked the number like all others."""
    message = at(state)
    block()
    ack(alice_device, number, message, value, scheme=scheme)
    assert row(message).state == "sent"
    assert UnreachableChat.objects.get().code == "blocked"
    assert not Event.objects.filter(kind="unreachable_chat.cleared").exists()
    # the second tick is the sign
    ack(alice_device, number, message, 2)
    assert not UnreachableChat.objects.exists()


def test_keeps_a_group_marked_that_only_own_devices_have(alice_device, number, at, block):
    message = at("sending", chat_jid=GROUP)
    block(GROUP)
    ack(alice_device, number, message, 3, participant=number.jid)
    assert (row(message).state, UnreachableChat.objects.count()) == ("sent", 1)
    ack(alice_device, number, message, 2, participant=ANA)
    assert not UnreachableChat.objects.exists()


def test_marks_a_chat_that_one_tick_and_a_failure_speak_of_at_once(alice_device, number, at):
    sent, failed = at("failed"), at("sending")
    acks = [{"message_id": sent["message_id"], "ack": 1}, {"message_id": failed["message_id"], "ack": -7}]
    assert outcomes(send_acks(alice_device, number, acks[0], acks[1] | {"code": "blocked"})) == ["updated"] * 2
    assert UnreachableChat.objects.get().chat_jid == CHAT


# --- Groups ----------------------------------------------------------------------------------------------------------


def test_keeps_acks_by_participant(alice_device, number, at, clock):
    message = at("sent", chat_jid=GROUP)
    start = clock()
    steps = [(ANA, 2, "delivered"), (BEA, 3, "read"), (ANA, 3, "read"), (LID, 2, "read"), (BEA, 4, "played")]
    for seconds, (participant, value, state) in enumerate(steps, start=1):
        clock.advance(1)
        assert ack(alice_device, number, message, value, participant=participant) == "updated"
        assert row(message).state == state, seconds

    def after(seconds):
        return start + timedelta(seconds=seconds)

    stored = MessageAck.objects.order_by("participant")
    assert list(stored.values_list("participant", "ack", "delivered_at", "read_at", "played_at")) == [
        (LID, 2, after(4), None, None),
        (ANA, 3, after(1), after(3), None),
        (BEA, 4, after(2), after(2), after(5)),
    ]
    assert (row(message).delivered_at, row(message).read_at, row(message).played_at) == (after(1), after(2), after(5))
    answer = alice_device.client.get(f"/api/v1/dispatch/{message['id']}/recipients/").json()
    assert (answer["delivered"], answer["read"], answer["played"]) == (3, 2, 1)
    assert [one["participant"] for one in answer["participants"]] == [LID, ANA, BEA]


def test_spells_participants_in_one_way(alice_device, number, at):
    message = at("sent", chat_jid=GROUP)
    for spelling in (ANA, "5511900000001:12@s.whatsapp.net", "5511900000001@s.whatsapp.net"):
        ack(alice_device, number, message, 2, participant=spelling)
    assert MessageAck.objects.get().participant == ANA


def test_counts_no_own_device_as_recipient(alice_device, number, at):
    message = at("sending", chat_jid=GROUP)
    ack(alice_device, number, message, 3, participant=number.jid)
    assert row(message).state == "sent"
    assert not MessageAck.objects.exists()


def test_failure_for_one_participant_fails_nothing(alice_device, number, at):
    message = at("sending", chat_jid=GROUP)
    ack(alice_device, number, message, -1, participant=ANA)
    assert row(message).state == "sending"
    assert MessageAck.objects.get().failure == -1


def test_ignores_the_participant_of_a_chat_with_one(alice_device, number, at):
    message = at("sent")
    ack(alice_device, number, message, 3, participant=CHAT)
    assert row(message).state == "read"
    assert not MessageAck.objects.exists()


# --- Items -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling",
    [
        "{id}",
        f"true_{CHAT}_{{id}}",
        "true_157163732254124@lid_{id}",
        f"true_{GROUP}_{{id}}_5511911110001@c.us",
        f"true_{CHAT}_{{id}}_out",
        "true_5511987654321:3@s.whatsapp.net_{id}",
    ],
)
def test_reads_bare_and_serialized_ids(alice_device, number, at, spelling):
    message = at("sent")
    answer = send_acks(alice_device, number, {"message_id": spelling.format(id=message["message_id"]), "ack": 2})
    assert answer.json()["results"] == [
        {"outcome": "updated", "message": message["id"], "state": "delivered", "code": "", "detail": ""}
    ]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"message_id": ""}, "required"),
        ({"message_id": None}, "required"),
        ({"message_id": "undefined"}, "required"),
        ({"message_id": f"true_{CHAT}_undefined"}, "invalid"),
        ({"message_id": f"false_{CHAT}_3EB0AAAA"}, "invalid"),
        ({"message_id": "3EB0 AAAA; DROP"}, "invalid"),
        ({"message_id": 7}, "invalid"),
        ({"ack": None}, "invalid"),
        ({"ack": "2"}, "invalid"),
        ({"ack": True}, "invalid"),
        ({"ack": 6}, "invalid"),
        ({"ack": -8}, "invalid"),
        ({"ack": -1, "scheme": "baileys"}, "invalid"),
        ({"scheme": "whatsmeow"}, "invalid"),
        ({"scheme": None}, "invalid"),
        ({"participant": "nobody"}, "invalid_jid"),
        ({"participant": GROUP}, "invalid_jid"),
        ({"at": "yesterday"}, "invalid"),
        ({"at": "2001-01-01T00:00:00Z"}, "invalid"),
        ({"code": "blocked"}, "invalid"),
        ({"ack": -1, "code": "tired"}, "invalid"),
        ({"colour": "blue"}, "unknown_field"),
    ],
)
def test_refuses_item_alone(alice_device, number, at, item, code):
    message = at("sent")
    wrong = {"message_id": "3EB0AAAAAAAA", "ack": 1} | item
    right = {"message_id": message["message_id"], "ack": 2}
    answer = send_acks(alice_device, number, wrong, right)
    assert outcomes(answer) == ["refused", "updated"]
    refused = answer.json()["results"][0]
    assert (refused["code"], refused["message"], refused["state"]) == (code, None, "")
    assert refused["detail"]


def test_refuses_what_is_no_object(alice_device, number):
    payload = {"whatsapp_account": str(number.pk), "acks": [None, 7, "x", []]}
    answer = alice_device.client.post("/api/v1/dispatch/acks/", payload)
    assert outcomes(answer) == ["refused"] * 4


def test_refuses_too_many(alice_device, number):
    answer = send_acks(alice_device, number, *[{"message_id": "3EB0AAAA", "ack": 1}] * 501)
    assert problem(answer) == (400, "invalid", ("acks", "max_length"))
    assert problem(send_acks(alice_device, number)) == (400, "invalid", ("acks", "min_length"))


def test_knows_nothing_of_foreign_messages(alice_device, charlie_device, number, foreign_number, at):
    message = at("sent")
    assert problem(send_acks(charlie_device, number, {"message_id": message["message_id"], "ack": 3})) == (
        *(400, "invalid"),
        ("whatsapp_account", "does_not_exist"),
    )
    answer = send_acks(charlie_device, foreign_number, {"message_id": message["message_id"], "ack": 3})
    assert outcomes(answer) == ["unknown"]
    assert row(message).state == "sent"
    assert charlie_device.client.get(f"/api/v1/dispatch/{message['id']}/recipients/").status_code == 404


def test_takes_a_batch_with_a_fixed_count_of_statements(
    acme, alice, alice_device, number, clock, django_assert_max_num_queries
):
    """Five hundred messages that nobody had reported as sent are as many statements as five."""
    for index in range(30):
        schedule(alice_device, number, chat_jid=GROUP if index == 0 else f"55119000001{index:02}@c.us")
    queue_due_messages()
    ids = list(QueuedMessage.objects.values_list("pk", "message_id"))
    now = clock()
    QueuedMessage.objects.update(state="sending", fence=1, claimed_at=now, lease_until=now, sending_at=now)
    actor = actors.instance(alice_device.instance, alice)

    def take(some, *values):
        return record_acks(
            workspace=acme,
            whatsapp_account=number,
            actor=actor,
            items=[
                {"message_id": message_id, "ack": value, "scheme": "whatsapp_web", "participant": ANA}
                for _, message_id in some
                for value in values
            ],
        )

    with django_assert_max_num_queries(14):
        take(ids[:2], 2)
    with django_assert_max_num_queries(14):
        assert {one.outcome for one in take(ids[2:], -1, 1, 2, 3)} == {"updated"}
    assert QueuedMessage.objects.filter(state="read").count() == 28
    assert Event.objects.filter(kind="message.sent").count() == 30


# --- Any order, any repetition ---------------------------------------------------------------------------------------

STARTS = ["leased", "sending", "outcome_unknown", "sent"]
facts = st.fixed_dictionaries(
    {
        "level": st.sampled_from([-5, -2, -1, 0, 1, 2, 3, 4, 5]),
        "participant": st.sampled_from(["", ANA, BEA]),
        "seconds": st.integers(-5, 40),
        "baileys": st.booleans(),
        "code": st.sampled_from(["", "blocked", "other"]),
    }
)


def _item(message: QueuedMessage, fact: dict, start) -> dict:
    level, baileys = fact["level"], fact["baileys"] and -1 <= fact["level"] <= 4
    item = {
        "message_id": message.message_id,
        "ack": level + 1 if baileys else level,
        "scheme": "baileys" if baileys else "whatsapp_web",
        "participant": fact["participant"] or None,
        "at": (start + timedelta(seconds=fact["seconds"])).isoformat(),
    }
    return item | ({"code": fact["code"] or None} if level < 0 else {})


def _end(message: QueuedMessage) -> tuple:
    names = ["state", "reason_code", "reason", "sending_at", "sent_at", "delivered_at", "read_at", "played_at"]
    acks = MessageAck.objects.filter(message=message).order_by("participant").values()
    return (
        QueuedMessage.objects.values(*names, "lease_until", "fence").get(pk=message.pk),
        [{key: one[key] for key in one.keys() - {"id", "message_id"}} for one in acks],
        story(message),
    )


@pytest.fixture
def fresh(acme, number, alice_device, clock):
    """A new message in a state, handed out at the start of the test."""
    start = clock()
    clock.advance(30)

    def fresh(state: str, chat_jid: str) -> QueuedMessage:
        message = QueuedMessage.objects.create(
            workspace=acme,
            source="direct",
            origin_id=uuid7(),
            occurrence_at=start,
            whatsapp_account=number,
            chat_jid=chat_jid,
            message_id="3EB0" + uuid7().hex[-18:].upper(),
            due_at=start,
            not_before=start,
            expires_at=start + timedelta(hours=1),
            queued_at=start,
            state=state,
            fence=1,
            claimed_at=start,
            instance=alice_device.instance,
            lease_until=start + timedelta(seconds=60) if state in ("leased", "sending") else None,
            sending_at=None if state == "leased" else start,
            sent_at=start if state == "sent" else None,
        )
        if ended := {"sent": "sent", "outcome_unknown": "lease_expired"}.get(state):
            DispatchAttempt.objects.create(
                workspace=acme,
                message=message,
                fence=1,
                claimed_at=start,
                instance=alice_device.instance,
                outcome=ended,
                ended_at=start,
            )
        return message

    fresh.start = start
    return fresh


def test_ends_the_same_in_any_order(acme, number, alice, alice_device, fresh):
    """Whatever set of acknowledgements, in whatever order, parted into whatever batches, however often: one end."""
    actor = actors.instance(alice_device.instance, alice)

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        state=st.sampled_from(STARTS),
        chat_jid=st.sampled_from([CHAT, GROUP]),
        told=st.lists(facts, min_size=1, max_size=6),
        data=st.data(),
    )
    def check(state, chat_jid, told, data):
        def play(order, sizes) -> tuple:
            message = fresh(state, chat_jid)
            items = [_item(message, fact, fresh.start) for fact in order]
            for size in sizes:
                batch, items = items[:size], items[size:]
                if batch:
                    record_acks(workspace=acme, whatsapp_account=number, items=batch, actor=actor)
            if items:
                record_acks(workspace=acme, whatsapp_account=number, items=items, actor=actor)
            return _end(message)

        expected = play(told, [1] * len(told))
        again = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=3))))
        sizes = data.draw(st.lists(st.integers(1, 3), max_size=6))
        assert play(again, sizes) == expected
        levels = [1 if fact["level"] == 5 else fact["level"] for fact in told]
        best = max(levels)
        if best >= 1:
            names = {1: "sent", 2: "delivered", 3: "read", 4: "played"}
            assert expected[0]["state"] == names[best]

    check()


def test_ends_the_same_in_every_order_of_few(acme, number, alice, alice_device, fresh):
    """All orders of a failure, a delivery and a peer, from every state."""
    actor = actors.instance(alice_device.instance, alice)
    told = [
        {"level": -1, "participant": "", "seconds": 9, "baileys": True, "code": "other"},
        {"level": -4, "participant": "", "seconds": 3, "baileys": False, "code": ""},
        {"level": 2, "participant": ANA, "seconds": 7, "baileys": True, "code": ""},
        {"level": 5, "participant": "", "seconds": 5, "baileys": False, "code": ""},
    ]
    for state in STARTS:
        ends = []
        for order in itertools.permutations(told):
            message = fresh(state, GROUP)
            for fact in order:
                item = _item(message, fact, fresh.start)
                record_acks(workspace=acme, whatsapp_account=number, items=[item], actor=actor)
            ends.append(_end(message))
        assert ends[0][0]["state"] == DispatchState.DELIVERED
        assert all(end == ends[0] for end in ends)


@pytest.mark.django_db(transaction=True)
def test_acks_meet_the_report(acme, alice, alice_device, number, clock):
    """Two instances tell of the read at the moment at which the sender reports it as sent: one event, one end."""
    other = make_device(alice, acme)
    for turn in range(8):
        queued(alice_device, number, chat_jid=f"551190000{turn:04}@c.us")
        [message] = claim(alice_device, number)
        report(alice_device, message, "sending")

        def tell(device, message=message):
            return ack(device, number, message, 3)

        def say(message=message):
            return report(alice_device, message, "sent").status_code

        first, second, status = together(
            lambda: tell(alice_device), lambda: tell(other), say, offsets=(0, *offsets(turn))
        )
        assert status == 200
        assert {first, second} <= {"updated", "unchanged"}
        assert row(message).state == "read"
        assert story(message) == [(1, "sent", "")]
        assert kinds(message).count("message.sent") == 1
        clock.advance(60)
