"""What is seen in a chat: our own messages were sent, and whoever wrote is no new contact any more."""

from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from accounts import actors
from accounts.tests.together import meet_behind
from crm.tests.people import make_contact
from messaging.models import QueuedMessage
from messaging.services.dispatch import take_sight_of_own_messages
from messaging.tests.auto_reply_calls import message
from messaging.tests.conftest import add_number
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db

OTHER = "5511987650000@c.us"


def see(workspace, *messages) -> None:
    with transaction.atomic():
        take_sight_of_own_messages(workspace, actors.SYSTEM, messages)


def held() -> set:
    return set(QueuedMessage.objects.exclude(held_by="").values_list("pk", flat=True))


def test_own_message_that_is_seen_was_sent(acme, number, second_number, put):
    """By its number and its id together: another number has the same id by chance."""
    one, namesake, unsent = (
        put("sending", account=account, message_id=id, sending_at=None)
        for account, id in ((number, "3EB0AA"), (second_number, "3EB0AA"), (number, "3EB0BB"))
    )
    see(
        acme,
        message(number, from_me=True, message_id="3EB0AA"),
        message(second_number, from_me=True, message_id="3EB0CC"),
        message(number, message_id="3EB0BB"),
    )
    states = dict(QueuedMessage.objects.values_list("pk", "state"))
    assert states == {one.pk: "sent", namesake.pk: "sending", unsent.pk: "sending"}


def test_whoever_writes_is_waited_for_no_more(acme, number, second_number, put, clock):
    contact = make_contact(acme, OTHER)
    by_chat, by_contact = put(held_by="new_contacts"), put(held_by="reply_ratio", chat_jid=OTHER, contact=contact)
    paused = put(held_by="cold_paused", account=second_number)
    kept = {
        put(held_by="quiet_hours").pk,
        put(held_by="new_contacts", chat_jid="5511987651111@c.us").pk,
        put("cancelled", held_by="new_contacts").pk,
        put(held_by="new_contacts", account=second_number, chat_jid=OTHER).pk,
    }
    clock.advance(60)
    see(
        acme,
        message(number),
        message(number, contact_id=contact.pk, chat_jid="157163732254124@lid"),
        message(second_number),
        message(second_number, chat_jid=OTHER, from_me=True),
        message(second_number, chat_jid=OTHER, is_live=False),
    )
    assert held() == kept
    released = QueuedMessage.objects.filter(pk__in=[by_chat.pk, by_contact.pk, paused.pk])
    assert set(released.values_list("not_before", flat=True)) == {clock()}


def test_nothing_of_another_workspace_is_touched(acme, other, put):
    """Even if somebody names a number that is not theirs."""
    foreign = add_number(other, "4915112340009")
    row = put(account=foreign, held_by="new_contacts", created_by=None)
    see(acme, message(foreign))
    assert held() == {row.pk}


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_in_order_of_their_ids(acme, number, put, monkeypatch):
    """Who waits for the first one holds none of those behind it, wherever they lie."""
    first, second = sorted((uuid7(), uuid7()))
    for id in (second, first):
        put(id=id, held_by="new_contacts")
    lock = SimpleNamespace(first=lambda: QueuedMessage.objects.select_for_update().get(pk=first))

    def hold():
        with transaction.atomic():
            lock.first()
            return QueuedMessage.objects.select_for_update(nowait=True).get(pk=second).held_by

    def see_as_they_lie():
        """Without an index that would have them in order by chance."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
            see(acme, message(number))

    answers = meet_behind(monkeypatch, lock, "first", hold, see_as_they_lie)
    assert answers == ["new_contacts", None]
    assert held() == set()
