"""What the timeline of a contact tells of messages."""

import pytest
from django.urls import reverse

from messaging.models import QueuedMessage
from messaging.services.scheduling import queue_due_messages
from messaging.tests.calls import scheduled
from messaging.tests.test_scheduling import add_contact

pytestmark = pytest.mark.django_db


def test_tells_of_scheduled_and_sent_messages(alice_device, client, alice, acme, number, clock):
    contact, other = add_contact(acme, ("phone", "+4915112345678")), add_contact(acme, ("phone", "+4915112345679"))
    for person, body in ((contact, "See you soon"), (other, "Somebody else")):
        scheduled(alice_device, number, contact=str(person.pk), chat_jid=None, body=body)
    queue_due_messages()
    QueuedMessage.objects.update(sent_at=clock.advance(60))
    found = alice_device.client.get(f"/api/v1/contacts/{contact.pk}/timeline/").json()["results"]
    told = [(entry["kind"], entry["text"], entry["actor"]["id"]) for entry in found if "message" in entry["kind"]]
    assert told == [
        ("message.sent", "See you soon", str(alice.pk)),
        ("message.scheduled", "See you soon", str(alice.pk)),
    ]
    client.force_login(alice)
    shown = client.get(reverse("timeline", args=[contact.pk])).content.decode()
    assert "scheduled a message" in shown
    assert "sent a message" in shown
