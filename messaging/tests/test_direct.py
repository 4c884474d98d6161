"""A member's own messages, and cancelling what waits."""

from collections import Counter
from datetime import timedelta

import pytest

from accounts import actors
from accounts.models import Event
from crm.services.contacts import create_contact
from messaging.models import QueuedMessage
from messaging.services.direct import cancel_message, send_message
from messaging.services.dispatch import claim_messages
from messaging.tests.calls import CHAT, ask, claim, handed, kinds, problem, queued, report
from messaging.tests.test_dispatch_races import offsets, together
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db


def send(device, number, **values):
    payload = {"whatsapp_account": str(number.pk), "chat_jid": CHAT, "parts": [{"body": "Olá!"}]} | values
    payload = {name: value for name, value in payload.items() if value is not None}
    return device.client.post("/api/v1/dispatch/messages/", payload)


def sent(device, number, **values) -> list[dict]:
    answer = send(device, number, **values)
    assert answer.status_code == 201, answer.json()
    return answer.json()["messages"]


def cancel(device, message_id):
    return device.client.delete(f"/api/v1/dispatch/{message_id}/")


def test_sends_message(acme, alice, alice_device, number, clock):
    id = uuid7()
    parts = [{"body": "One"}, {"body": "  Two\n"}]
    first, second = sent(alice_device, number, id=str(id), parts=parts, send_within_minutes=5, on_late="ask")
    rows = QueuedMessage.objects.order_by("position")
    assert [row.body for row in rows] == ["One", "Two"]
    one = rows[0]
    assert (one.pk, one.source, one.created_by, one.workspace) == (id, "direct", alice, acme)
    assert {row.origin_id for row in rows} == {id}
    assert (one.due_at, one.not_before, one.expires_at) == (clock(), clock(), clock() + timedelta(minutes=5))
    assert (one.on_late, one.chat_jid) == ("ask", CHAT)
    assert [first["id"], first["state"], second["position"]] == [str(id), "queued", 1]
    assert Event.objects.get(kind="message.created").count == 2


def test_hands_out_at_once_and_in_order(alice_device, bob_device, number):
    """On whichever device holds the number."""
    messages = sent(alice_device, number, parts=[{"body": str(index)} for index in range(3)])
    assert [one["id"] for one in claim(bob_device, number)] == [one["id"] for one in messages]


def test_writes_to_a_contact(acme, alice, alice_device, number):
    ana = create_contact(
        workspace=acme,
        actor=actors.person(alice),
        source="person",
        identities=[{"kind": "phone", "value": "+5511987654321"}],
        name="Ana",
    )[0]
    [message] = sent(alice_device, number, contact=str(ana.pk), chat_jid=None)
    assert (message["chat_jid"], message["contact"]) == (CHAT, str(ana.pk))


def test_sends_once(alice_device, number):
    id = str(uuid7())
    first = sent(alice_device, number, id=id, parts=[{"body": "One"}, {"body": "Two"}])
    again = send(alice_device, number, id=id, parts=[{"body": "Other"}])
    assert again.status_code == 200
    assert again.json()["messages"] == first
    assert QueuedMessage.objects.count() == 2


def test_refuses_id_of_others(alice_device, charlie_device, number, foreign_number):
    id = str(uuid7())
    sent(alice_device, number, id=id)
    assert problem(send(charlie_device, foreign_number, id=id))[:2] == (409, "id_taken")
    assert QueuedMessage.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"parts": []}, "parts"),
        ({"parts": [{"body": "x"}] * 11}, "parts"),
        ({"parts": [{"body": "x" * 65_537}]}, "parts.0.body"),
        ({"parts": [{"body": "  "}]}, "parts.0"),
        ({"parts": [{"body": "", "media": str(uuid7())}]}, "parts.0.media"),
        ({"chat_jid": None}, "chat_jid"),
        ({"chat_jid": "nobody"}, "chat_jid"),
        ({"chat_jid": "status@broadcast"}, "chat_jid"),
        ({"contact": str(uuid7())}, "contact"),
        ({"send_within_minutes": 0}, "send_within_minutes"),
        ({"send_within_minutes": 10_081}, "send_within_minutes"),
        ({"on_late": "cry"}, "on_late"),
        ({"id": "0190a5e6-0000-4000-8000-000000000000"}, "id"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_refuses_what_cannot_be_sent(alice_device, number, values, field):
    status, code, *errors = problem(send(alice_device, number, **values))
    assert (status, code) == (400, "invalid")
    assert errors[0][0].startswith(field)
    assert not QueuedMessage.objects.exists()
    assert not Event.objects.filter(kind="message.created").exists()


def test_refuses_foreign_number(charlie_device, number):
    assert problem(send(charlie_device, number)) == (400, "invalid", ("whatsapp_account", "does_not_exist"))


def test_cancels_what_waits(alice_device, bob_device, number):
    one, other = sent(alice_device, number, parts=[{"body": "One"}, {"body": "Two"}])
    answer = cancel(bob_device, one["id"])
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert cancel(bob_device, one["id"]).status_code == 200
    assert kinds(one)[1:] == ["message.cancelled"]
    assert [message["id"] for message in claim(alice_device, number)] == [other["id"]]


def test_cancels_what_waits_for_a_decision(alice_device, number):
    [message] = sent(alice_device, number)
    QueuedMessage.objects.update(state="late")
    assert cancel(alice_device, message["id"]).json()["state"] == "cancelled"


@pytest.mark.parametrize("step", [None, "sending", "sent", "failed"])
def test_cancels_nothing_that_was_handed_out(alice_device, number, step):
    sent(alice_device, number)
    [message] = claim(alice_device, number)
    if step:
        report(alice_device, message, step)
    before = QueuedMessage.objects.values().get()
    assert problem(cancel(alice_device, message["id"]))[:2] == (409, "wrong_state")
    assert QueuedMessage.objects.values().get() == before


def test_cancels_nothing_of_others(alice_device, charlie_device, number):
    [message] = sent(alice_device, number)
    assert cancel(charlie_device, message["id"]).status_code == 404
    assert QueuedMessage.objects.get().state == "queued"


def test_cancels_what_another_source_queued(alice_device, number):
    message = queued(alice_device, number)
    assert cancel(alice_device, message.pk).status_code == 200
    assert ask(alice_device, number).json()["messages"] == []


@pytest.mark.django_db(transaction=True)
def test_cancels_or_hands_out(acme, alice, alice_device, number):
    """Cancelled and never handed out, or handed out and the cancel refused: both endings, nothing in between."""
    actor, endings = actors.person(alice), Counter()
    for turn in range(12):
        [message], _ = send_message(
            workspace=acme,
            user=alice,
            actor=actor,
            whatsapp_account=number,
            chat_jid=f"551190000{turn:04}@c.us",
            parts=[{"body": "x"}],
        )

        def take():
            return handed(
                claim_messages(
                    workspace=acme,
                    account_id=number.pk,
                    instance=alice_device.instance,
                    claim_id=uuid7(),
                    limit=10,
                )
            )

        def call_off(message=message):
            return cancel_message(workspace=acme, message_id=message.pk, actor=actor)

        # The first rounds let one side win for certain, on a busy machine, too.
        certain = [(0, 0.5), (0.5, 0)]
        cancelled, claimed = together(call_off, take, offsets=certain[turn] if turn < 2 else offsets(turn))
        message.refresh_from_db()
        if isinstance(cancelled, Refused):
            assert (cancelled.code, cancelled.extra) == ("wrong_state", {"state": "leased"})
            assert len(claimed) == 1
            assert (message.state, message.fence) == ("leased", 1)
            QueuedMessage.objects.filter(pk=message.pk).update(state="sent", lease_until=None)
            endings["handed out"] += 1
        else:
            assert claimed == []
            assert (message.state, message.fence) == ("cancelled", 0)
            endings["cancelled"] += 1
    assert set(endings) == {"handed out", "cancelled"}


@pytest.mark.django_db(transaction=True)
def test_sends_once_from_two_requests(acme, alice, number):
    """The same request twice at one moment makes one message, and both are answered with it."""
    for _ in range(5):
        id = uuid7()

        def write(id=id):
            return send_message(
                workspace=acme,
                user=alice,
                actor=actors.person(alice),
                whatsapp_account=number,
                chat_jid=CHAT,
                parts=[{"body": "x"}, {"body": "y"}],
                id=id,
            )

        answers = together(write, write)
        assert sorted(is_new for _, is_new in answers) == [False, True]
        assert {tuple(row.pk for row in rows) for rows, _ in answers} == {
            tuple(QueuedMessage.objects.filter(origin_id=id).order_by("position").values_list("pk", flat=True))
        }
        assert QueuedMessage.objects.filter(origin_id=id).count() == 2
