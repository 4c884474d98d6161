"""Notes, custom fields and the bin in the browser."""

import pytest
from django.urls import reverse

from crm.models import Contact, CustomField, Note
from crm.tests.test_pages_contacts import add, said
from waplus.lib.ids import uuid7


@pytest.fixture
def ana(acme, alice):
    return add(acme, alice, "Ana Lima", "+5511987654321")


def write(client, contact, text: str) -> Note:
    client.post(reverse("write-note", args=[contact.pk]), {"id": uuid7(), "text": text})
    return contact.notes.order_by("-created_at").first()


def make_field(client, name: str, **values) -> CustomField:
    client.post(reverse("fields"), {"id": uuid7(), "name": name, "kind": "text", **values})
    return CustomField.objects.get(name=name)


def labels(field: CustomField) -> list[tuple[str, bool]]:
    field.refresh_from_db()
    return [(option["label"], option["retired"]) for option in field.options]


def test_write_note_twice_is_once(client, alice, ana):
    client.force_login(alice)
    sent = {"id": uuid7(), "text": "Prefers mornings\nand coffee"}
    for _ in range(2):
        response = client.post(reverse("write-note", args=[ana.pk]), sent, follow=True)
        assert said(response) == ["The note is kept."]
    note = Note.objects.get()
    assert (note.id, note.author, note.text) == (sent["id"], alice, sent["text"])
    assert "Prefers mornings" in response.content.decode()


@pytest.mark.parametrize("text", ["", "  \u200b ", "x" * 20_001])
def test_write_wrong_note(client, alice, ana, text):
    client.force_login(alice)
    response = client.post(reverse("write-note", args=[ana.pk]), {"id": uuid7(), "text": text})
    assert "text" in response.context["note_form"].errors
    assert not Note.objects.exists()


def test_edit_note_keeps_history(client, alice, bob, ana):
    client.force_login(alice)
    note = write(client, ana, "first")
    client.force_login(bob)
    client.post(reverse("edit-note", args=[ana.pk, note.pk]), {"text": "second"})
    text = client.get(reverse("contact", args=[ana.pk])).content.decode()
    assert "second" in text
    assert "first" in text
    response = client.post(reverse("edit-note", args=[ana.pk, note.pk]), {"text": ""})
    assert response.context["notes"][0].form.errors["text"]
    note.refresh_from_db()
    assert note.text == "second"


def test_pin_note(client, alice, ana):
    client.force_login(alice)
    first, second = write(client, ana, "first"), write(client, ana, "second")
    address = reverse("contact", args=[ana.pk])
    assert list(client.get(address).context["notes"]) == [second, first]
    client.post(reverse("pin-note", args=[ana.pk, first.pk]), {"pinned": "true"})
    assert list(client.get(address).context["notes"]) == [first, second]
    client.post(reverse("pin-note", args=[ana.pk, first.pk]), {"pinned": "false"})
    assert list(client.get(address).context["notes"]) == [second, first]


def test_delete_note_and_take_it_back(client, alice, ana):
    client.force_login(alice)
    note = write(client, ana, "gone")
    client.post(reverse("delete-note", args=[ana.pk, note.pk]))
    assert client.get(reverse("contact", args=[ana.pk])).context["notes"] == []
    assert "gone" in client.get(reverse("bin")).content.decode()
    client.post(reverse("restore-note", args=[note.pk]))
    assert client.get(reverse("contact", args=[ana.pk])).context["notes"] == [note]


def test_show_notes_costs_the_same(client, alice, ana, django_assert_max_num_queries):
    client.force_login(alice)
    for number in range(12):
        note = write(client, ana, f"note {number}")
        client.post(reverse("edit-note", args=[ana.pk, note.pk]), {"text": f"changed {number}"})
    with django_assert_max_num_queries(35):
        assert len(client.get(reverse("contact", args=[ana.pk])).context["notes"]) == 12


def test_put_contact_into_bin_and_take_it_back(client, alice, ana):
    client.force_login(alice)
    assert "No contact is in the bin" in client.get(reverse("bin")).content.decode()
    client.post(reverse("delete-contact", args=[ana.pk]))
    assert client.get(reverse("contact", args=[ana.pk])).status_code == 404
    assert "Ana Lima" in client.get(reverse("bin")).content.decode()
    response = client.post(reverse("restore-contact", args=[ana.pk]), follow=True)
    assert response.redirect_chain == [(reverse("contact", args=[ana.pk]), 302)]


def test_take_contact_back_whose_number_is_taken(client, alice, acme, ana):
    client.force_login(alice)
    client.post(reverse("delete-contact", args=[ana.pk]))
    add(acme, alice, "Bruno", "+5511987654321")
    response = client.post(reverse("restore-contact", args=[ana.pk]), follow=True)
    assert said(response)[-1:] == ["+5511987654321 belongs to another contact by now."]
    assert Contact.objects.alive().count() == 1


def test_delete_contact_for_good(client, alice, ana):
    client.force_login(alice)
    assert client.post(reverse("purge-contact", args=[ana.pk])).status_code == 404
    client.post(reverse("delete-contact", args=[ana.pk]))
    client.post(reverse("purge-contact", args=[ana.pk]))
    assert not Contact.objects.exists()


def test_make_fields(client, alice, acme):
    client.force_login(alice)
    assert "No fields yet" in client.get(reverse("fields")).content.decode()
    sent = {"id": uuid7(), "name": "Source", "kind": "choice", "options": "Fair\n\n Friend \n", "currency": "BRL"}
    for _ in range(2):
        client.post(reverse("fields"), sent)
    field = CustomField.objects.get()
    assert field.id == sent["id"]
    assert labels(field) == [("Fair", False), ("Friend", False)]
    assert make_field(client, "Budget", kind="money", currency="brl").currency == "BRL"
    assert make_field(client, "Size", options="ignored", currency="EUR").options == []


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"name": ""}, "name"),
        ({"kind": "x"}, "kind"),
        ({"kind": "money", "currency": "XXQ"}, "currency"),
        ({"kind": "choice", "options": "a\nA"}, "options"),
    ],
)
def test_make_wrong_field(client, alice, acme, values, name):
    client.force_login(alice)
    response = client.post(reverse("fields"), {"id": uuid7(), "name": "x", "kind": "text", **values})
    assert list(response.context["form"].errors) == [name]
    assert not CustomField.objects.exists()


def test_edit_field_with_options(client, alice, acme):
    client.force_login(alice)
    field = make_field(client, "Source", kind="choice", options="Fair\nFriend")
    fair, friend = (option["id"] for option in field.options)
    client.post(
        reverse("edit-field", args=[field.pk]),
        {
            "name": "Where from",
            "option_id": [friend, fair, ""],
            "option_label": ["A friend", "Fair", "Internet"],
            "option_colour": ["blue", "grey", "nonsense"],
            "option_used": [friend],
        },
    )
    assert labels(field) == [("A friend", False), ("Fair", True), ("Internet", False)]
    assert field.name == "Where from"
    assert field.options[0]["colour"] == "blue"


def test_order_retire_and_restore_fields(client, alice, acme, ana):
    client.force_login(alice)
    first, second = make_field(client, "First"), make_field(client, "Second")
    client.post(reverse("move-field", args=[second.pk, "up"]))
    assert [field.name for field in client.get(reverse("fields")).context["fields"]] == ["Second", "First"]
    client.post(reverse("set-values", args=[ana.pk]), {str(first.pk): "kept"})
    client.post(reverse("retire-field", args=[first.pk]))
    assert str(first.pk) not in client.get(reverse("contact", args=[ana.pk])).context["values_form"].fields
    client.post(reverse("restore-field", args=[first.pk]))
    form = client.get(reverse("contact", args=[ana.pk])).context["values_form"]
    assert form.initial[str(first.pk)] == "kept"
    client.post(reverse("delete-field", args=[first.pk]))
    assert CustomField.objects.filter(pk=first.pk).exists()
    client.post(reverse("retire-field", args=[first.pk]))
    client.post(reverse("delete-field", args=[first.pk]))
    assert list(CustomField.objects.all()) == [second]


def test_reach_records_of_others(client, alice, ana, charlie, other):
    client.force_login(alice)
    note, field = write(client, ana, "secret"), make_field(client, "Size")
    client.force_login(charlie)
    own = add(other, charlie, "Own")
    for name, args, values in [
        ("write-note", [ana.pk], {"text": "x"}),
        ("edit-note", [own.pk, note.pk], {"text": "stolen"}),
        ("pin-note", [own.pk, note.pk], {"pinned": "true"}),
        ("delete-note", [own.pk, note.pk], {}),
        ("restore-note", [note.pk], {}),
        ("edit-field", [field.pk], {"name": "stolen"}),
        ("move-field", [field.pk, "up"], {}),
        ("retire-field", [field.pk], {}),
        ("restore-field", [field.pk], {}),
        ("delete-field", [field.pk], {}),
        ("restore-contact", [ana.pk], {}),
        ("purge-contact", [ana.pk], {}),
    ]:
        assert client.post(reverse(name, args=args), values).status_code == 404, name
    note.refresh_from_db()
    field.refresh_from_db()
    assert (note.text, note.pinned, note.deleted_at, field.name) == ("secret", False, None, "Size")
