"""Which instances are there to send."""

from datetime import timedelta

import pytest

from conftest import make_device
from messaging.models import NumberPresence
from messaging.services.presence import delete_old_presences, note_presence
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db


def test_notes_presence(acme, alice_device, number, clock):
    note_presence(number.pk, alice_device.instance.pk, clock())
    row = NumberPresence.objects.get()
    assert (row.workspace, row.whatsapp_account, row.instance) == (acme, number, alice_device.instance)
    assert (row.seen_at, row.may_dispatch) == (clock(), True)


def test_notes_presence_with_one_statement(alice_device, number, clock, django_assert_num_queries):
    note_presence(number.pk, alice_device.instance.pk, clock())
    with django_assert_num_queries(1):
        note_presence(number.pk, alice_device.instance.pk, clock.advance(30))


def test_writes_not_more_often_than_it_matters(alice_device, number, clock):
    start = clock()
    note_presence(number.pk, alice_device.instance.pk, start)
    for seconds, seen in [(5, 0), (14, 0), (1, 20), (19, 20), (600, 639)]:
        note_presence(number.pk, alice_device.instance.pk, clock.advance(seconds))
        assert NumberPresence.objects.get().seen_at == start + timedelta(seconds=seen)


def test_never_turns_presence_back(alice_device, number, clock):
    """A claim that took long comes behind a younger one."""
    note_presence(number.pk, alice_device.instance.pk, clock())
    note_presence(number.pk, alice_device.instance.pk, clock() - timedelta(minutes=5), may_dispatch=False)
    row = NumberPresence.objects.get()
    assert (row.seen_at, row.may_dispatch) == (clock(), False)


def test_notes_each_instance_and_number(alice, acme, alice_device, number, second_number, clock):
    other_device = make_device(alice, acme)
    for account in (number, second_number):
        for device in (alice_device, other_device):
            note_presence(account.pk, device.instance.pk, clock())
    assert NumberPresence.objects.count() == 4


def test_notes_nothing_of_unknown_number(alice_device, clock):
    note_presence(uuid7(), alice_device.instance.pk, clock())
    assert not NumberPresence.objects.exists()


def test_forgets_old_presences(alice_device, number, clock):
    note_presence(number.pk, alice_device.instance.pk, clock())
    clock.advance(89 * 86400)
    assert delete_old_presences() == 0
    clock.advance(2 * 86400)
    assert delete_old_presences() == 1
