"""Two contacts become one: what was answered to either counts for the person, and goes back when the merge is undone."""

import pytest

from accounts import actors
from crm.models import Contact
from crm.services.merging import merge_contacts, undo_merge
from crm.tests.people import make_contact
from messaging.models import AutoReplyAnswer, Verdict
from messaging.services.auto_replies.rules import update_setting
from messaging.tests.auto_reply_calls import add_rule, answers, receive, said

pytestmark = pytest.mark.django_db

STAYS, GOES = "5511987654321@c.us", "5511987650000@c.us"


@pytest.fixture
def two(acme) -> tuple[Contact, Contact]:
    """The contact that stays, and the one that goes into it."""
    return make_contact(acme, STAYS), make_contact(acme, GOES)


@pytest.fixture
def hear(number, clock):
    """A message a minute, so that nobody is taken for a robot; answers the verdict."""

    def hear(contact: Contact, chat_jid: str, text: str = "") -> str:
        clock.advance(60)
        return receive(number, text or f"at {clock()}", contact_id=contact.pk, chat_jid=chat_jid).verdict

    return hear


def merge(workspace, stays, goes):
    return merge_contacts(workspace=workspace, actor=actors.SYSTEM, kept_id=stays.pk, absorbed_id=goes.pk)[0]


def test_cap_of_chat_holds_across_merge_and_its_undoing(acme, alice, two, hear):
    add_rule(acme)
    update_setting(workspace=acme, actor=actors.person(alice), chat_per_hour=3)
    stays, goes = two
    assert [hear(stays, STAYS), hear(goes, GOES), hear(goes, GOES)] == ["answered"] * 3
    done = merge(acme, stays, goes)
    assert [hear(stays, STAYS), hear(stays, GOES)] == [Verdict.CHAT_CAP] * 2
    assert len(answers()) == 3
    undo_merge(workspace=acme, actor=actors.SYSTEM, merge_id=done.pk)
    assert AutoReplyAnswer.objects.filter(contact=stays).count() == 1
    assert [hear(goes, GOES), hear(goes, GOES)] == [Verdict.ANSWERED, Verdict.CHAT_CAP]
    assert [hear(stays, STAYS), hear(stays, STAYS), hear(stays, STAYS)] == ["answered", "answered", "chat_cap"]


def test_answer_given_since_stays_with_person_when_merge_is_undone(acme, two, hear):
    add_rule(acme)
    stays, goes = two
    done = merge(acme, stays, goes)
    assert hear(stays, GOES) == Verdict.ANSWERED
    undo_merge(workspace=acme, actor=actors.SYSTEM, merge_id=done.pk)
    assert list(AutoReplyAnswer.objects.values_list("contact", "chat_jid", "chat_key")) == [
        (stays.pk, GOES, str(stays.pk))
    ]


def test_rule_rests_for_whom_it_answered_before_merge(acme, number, two, hear):
    add_rule(acme, cool_down_minutes=60)
    stays, goes = two
    assert hear(goes, GOES) == Verdict.ANSWERED
    merge(acme, stays, goes)
    assert hear(stays, STAYS) == Verdict.COOL_DOWN
    assert len(answers()) == 1


def test_answers_in_a_row_are_counted_across_merge(acme, alice, number, two, hear):
    add_rule(acme)
    update_setting(workspace=acme, actor=actors.person(alice), loop_exchanges=4)
    stays, goes = two
    assert [hear(one, jid) for one, jid in ((stays, STAYS), (goes, GOES)) * 2] == ["answered"] * 4
    merge(acme, stays, goes)
    decision = receive(number, "and again", contact_id=stays.pk, chat_jid=GOES)
    assert said(decision).startswith("Did not answer: a robot seems to write here, there were four answers")
    assert len(answers()) == 4


def test_robot_that_says_the_same_is_known_after_merge(acme, two, hear):
    add_rule(acme)
    stays, goes = two
    assert hear(stays, STAYS) == Verdict.ANSWERED
    assert [hear(goes, GOES, "I am a robot") for _ in range(3)] == ["answered"] * 3
    merge(acme, stays, goes)
    assert hear(stays, GOES, "I am a robot") == Verdict.LOOP
    assert len(answers()) == 4
