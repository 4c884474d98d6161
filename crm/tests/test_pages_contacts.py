"""The contacts workspace: the list and adding somebody."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import actors
from crm.models import Contact, ContactTag, CustomField, Stage, Tag
from crm.services import tab_counts
from crm.services.contacts import create_contact, update_contact
from waplus.lib.ids import uuid7


def add(workspace, user, name, *numbers, **fields) -> Contact:
    contact, _ = create_contact(
        workspace=workspace,
        actor=actors.person(user),
        source="person",
        name=name,
        identities=[{"kind": "phone", "value": number} for number in numbers],
        **fields,
    )
    return contact


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def shown(response) -> list[str]:
    return [contact.name for contact in response.context["contacts"]]


def test_list_contacts(client, alice, acme, charlie, other):
    add(acme, alice, "Bruno Costa", "+5511987654321", company="Café Aurora")
    add(acme, alice, "Ana Lima")
    add(other, charlie, "Foreign")
    client.force_login(alice)
    response = client.get(reverse("contacts"))
    text = response.content.decode()
    assert shown(response) == ["Ana Lima", "Bruno Costa"]
    assert "+55 11 98765-4321" in text
    assert "Café Aurora" in text
    assert "2 contacts" in text
    assert "Foreign" not in text
    assert " style=" not in text


def test_list_nobody_says_what_to_do(client, alice, acme):
    client.force_login(alice)
    text = client.get(reverse("contacts")).content.decode()
    assert "No contacts yet" in text
    assert reverse("devices") in text
    assert reverse("new-contact") in text


def test_search_contacts(client, alice, acme):
    add(acme, alice, "Bruno Costa", "+5511987654321")
    add(acme, alice, "José Lima", "+5511912345678")
    client.force_login(alice)
    assert shown(client.get(reverse("contacts"), {"q": "JOSE"})) == ["José Lima"]
    assert shown(client.get(reverse("contacts"), {"q": "98765-4321"})) == ["Bruno Costa"]
    nobody = client.get(reverse("contacts"), {"q": "zzz"})
    assert "Nobody found" in nobody.content.decode()
    assert "Clear the search" in nobody.content.decode()


def test_search_by_htmx_answers_list_alone(client, alice, acme):
    add(acme, alice, "Bruno Costa")
    client.force_login(alice)
    part = client.get(reverse("contacts"), {"q": "bru"}, headers={"HX-Request": "true"}).content.decode()
    assert "Bruno Costa" in part
    assert "<html" not in part
    back = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in client.get(reverse("contacts"), {"q": "bru"}, headers=back).content.decode()


def test_count_what_is_found(client, alice, acme, charlie, other, monkeypatch):
    for name in ("Ana", "Anita", "Bruno"):
        add(acme, alice, name)
    add(other, charlie, "Anouk")
    client.force_login(alice)
    address = reverse("count-found")
    assert client.get(address, {"q": "an"}).content.decode().strip() == "2 found"
    monkeypatch.setattr(tab_counts, "CEILING", 1)
    assert client.get(address, {"q": "an"}).content.decode().strip() == "1+ found"
    born = CustomField.objects.create(workspace=acme, name="Born", folded="born", kind="date")
    assert client.get(address, {"field": born.pk, "op": "is", "value": "x"}).status_code == 404
    assert f"{address}?q=an" in client.get(reverse("contacts"), {"q": "an"}).content.decode()


def test_list_contacts_page_by_page(client, alice, acme):
    for number in range(60):
        add(acme, alice, f"Person {number:02}")
    client.force_login(alice)
    first = client.get(reverse("contacts"), {"q": "person", "sort": "-name"})
    assert shown(first) == [f"Person {number:02}" for number in range(59, 9, -1)]
    second = client.get(reverse("contacts") + first.context["more"])
    assert shown(second) == [f"Person {number:02}" for number in range(9, -1, -1)]
    assert second.context["more"] == ""


def test_filter_contacts(client, alice, bob, acme):
    vip = Tag.objects.create(workspace=acme, name="VIP", folded="vip")
    ana, bruno = add(acme, alice, "Ana"), add(acme, alice, "Bruno")
    ContactTag.objects.create(workspace=acme, contact=ana, tag=vip, added_at=timezone.now())
    Contact.objects.filter(pk=bruno.pk).update(owner=bob)
    client.force_login(alice)

    def found(*rows, **more) -> list[str]:
        fields, ops, values = zip(*rows, strict=True)
        return shown(client.get(reverse("contacts"), {"field": fields, "op": ops, "value": values, **more}))

    assert found(("tag", "is", vip.pk)) == ["Ana"]
    assert found(("tag", "not", vip.pk)) == ["Bruno"]
    assert found(("owner", "is", bob.pk)) == ["Bruno"]
    assert found(("owner", "is", "none")) == ["Ana"]
    assert found(("created", "within", "30")) == ["Ana", "Bruno"]
    assert found(("created", "longer", "30")) == []
    assert found(("tag", "is", vip.pk), ("owner", "is", bob.pk)) == []
    assert found(("tag", "is", vip.pk), ("owner", "is", bob.pk), match="any") == ["Ana", "Bruno"]
    assert shown(client.get(reverse("contacts"), {"tag": vip.pk})) == ["Ana"]


def test_filter_contacts_by_own_fields_and_more(client, alice, acme):
    size = CustomField.objects.create(workspace=acme, name="Size", folded="size", kind="text")
    born = CustomField.objects.create(workspace=acme, name="Born", folded="born", kind="date")
    ana = add(acme, alice, "Ana", "+5511987654321")
    add(acme, alice, "Bruno", email="b@example.com")
    actor = actors.person(alice)
    update_contact(
        workspace=acme, contact_id=ana.pk, actor=actor, fields={str(size.pk): "XL", str(born.pk): "1990-05-06"}
    )
    client.force_login(alice)

    def found(field, op, value="") -> list[str]:
        return shown(client.get(reverse("contacts"), {"field": field, "op": op, "value": value}))

    assert found(size.pk, "contains", "xl") == ["Ana"]
    assert found(size.pk, "empty") == ["Bruno"]
    assert found(born.pk, "more", "1990-01-01") == ["Ana"]
    assert found(born.pk, "less", "1990-01-01") == []
    assert found("number", "yes") == ["Ana"]
    assert found("number", "contains", "98765") == ["Ana"]
    assert found("email", "no") == ["Ana"]
    assert found("awaiting_reply", "yes") == []
    assert found("last_message", "within", "30") == []
    assert found("owner", "is", "me") == []
    response = client.get(reverse("contacts"), {"field": born.pk, "op": "is", "value": "tomorrow"}, follow=True)
    assert said(response) == ["This is no date; write it like 2026-12-31."]


def test_export_what_is_shown(client, alice, acme):
    add(acme, alice, "Ana", "+5511987654321")
    add(acme, alice, "Bruno")
    client.force_login(alice)
    address = reverse("export-contacts")
    response = client.post(f"{address}?q=ana", {"format": "csv"})
    text = b"".join(response.streaming_content).decode()
    assert "Ana" in text
    assert "Bruno" not in text
    assert response["Content-Disposition"].endswith('.csv"')
    assert b"".join(client.post(address, {"format": "xlsx"}).streaming_content)[:2] == b"PK"
    assert client.post(address, {"format": "exe"}).status_code == 302
    assert client.get(address).status_code == 405


def test_filter_contacts_with_nonsense(client, alice, acme):
    add(acme, alice, "Ana")
    client.force_login(alice)
    for field, op, value in [
        ("x", "is", "y"),
        ("tag", "x", uuid7()),
        ("created", "within", "-1"),
        ("stage", "is", "x"),
    ]:
        response = client.get(reverse("contacts"), {"field": field, "op": op, "value": value})
        assert shown(response) == ["Ana"]
        assert response.context["state"].filters == []
    assert shown(
        client.get(reverse("contacts"), {"created": "x", "field": "created", "op": "within", "value": "²"})
    ) == ["Ana"]


def test_add_condition(client, alice, acme):
    client.force_login(alice)
    response = client.get(reverse("contacts"), {"q": "an", "add": "tag"})
    assert response.url == reverse("contacts") + "?q=an&field=tag&op=is&value="
    response = client.get(response.url + "&drop=0")
    assert response.url == reverse("contacts") + "?q=an"
    assert client.get(reverse("contacts"), {"add": "x", "drop": "99"}).status_code == 302


def test_list_contacts_with_nonsense(client, alice, acme):
    client.force_login(alice)
    for query in ({"sort": "x"}, {"cursor": "x"}, {"cursor": "\x00"}):
        assert client.get(reverse("contacts"), query).url == reverse("contacts")
    assert client.get(reverse("contacts"), {"q": "a\x00" * 300}).status_code == 200
    assert client.get(f"{reverse('contacts')}?q=%ED%A0%80").status_code == 200


def dress(workspace, user, contact, number: int) -> None:
    """Give a contact something in every column."""
    tags = [Tag.objects.create(workspace=workspace, name=f"t{number}-{i}", folded=f"t{number}-{i}") for i in range(2)]
    for tag in tags:
        ContactTag.objects.create(workspace=workspace, contact=contact, tag=tag, added_at=timezone.now())
    stage = Stage.objects.create(workspace=workspace, name=f"s{number}", folded=f"s{number}")
    Contact.objects.filter(pk=contact.pk).update(owner=user, stage=stage)


def test_list_contacts_costs_the_same(client, alice, acme):
    client.force_login(alice)
    counts = []
    for goal in (10, 60):
        for number in range(Contact.objects.count(), goal):
            contact = add(acme, alice, f"Person {number:02}", f"+551199{number:07}")
            dress(acme, alice, contact, number)
        client.get(reverse("contacts"))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("contacts"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_add_contact(client, alice, acme):
    client.force_login(alice)
    form = client.get(reverse("new-contact")).context["form"]
    sent = {"id": form.initial["id"], "name": "  Ana   Lima ", "number": "(11) 98765-4321", "company": "", "email": ""}
    response = client.post(reverse("new-contact"), sent, follow=True)
    contact = Contact.objects.get()
    assert response.redirect_chain == [(reverse("contact", args=[contact.pk]), 302)]
    assert said(response) == ["The contact is added."]
    assert contact.id == form.initial["id"]
    assert contact.name == "Ana Lima"
    assert list(contact.identities.values_list("value", flat=True)) == ["+5511987654321"]
    assert client.post(reverse("new-contact"), sent).status_code == 302
    assert Contact.objects.count() == 1


def test_add_contact_with_wrong_number(client, alice, acme):
    client.force_login(alice)
    response = client.post(reverse("new-contact"), {"id": uuid7(), "name": "Ana", "number": "12"})
    assert response.context["form"].errors == {
        "number": ["There is no such number in its country: look for missing or doubled digits."]
    }
    assert not Contact.objects.exists()


def test_add_contact_with_number_in_use(client, alice, acme):
    taken = add(acme, alice, "Bruno", "+5511987654321")
    client.force_login(alice)
    response = client.post(reverse("new-contact"), {"id": uuid7(), "name": "Ana", "number": "+55 11 98765 4321"})
    assert response.context["form"].errors == {"number": ["+5511987654321 belongs to another contact."]}
    assert reverse("contact", args=[taken.pk]) in response.content.decode()
    assert Contact.objects.count() == 1


def test_add_contact_with_nothing(client, alice, acme):
    client.force_login(alice)
    response = client.post(reverse("new-contact"), {"id": uuid7()})
    assert list(response.context["form"].errors) == ["name"]
    assert not Contact.objects.exists()


def test_add_contact_with_foreign_id(client, alice, acme, charlie, other):
    foreign = add(other, charlie, "Foreign")
    client.force_login(alice)
    response = client.post(reverse("new-contact"), {"id": foreign.pk, "name": "Ana"})
    assert response.status_code == 200
    assert response.context["form"].errors == {"__all__": ["The id is taken."]}
    assert str(foreign.pk) not in response.content.decode()
    assert not Contact.objects.for_workspace(acme).exists()
