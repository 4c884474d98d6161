"""Two instances, two connections: one message is decided on once, and caps hold."""

import pytest

from accounts import actors
from messaging.models import AutoReplyDecision, Verdict
from messaging.services.auto_replies.rules import update_rule, update_setting
from messaging.tests.auto_reply_calls import add_rule, answers, message, see
from messaging.tests.test_dispatch_races import together

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 8


def test_decides_once_on_message_that_two_instances_see(acme, number):
    add_rule(acme)
    for turn in range(ROUNDS):
        seen = message(number, f"hi {turn}", chat_jid=f"55119876{turn:05}@c.us")
        together(*[lambda seen=seen: see(number, seen)] * 2)
    assert AutoReplyDecision.objects.filter(verdict=Verdict.ANSWERED).count() == ROUNDS
    assert answers() == ["Hello!"] * ROUNDS


def test_decides_once_on_message_that_two_addresses_show(acme, number):
    add_rule(acme)
    for turn in range(ROUNDS):
        one = message(number, "hi", chat_jid=f"55119876{turn:05}@c.us")
        other = message(number, "hi", chat_jid=f"15716373225{turn:04}@lid", message_id=one.message_id)
        together(lambda one=one: see(number, one), lambda other=other: see(number, other))
    assert AutoReplyDecision.objects.count() == ROUNDS
    assert answers() == ["Hello!"] * ROUNDS


def test_rests_although_messages_come_at_once(acme, number):
    add_rule(acme, cool_down_minutes=60)
    messages = [message(number, f"hi {turn}") for turn in range(4)]
    together(*[lambda seen=seen: see(number, seen) for seen in messages])
    assert answers() == ["Hello!"]
    assert AutoReplyDecision.objects.filter(verdict=Verdict.COOL_DOWN).count() == 3


def test_keeps_cap_of_number_although_chats_write_at_once(acme, number, alice):
    add_rule(acme)
    update_setting(workspace=acme, actor=actors.person(alice), number_per_hour=3)
    messages = [message(number, "hi", chat_jid=f"55119876{turn:05}@c.us") for turn in range(6)]
    together(*[lambda seen=seen: see(number, seen) for seen in messages])
    assert len(answers()) == 3
    assert AutoReplyDecision.objects.filter(verdict=Verdict.NUMBER_CAP).count() == 3


def test_goes_by_rule_that_another_process_changed(acme, number, alice):
    """What this process compiled is dropped as soon as another one's change is committed."""
    rule = add_rule(acme)
    see(number, message(number, "a"))
    together(
        lambda: update_rule(
            workspace=acme, rule_id=rule.pk, actor=actors.person(alice), parts=[{"body": "New", "media": None}]
        )
    )
    see(number, message(number, "b", chat_jid="5511987650000@c.us"))
    assert sorted(answers()) == ["Hello!", "New"]
