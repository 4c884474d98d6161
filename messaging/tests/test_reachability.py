"""Chats that cannot be written to."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts import actors
from accounts.models import Event
from crm.models import Chat
from crm.services.contacts import create_contact
from messaging.models import MessageSource, QueuedMessage, UnreachableChat
from messaging.services.observed import ObservedMessage, tell_observers
from messaging.services.queueing import NewMessage, queue_messages
from messaging.services.reachability import (
    Failure,
    Life,
    clear_unreachable,
    forget_heard_from,
    note_failure,
    note_failures,
    note_life,
    unreachable_sql,
)
from messaging.tests.calls import CHAT
from waplus.lib.errors import NotFound
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db

LID = "157163732254124@lid"


@pytest.fixture
def actor(alice_device, alice):
    return actors.instance(alice_device.instance, alice)


@pytest.fixture
def fail(acme, number, actor):
    def fail(code="blocked", chat_jid=CHAT, account=number):
        note_failure(workspace=acme, account_id=account.pk, chat_jid=chat_jid, code=code, actor=actor)

    return fail


def marked() -> list[tuple]:
    return list(UnreachableChat.objects.order_by("chat_jid").values_list("chat_jid", "code"))


def blocked(workspace, account, chat_jid=CHAT) -> bool:
    """What the hand-out is told of a message to a chat."""
    now = timezone.now()
    row = NewMessage(
        source=MessageSource.DIRECT,
        origin_id=uuid7(),
        whatsapp_account_id=account.pk,
        chat_jid=chat_jid,
        due_at=now,
        expires_at=now + timedelta(hours=1),
    )
    queue_messages(workspace=workspace, rows=[row])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {unreachable_sql()} FROM messaging_queuedmessage q WHERE q.id = %s", [row.id])
        answer = cursor.fetchone()[0]
    QueuedMessage.objects.all().delete()
    return answer


def observed(account, *, chat_jid=CHAT, from_me=False, is_live=True, contact=None, participant=""):
    return ObservedMessage(
        whatsapp_account_id=account.pk,
        chat_jid=chat_jid,
        chat_id=None,
        contact_id=contact and contact.pk,
        from_me=from_me,
        message_id="3EB0" + "A" * 18,
        participant=participant,
        type="chat",
        text=None,
        sent_at=timezone.now(),
        is_live=is_live,
    )


@pytest.mark.parametrize("code", ["not_on_whatsapp", "blocked", "left_group", "chat_gone"])
def test_marks_chat(acme, number, second_number, fail, actor, clock, code):
    fail(code)
    row = UnreachableChat.objects.get()
    assert (row.workspace, row.whatsapp_account, row.chat_jid) == (acme, number, CHAT)
    assert (row.code, row.since, row.instance_id) == (code, clock(), actor.instance_id)
    assert blocked(acme, number)
    # from this number and to this chat alone
    assert not blocked(acme, second_number)
    assert not blocked(acme, number, LID)
    assert list(Event.objects.filter(kind__startswith="unreachable").values_list("kind", "count")) == [
        ("unreachable_chat.noted", 1)
    ]


@pytest.mark.parametrize("code", ["account_restricted", "media_failed", "other", ""])
def test_leaves_chat_alone(acme, number, fail, code):
    fail(code)
    assert marked() == []
    assert not blocked(acme, number)
    assert not Event.objects.filter(kind__startswith="unreachable").exists()


def test_keeps_the_latest_reason(fail, clock):
    fail("not_on_whatsapp")
    clock.advance(60)
    fail("blocked")
    row = UnreachableChat.objects.get()
    assert (row.code, row.since) == ("blocked", clock())


def test_marks_many_with_a_fixed_count_of_statements(acme, number, actor, django_assert_num_queries):
    now = timezone.now()
    failures = {f"55119876{index:05}@c.us": Failure("blocked", now) for index in range(100)}
    failures |= {LID: Failure("other", now)}
    with django_assert_num_queries(4):  # with the savepoint's two
        note_failures(workspace=acme, account_id=number.pk, failures=failures, actor=actor)
    assert UnreachableChat.objects.count() == 100
    assert Event.objects.get(kind="unreachable_chat.noted").count == 100


def test_clears_at_inbound(acme, number, second_number, fail, actor):
    fail()
    fail(account=second_number)
    tell_observers(acme, actor, [observed(number)])
    assert not blocked(acme, number)
    assert blocked(acme, second_number)


def test_stays_at_own_and_old_messages(acme, number, fail, actor):
    fail()
    tell_observers(acme, actor, [observed(number, from_me=True), observed(number, is_live=False)])
    assert marked() == [(CHAT, "blocked")]


def test_clears_all_addresses_of_who_writes(acme, number, fail, actor):
    """Somebody is marked under the number and writes from the LID of the same contact."""
    ana = create_contact(workspace=acme, actor=actor, source="person", identities=[], name="Ana")[0]
    Chat.objects.create(workspace=acme, whatsapp_account=number, jid=CHAT, kind="person", contact=ana, search_text="")
    fail()
    fail("left_group", chat_jid="120363041234567890@g.us")
    group = "120363041234567891@g.us"
    tell_observers(acme, actor, [observed(number, chat_jid=group, contact=ana, participant=LID)])
    assert len(marked()) == 2  # what somebody says in a group tells nothing of a chat with them
    tell_observers(acme, actor, [observed(number, chat_jid=LID, contact=ana)])
    assert marked() == [("120363041234567890@g.us", "left_group")]


def test_counts_no_more_once_chat_heard(acme, number, fail, clock):
    """The CRM's chats tell it also where no messages are synchronised."""
    chat = Chat.objects.create(workspace=acme, whatsapp_account=number, jid=CHAT, kind="person", search_text="")
    chat.last_inbound_at = clock()
    chat.save()
    fail()
    assert blocked(acme, number)
    assert forget_heard_from() == 0
    chat.last_inbound_at = clock.advance(1)
    chat.save()
    assert not blocked(acme, number)
    assert forget_heard_from() == 1
    assert marked() == []


def test_counts_no_more_once_another_chat_of_the_contact_heard(acme, number, second_number, fail, actor, clock):
    ana = create_contact(workspace=acme, actor=actor, source="person", identities=[], name="Ana")[0]
    chats = {
        (account, jid): Chat.objects.create(
            workspace=acme, whatsapp_account=account, jid=jid, kind="person", contact=ana, search_text=""
        )
        for account, jid in ((number, CHAT), (number, LID), (second_number, LID))
    }
    fail()
    for key in ((second_number, LID), (number, LID)):
        assert blocked(acme, number)
        assert forget_heard_from() == 0
        chats[key].last_inbound_at = clock.advance(1)
        chats[key].save()
    assert not blocked(acme, number)
    assert forget_heard_from() == 1
    assert marked() == []


def test_clears_at_success(acme, number, fail, actor):
    fail()
    signs = [Life(CHAT, timezone.now())]
    assert note_life(workspace=acme, account_id=number.pk, signs=signs, actor=actor) == 1
    assert note_life(workspace=acme, account_id=number.pk, signs=signs, actor=actor) == 0
    assert Event.objects.filter(kind="unreachable_chat.cleared").count() == 1


def test_keeps_mark_at_earlier_success(acme, number, fail, actor, clock):
    earlier = clock()
    clock.advance(1)
    fail()
    signs = [Life(CHAT, earlier)]
    assert note_life(workspace=acme, account_id=number.pk, signs=signs, actor=actor) == 0
    assert marked() == [(CHAT, "blocked")] and blocked(acme, number)
    assert not Event.objects.filter(kind="unreachable_chat.cleared").exists()
    assert note_life(workspace=acme, account_id=number.pk, signs=[*signs, Life(CHAT, clock())], actor=actor) == 1
    assert marked() == []


def test_keeps_mark_of_the_later_failure(acme, number, fail, actor, clock):
    earlier = clock()
    clock.advance(1)
    fail()
    failures = {CHAT: Failure("not_on_whatsapp", earlier)}
    note_failures(workspace=acme, account_id=number.pk, failures=failures, actor=actor)
    row = UnreachableChat.objects.get()
    assert (row.code, row.since) == ("blocked", clock())
    assert Event.objects.filter(kind="unreachable_chat.noted").count() == 1


def test_clears_all_addresses_of_who_gets_something(acme, number, second_number, fail, actor):
    """What is delivered under the LID tells of the number of the same contact, and of nobody else's."""
    ana = create_contact(workspace=acme, actor=actor, source="person", identities=[], name="Ana")[0]
    for account, chat_jid in ((number, CHAT), (number, LID), (second_number, CHAT)):
        Chat.objects.create(
            workspace=acme, whatsapp_account=account, jid=chat_jid, kind="person", contact=ana, search_text=""
        )
        fail(account=account, chat_jid=chat_jid)
    stranger = "5511900000002@c.us"
    fail(chat_jid=stranger)
    signs = [Life(LID, timezone.now(), ana.pk)]
    assert note_life(workspace=acme, account_id=number.pk, signs=signs, actor=actor) == 2
    assert marked() == [(stranger, "blocked"), (CHAT, "blocked")]
    assert UnreachableChat.objects.get(chat_jid=CHAT).whatsapp_account == second_number


def test_person_clears(acme, other, number, fail, actor):
    fail()
    row = UnreachableChat.objects.get()
    with pytest.raises(NotFound):
        clear_unreachable(workspace=other, unreachable_id=row.pk, actor=actor)
    assert marked() == [(CHAT, "blocked")]
    clear_unreachable(workspace=acme, unreachable_id=row.pk, actor=actor)
    assert marked() == []
    assert Event.objects.get(kind="unreachable_chat.cleared").object_id == row.pk
