"""What keeps automatic replies from answering, each with its sentence and with what was counted."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts import actors
from crm.models import Chat, ContactIdentity
from crm.services.contacts import create_contact
from crm.services.merging import merge_contacts, undo_merge
from messaging.models import (
    AutoReplyAnswer,
    AutoReplyChat,
    AutoReplyDecision,
    MessageSource,
    QueuedMessage,
    SuppressionSource,
    Verdict,
)
from messaging.services.auto_replies.chats import give_back_chat, take_over_chat
from messaging.services.auto_replies.rules import update_setting
from messaging.services.queueing import NewMessage, queue_messages
from messaging.services.suppression.acts import suppress
from messaging.tests.auto_reply_calls import (
    ANY,
    CHAT,
    add_rule,
    answers,
    chat_row,
    message,
    receive,
    said,
    see,
    words,
    write,
)
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db


def test_answers_incoming_message(acme, number, clock):
    rule = add_rule(acme, says=["Hello!", "We are here."], delay_seconds=5)
    decision = receive(number, "Bom dia")
    assert (decision.verdict, said(decision)) == (Verdict.ANSWERED, "Answered.")
    first, second = QueuedMessage.objects.filter(source=MessageSource.AUTO_REPLY).order_by("position")
    assert (first.body, second.body) == ("Hello!", "We are here.")
    assert first.chat_jid == CHAT
    assert first.origin_id == second.origin_id == decision.pk
    assert first.due_at == clock.now + timedelta(seconds=5)
    assert first.expires_at == clock.now + timedelta(seconds=5, minutes=10)
    assert (first.created_by, first.recipient_zone, first.state) == (None, "America/Sao_Paulo", "queued")
    assert AutoReplyAnswer.objects.get().rule == rule


def test_keeps_no_text_of_message(acme, number):
    add_rule(acme, conditions=words("price"))
    receive(number, "What is the PRICE of canary-7261?")
    row = AutoReplyDecision.objects.values().get()
    assert "canary" not in str(row) + str(list(AutoReplyAnswer.objects.values())) + str(chat_row(number).__dict__)
    assert row["rules"][0]["keyword"] == "price"


def test_answers_same_message_once(acme, number):
    add_rule(acme)
    seen = message(number)
    see(number, seen)
    see(number, seen)
    see(number, seen, seen)
    assert answers() == ["Hello!"]
    assert AutoReplyDecision.objects.count() == 1


def test_answers_message_once_that_two_addresses_show(acme, number):
    """A chat may be seen as `c.us` by one device and as `lid` by another."""
    add_rule(acme)
    see(number, message(number, message_id="SAME"))
    see(number, message(number, message_id="SAME", chat_jid="157163732254124@lid"))
    assert answers() == ["Hello!"]


def test_answers_address_of_conversation(acme, number):
    add_rule(acme)
    receive(number, chat_jid="157163732254124@lid")
    assert QueuedMessage.objects.get().chat_jid == "157163732254124@lid"


@pytest.mark.parametrize(
    "values",
    [
        {"from_me": True},
        {"is_live": False},
        {"chat_jid": "status@broadcast"},
        {"chat_jid": "120363041234567890@newsletter"},
        {"chat_jid": "120363041234567890@g.us"},
        {"type": "notification"},
        {"type": "reaction"},
        {"type": "revoked"},
        {"type": "ciphertext"},
        {"chat_jid": "nonsense"},
    ],
)
def test_decides_nothing_on_what_nobody_asked(acme, number, values):
    add_rule(acme)
    assert receive(number, **values) is None
    assert answers() == []


def test_answers_group_if_chosen(acme, number):
    add_rule(acme, chat_kinds=["group"])
    assert said(receive(number, chat_jid="120363041234567890@g.us", participant=CHAT)) == "Answered."
    decision = receive(number)
    assert said(decision) == "Did not answer: no rule fits."
    assert decision.others == {"chat_kind": 1}


def test_decides_nothing_where_no_rule_is_on(acme, number):
    add_rule(acme, enabled=False)
    assert receive(number) is None
    assert (AutoReplyDecision.objects.count(), AutoReplyChat.objects.count()) == (0, 0)


def test_leaves_old_message(acme, number):
    add_rule(acme)
    assert said(receive(number, age=10 * 60)) == "Answered."
    assert said(receive(number, age=12 * 60)) == "Did not answer: the message was written 12 minutes ago."
    assert len(answers()) == 1


def test_stays_silent_after_member_wrote(acme, number, clock):
    add_rule(acme)
    write(number)
    clock.advance(4 * 60)
    assert said(receive(number)) == "Did not answer: a member wrote four minutes ago."
    clock.advance(26 * 60 - 1)
    assert said(receive(number)) == "Did not answer: a member wrote 29 minutes ago."
    clock.advance(1)
    assert said(receive(number)) == "Answered."
    assert answers() == ["Hello!"]


def test_stays_silent_after_member_queued(acme, number, clock, alice):
    add_rule(acme)
    with transaction.atomic():
        id = uuid7()
        now = timezone.now()
        row = NewMessage(
            id=id,
            source=MessageSource.DIRECT,
            origin_id=id,
            whatsapp_account_id=number.pk,
            chat_jid=CHAT,
            due_at=now,
            expires_at=now + timedelta(hours=1),
            body="On my way",
        )
        queue_messages(workspace=acme, rows=[row])
    clock.advance(60)
    assert said(receive(number)) == "Did not answer: a member wrote one minute ago."


def test_takes_own_answer_for_no_member(acme, number, clock):
    add_rule(acme)
    receive(number)
    ours = QueuedMessage.objects.get()
    write(number, "Hello!", message_id=ours.message_id)
    clock.advance(60)
    assert said(receive(number)) == "Answered."


def test_waits_as_long_as_workspace_says(acme, number, clock, alice):
    add_rule(acme)
    update_setting(workspace=acme, actor=actors.person(alice), silence_minutes=5)
    write(number)
    clock.advance(5 * 60)
    assert said(receive(number)) == "Answered."


def test_takes_over_and_gives_back(acme, number, clock, alice):
    add_rule(acme)
    actor = actors.person(alice)
    take_over_chat(workspace=acme, account=number, chat_jid=CHAT, actor=actor)
    clock.advance(3600 * 24 * 7)
    assert said(receive(number)) == "Did not answer: a member has taken the chat over."
    give_back_chat(workspace=acme, account=number, chat_jid=CHAT, actor=actor)
    assert said(receive(number)) == "Answered."
    take_over_chat(workspace=acme, account=number, chat_jid=CHAT, actor=actor, minutes=60)
    assert said(receive(number)) == "Did not answer: a member has taken the chat over until 2026-06-08 13:00."
    clock.advance(3600)
    assert said(receive(number)) == "Answered."


def test_keeps_chat_taken_over_once_its_contact_is_known(acme, number, clock, alice):
    add_rule(acme)
    actor = actors.person(alice)
    take_over_chat(workspace=acme, account=number, chat_jid=CHAT, actor=actor)
    contact, _ = create_contact(
        workspace=acme, actor=actor, source="manual", identities=[{"kind": "phone", "value": "+5511987654321"}]
    )
    decision = receive(number, contact_id=contact.pk)
    assert said(decision) == "Did not answer: a member has taken the chat over."


HOUR, FOR_GOOD = 60, None


@pytest.mark.parametrize(
    ("kept", "absorbed", "sentence"),
    [
        ([], [FOR_GOOD], "Did not answer: a member has taken the chat over."),
        ([HOUR], [FOR_GOOD], "Did not answer: a member has taken the chat over."),
        ([FOR_GOOD], [HOUR], "Did not answer: a member has taken the chat over."),
        ([], [HOUR], "Did not answer: a member has taken the chat over until 2026-06-01 13:00."),
        ([HOUR], [2 * HOUR], "Did not answer: a member has taken the chat over until 2026-06-01 14:00."),
        ([2 * HOUR], [HOUR], "Did not answer: a member has taken the chat over until 2026-06-01 14:00."),
        ([], [], "Answered."),
    ],
)
def test_keeps_chat_taken_over_when_its_contact_goes_into_another(
    acme, number, clock, alice, bob, kept, absorbed, sentence
):
    add_rule(acme)
    contacts = []
    for phone, person, takings in (("+5511987654321", alice, kept), ("+5511987650000", bob, absorbed)):
        contact, _ = create_contact(
            workspace=acme, actor=actors.SYSTEM, source="manual", identities=[{"kind": "phone", "value": phone}]
        )
        contacts.append(contact)
        chat_jid = f"{phone[1:]}@c.us"
        Chat.objects.create(
            workspace=acme, whatsapp_account=number, jid=chat_jid, kind="person", contact=contact, search_text=""
        )
        # Each has a row of its own: a single one would just move along.
        receive(number, contact_id=contact.pk, chat_jid=chat_jid, age=601)
        for minutes in takings:
            take_over_chat(
                workspace=acme, account=number, chat_jid=chat_jid, actor=actors.person(person), minutes=minutes
            )
    stays, goes = contacts
    merge, _ = merge_contacts(workspace=acme, actor=actors.SYSTEM, kept_id=stays.pk, absorbed_id=goes.pk)
    assert said(receive(number, contact_id=stays.pk, chat_jid="5511987650000@c.us")) == sentence
    undo_merge(workspace=acme, actor=actors.SYSTEM, merge_id=merge.pk)
    assert said(receive(number, contact_id=stays.pk, age=1)) == sentence
    was_taken = AutoReplyChat.objects.get(contact=goes)
    assert (was_taken.taken_over, was_taken.taken_over_by) == (bool(absorbed), bob if absorbed else None)


def test_waits_for_member_who_wrote_to_contact_that_went_into_another(acme, number, clock):
    add_rule(acme)
    contacts = [
        create_contact(workspace=acme, actor=actors.SYSTEM, source="manual", identities=[], name=name)[0]
        for name in "AB"
    ]
    stays, goes = contacts
    for contact in contacts:
        receive(number, contact_id=contact.pk, age=601)
    write(number, contact_id=goes.pk)
    merge_contacts(workspace=acme, actor=actors.SYSTEM, kept_id=stays.pk, absorbed_id=goes.pk)
    clock.advance(60)
    assert said(receive(number, contact_id=stays.pk)) == "Did not answer: a member wrote one minute ago."


def test_rests_after_answer(acme, number, clock):
    add_rule(acme, cool_down_minutes=60)
    assert said(receive(number)) == "Answered."
    clock.advance(5 * 60)
    decision = receive(number, "hi again")
    assert said(decision) == "Did not answer: the rule that fits answered here five minutes ago."
    assert decision.rules[0]["why"] == "cool_down"
    assert said(receive(number, chat_jid="5511987650000@c.us")) == "Answered."
    clock.advance(55 * 60)
    assert said(receive(number, "still there?")) == "Answered."


def test_answers_no_more_than_cap_in_chat(acme, number, clock, alice):
    add_rule(acme)
    update_setting(workspace=acme, actor=actors.person(alice), chat_per_hour=3, loop_exchanges=50)
    for turn in range(3):
        clock.advance(60)
        assert said(receive(number, f"hi {turn}")) == "Answered."
    clock.advance(60)
    assert said(receive(number, "more")) == "Did not answer: more than 3 answers an hour go into no chat."
    assert len(answers()) == 3
    clock.advance(58 * 60)
    assert said(receive(number, "later")) == "Answered."


def test_answers_no_more_than_cap_from_number(acme, number, second_number, alice):
    add_rule(acme)
    update_setting(workspace=acme, actor=actors.person(alice), number_per_hour=3)
    see(number, *(message(number, chat_jid=f"551198765{digits}@c.us") for digits in range(1000, 1005)))
    refused = AutoReplyDecision.objects.filter(verdict=Verdict.NUMBER_CAP)
    assert len(answers()) == 3
    assert [said(each) for each in refused] == ["Did not answer: more than 3 answers an hour come from no number."] * 2
    assert said(receive(second_number)) == "Answered."


def test_leaves_own_words(acme, number, clock):
    """A robot on the other side that repeats what it hears."""
    add_rule(acme, says="Hello, we are closed.")
    receive(number, "hi")
    clock.advance(60)
    decision = receive(number, "HELLO, we are  closed.")
    assert said(decision) == "Did not answer: these are our own words, coming back."


def test_leaves_message_that_another_own_number_sent(acme, number, second_number, clock):
    add_rule(acme)
    receive(number)
    ours = QueuedMessage.objects.get()
    decision = receive(second_number, "Hello!", message_id=ours.message_id, chat_jid=number.jid)
    assert said(decision) == "Did not answer: these are our own words, coming back."


def test_leaves_suppressed(acme, number, alice):
    add_rule(acme)
    suppress(workspace=acme, actor=actors.person(alice), source=SuppressionSource.PERSON, jid=CHAT)
    assert said(receive(number)) == "Did not answer: this person does not want to be contacted."
    assert answers() == []


@pytest.mark.parametrize("type", ["image", "ptt", "something_new"])
def test_answers_wordless_message_to_any_only(acme, number, type):
    add_rule(acme, conditions=[{"kind": "first_message"}])
    assert said(receive(number, None, type=type)) == "Did not answer: no rule fits."
    add_rule(acme, conditions=[{"kind": "first_message"}, *ANY])
    assert said(receive(number, None, type=type, chat_jid="5511987650000@c.us")) == "Answered."


def test_mutes_who_answers_within_seconds(acme, number, clock):
    add_rule(acme)
    found = []
    for turn in range(6):
        found.append(said(receive(number, f"Ticket {turn}")))
        clock.advance(2)
    assert found == ["Answered."] * 3 + [
        "Did not answer: a robot seems to write here, three messages in a row came within seconds of our answers. "
        "The chat is muted for a day.",
        *["Did not answer: the chat is muted until 2026-06-02 12:00, because a robot seems to write here."] * 2,
    ]
    clock.advance(24 * 3600)
    assert said(receive(number, "me again")) == "Answered."


def test_mutes_who_says_the_same_to_every_answer(acme, number, clock):
    add_rule(acme)
    found = []
    for _ in range(4):
        found.append(said(receive(number, "Please choose: 1 or 2")))
        clock.advance(40)
    assert found[:3] == ["Answered."] * 3
    assert found[3].startswith("Did not answer: a robot seems to write here, the same was written four times")


def test_mutes_after_many_answers_without_person(acme, number, clock, alice):
    add_rule(acme)
    found = []
    for turn in range(9):
        found.append(said(receive(number, f"Number {turn}")))
        clock.advance(60)
    assert found[:8] == ["Answered."] * 8
    assert found[8].startswith(
        "Did not answer: a robot seems to write here, there were eight answers with no person in between."
    )
    give_back_chat(workspace=acme, account=number, chat_jid=CHAT, actor=actors.person(alice))
    clock.advance(1800)
    assert said(receive(number, "hi")) == "Answered."


def test_two_robots_stop(acme, number, second_number, clock):
    """Two numbers that answer everything, each to the other: they are silent after a few words."""
    add_rule(acme, says="Hello from A", whatsapp_accounts=[number.pk])
    add_rule(acme, says="Hello from B", whatsapp_accounts=[second_number.pk])
    exchanged = _talk(clock, number, second_number, lambda text, turn: f"{text} {turn}")
    assert exchanged < 10
    assert len(answers()) < 10
    assert AutoReplyDecision.objects.filter(verdict=Verdict.LOOP).exists()


def test_two_slow_robots_stop(acme, number, second_number, clock):
    add_rule(acme, says="Hello from A", whatsapp_accounts=[number.pk])
    add_rule(acme, says="Hello from B", whatsapp_accounts=[second_number.pk])
    assert _talk(clock, number, second_number, lambda text, turn: f"{text} {turn}", seconds=90) < 20


def _talk(clock, one, other, wording, seconds: float = 1) -> int:
    """What one number answers reaches the other one as a message of another program; answers how many there were."""
    speaker, listener, text = other, one, "hi"
    for turn in range(200):
        before = len(answers(listener))
        receive(listener, wording(text, turn), chat_jid=speaker.jid)
        found = answers(listener)
        if len(found) == before:
            return turn
        text, speaker, listener = found[-1], listener, speaker
        clock.advance(seconds)
    raise AssertionError("they never stopped")


def test_refuses_text_with_missing_variable(acme, number, alice):
    contact, _ = create_contact(
        workspace=acme,
        actor=actors.person(alice),
        source="manual",
        name="Ana",
        identities=[{"kind": "phone", "value": "+5511987654321"}],
    )
    assert ContactIdentity.objects.count() == 1
    add_rule(acme, says="Hello {{first_name}} of {{company}}")
    decision = receive(number, contact_id=contact.pk)
    assert said(decision) == "Did not answer: “company” is missing for this contact."
    assert (decision.verdict, answers()) == (Verdict.MISSING_VARIABLE, [])
    add_rule(acme, says="Hello {{first_name}}", whatsapp_accounts=[])
    assert len(answers()) == 0
