"""The page of one contact."""

import pytest
from django.urls import reverse

from crm.models import Chat, Contact, GroupMember, WhatsAppAccount
from crm.tests.test_pages_contacts import add, said


@pytest.fixture
def ana(acme, alice):
    return add(acme, alice, "Ana Lima", "+5511987654321")


def test_show_contact(client, alice, ana):
    client.force_login(alice)
    text = client.get(reverse("contact", args=[ana.pk])).content.decode()
    assert "Ana Lima" in text
    assert "+55 11 98765-4321" in text
    assert "https://wa.me/5511987654321" in text
    assert " style=" not in text


def test_show_contact_of_others(client, alice, acme, charlie, other):
    foreign = add(other, charlie, "Foreign", "+5511987654321")
    identity = foreign.identities.get()
    client.force_login(alice)
    assert client.get(reverse("contact", args=[foreign.pk])).status_code == 404
    for name, args in [
        ("edit-contact", [foreign.pk]),
        ("add-number", [foreign.pk]),
        ("remove-number", [foreign.pk, identity.pk]),
        ("delete-contact", [foreign.pk]),
    ]:
        response = client.post(reverse(name, args=args), {"name": "stolen", "value": "+5511911112222"})
        assert response.status_code == 404, name
    foreign.refresh_from_db()
    assert foreign.name == "Foreign"
    assert foreign.identities.get() == identity


def test_edit_contact(client, alice, ana):
    client.force_login(alice)
    values = {"name": "Ana Lima Souza", "company": "Café", "email": "ana@example.com"}
    response = client.post(reverse("edit-contact", args=[ana.pk]), values, follow=True)
    assert said(response) == ["The contact is saved."]
    assert Contact.objects.values("name", "company", "email").get() == values


def test_edit_contact_with_wrong_address(client, alice, ana):
    client.force_login(alice)
    response = client.post(reverse("edit-contact", args=[ana.pk]), {"name": "Ana", "email": "nowhere"})
    assert response.context["details_form"].errors == {"email": ["Enter a valid email address."]}
    ana.refresh_from_db()
    assert ana.name == "Ana Lima"


def test_add_number(client, alice, ana):
    client.force_login(alice)
    client.post(reverse("add-number", args=[ana.pk]), {"value": "(11) 91234-5678"})
    assert sorted(ana.identities.values_list("value", flat=True)) == ["+5511912345678", "+5511987654321"]


def test_add_number_of_somebody_else(client, alice, acme, ana):
    add(acme, alice, "Bruno", "+5511912345678")
    client.force_login(alice)
    response = client.post(reverse("add-number", args=[ana.pk]), {"value": "+55 11 91234-5678"})
    assert response.context["number_form"].errors == {"value": ["+5511912345678 belongs to another contact."]}
    assert ana.identities.count() == 1


def test_remove_number(client, alice, ana):
    client.force_login(alice)
    client.post(reverse("remove-number", args=[ana.pk, ana.identities.get().pk]))
    assert not ana.identities.exists()


def test_change_contact_needs_post_and_token(client, alice, ana):
    client.force_login(alice)
    client.handler.enforce_csrf_checks = True
    for name in ("edit-contact", "add-number", "delete-contact"):
        address = reverse(name, args=[ana.pk])
        assert client.get(address).status_code == 405
        assert client.post(address, {"name": "x"}).status_code == 403
    assert Contact.objects.get().name == "Ana Lima"


def test_name_chat(client, alice, acme, charlie, other):
    """A member's own name stands before WhatsApp's, and gives way to it when emptied."""
    contact = add(acme, alice, "Ana")
    account = WhatsAppAccount.objects.create(workspace=acme, jid="5511911112222@c.us")
    chat = Chat.objects.create(
        workspace=acme,
        whatsapp_account=account,
        jid="5511987654321@c.us",
        kind="person",
        contact=contact,
        search_text="",
    )
    group = Chat.objects.create(
        workspace=acme, whatsapp_account=account, jid="1@g.us", kind="group", name="Team", search_text=" team"
    )
    GroupMember.objects.create(workspace=acme, chat=group, jid=chat.jid, contact=contact)
    client.force_login(alice)
    assert "+55 11 98765-4321" in client.get(reverse("contact", args=[contact.pk])).content.decode()
    response = client.post(reverse("name-chat", args=[contact.pk, group.pk]), {"own_name": " Suppliers "}, follow=True)
    assert said(response) == ["The name is saved."]
    assert "<bdi>Suppliers</bdi>" in response.content.decode() and "~<bdi>Team</bdi>" in response.content.decode()
    response = client.post(reverse("name-chat", args=[contact.pk, chat.pk]), {"own_name": "x" * 301})
    assert response.status_code == 200 and "at most 300 characters" in response.content.decode()
    client.post(reverse("name-chat", args=[contact.pk, group.pk]), {"own_name": ""})
    assert [str(row) for row in Chat.objects.order_by("jid")] == ["Team", "5511987654321@c.us"]
    stranger = add(acme, alice, "Ben")
    assert client.post(reverse("name-chat", args=[stranger.pk, chat.pk]), {"own_name": "X"}).status_code == 404
    client.force_login(charlie)
    assert client.post(reverse("name-chat", args=[contact.pk, chat.pk]), {"own_name": "X"}).status_code == 404
    assert not Chat.objects.exclude(own_name="").exists()
