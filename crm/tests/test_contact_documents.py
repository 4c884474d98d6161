"""The document of a contact: exactly this, in lists, in single answers and for whoever reads it in bulk."""

import json

import pytest
from django.utils import timezone

from accounts.models import Event
from accounts.tests.together import assert_refused
from crm.models import Avatar, Contact, ContactTag, CustomField, FieldValue, Stage, Tag
from crm.serializers.contacts import ContactSerializer
from crm.services.contact_documents import contact_document, contact_documents
from waplus.lib.ids import uuid7

CONTACTS = "/api/v1/contacts/"

pytestmark = pytest.mark.django_db


def make_field(workspace, name: str, kind: str, **kwargs) -> CustomField:
    return CustomField.objects.create(workspace=workspace, name=name, folded=name.lower(), kind=kind, **kwargs)


def make_tag(workspace, name: str) -> Tag:
    return Tag.objects.create(workspace=workspace, name=name, folded=name.lower())


@pytest.fixture
def stage(acme) -> Stage:
    return Stage.objects.create(workspace=acme, name="Offer", folded="offer")


def test_document_has_everything_and_nothing_else(alice, acme, stage, alice_device):
    tags = [make_tag(acme, name) for name in ("VIP", "Lead")]
    size, shirt = make_field(acme, "Size", "number"), make_field(acme, "Shirt", "text")
    made = alice_device.client.post(
        CONTACTS,
        {
            "name": "Ana",
            "owner": str(alice.pk),
            "stage": str(stage.pk),
            "tags": [str(tags[1].pk), str(tags[0].pk)],
            "fields": {str(size.pk): 1.10, str(shirt.pk): " blue "},
            "identities": [{"kind": "phone", "value": "+4915112345678"}],
        },
    )
    assert made.status_code == 201, made.json()
    contact = Contact.objects.get()
    avatar = Avatar.objects.create(workspace=acme, file="x.jpg", sha256=b"x" * 32, width=1, height=1, size=1)
    Contact.objects.filter(pk=contact.pk).update(avatar=avatar, profile_name="anna")
    assert contact_document(workspace_id=acme.pk, contact_id=contact.pk) == {
        "id": str(contact.pk),
        "name": "Ana",
        "profile_name": "anna",
        "company": "",
        "email": "",
        "owner": str(alice.pk),
        "stage": str(stage.pk),
        "avatar": str(avatar.pk),
        "identities": [{"id": str(contact.identities.get().pk), "kind": "phone", "value": "+4915112345678"}],
        "tags": [str(tag.pk) for tag in tags],
        "fields": {str(size.pk): "1.1", str(shirt.pk): "blue"},
        "created_at": contact.created_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "updated_at": contact.updated_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "deleted_at": None,
        "version": 2,
    }


def test_document_is_the_one_that_the_serializer_describes(acme, alice_device):
    made = alice_device.client.post(CONTACTS, {"name": "Ana"}).json()
    assert list(made) == ContactSerializer.Meta.fields
    described = ContactSerializer().fields
    assert set(made) == set(described)
    assert {name for name, value in made.items() if value is None} <= {
        name for name, field in described.items() if field.allow_null
    }


def test_list_single_and_bulk_show_one_document(alice_device, acme, stage):
    tag, size = make_tag(acme, "VIP"), make_field(acme, "Größe \U0001f600", "text")
    for n in range(3):
        answer = alice_device.client.post(
            CONTACTS,
            {"name": f"C{n}", "stage": str(stage.pk), "tags": [str(tag.pk)], "fields": {str(size.pk): '"é\\\u2028x'}},
        )
        assert answer.status_code == 201
    listed = alice_device.client.get(CONTACTS).json()["results"]
    single = [alice_device.client.get(f"{CONTACTS}{row['id']}/").json() for row in listed]
    found = contact_documents(
        workspace_id=acme.pk, contact_ids=[*Contact.objects.values_list("pk", flat=True), uuid7()]
    )
    assert listed == single == [json.loads(found[row.pk]) for row in Contact.objects.order_by("sort_name")]
    assert [row["fields"] for row in listed] == [{str(size.pk): '"é\\\u2028x'}] * 3


def test_document_of_other_workspace_is_none(acme, other, charlie_device):
    contact = charlie_device.client.post(CONTACTS, {"name": "Theirs"}).json()
    assert contact_documents(workspace_id=acme.pk, contact_ids=[contact["id"]]) == {}


def test_retired_field_is_left_out_and_kept(alice_device, acme):
    size = make_field(acme, "Size", "text")
    contact = alice_device.client.post(CONTACTS, {"name": "Ana", "fields": {str(size.pk): "M"}}).json()
    CustomField.objects.update(retired_at=timezone.now())
    assert alice_device.client.get(f"{CONTACTS}{contact['id']}/").json()["fields"] == {}
    assert FieldValue.objects.get().value == "M"
    CustomField.objects.update(retired_at=None)
    assert alice_device.client.get(f"{CONTACTS}{contact['id']}/").json() == contact


def test_refuses_what_is_not_the_workspaces(alice_device, bob, charlie, acme, other):
    theirs = {
        "owner": [str(charlie.pk), str(uuid7())],
        "stage": [str(Stage.objects.create(workspace=other, name="T", folded="t").pk), str(uuid7())],
        "tags": [[str(make_tag(other, "T").pk)], [str(uuid7())]],
        "fields": [{str(make_field(other, "T", "text").pk): "x"}, {str(uuid7()): "x"}, {"no id": "x"}],
    }
    mine = alice_device.client.post(CONTACTS, {"name": "Mine"}).json()
    events = Event.objects.count()
    for name, values in theirs.items():
        for value in values:
            calls = [lambda p: alice_device.client.post(CONTACTS, {"name": "A", **p})]
            if name != "tags":
                calls.append(lambda p: alice_device.client.patch(f"{CONTACTS}{mine['id']}/", {"name": "A", **p}))
            for call in calls:
                errors = assert_refused(call({name: value}), "invalid")["errors"]
                assert [(e["field"].partition(".")[0], e["code"]) for e in errors] == [(name, "does_not_exist")]
    assert (Contact.objects.count(), Contact.objects.get().name) == (1, "Mine")
    assert (Event.objects.count(), ContactTag.objects.count(), FieldValue.objects.count()) == (events, 0, 0)


def test_update_tells_what_became_of_owner_stage_and_fields(alice_device, bob, acme, stage):
    size, color = make_field(acme, "Size", "text"), make_field(acme, "Color", "text")
    contact = alice_device.client.post(CONTACTS, {"name": "Ana", "fields": {str(color.pk): "red"}}).json()
    path = f"{CONTACTS}{contact['id']}/"
    change = {"owner": str(bob.pk), "stage": str(stage.pk), "fields": {str(size.pk): "M", str(color.pk): None}}
    changed = alice_device.client.patch(path, change).json()
    assert (changed["owner"], changed["stage"], changed["fields"]) == (str(bob.pk), str(stage.pk), {str(size.pk): "M"})
    assert (changed["version"], changed["updated_at"] > contact["updated_at"]) == (2, True)
    assert Event.objects.get(kind="contact.updated").changed == sorted(
        [f"owner.{bob.pk}", f"stage.{stage.pk}", f"fields.{size.pk}", f"fields.{color.pk}"]
    )
    assert alice_device.client.patch(path, change).json() == changed
    emptied = alice_device.client.patch(path, {"owner": None, "stage": None}).json()
    assert (emptied["owner"], emptied["stage"], emptied["version"]) == (None, None, 3)
    assert Event.objects.filter(kind="contact.updated").latest("id").changed == ["owner", "stage"]
    assert Event.objects.filter(kind="contact.updated").count() == 2
