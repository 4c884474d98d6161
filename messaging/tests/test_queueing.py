"""Entering the queue."""

import re
from datetime import timedelta

import pytest
from django.db import connection, transaction

from messaging.models import MessageSource, QueuedMessage
from messaging.services.queueing import INSERT_COLUMNS, RESERVED_ID, NewMessage, queue_messages, reserve_message_id
from messaging.tests.calls import CHAT
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db

RESERVED = re.compile(r"3EB0[0-9A-F]{18}")


@pytest.fixture
def new_message(acme, alice, number, clock):
    def make(**values) -> NewMessage:
        defaults = {
            "source": MessageSource.AUTO_REPLY,
            "origin_id": uuid7(),
            "whatsapp_account_id": number.pk,
            "chat_jid": CHAT,
            "body": "Olá!",
            "due_at": clock(),
            "expires_at": clock() + timedelta(hours=1),
            "created_by_id": alice.pk,
        }
        return NewMessage(**defaults | values)

    return make


def test_queues_messages(acme, alice, number, clock, new_message):
    origin = uuid7()
    rows = [new_message(origin_id=origin, position=position, body=f'{position} "\\ \n👋') for position in range(3)]
    assert queue_messages(workspace=acme, rows=rows) == 3
    stored = QueuedMessage.objects.order_by("position")
    assert [row.pk for row in stored] == [row.id for row in rows]
    assert [row.body for row in stored] == ['0 "\\ \n👋', '1 "\\ \n👋', '2 "\\ \n👋']
    first = stored[0]
    assert (first.workspace, first.whatsapp_account, first.created_by) == (acme, number, alice)
    assert (first.source, first.origin_id, first.chat_key, first.contact) == ("auto_reply", origin, CHAT, None)
    assert first.due_at == first.not_before == first.occurrence_at == first.queued_at == clock()
    assert (first.expires_at, first.on_late) == (clock() + timedelta(hours=1), "skip")
    assert (first.state, first.fence, first.held_by, first.reason) == ("queued", 0, "", "")


def test_queues_once(acme, new_message):
    """The same wish again, under another id, changes nothing."""
    row = new_message()
    again = new_message(origin_id=row.origin_id, body="another")
    assert queue_messages(workspace=acme, rows=[row]) == 1
    assert queue_messages(workspace=acme, rows=[again, new_message()]) == 1
    assert QueuedMessage.objects.get(origin_id=row.origin_id).body == "Olá!"
    assert queue_messages(workspace=acme, rows=[]) == 0


def test_holds_back(acme, clock, new_message):
    later = clock() + timedelta(minutes=10)
    queue_messages(workspace=acme, rows=[new_message(not_before=later, held_by="quiet_hours")])
    row = QueuedMessage.objects.get()
    assert (row.due_at, row.not_before, row.held_by) == (clock(), later, "quiet_hours")


def test_queues_with_a_fixed_count_of_statements(acme, new_message, django_assert_num_queries):
    queue_messages(workspace=acme, rows=[new_message()])
    with django_assert_num_queries(2):
        queue_messages(workspace=acme, rows=[new_message() for _ in range(50)])


def test_reserves_ids():
    made = {reserve_message_id() for _ in range(1000)}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {RESERVED_ID} FROM generate_series(1, 1000)")
        made |= {row[0] for row in cursor.fetchall()}
    assert len(made) == 2000
    assert all(RESERVED.fullmatch(one) for one in made)


def test_names_all_columns_without_default():
    """A column that a new migration adds to the queue is written by whoever writes into it."""
    optional = {field.column for field in QueuedMessage._meta.concrete_fields if field.null or field.generated}
    given = set(INSERT_COLUMNS)
    assert {field.column for field in QueuedMessage._meta.concrete_fields} - optional <= given


@pytest.mark.django_db(transaction=True)
def test_refuses_to_queue_outside_of_a_transaction(acme, new_message):
    with pytest.raises(RuntimeError):
        queue_messages(workspace=acme, rows=[new_message()])
    with transaction.atomic():
        queue_messages(workspace=acme, rows=[new_message()])
    assert QueuedMessage.objects.count() == 1
