"""The queue: who is handed what and when, what may be reported, and what silence leads to."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Event
from conftest import make_device
from messaging.models import DispatchAttempt, QueuedMessage
from messaging.serializers.dispatch import ClaimAnswerSerializer, HandedOutSerializer, NumberLeaseSerializer
from messaging.services.dispatch import TOO_LATE, UNKNOWN, attempts_of, settle_expired_leases
from messaging.services.scheduling import queue_due_messages
from messaging.tests.calls import (
    CHAT,
    ask,
    cancel,
    claim,
    kinds,
    nothing_happens,
    problem,
    queued,
    reconcile,
    report,
    scheduled,
    state_of,
    story,
    take_over,
)
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db

OTHER_CHAT = "5521912345678@c.us"


def chat(index: int) -> str:
    return f"55119000000{index:02}@c.us"


def lose(device, number, clock, *, after_sending: bool) -> dict:
    """Be handed a message and never be heard of again; its lease is over and settled."""
    [message] = claim(device, number, limit=1)
    if after_sending:
        assert report(device, message, "sending").status_code == 200
    clock.advance(61)
    settle_expired_leases()
    return message


# --- Handing out ---


def test_hands_out_message(alice_device, number):
    row = queued(alice_device, number)
    claim_id = str(uuid7())
    answer = ask(alice_device, number, claim_id=claim_id)
    assert answer.json() == {
        "lease": {
            "is_yours": True,
            "instance": str(alice_device.instance.pk),
            "epoch": 1,
            "until": "2026-06-01T12:01:00Z",
        },
        "server_time": "2026-06-01T12:00:00Z",
        "hold": "",
        "next_claim_ms": 5000,
        "messages": [
            {
                "id": str(row.pk),
                "source": "scheduled",
                "scheduled_message": str(row.scheduled_message_id),
                "broadcast": None,
                "whatsapp_account": str(number.pk),
                "contact": None,
                "chat_jid": CHAT,
                "position": 0,
                "body": "Olá! 👋",
                "media": None,
                "message_id": row.message_id,
                "due_at": "2026-06-01T12:00:00Z",
                "expires_at": "2026-06-01T13:00:00Z",
                "state": "leased",
                "fence": 1,
                "lease_until": "2026-06-01T12:01:00Z",
                "wait_ms": 0,
            }
        ],
        "reconcile": [],
    }
    row.refresh_from_db()
    [attempt] = attempts_of(row)
    assert (attempt.message, attempt.instance, attempt.fence) == (row, alice_device.instance, 1)
    assert (attempt.claimed_at, attempt.outcome, attempt.ended_at) == (datetime(2026, 6, 1, 12, tzinfo=UTC), "", None)
    assert not DispatchAttempt.objects.exists()  # it is written when it ends


@pytest.mark.parametrize(
    "body", ['"', "\\", "\n\t\r", "\x01\x7f", "{now}%s$1", '", "state": "sent', "</script>\u2028 👋 עברית"]
)
def test_hands_out_text_as_it_is_written(alice_device, number, body):
    queued(alice_device, number, body=f"Before {body} after")
    [message] = claim(alice_device, number)
    assert (message["body"], message["state"]) == (f"Before {body} after", "leased")


def test_hands_out_nothing_before_its_time(alice_device, number, clock):
    queued(alice_device, number, seconds=30)
    with nothing_happens():
        assert claim(alice_device, number) == []
    clock.advance(29.999)
    assert claim(alice_device, number) == []
    clock.advance(0.001)
    assert len(claim(alice_device, number)) == 1


def test_hands_out_by_due_time(alice_device, number, clock):
    seconds = [50, 10, 40, 20, 30]
    for index, second in enumerate(seconds):
        scheduled(alice_device, number, seconds=second, chat_jid=chat(index), body=str(second))
    clock.advance(60)
    queue_due_messages()
    assert [message["body"] for message in claim(alice_device, number, limit=3)] == ["10", "20", "30"]
    assert [message["body"] for message in claim(alice_device, number, limit=3)] == ["40", "50"]


def test_keeps_numbers_apart(alice_device, number, second_number):
    queued(alice_device, number)
    assert claim(alice_device, second_number) == []
    assert len(claim(alice_device, number)) == 1


def test_hands_out_to_one_device(alice_device, bob_device, number):
    for index in range(3):
        scheduled(alice_device, number, chat_jid=chat(index))
    queue_due_messages()
    assert len(claim(alice_device, number, limit=2)) == 2
    with nothing_happens():
        assert claim(bob_device, number) == []  # the number is Alice's device's
    assert len(claim(alice_device, number)) == 1
    with nothing_happens():
        assert claim(bob_device, number) == claim(alice_device, number) == []


def test_repeats_claim(alice_device, bob_device, number, clock):
    """The answer got lost: the same claim is answered with the same messages, and no further ones."""
    for index in range(4):
        scheduled(alice_device, number, chat_jid=chat(index))
    queue_due_messages()
    claim_id = uuid7()
    first = claim(alice_device, number, claim_id=claim_id, limit=2)
    clock.advance(30)
    with nothing_happens():
        assert claim(alice_device, number, claim_id=claim_id, limit=4) == first
    assert claim(bob_device, number, claim_id=claim_id, limit=1) == []  # another instance's claim is another claim
    report(alice_device, first[0], "sending")
    assert claim(alice_device, number, claim_id=claim_id) == first[1:]
    clock.advance(30)
    assert claim(alice_device, number, claim_id=claim_id) == []
    assert [story(message) for message in first] == [[(1, "", "")]] * 2


def test_hands_out_messages_of_one_chat_in_order(alice_device, number):
    for body in "abc":
        scheduled(alice_device, number, body=body)
    scheduled(alice_device, number, body="x", chat_jid=OTHER_CHAT)
    queue_due_messages()
    assert [message["body"] for message in claim(alice_device, number)] == ["a", "b", "c", "x"]


@pytest.mark.parametrize("steps", [[], ["sending"]])
def test_holds_chat_while_a_message_is_under_way(alice_device, bob_device, number, steps):
    first = scheduled(alice_device, number, body="first")
    for body, jid in (("second", CHAT), ("elsewhere", OTHER_CHAT)):
        scheduled(alice_device, number, body=body, chat_jid=jid)
    queue_due_messages()
    [message] = claim(alice_device, number, limit=1)
    assert message["scheduled_message"] == first["id"]
    for step in steps:
        report(alice_device, message, step)
    assert [other["body"] for other in claim(alice_device, number)] == ["elsewhere"]
    assert claim(alice_device, number) == claim(bob_device, number) == []
    report(alice_device, message, "sent")
    assert [other["body"] for other in claim(alice_device, number)] == ["second"]


def test_holds_chat_while_an_outcome_is_unknown(alice_device, bob_device, number, clock):
    for body in ("first", "second"):
        scheduled(alice_device, number, body=body)
    queue_due_messages()
    message = lose(alice_device, number, clock, after_sending=True)
    for device in (bob_device, alice_device):
        assert claim(device, number) == []
    report(alice_device, message, "sent")
    assert [other["body"] for other in claim(bob_device, number)] == ["second"]


@pytest.mark.parametrize(("what", "expected"), [("failed", "second"), ("released", "first"), ("sent", "second")])
def test_frees_chat(alice_device, number, what, expected):
    for body in ("first", "second"):
        scheduled(alice_device, number, body=body)
    queue_due_messages()
    report(alice_device, claim(alice_device, number, limit=1)[0], what)
    assert [message["body"] for message in claim(alice_device, number, limit=1)] == [expected]


@pytest.mark.parametrize("limit", [0, 101, -1, "many", None])
def test_refuses_limit(alice_device, number, limit):
    queued(alice_device, number)
    with nothing_happens():
        assert problem(ask(alice_device, number, limit=limit))[:2] == (400, "invalid")


def test_refuses_claim_for_another_workspace(charlie_device, alice_device, number):
    queued(alice_device, number)
    with nothing_happens():
        assert problem(ask(charlie_device, number)) == (400, "invalid", ("whatsapp_account", "does_not_exist"))


def test_refuses_claim_without_id(alice_device, number):
    queued(alice_device, number)
    with nothing_happens():
        answer = alice_device.client.post("/api/v1/dispatch/claim/", {"whatsapp_account": str(number.pk)})
        assert problem(answer) == (400, "invalid", ("claim_id", "required"))


def test_hides_queue_of_another_workspace(charlie_device, alice_device, number):
    row = queued(alice_device, number)
    [message] = claim(alice_device, number)
    with nothing_happens():
        assert charlie_device.client.get("/api/v1/dispatch/").json()["results"] == []
        for message_id in (row.pk, uuid7()):
            assert problem(charlie_device.client.get(f"/api/v1/dispatch/{message_id}/")) == (404, "not_found")
            answer = report(charlie_device, message | {"id": message_id}, "sent")
            assert problem(answer) == (404, "not_found")


# --- Reports ---


def shared(document: dict) -> dict:
    """What a message as it is handed out and a message of the queue both show."""
    names = ("id", "chat_jid", "body", "message_id", "due_at", "expires_at", "fence", "state", "lease_until")
    return {name: document[name] for name in names}


def test_takes_sending_and_sent(alice_device, number, clock):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    clock.advance(10)
    sending = report(alice_device, message, "sending").json()
    assert shared(sending) == shared(message) | {"state": "sending", "lease_until": "2026-06-01T12:01:10Z"}
    clock.advance(5)
    sent = report(alice_device, message, "sent", sent_at="2026-06-01T12:00:12Z")
    assert sent.status_code == 200
    assert shared(sent.json()) == shared(message) | {"state": "sent", "lease_until": None}
    assert sent.json()["sent_at"] == "2026-06-01T12:00:12Z"
    assert story(message) == [(1, "sent", "")]
    assert DispatchAttempt.objects.get().ended_at == clock()
    assert kinds(message) == ["message.sending", "message.sent"]


def test_takes_sent_without_sending(alice_device, number, clock):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    clock.advance(5)
    assert report(alice_device, message, "sent").json()["sent_at"] == "2026-06-01T12:00:05Z"


def test_takes_no_time_of_sending_in_the_future(alice_device, number):
    """The clock of a computer may be wrong; what was sent was sent by now."""
    queued(alice_device, number)
    answer = report(alice_device, claim(alice_device, number)[0], "sent", sent_at="2026-06-01T18:00:00Z")
    assert answer.json()["sent_at"] == "2026-06-01T12:00:00Z"


@pytest.mark.parametrize("steps", [["failed"], ["sending", "failed"]])
def test_takes_failure_with_its_reason(alice_device, number, steps):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    for step in steps:
        answer = report(alice_device, message, step, reason="The number is not on WhatsApp.")
    assert (answer.json()["state"], answer.json()["reason"]) == ("failed", "The number is not on WhatsApp.")
    assert answer.json()["lease_until"] is None
    assert story(message) == [(1, "failed", "The number is not on WhatsApp.")]
    assert claim(alice_device, number) == []


def test_takes_message_back(alice_device, bob_device, number):
    row = queued(alice_device, number)
    [message] = claim(alice_device, number)
    answer = report(alice_device, message, "released", reason="WhatsApp Web is logged out.")
    assert (answer.json()["state"], answer.json()["fence"]) == ("queued", 1)
    take_over(bob_device, number)
    [again] = claim(bob_device, number)
    assert (again["id"], again["fence"], again["message_id"]) == (message["id"], 2, row.message_id)
    assert story(message) == [(1, "released", "WhatsApp Web is logged out."), (2, "", "")]


def test_answers_claim_in_the_shape_that_is_documented(alice_device, number):
    """The answer is written without the serializers that describe it."""
    queued(alice_device, number)
    answer = ask(alice_device, number).json()
    assert set(answer) == set(ClaimAnswerSerializer().fields)
    assert set(answer["lease"]) == set(NumberLeaseSerializer().fields)
    assert [set(one) for one in answer["messages"]] == [set(HandedOutSerializer().fields)]
    lease = {"is_yours": True, "instance": str(alice_device.instance.pk), "epoch": 1, "until": "2026-06-01T12:01:00Z"}
    assert (answer["lease"], answer["server_time"]) == (lease, "2026-06-01T12:00:00Z")


REPEATED = {
    "sending": ["sending"],
    "sent": ["sending", "sent"],
    "failed": ["sending", "failed"],
    "released": ["released"],
}


@pytest.mark.parametrize("what", REPEATED)
def test_takes_repeated_report_as_one(alice_device, number, clock, what):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    for step in REPEATED[what]:
        first = report(alice_device, message, step, reason="because")
    clock.advance(5)
    with nothing_happens():
        again = report(alice_device, message, what, reason="because")
    left = {"send_within_ms": 25_000 if what == "sending" else 0}
    assert (again.status_code, again.json()) == (200, first.json() | left)


@pytest.mark.parametrize(("lateness", "within"), [(60, 30_000), (1, 20_000)])
def test_tells_how_long_it_may_still_be_sent(alice_device, number, clock, lateness, within):
    """30 seconds, or until the message would be too late; a repeat prolongs nothing."""
    queued(alice_device, number, lateness_minutes=lateness)
    clock.advance(40)
    [message] = claim(alice_device, number)
    assert report(alice_device, message, "sending").json()["send_within_ms"] == within
    clock.advance(within // 1000)
    assert report(alice_device, message, "sending").json()["send_within_ms"] == 0


def test_takes_back_what_could_not_be_sent_in_time(alice_device, number, clock):
    """A device that slept after “sending” says that it sent nothing: the message goes on at once, or is too late."""
    queued(alice_device, number, lateness_minutes=1)
    [message] = claim(alice_device, number)
    assert report(alice_device, message, "sending").status_code == 200
    clock.advance(31)
    answer = report(alice_device, message, "not_sent")
    assert (answer.status_code, answer.json()["state"], answer.json()["send_within_ms"]) == (200, "queued", 0)
    assert story(message) == [(1, "not_sent", "")]
    [again] = claim(alice_device, number)
    assert (again["id"], again["message_id"], again["fence"]) == (message["id"], message["message_id"], 2)
    assert report(alice_device, again, "sending").status_code == 200
    clock.advance(29)
    assert report(alice_device, again, "not_sent").status_code == 200
    settle_expired_leases()
    row = QueuedMessage.objects.get()
    assert (row.state, row.reason_code, row.sending_at) == ("skipped", "too_late", None)


@pytest.mark.parametrize(
    ("steps", "what"),
    [
        ([], "not_sent"),
        (["sending"], "released"),
        (["sent"], "sending"),
        (["sent"], "failed"),
        (["sent"], "released"),
        (["sent"], "not_sent"),
        (["failed"], "sending"),
        (["failed"], "released"),
        (["failed"], "not_sent"),
        (["released"], "sending"),
        (["released"], "failed"),
        (["released"], "not_sent"),
    ],
)
def test_refuses_report_that_leads_nowhere(alice_device, number, steps, what):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    for step in steps:
        assert report(alice_device, message, step).status_code == 200
    state = state_of(message)
    with nothing_happens():
        answer = report(alice_device, message, what)
        assert (*problem(answer), answer.json()["state"]) == (409, "wrong_state", state)


@pytest.mark.parametrize("what", ["sending", "sent", "failed", "released", "not_sent"])
@pytest.mark.parametrize("fence", [2, 2_147_483_647])
def test_refuses_fence_that_was_never_given(alice_device, number, what, fence):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    with nothing_happens():
        assert problem(report(alice_device, message, what, fence=fence)) == (409, "stale_fence")


@pytest.mark.parametrize("what", ["sending", "sent", "failed", "released", "not_sent"])
def test_refuses_report_of_another_instance(alice_device, bob_device, alice, acme, number, what):
    """Neither a colleague's device nor the same person's second one may speak for the one that holds the lease."""
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    devices = [bob_device, make_device(alice, acme)]
    for device in devices:
        with nothing_happens():
            assert problem(report(device, message, what)) == (409, "stale_fence")


@pytest.mark.parametrize("what", ["sending", "failed", "released", "not_sent"])
def test_refuses_stale_fence(alice_device, bob_device, number, clock, what):
    queued(alice_device, number)
    stale = lose(alice_device, number, clock, after_sending=False)
    [message] = claim(bob_device, number)
    assert (stale["id"], stale["fence"], message["fence"]) == (message["id"], 1, 2)
    with nothing_happens():
        answer = report(alice_device, stale, what)
        assert problem(answer) == (409, "stale_fence")
        assert (answer.json()["fence"], answer.json()["state"]) == (2, "leased")
    assert report(bob_device, message, "sending").status_code == 200


@pytest.mark.parametrize(
    ("payload", "wrong"),
    [
        ({"report": "sent"}, ("fence", "required")),
        ({"fence": 1}, ("report", "required")),
        ({"fence": 0, "report": "sent"}, ("fence", "min_value")),
        ({"fence": 2_147_483_648, "report": "sent"}, ("fence", "max_value")),
        ({"fence": 1, "report": "delivered"}, ("report", "invalid_choice")),
        ({"fence": 1, "report": "failed", "reason": "x" * 301}, ("reason", "max_length")),
        ({"fence": 1, "report": "sent", "sent_at": "yesterday"}, ("sent_at", "invalid")),
        ({"fence": 1, "report": "sent", "state": "sent"}, ("state", "unknown_field")),
    ],
)
def test_refuses_report_that_is_not_valid(alice_device, number, payload, wrong):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    with nothing_happens():
        answer = alice_device.client.post(f"/api/v1/dispatch/{message['id']}/report/", payload)
        assert problem(answer) == (400, "invalid", wrong)


def test_lets_late_fact_win_over_later_lease(alice_device, bob_device, number, clock):
    """Sent is sent, whoever holds the message now: he is refused before he sends it again."""
    queued(alice_device, number)
    stale = lose(alice_device, number, clock, after_sending=False)
    [message] = claim(bob_device, number)
    answer = report(alice_device, stale, "sent", sent_at="2026-06-01T12:00:30Z")
    assert (answer.status_code, answer.json()["state"], answer.json()["fence"]) == (200, "sent", 2)
    assert answer.json()["sent_at"] == "2026-06-01T12:00:30Z"
    with nothing_happens():
        refused = report(bob_device, message, "sending")
        assert (*problem(refused), refused.json()["state"]) == (409, "wrong_state", "sent")
        assert report(alice_device, stale, "sent").status_code == 200
    assert story(message) == [(1, "sent", ""), (2, "overtaken", "")]
    assert claim(bob_device, number) == []


@pytest.mark.parametrize("ending", ["failed", "cancelled", "skipped"])
def test_lets_late_fact_win_over_another_ending(alice_device, bob_device, number, clock, ending):
    row = queued(alice_device, number)
    stale = lose(alice_device, number, clock, after_sending=False)
    if ending == "failed":
        report(bob_device, claim(bob_device, number)[0], "failed", reason="Not on WhatsApp.")
    elif ending == "cancelled":
        assert cancel(bob_device, row.scheduled_message_id).status_code == 200
    else:
        clock.advance(3600)
        settle_expired_leases()
    assert state_of(stale) == ending
    answer = report(alice_device, stale, "sent", sent_at="2026-06-01T12:00:30Z")
    assert (answer.json()["state"], answer.json()["reason"]) == ("sent", "")
    with nothing_happens():
        assert report(alice_device, stale, "sent").status_code == 200
        assert problem(report(alice_device, stale, "failed"))[0] == 409


# --- Silence ---


def test_queues_message_again_when_lease_ends_before_sending(alice_device, bob_device, number, clock):
    row = queued(alice_device, number)
    [message] = claim(alice_device, number)
    clock.advance(59.999)
    with nothing_happens():
        assert settle_expired_leases() == {}
        assert claim(bob_device, number) == []
    clock.advance(0.001)
    assert settle_expired_leases() == {"queued": 1}
    assert story(message) == [(1, "lease_expired", "")]
    assert DispatchAttempt.objects.get().ended_at == clock()
    [again] = claim(bob_device, number)
    assert (again["id"], again["fence"], again["message_id"]) == (str(row.pk), 2, row.message_id)
    assert story(message) == [(1, "lease_expired", ""), (2, "", "")]
    assert reconcile(alice_device, number) == []


@pytest.mark.parametrize("what", ["sending", "failed", "released"])
def test_refuses_report_after_lease_before_anything_settled_it(alice_device, number, clock, what):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    clock.advance(60)
    with nothing_happens():
        assert problem(report(alice_device, message, what)) == (409, "stale_fence")


def test_refuses_sending_repeated_after_its_lease(alice_device, number, clock):
    """A computer that slept between the permission and the send must not take the old permission for a new one."""
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    assert report(alice_device, message, "sending").status_code == 200
    clock.advance(60)
    with nothing_happens():
        assert problem(report(alice_device, message, "sending")) == (409, "stale_fence")


def test_does_not_know_outcome_when_lease_ends_after_sending(alice_device, bob_device, alice, acme, number, clock):
    queued(alice_device, number)
    devices = [alice_device, bob_device, make_device(alice, acme)]
    message = lose(alice_device, number, clock, after_sending=True)
    row = QueuedMessage.objects.get()
    assert (row.state, row.reason, row.lease_until, row.fence) == ("outcome_unknown", UNKNOWN, None, 1)
    assert story(message) == [(1, "lease_expired", "")]
    assert kinds(message) == ["message.sending", "message.outcome_unknown"]
    for _ in range(3):
        clock.advance(900)
        with nothing_happens():
            assert settle_expired_leases() == {}
            for device in devices:
                assert claim(device, number) == []
    assert [found["id"] for found in reconcile(alice_device, number)] == [message["id"]]
    assert reconcile(bob_device, number) == []


def test_asks_for_outcome_on_its_own_number_only(alice_device, number, second_number, clock):
    queued(alice_device, number)
    lose(alice_device, number, clock, after_sending=True)
    assert reconcile(alice_device, second_number) == []


def test_settles_unknown_outcome_as_sent(alice_device, number, clock):
    queued(alice_device, number)
    lose(alice_device, number, clock, after_sending=True)
    [found] = reconcile(alice_device, number)
    answer = report(alice_device, found, "sent", sent_at="2026-06-01T12:00:02Z")
    assert (answer.json()["state"], answer.json()["reason"]) == ("sent", "")
    assert story(found) == [(1, "sent", "")]
    assert reconcile(alice_device, number) == claim(alice_device, number) == []
    assert kinds(found) == ["message.sending", "message.outcome_unknown", "message.sent"]


def test_frees_message_that_was_not_sent(alice_device, bob_device, number, clock):
    row = queued(alice_device, number)
    lose(alice_device, number, clock, after_sending=True)
    [found] = reconcile(alice_device, number)
    answer = report(alice_device, found, "not_sent")
    assert (answer.json()["state"], answer.json()["fence"]) == ("queued", 1)
    with nothing_happens():
        assert report(alice_device, found, "not_sent").json() == answer.json()
    take_over(bob_device, number)
    [again] = claim(bob_device, number)
    assert (again["id"], again["fence"], again["message_id"]) == (found["id"], 2, row.message_id)
    assert story(found) == [(1, "not_sent", ""), (2, "", "")]
    with nothing_happens():
        for what in ("not_sent", "sending", "failed"):
            assert problem(report(alice_device, found, what)) == (409, "stale_fence")


def test_settles_unknown_outcome_as_failed(alice_device, number, clock):
    queued(alice_device, number)
    lose(alice_device, number, clock, after_sending=True)
    [found] = reconcile(alice_device, number)
    answer = report(alice_device, found, "failed", reason="WhatsApp refused it.")
    assert (answer.json()["state"], answer.json()["reason"]) == ("failed", "WhatsApp refused it.")


def test_takes_sent_after_lease(alice_device, number, clock):
    """The send took longer than the lease; nothing had looked yet."""
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    report(alice_device, message, "sending")
    clock.advance(300)
    assert report(alice_device, message, "sent").json()["state"] == "sent"
    assert settle_expired_leases() == {}


def test_renews_lease_with_sending(alice_device, number, clock):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    clock.advance(59)
    report(alice_device, message, "sending")
    clock.advance(59)
    assert settle_expired_leases() == {}
    clock.advance(1)
    assert settle_expired_leases() == {"outcome_unknown": 1}


def test_settles_each_as_it_stands(alice_device, number, clock):
    for index in range(4):
        scheduled(alice_device, number, chat_jid=chat(index), lateness_minutes=1 if index in (2, 3) else 60)
    queue_due_messages()
    messages = claim(alice_device, number)
    for message in (messages[1], messages[3]):
        report(alice_device, message, "sending")
    clock.advance(61)
    assert settle_expired_leases() == {"queued": 1, "outcome_unknown": 2, "skipped": 1}
    assert [state_of(message) for message in messages] == ["queued", "outcome_unknown", "skipped", "outcome_unknown"]
    assert settle_expired_leases() == {}


# --- Lateness ---


def test_skips_message_that_is_too_late(alice_device, number, clock):
    row = queued(alice_device, number, lateness_minutes=5)
    clock.advance(299)
    assert settle_expired_leases() == {}
    clock.advance(1)
    with nothing_happens():
        assert claim(alice_device, number) == []  # whether a sweep has been here or not
    assert settle_expired_leases() == {"skipped": 1}
    row.refresh_from_db()
    assert (row.state, row.reason, row.sent_at) == ("skipped", TOO_LATE, None)
    assert claim(alice_device, number) == []
    assert kinds(row.pk) == ["message.skipped"]
    assert story(row) == []


def test_skips_message_that_was_too_late_before_it_was_queued(alice_device, number, clock):
    """The server was away for longer than the message allows."""
    message = scheduled(alice_device, number, seconds=10, lateness_minutes=5)
    clock.advance(3600)
    assert queue_due_messages() == 1
    assert claim(alice_device, number) == []
    assert settle_expired_leases() == {"skipped": 1}
    assert (
        alice_device.client.get(f"/api/v1/scheduled-messages/{message['id']}/").json()["recipients"][0][
            "dispatch_state"
        ]
        == "skipped"
    )


def test_hands_out_late_message_while_it_is_allowed(alice_device, number, clock):
    queued(alice_device, number, lateness_minutes=5)
    clock.advance(299.999)
    assert len(claim(alice_device, number)) == 1


def test_never_skips_unknown_outcome(alice_device, number, clock):
    queued(alice_device, number, lateness_minutes=2)
    message = lose(alice_device, number, clock, after_sending=True)
    clock.advance(3600)
    assert settle_expired_leases() == {}
    assert [found["id"] for found in reconcile(alice_device, number)] == [message["id"]]
    report(alice_device, message, "not_sent")
    assert claim(alice_device, number) == []
    assert settle_expired_leases() == {"skipped": 1}


# --- Reading, events ---


def test_lists_queue(alice_device, number, clock):
    for index in range(3):
        scheduled(alice_device, number, seconds=index, chat_jid=chat(index), body=str(index))
    clock.advance(5)
    queue_due_messages()
    report(alice_device, claim(alice_device, number, limit=1)[0], "sent")
    get = alice_device.client.get
    assert [row["body"] for row in get("/api/v1/dispatch/").json()["results"]] == ["2", "1", "0"]
    assert [row["body"] for row in get("/api/v1/dispatch/?state=sent").json()["results"]] == ["0"]
    assert problem(get("/api/v1/dispatch/?state=lost")) == (400, "invalid", ("state", "invalid_choice"))


def test_tells_story_of_each_attempt(alice_device, bob_device, number, clock):
    """Four hand-outs of one message, each ended in another way, all with the one reserved id."""
    row = queued(alice_device, number, lateness_minutes=600)
    lose(alice_device, number, clock, after_sending=False)
    report(bob_device, claim(bob_device, number)[0], "released", reason="The tab closes.")
    take_over(alice_device, number)
    lose(alice_device, number, clock, after_sending=True)
    report(alice_device, reconcile(alice_device, number)[0], "not_sent")
    take_over(bob_device, number)
    [message] = claim(bob_device, number)
    report(bob_device, message, "sending")
    report(bob_device, message, "sent")
    assert story(row) == [
        (1, "lease_expired", ""),
        (2, "released", "The tab closes."),
        (3, "not_sent", ""),
        (4, "sent", ""),
    ]
    attempts = DispatchAttempt.objects.order_by("fence")
    devices = [alice_device, bob_device, alice_device, bob_device]
    assert [attempt.instance_id for attempt in attempts] == [device.instance.pk for device in devices]
    assert all(attempt.ended_at - attempt.claimed_at <= timedelta(seconds=61) for attempt in attempts)
    assert message["message_id"] == row.message_id
    assert kinds(row.pk) == [
        "message.queued",
        "message.sending",
        "message.outcome_unknown",
        "message.queued",
        "message.sending",
        "message.sent",
    ]


def test_records_events_without_values(alice_device, number):
    queued(alice_device, number, body="the password is hunter2")
    [message] = claim(alice_device, number)
    report(alice_device, message, "sending")
    report(alice_device, message, "failed", reason="Diana blocked me")
    told = json.dumps(list(Event.objects.values()), default=str)
    for value in ("hunter2", "Diana", CHAT.partition("@")[0], message["message_id"]):
        assert value not in told
    changed = Event.objects.filter(object_id=message["id"]).order_by("id").values_list("kind", "changed", "actor_kind")
    assert list(changed) == [
        ("message.sending", ["state"], "instance"),
        ("message.failed", ["state"], "instance"),
    ]


def silent(device, number, clock) -> dict:
    """A message whose device said "sending" and fell silent."""
    queued(device, number)
    [message] = claim(device, number)
    report(device, message, "sending")
    clock.advance(61)
    settle_expired_leases()
    assert state_of(message) == "outcome_unknown"
    return message


def resolve(device, message, outcome: str):
    return device.client.post(f"/api/v1/dispatch/{message['id']}/resolve/", {"outcome": outcome}, format="json")


@pytest.mark.parametrize(("outcome", "state"), [("sent", "sent"), ("not_sent", "queued")])
def test_lets_person_decide_unknown_outcome(alice_device, bob_device, number, clock, outcome, state):
    message = silent(alice_device, number, clock)
    answer = resolve(bob_device, message, outcome)
    assert (answer.status_code, answer.json()["state"]) == (200, state)
    assert story(message)[-1] == (1, outcome, "Decided by a person.")
    assert kinds(message)[-1] == f"message.{state}"
    assert len(claim(alice_device, number)) == (outcome == "not_sent")


def test_lets_nobody_decide_what_is_known(alice_device, bob_device, number):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    with nothing_happens():
        assert problem(resolve(bob_device, message, "not_sent"))[:2] == (409, "wrong_state")


def test_leases_no_longer_than_lateness_allows(alice_device, number, clock):
    queued(alice_device, number, lateness_minutes=1)
    clock.advance(30)
    [message] = claim(alice_device, number)
    assert message["lease_until"] == message["expires_at"]
    clock.advance(31)
    with nothing_happens():
        assert problem(report(alice_device, message, "sending"))[:2] == (409, "stale_fence")
    settle_expired_leases()
    assert state_of(message) == "skipped"
