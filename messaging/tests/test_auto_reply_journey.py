"""An automatic reply all the way over HTTP: read in a chat, decided on, handed out, sent, acknowledged, explained."""

import itertools
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import Event
from messaging.models import QueuedMessage
from messaging.tests.auto_reply_calls import add_rule, words
from messaging.tests.calls import CHAT, ask, claim, problem, report
from messaging.tests.seen import message, stored, switch, upload

pytestmark = pytest.mark.django_db

RULES = "/api/v1/auto-replies/"
DECISIONS = f"{RULES}decisions/"
_ids = itertools.count(1)


def now() -> str:
    return timezone.now().isoformat()


def receive(device, number, text: str, chat_jid: str = CHAT, **values) -> str:
    """A live message comes in at a device, which sends its text where that is needed; answers its bare id."""
    id = values.pop("id", f"3A{next(_ids):018X}")
    needs = device.client.get("/api/v1/conversations/needs/", {"whatsapp_account": str(number.pk)}).json()
    said = text if needs["live_text"] or needs["persons_content"] else None
    item = message(id, chat_jid=chat_jid, text=said, live=True, sent_at=now(), **values)
    assert upload(device, number, [item])["messages"][0] in ("stored", "known", "not_needed")
    return id


def decision_on(device, id: str) -> dict:
    [found] = [row for row in device.client.get(DECISIONS).json()["results"] if row["message_id"] == id]
    return found


def send(device, number, message: dict) -> None:
    """Send what was handed out, and see it in the chat as WhatsApp Web shows it."""
    assert report(device, message, "sending").json()["send_within_ms"] == 30_000
    assert report(device, message, "sent", sent_at=now()).json()["state"] == "sent"
    own = {"message_id": message["message_id"], "from_me": True, "chat_jid": message["chat_jid"]}
    item = {**own, "type": "chat", "sent_at": now(), "live": True}
    assert upload(device, number, [item])["messages"][0] in ("stored", "not_needed")


def acknowledge(device, number, message: dict, level: int) -> str:
    ack = {"message_id": f"true_{message['chat_jid']}_{message['message_id']}", "ack": level, "scheme": "whatsapp_web"}
    answer = device.client.post("/api/v1/dispatch/acks/", {"whatsapp_account": str(number.pk), "acks": [ack]})
    [result] = answer.json()["results"]
    return result["state"]


def test_answers_over_http_from_message_to_acknowledgement(alice_device, bob_device, charlie_device, number, clock):
    made = alice_device.client.post(
        RULES,
        {
            "name": "Price",
            "enabled": True,
            "conditions": words("price"),
            "parts": [{"body": "Our list:"}, {"body": "From 10 up."}],
            "cool_down_minutes": 60,
            "delay_seconds": 3,
        },
    )
    assert made.status_code == 201, made.json()
    switch(number)

    id = receive(bob_device, number, "What is the PRICE?")
    assert receive(alice_device, number, "What is the PRICE?", id=id) == id  # a second device saw it, too
    assert claim(bob_device, number) == []  # its delay
    clock.advance(3)
    handed = claim(bob_device, number)
    assert [(one["body"], one["chat_jid"], one["source"], one["wait_ms"]) for one in handed] == [
        ("Our list:", CHAT, "auto_reply", 0),
        ("From 10 up.", CHAT, "auto_reply", 0),
    ]
    for one in handed:
        send(bob_device, number, one)
        assert [acknowledge(bob_device, number, one, level) for level in (1, 2, 3, 2)] == [
            *("sent", "delivered", "read", "read")
        ]
        assert claim(bob_device, number) == []

    told = decision_on(bob_device, id)
    assert (told["verdict"], told["sentence"], told["chat_jid"]) == ("answered", "Answered.", CHAT)
    [rule] = told["rules"]
    assert (rule["rule"], rule["why"], rule["failed"]) == (made.json()["id"], "fits", [])
    assert rule["sentence"]
    read = bob_device.client.get(f"{DECISIONS}{told['id']}/")
    assert read.json() == told
    assert problem(charlie_device.client.get(f"{DECISIONS}{told['id']}/")) == (404, "not_found")
    assert charlie_device.client.get(DECISIONS).json()["results"] == []
    sent = QueuedMessage.objects.values_list("state", "origin_id", "fence")
    assert list(sent) == [("read", UUID(told["id"]), 1)] * 2
    kinds = ("auto_reply.answered", "message.sending", "message.sent")
    assert list(Event.objects.filter(kind__in=kinds).order_by("id").values_list("kind", flat=True)) == [
        *("auto_reply.answered", "message.sending", "message.sent", "message.sending", "message.sent")
    ]

    assert [text for *_, text in stored()] == ["What is the PRICE?", None, None]

    again = decision_on(bob_device, receive(bob_device, number, "and the price of two?"))
    assert (again["verdict"], claim(bob_device, number)) == ("cool_down", [])
    other = decision_on(bob_device, receive(bob_device, number, "thank you"))
    assert (other["verdict"], other["rules"]) == ("no_match", [])


def test_answers_nobody_who_opted_out_with_the_same_words(alice_device, number, clock):
    """“Stop” is a word that any rule would answer: the person is heard first."""
    add_rule(number.workspace)
    receive(alice_device, number, "hello")
    [first] = claim(alice_device, number)
    send(alice_device, number, first)
    clock.advance(60)
    id = receive(alice_device, number, "STOP")
    assert decision_on(alice_device, id)["verdict"] == "opted_out"
    assert ask(alice_device, number).json()["messages"] == []
    assert QueuedMessage.objects.count() == 1


@pytest.fixture
def sides(alice_device, charlie_device, number, foreign_number):
    """Two workspaces that answer everything, and write to each other: Alice's number and Charlie's."""
    add_rule(number.workspace, says="How can I help you?")
    add_rule(foreign_number.workspace, says="Thank you for your message.")
    return [(alice_device, number), (charlie_device, foreign_number)]


def talk(sides, clock, *, seconds: float, says=lambda body, turn: body) -> tuple[list[dict], int]:
    """Carry each message over to the other side until one is silent; the decisions of both sides, the last first."""
    (device, number), (peer, peer_number) = sides
    receive(device, number, "Hello", peer_number.jid)
    for turn in range(100):
        clock.advance(seconds)
        sent = claim(device, number)
        if not sent:
            return [each.client.get(DECISIONS).json()["results"][0] for each in (device, peer)], turn
        [one] = sent
        assert one["chat_jid"] == peer_number.jid
        send(device, number, one)
        acknowledge(device, number, one, 2)
        receive(peer, peer_number, says(one["body"], turn), number.jid, id=one["message_id"])
        (device, number), (peer, peer_number) = (peer, peer_number), (device, number)
    raise AssertionError("they are still talking")


def test_two_robots_that_answer_at_once_stop(sides, clock):
    last, turns = talk(sides, clock, seconds=1)
    assert turns == 6  # each has answered three times
    assert (last[0]["verdict"], "robot" in last[0]["sentence"]) == ("loop", True)
    assert QueuedMessage.objects.exclude(state="delivered").count() == 0


def test_two_robots_that_take_their_time_and_say_the_same_stop(sides, clock):
    last, turns = talk(sides, clock, seconds=60)
    # Charlie's number had sent nothing yet when the first came, so nobody read it: Alice's side is first to know.
    assert turns == 8
    assert last[0]["verdict"] == "loop"


def test_two_robots_that_never_say_the_same_stop(sides, clock):
    last, turns = talk(sides, clock, seconds=60, says=lambda body, turn: f"{body} {turn}")
    assert turns == 16
    assert last[0]["verdict"] == "loop"


def test_robots_stay_silent_for_a_day(sides, clock):
    last, turns = talk(sides, clock, seconds=1)
    device, number = sides[turns % 2]
    peer_number = sides[1 - turns % 2][1]
    clock.advance(23 * 3600)
    assert decision_on(device, receive(device, number, "Hello?", peer_number.jid))["verdict"] == "muted"
    clock.advance(3600)
    assert decision_on(device, receive(device, number, "Hello!", peer_number.jid))["verdict"] == "answered"
