"""Messages to a contact in the bin: not handed out, not sent, and told why; taken back in time they go."""

import pytest

from accounts import actors
from accounts.tests.together import assert_refused
from crm.models import WhatsAppAccount
from crm.services.bin import delete_contact, restore_contact
from crm.services.merging import merge_contacts
from messaging.models import QueuedMessage, ScheduledMessage
from messaging.services.dispatch import IN_BIN, settle_expired_leases
from messaging.services.scheduling import queue_due_messages
from messaging.tests.calls import claim, edit, place, queued, read, report, schedule, scheduled, state_of
from messaging.tests.test_scheduling import add_contact

pytestmark = pytest.mark.django_db

PHONE = ("phone", "+4915112345678")


def put_away(workspace, contact) -> None:
    delete_contact(workspace=workspace, contact_id=contact.pk, actor=actors.SYSTEM)


def test_message_to_contact_in_bin_waits_and_goes_out_when_it_is_back(alice_device, acme, number, clock):
    contact = add_contact(acme, PHONE)
    held = queued(alice_device, number, contact=str(contact.pk), chat_jid=None)
    other = queued(alice_device, number)
    put_away(acme, contact)
    assert [message["id"] for message in claim(alice_device, number)] == [str(other.pk)]
    held.refresh_from_db()
    assert (held.state, held.held_by) == ("queued", "in_bin")
    restore_contact(workspace=acme, contact_id=contact.pk, actor=actors.SYSTEM)
    clock.advance(15)
    assert [message["id"] for message in claim(alice_device, number)] == [str(held.pk)]


def test_message_to_contact_in_bin_is_skipped_in_the_end_and_says_why(alice_device, acme, number, clock):
    contact = add_contact(acme, PHONE)
    message = scheduled(alice_device, number, contact=str(contact.pk), chat_jid=None, lateness_minutes=10)
    late = scheduled(alice_device, number, lateness_minutes=10)
    put_away(acme, contact)
    assert queue_due_messages() == 2
    clock.advance(601)
    assert settle_expired_leases() == {"skipped": 2}
    shown = place(read(alice_device, message["id"]))
    assert (shown["dispatch_state"], shown["reason"]) == ("skipped", IN_BIN)
    assert place(read(alice_device, late["id"]))["reason"] != IN_BIN
    assert WhatsAppAccount.objects.count() == 1


def test_device_that_holds_message_is_kept_from_sending_it(alice_device, acme, number, clock):
    contact = add_contact(acme, PHONE)
    queued(alice_device, number, contact=str(contact.pk), chat_jid=None)
    [message] = claim(alice_device, number)
    put_away(acme, contact)
    assert_refused(report(alice_device, message, "sending"), "wrong_state", IN_BIN)
    assert state_of(message) == "leased"
    clock.advance(61)
    settle_expired_leases()
    assert (state_of(message), claim(alice_device, number)) == ("queued", [])
    assert QueuedMessage.objects.get().reason == ""


def test_what_was_sent_is_sent_bin_or_not(alice_device, acme, number, clock):
    contact = add_contact(acme, PHONE)
    queued(alice_device, number, contact=str(contact.pk), chat_jid=None)
    [message] = claim(alice_device, number)
    report(alice_device, message, "sending")
    put_away(acme, contact)
    assert report(alice_device, message, "sent").status_code == 200
    assert state_of(message) == "sent"


def test_nothing_is_scheduled_for_contact_in_bin(alice_device, acme, number):
    contact, other = add_contact(acme, PHONE), add_contact(acme, ("phone", "+4915112345679"))
    message = scheduled(alice_device, number, seconds=600, contact=str(other.pk), chat_jid=None)
    put_away(acme, contact)
    for answer in (
        schedule(alice_device, number, contact=str(contact.pk)),
        edit(alice_device, message["id"], contact=str(contact.pk)),
    ):
        errors = assert_refused(answer, "invalid")["errors"]
        assert [(error["field"], error["code"]) for error in errors] == [("recipients.0.contact", "does_not_exist")]
    assert read(alice_device, message["id"]) == message


def test_nothing_is_scheduled_for_contact_that_was_merged(alice_device, acme, number):
    kept, gone = add_contact(acme, ("phone", "+4915112345679")), add_contact(acme, PHONE)
    merge_contacts(workspace=acme, actor=actors.SYSTEM, kept_id=kept.pk, absorbed_id=gone.pk)
    errors = assert_refused(schedule(alice_device, number, contact=str(gone.pk)), "invalid")["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [("recipients.0.contact", "does_not_exist")]
    assert not ScheduledMessage.objects.exists()
