"""The timeline of a contact in the browser."""

from django.urls import reverse

from crm.pages.timeline import _sentences
from crm.services.timeline.registry import timeline_kinds
from crm.tests.test_pages_contacts import add
from waplus.lib.ids import uuid7


def words(response) -> list[str]:
    return [row["words"] for row in response.context["rows"]]


def test_tell_what_happened(client, alice, acme):
    ana = add(acme, alice, "Ana Lima")
    client.force_login(alice)
    client.post(reverse("add-contact-tag", args=[ana.pk]), {"name": "VIP"})
    client.post(reverse("write-note", args=[ana.pk]), {"id": uuid7(), "text": "prefers mornings"})
    client.post(reverse("set-owner", args=[ana.pk]), {"chosen": alice.pk})
    response = client.get(reverse("timeline", args=[ana.pk]))
    assert words(response) == [
        "Alice changed the owner → Alice",
        "Alice wrote a note",
        "Alice added the tag “VIP”",
        "Alice added the contact",
    ]
    assert "prefers mornings" in response.content.decode()
    assert reverse("timeline", args=[ana.pk]) in client.get(reverse("contact", args=[ana.pk])).content.decode()


def test_tell_page_by_page(client, alice, acme):
    ana = add(acme, alice, "Ana Lima")
    client.force_login(alice)
    for number in range(21):
        client.post(reverse("write-note", args=[ana.pk]), {"id": uuid7(), "text": f"note {number}"})
    address = reverse("timeline", args=[ana.pk])
    first = client.get(address)
    assert len(words(first)) == 20
    second = client.get(address, {"cursor": first.context["next_cursor"]})
    assert words(second) == ["Alice wrote a note", "Alice added the contact"]
    assert client.get(address, {"cursor": "x"}).url == address


def test_tell_nothing_to_others(client, alice, acme, charlie, other):
    ana = add(acme, alice, "Ana Lima")
    client.force_login(charlie)
    assert client.get(reverse("timeline", args=[ana.pk])).status_code == 404


def test_has_words_for_every_kind():
    assert set(timeline_kinds()) - set(_sentences()) == set()
