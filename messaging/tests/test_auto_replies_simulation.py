"""Simulations: what would have been answered and why not, with nothing written."""

from datetime import timedelta

import pytest
from django.db import InternalError, connection, transaction

from accounts.models import Event
from crm.models import Chat
from messaging.models import (
    AutoReplyAnswer,
    AutoReplyChat,
    AutoReplyDecision,
    AutoReplyRule,
    ConversationMessage,
    QueuedMessage,
)
from messaging.services.auto_replies import simulation
from messaging.tests.auto_reply_calls import ANY, CHAT, add_rule, words
from messaging.tests.calls import problem

pytestmark = pytest.mark.django_db
SIMULATE = "/api/v1/auto-replies/simulate/"
TABLES = (AutoReplyAnswer, AutoReplyChat, AutoReplyDecision, AutoReplyRule, QueuedMessage, Event, ConversationMessage)


def everything() -> dict:
    return {model._meta.label: list(model.objects.order_by("pk").values()) for model in TABLES}


@pytest.fixture
def past(acme, number, clock):
    """A day ago: they ask, a member writes, they ask again twice within the silence, and an hour later."""
    chat = Chat.objects.create(workspace=acme, whatsapp_account=number, jid=CHAT, kind="person", search_text="")
    start = clock.now - timedelta(days=1)

    def told(minutes: int, text: str, from_me: bool = False):
        ConversationMessage.objects.create(
            workspace=acme,
            chat=chat,
            seen_in=chat.pk,
            message_id=f"PAST{minutes}",
            from_me=from_me,
            type="chat",
            sent_at=start + timedelta(minutes=minutes),
            has_content=True,
            text=text,
            search_text=f" {text}",
            synced_at=clock.now,
        )

    told(0, "price?")
    told(5, "I look", from_me=True)
    told(9, "the price please")
    told(10, "hello?")
    told(70, "price")
    told(75, "thanks")
    return start


def run(device, **payload):
    answer = device.client.post(SIMULATE, payload, format="json")
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_judges_past_with_guards_of_then(alice_device, acme, number, past):
    rule = add_rule(acme, conditions=words("price"), cool_down_minutes=1)
    before = everything()
    found = run(alice_device, since=past.isoformat())
    assert everything() == before
    assert [(row["text"], row["sentence"]) for row in found["messages"]] == [
        ("price?", "Answered."),
        ("the price please", "Did not answer: a member wrote four minutes ago."),
        ("hello?", "Did not answer: a member wrote five minutes ago."),
        ("price", "Answered."),
        ("thanks", "Did not answer: no rule fits."),
    ]
    assert found["messages"][1]["rules"][0]["sentence"] == "Would have answered (“price” stands in it)."
    assert (found["looked_at"], found["stopped_by"]) == (5, None)
    assert found["verdicts"] == {"answered": 2, "member_wrote": 2, "no_match": 1}
    assert found["answered_by"] == [{"rule": str(rule.pk), "name": rule.name, "count": 2}]


def test_tries_rule_that_is_not_saved(alice_device, acme, past):
    rule = {"name": "Thanks", "conditions": words("thanks"), "parts": [{"body": "You are welcome"}]}
    before = everything()
    found = run(alice_device, rule=rule, since=past.isoformat(), samples=["Thanks a lot", "What?"])
    assert everything() == before
    assert found["verdicts"] == {"member_wrote": 2, "no_match": 2, "answered": 1}
    assert [row["sentence"] for row in found["samples"]] == ["Answered.", "Did not answer: no rule fits."]


def test_tries_rules_that_are_off_if_named(alice_device, acme, past):
    rule = add_rule(acme, enabled=False)
    assert run(alice_device, since=past.isoformat())["verdicts"] == {"no_match": 3, "member_wrote": 2}
    assert run(alice_device, rules=[str(rule.pk)], since=past.isoformat())["verdicts"]["answered"] == 3


def test_bounds_number_of_messages_and_time(acme, past, monkeypatch):
    add_rule(acme)
    monkeypatch.setattr(simulation, "MAX_MESSAGES", 3)
    found = simulation.simulate(workspace=acme, since=past)
    assert (found.looked_at, found.stopped_by) == (2, "messages")
    found = simulation.simulate(workspace=acme, since=past, budget=-1)
    assert (found.looked_at, found.stopped_by) == (0, "time")


def test_cannot_write(acme, monkeypatch):
    """The proof of the proof: whatever would write inside of a simulation is refused by the database."""

    def write(*args, **kwargs):
        AutoReplyChat.objects.update(quick_count=1)

    monkeypatch.setattr(simulation, "setting_of", write)
    with pytest.raises(InternalError, match="read-only"), transaction.atomic():
        simulation.simulate(workspace=acme, samples=["x"])
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        assert cursor.fetchone() == ("off",)


def test_sees_nothing_of_other_workspace(charlie_device, acme, past, number):
    assert run(charlie_device, since=past.isoformat())["looked_at"] == 0
    answer = charlie_device.client.post(SIMULATE, {"whatsapp_account": str(number.pk)}, format="json")
    assert problem(answer)[0] == 400


def test_refuses_wrong_rule(alice_device, acme):
    answer = alice_device.client.post(SIMULATE, {"rule": {"name": "x", "conditions": ANY + [{}]}}, format="json")
    assert answer.status_code == 400
