"""The bin: what is deleted can be taken back whole, until it is gone for good with everything that hung on it."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from accounts import actors
from accounts.models import Event, Plan, Resource, Role
from accounts.services import plans
from accounts.tests.together import assert_refused, at_once
from conftest import join, make_device, make_person
from crm.models import (
    Chat,
    Contact,
    ContactIdentity,
    ContactTag,
    FieldValue,
    GroupMember,
    Merge,
    MergeMove,
    Note,
    NoteEdit,
    Reminder,
    Tag,
    Tombstone,
    WhatsAppAccount,
)
from crm.services import bin, custom_fields, merging, notes, tags
from waplus.lib.ids import uuid7

CONTACTS = "/api/v1/contacts/"
PHONE = {"kind": "phone", "value": "+4915112345678"}

pytestmark = pytest.mark.django_db


def create(device, **fields) -> dict:
    answer = device.client.post(CONTACTS, {"name": "Ana", **fields})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def delete(device, contact: dict):
    return device.client.delete(f"{CONTACTS}{contact['id']}/")


def restore(device, contact: dict):
    return device.client.post(f"{CONTACTS}{contact['id']}/restore/")


def purge(device, contact: dict):
    return device.client.delete(f"{CONTACTS}bin/{contact['id']}/")


def binned(device) -> list[str]:
    return [row["id"] for row in device.client.get(f"{CONTACTS}bin/").json()["results"]]


def used(workspace) -> int:
    return plans.used_of(workspace=workspace, resource=Resource.CONTACTS)


@pytest.fixture
def full(acme, alice, alice_device) -> dict:
    """A contact with one of everything, and a merged one within it."""
    actor = actors.person(alice)
    field, _ = custom_fields.create_field(workspace=acme, actor=actor, name="Size", kind="text")
    tag, _ = tags.create_tag(workspace=acme, actor=actor, name="VIP")
    contact = create(
        alice_device, identities=[PHONE], tags=[str(tag.pk)], fields={str(field.pk): "M"}, owner=str(alice.pk)
    )
    note, _ = notes.write_note(workspace=acme, contact_id=contact["id"], actor=actor, text="First")
    notes.edit_note(workspace=acme, note_id=note.pk, actor=actor, text="Second")
    now = timezone.now()
    wall = now.replace(tzinfo=None)
    Reminder.objects.create(
        workspace=acme,
        contact_id=contact["id"],
        text="Call",
        wall_time=wall,
        occurrence_wall=wall,
        time_zone="UTC",
        due_at=now,
    )
    number = WhatsAppAccount.objects.create(workspace=acme, jid="5511911112222@c.us")
    group = Chat.objects.create(workspace=acme, whatsapp_account=number, jid="1@g.us", kind="group", search_text=" ")
    GroupMember.objects.create(workspace=acme, chat=group, jid="4915112345678@c.us", contact_id=contact["id"])
    Chat.objects.create(
        workspace=acme,
        whatsapp_account=number,
        jid="4915112345678@c.us",
        kind="person",
        contact_id=contact["id"],
        search_text=" ",
    )
    absorbed = create(alice_device, name="Twin", identities=[{"kind": "lid", "value": "157163732254124@lid"}])
    merging.merge_contacts(workspace=acme, actor=actor, kept_id=uuid(contact), absorbed_id=uuid(absorbed))
    return alice_device.client.get(f"{CONTACTS}{contact['id']}/").json()


def uuid(contact: dict):
    return Contact.objects.get(pk=contact["id"]).pk


def test_restored_contact_is_what_it_was(alice_device, acme, full):
    linked = set(Chat.objects.filter(contact=full["id"]).values_list("jid", flat=True))
    assert linked == {"4915112345678@c.us"}
    assert delete(alice_device, full).status_code == 204
    assert alice_device.client.get(f"{CONTACTS}{full['id']}/").status_code == 404
    assert alice_device.client.get(CONTACTS).json()["results"] == []
    assert (used(acme), ContactIdentity.objects.filter(holds_key=True).count()) == (0, 0)
    assert not Chat.objects.filter(contact=full["id"]).exists()
    answer = restore(alice_device, full)
    assert answer.status_code == 200
    changed = {"version": full["version"] + 2, "updated_at": answer.json()["updated_at"]}
    assert answer.json() == {**full, **changed}
    assert (used(acme), ContactIdentity.objects.filter(holds_key=True).count()) == (1, 2)
    assert set(Chat.objects.filter(contact=full["id"]).values_list("jid", flat=True)) == linked
    assert GroupMember.objects.filter(contact=full["id"]).count() == 1
    assert plans.recount(acme, Resource.CONTACTS) == {}
    assert [e.kind for e in Event.objects.filter(object_id=full["id"]).order_by("-id")[:2]] == [
        "contact.restored",
        "contact.deleted",
    ]


def test_restoring_again_changes_nothing(alice_device, acme):
    contact = create(alice_device)
    delete(alice_device, contact)
    first = restore(alice_device, contact).json()
    assert restore(alice_device, contact).json() == first
    assert (used(acme), Event.objects.filter(kind="contact.restored").count()) == (1, 1)


def test_bin_lists_the_latest_first_and_pages(alice_device, charlie_device):
    contacts = [create(alice_device, name=f"C{n}") for n in range(5)]
    delete(charlie_device, create(charlie_device))
    for contact in contacts:
        delete(alice_device, contact)
    expected = [contact["id"] for contact in reversed(contacts)]
    assert binned(alice_device) == expected
    seen, cursor = [], ""
    while cursor is not None:
        page = alice_device.client.get(f"{CONTACTS}bin/", {"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        assert all(row["deleted_at"] for row in page["results"])
        seen += [row["id"] for row in page["results"]]
        cursor = page["next_cursor"]
    assert seen == expected


def test_number_that_was_taken_meanwhile_keeps_contact_in_bin(alice_device, acme):
    contact = create(alice_device, identities=[PHONE])
    delete(alice_device, contact)
    other = create(alice_device, name="New", identities=[{"kind": "c_us", "value": "4915112345678@c.us"}])
    assert assert_refused(restore(alice_device, contact), "number_in_use")["contact_id"] == other["id"]
    assert (binned(alice_device), used(acme)) == ([contact["id"]], 1)
    delete(alice_device, other)
    assert restore(alice_device, contact).status_code == 200


def test_restoring_needs_a_place(alice_device, acme):
    Plan.objects.filter(code="team").update(max_contacts=1)
    contact = create(alice_device)
    delete(alice_device, contact)
    other = create(alice_device)
    assert_refused(restore(alice_device, contact), "plan_limit_reached")
    assert (binned(alice_device), used(acme)) == ([contact["id"]], 1)
    delete(alice_device, other)
    assert restore(alice_device, contact).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_restoring_races_with_new_contact_for_one_number(alice_device, bob_device, acme):
    for n in range(4):
        identity = {"kind": "phone", "value": f"+491511234567{n}"}
        contact = create(alice_device, identities=[identity])
        delete(alice_device, contact)
        answers = at_once(
            lambda c=contact: restore(alice_device, c),
            lambda i=identity: bob_device.client.post(CONTACTS, {"name": "New", "identities": [i]}),
        )
        assert sorted(answer.status_code for answer in answers) in ([200, 409], [201, 409]), [a.json() for a in answers]
        assert next(a for a in answers if a.status_code == 409).json()["code"] == "number_in_use"
    assert Contact.objects.alive().count() == used(acme) == ContactIdentity.objects.filter(holds_key=True).count() == 4


@pytest.mark.django_db(transaction=True)
def test_parallel_restorations_take_one_place(alice_device, acme):
    contact = create(alice_device, identities=[PHONE])
    delete(alice_device, contact)
    answers = at_once(*[lambda: restore(alice_device, contact)] * 4)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert (used(acme), Event.objects.filter(kind="contact.restored").count()) == (1, 1)


# --- For good -------------------------------------------------------------------------------------


def rows_about(contact_ids: set) -> dict[str, int]:
    """How many rows point to some contacts, in every table of every app."""
    found = {}
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if field.related_model is Contact:
                count = model._base_manager.filter(**{f"{field.name}__in": contact_ids}).count()
                if count:
                    found[f"{model._meta.label}.{field.name}"] = count
    return found


def test_purging_takes_everything_and_leaves_tombstones(alice_device, acme, full):
    family = set(Contact.objects.values_list("pk", flat=True))
    other = create(alice_device, name="Other", tags=[str(Tag.objects.get().pk)])
    assert set(rows_about(family)) >= {
        "crm.Contact.merged_into",
        "crm.ContactIdentity.contact",
        "crm.ContactTag.contact",
        "crm.FieldValue.contact",
        "crm.Note.contact",
        "crm.Reminder.contact",
        "crm.Merge.kept",
    }
    delete(alice_device, full)
    assert purge(alice_device, full).status_code == 204
    assert rows_about(family) == {}
    assert [str(contact.pk) for contact in Contact.objects.all()] == [other["id"]]
    for model, left in {
        (ContactTag, 1),
        (FieldValue, 0),
        (Note, 0),
        (NoteEdit, 0),
        (Reminder, 0),
        (Merge, 0),
        (MergeMove, 0),
        (Chat, 2),
        (GroupMember, 1),
    }:
        assert (model.__name__, model.objects.count()) == (model.__name__, left)
    buried = {
        kind: Tombstone.objects.filter(kind=kind).count() for kind in ("contact", "note", "field_value", "reminder")
    }
    assert buried == {"contact": 2, "note": 1, "field_value": 1, "reminder": 1}
    assert Event.objects.filter(kind="contact.purged", object_id=full["id"]).count() == 1
    assert_refused(restore(alice_device, full), "not_found")
    assert used(acme) == 1


def test_only_admins_purge_and_only_what_is_in_the_bin(alice_device, bob_device, charlie_device, acme):
    contact = create(alice_device)
    assert_refused(purge(alice_device, contact), "not_found")
    delete(alice_device, contact)
    assert_refused(purge(bob_device, contact), "forbidden")
    assert_refused(purge(charlie_device, contact), "not_found")
    erin = make_person("Erin")
    join(acme, erin, Role.ADMIN)
    assert purge(make_device(erin, acme), contact).status_code == 204
    assert not Contact.objects.exists()


def age(days: float) -> None:
    then = timezone.now() - timedelta(days=days)
    Contact.objects.filter(deleted_at__isnull=False).update(deleted_at=then)
    Note.objects.filter(deleted_at__isnull=False).update(deleted_at=then)


def test_sweep_empties_bins_in_chunks_when_their_time_is_over(alice_device, charlie_device, monkeypatch):
    monkeypatch.setattr(bin, "CHUNK", 2)
    for device in (alice_device, charlie_device):
        for n in range(5):
            delete(device, create(device, name=f"C{n}"))
    stays = create(alice_device, name="Stays")
    age(29.9)
    assert bin.empty_bins() == 0
    age(30.1)
    assert bin.empty_bins() == 10
    assert [str(contact.pk) for contact in Contact.objects.all()] == [stays["id"]]
    assert sorted(Event.objects.filter(kind="contact.purged").values_list("count", flat=True)) == [1, 1, 2, 2, 2, 2]
    assert bin.empty_bins() == 0


def test_sweep_deletes_notes_with_their_history(alice_device, acme, alice):
    contact = create(alice_device)
    actor = actors.person(alice)
    for n in range(2):
        note, _ = notes.write_note(workspace=acme, contact_id=contact["id"], actor=actor, text=f"N{n}")
        notes.edit_note(workspace=acme, note_id=note.pk, actor=actor, text=f"Edited {n}")
    notes.delete_note(workspace=acme, note_id=note.pk, actor=actor)
    age(31)
    assert bin.empty_bins() == 1
    assert [row.text for row in Note.objects.all()] == ["Edited 0"]
    assert NoteEdit.objects.count() == 1


def test_bulk_deletion_counts_what_went(alice_device, acme, alice, other, charlie_device):
    mine = [create(alice_device, name=f"C{n}") for n in range(3)]
    theirs = create(charlie_device)
    delete(alice_device, mine[0])
    ids = [*(contact["id"] for contact in mine), theirs["id"], uuid7()]
    assert bin.delete_contacts(workspace=acme, contact_ids=ids, actor=actors.person(alice)) == 2
    assert (used(acme), used(other)) == (0, 1)
    assert Event.objects.filter(kind="contact.deleted").latest("id").count == 2


def test_purging_sends_few_statements(alice_device, acme, alice, django_assert_max_num_queries):
    """Whatever hangs on them, however many they are: statements over whole sets."""
    contacts = [create(alice_device, name=f"C{n}") for n in range(20)]
    for contact in contacts:
        for n in range(3):
            notes.write_note(workspace=acme, contact_id=contact["id"], actor=actors.person(alice), text=f"N{n}")
        delete(alice_device, contact)
    age(31)
    with django_assert_max_num_queries(70):
        assert bin.empty_bins() == 20
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM crm_note")
        assert cursor.fetchone()[0] == 0
