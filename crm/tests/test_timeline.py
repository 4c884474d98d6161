"""The timeline of a contact: everything that happened with it, in order, page by page."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import actors
from accounts.models import Event
from accounts.services.events import record_event
from crm.models import (
    Chat,
    Contact,
    ContactsOfEvent,
    ContactTag,
    CustomField,
    ImportBatch,
    ImportRow,
    Merge,
    Note,
    NoteEdit,
    Reminder,
    Stage,
    Tag,
    WhatsAppAccount,
)
from crm.services.bulk.running import run_open_actions
from crm.services.bulk.starting import start_bulk_action
from crm.services.contacts import create_contact, update_contact
from crm.services.merging import merge_contacts, undo_merge
from crm.services.ownership import hand_over_contacts
from crm.services.tags import tag_contact, untag_contact
from crm.services.timeline import registry
from crm.services.timeline.pages import SORTS, timeline_page
from crm.tests.records import add_field, add_stage, add_tag
from waplus.lib.api.pagination import PageRequest
from waplus.lib.errors import NotFound
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def id_at(moment: datetime) -> UUID:
    """A UUIDv7 as it would have been made then."""
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | (uuid7().int & (2**80 - 1)))


@pytest.fixture
def ana(acme, alice):
    """Ana, whom Alice added at minute 0."""
    return add(acme, alice, "Ana Lima", 0)


def add(workspace, person, name: str, minute: int) -> Contact:
    contact, _ = create_contact(
        workspace=workspace, actor=actors.person(person), source="person", identities=[], name=name
    )
    Contact.objects.filter(pk=contact.pk).update(created_at=at(minute))
    Event.objects.filter(object_id=contact.pk).update(id=id_at(at(minute)))
    return contact


def tell(workspace, person, contact, kind: str, minute: int, changed=()) -> Event:
    """An event as a service would have recorded it then."""
    event = record_event(kind=kind, actor=actors.person(person), workspace=workspace, obj=contact, changed=changed)
    Event.objects.filter(pk=event.pk).update(id=id_at(at(minute)))
    return Event.objects.get(object_id=contact.pk, happened_at=event.happened_at)


def remind(workspace, contact, person, text: str, minute: int, done: int | None = None) -> Reminder:
    reminder = Reminder.objects.create(
        workspace=workspace,
        contact=contact,
        text=text,
        wall_time=at(0).replace(tzinfo=None),
        occurrence_wall=at(0).replace(tzinfo=None),
        time_zone="UTC",
        due_at=at(0),
        created_by=person,
        done_at=None if done is None else at(done),
    )
    Reminder.objects.filter(pk=reminder.pk).update(created_at=at(minute))
    return reminder


def write(workspace, contact, person, text: str, minute: int, **fields) -> Note:
    return Note.objects.create(
        workspace=workspace,
        contact=contact,
        text=text,
        search_text=f" {text}",
        author=person,
        created_at=at(minute),
        **fields,
    )


def page_of(contact, limit: int = 50, cursor: str | None = None) -> tuple[list[dict], str | None]:
    page = PageRequest.of({"limit": str(limit), "cursor": cursor}, SORTS, "newest")
    return timeline_page(workspace=contact.workspace, contact_id=contact.pk, page=page)


def everything(contact, limit: int) -> list[dict]:
    """All pages of a timeline, one behind the other."""
    entries, cursor = page_of(contact, limit)
    while cursor:
        more, cursor = page_of(contact, limit, cursor)
        entries += more
    return entries


def keys(entries: list[dict]) -> list[tuple]:
    return [(entry["kind"], entry["id"]) for entry in entries]


def named(row, name: str) -> dict:
    return {"id": row.pk, "name": name}


def test_lists_one_of_everything(acme, alice, bob, ana):
    """Exact entries in exact order."""
    by_alice, by_bob = named(alice, "Alice"), named(bob, "Bob")
    stage = Stage.objects.create(workspace=acme, name="Offer", folded="offer")
    field = CustomField.objects.create(workspace=acme, name="Birthday", folded="birthday", kind="text")
    changed = tell(
        acme,
        bob,
        ana,
        "contact.updated",
        1,
        changed=["company", "email", f"fields.{field.pk}", f"owner.{bob.pk}", f"stage.{stage.pk}"],
    )
    emptied = tell(acme, alice, ana, "contact.updated", 2, changed=["owner", "stage"])
    seen = tell(acme, alice, ana, "contact.observed", 3)
    note = write(acme, ana, alice, "new text", 4, edited_at=at(5), edited_by=bob)
    NoteEdit.objects.create(workspace=acme, note=note, text="old text", author=alice, written_at=at(4))
    write(acme, ana, alice, "in the bin", 4, edited_at=at(5), deleted_at=at(6))
    tag = Tag.objects.create(workspace=acme, name="VIP", folded="vip")
    worn = ContactTag.objects.create(workspace=acme, contact=ana, tag=tag, added_at=at(7), added_by=bob)
    tell(acme, bob, ana, "contact.tagged", 7, changed=[f"tags.{tag.pk}"])
    off = tell(acme, alice, ana, "contact.untagged", 8, changed=[f"tags.{tag.pk}"])
    reminder = remind(acme, ana, alice, "call back", 9, done=10)
    tell(acme, bob, reminder, "reminder.snoozed", 9)
    tell(acme, bob, reminder, "reminder.done", 10)
    batch = ImportBatch.objects.create(workspace=acme, file_name="people.csv", created_by=bob)
    row = ImportRow.objects.create(
        id=id_at(at(11)), workspace=acme, batch=batch, row_number=1, outcome="merged", contact_id=ana.pk
    )
    ImportRow.objects.create(workspace=acme, batch=batch, row_number=2, outcome="skipped", contact_id=ana.pk)
    account = WhatsAppAccount.objects.create(workspace=acme, jid="5511911112222@c.us")
    chat, nameless = (
        Chat.objects.create(
            workspace=acme,
            whatsapp_account=account,
            contact=ana,
            jid=f"157163732254{n}@lid",
            kind="person",
            name=name,
            search_text="",
            last_message_at=at(n),
        )
        for n, name in ((12, "Ana"), (13, ""))
    )

    entries, cursor = page_of(ana)

    assert cursor is None
    excerpt = {"text": "new text"}
    assert entries == [
        {
            "at": at(13),
            "kind": "chat.message",
            "id": nameless.pk,
            "actor": None,
            "chat": named(nameless, nameless.jid),
        },
        {"at": at(12), "kind": "chat.message", "id": chat.pk, "actor": None, "chat": named(chat, "Ana")},
        {
            "at": at(11),
            "kind": "import.changed",
            "id": row.pk,
            "actor": by_bob,
            "batch": named(batch, "people.csv"),
        },
        {"at": at(10), "kind": "reminder.done", "id": reminder.pk, "actor": by_bob, "text": "call back"},
        {"at": at(9), "kind": "reminder.made", "id": reminder.pk, "actor": by_alice, "text": "call back"},
        {"at": at(8), "kind": "tag.removed", "id": off.pk, "actor": by_alice, "tag": named(tag, "VIP")},
        {"at": at(7), "kind": "tag.added", "id": worn.pk, "actor": by_bob, "tag": named(tag, "VIP")},
        {"at": at(5), "kind": "note.edited", "id": note.pk, "actor": by_bob, **excerpt},
        {"at": at(4), "kind": "note.written", "id": note.pk, "actor": by_alice, **excerpt},
        {"at": at(3), "kind": "contact.observed", "id": seen.pk, "actor": by_alice},
        {
            "at": at(2),
            "kind": "contact.updated",
            "id": emptied.pk,
            "actor": by_alice,
            "fields": [{"field": "owner", "to": None}, {"field": "stage", "to": None}],
        },
        {
            "at": at(1),
            "kind": "contact.updated",
            "id": changed.pk,
            "actor": by_bob,
            "fields": [
                {"field": "company", "to": None},
                {"field": "email", "to": None},
                {"field": "fields", "to": named(field, "Birthday")},
                {"field": "owner", "to": by_bob},
                {"field": "stage", "to": named(stage, "Offer")},
            ],
        },
        {"at": at(0), "kind": "contact.created", "id": ana.pk, "actor": by_alice},
    ]


def test_tells_what_services_record(acme, alice, bob):
    """The kinds and fields of real events are those that the timeline reads."""
    person = actors.person(alice)
    ana, _ = create_contact(workspace=acme, actor=person, source="person", identities=[], name="Ana")
    tag = Tag.objects.create(workspace=acme, name="VIP", folded="vip")
    stage = Stage.objects.create(workspace=acme, name="Offer", folded="offer")
    update_contact(workspace=acme, contact_id=ana.pk, actor=person, company="Café", owner=bob.pk, stage=stage.pk)
    tag_contact(workspace=acme, contact_id=ana.pk, tag_id=tag.pk, actor=person)
    untag_contact(workspace=acme, contact_id=ana.pk, tag_id=tag.pk, actor=person)
    tag_contact(workspace=acme, contact_id=ana.pk, tag_id=tag.pk, actor=actors.person(bob))
    entries = {entry["kind"]: entry for entry in page_of(ana)[0]}
    assert sorted(entries) == ["contact.created", "contact.updated", "tag.added", "tag.removed"]
    assert entries["contact.updated"]["fields"] == [
        {"field": "company", "to": None},
        {"field": "owner", "to": named(bob, "Bob")},
        {"field": "stage", "to": named(stage, "Offer")},
    ]
    assert entries["tag.removed"]["tag"] == entries["tag.added"]["tag"] == named(tag, "VIP")
    assert [entries[kind]["actor"]["name"] for kind in ("tag.removed", "tag.added")] == ["Alice", "Bob"]


def test_tells_import_that_made_contact(acme, alice):
    contact = Contact.objects.create(workspace=acme, name="Ana", search_text=" ana", created_at=at(0), updated_at=at(0))
    batch = ImportBatch.objects.create(workspace=acme, file_name="people.csv", created_by=alice)
    row = ImportRow.objects.create(workspace=acme, batch=batch, row_number=1, outcome="created", contact_id=contact.pk)
    assert keys(page_of(contact)[0]) == [("import.created", row.pk)]


def test_tells_beginning_without_event(acme):
    contact = Contact.objects.create(workspace=acme, name="Ana", search_text=" ana", created_at=at(0), updated_at=at(0))
    assert page_of(contact)[0] == [{"at": at(0), "kind": "contact.created", "id": contact.pk, "actor": None}]


def test_shortens_long_note(acme, alice, ana):
    write(acme, ana, alice, "x" * 20_000, 1)
    assert page_of(ana)[0][0]["text"] == "x" * 300


def test_names_nothing_that_is_gone(acme, alice, bob, ana):
    write(acme, ana, bob, "hello", 1)
    off = tell(acme, bob, ana, "contact.untagged", 2, changed=[f"tags.{uuid7()}"])
    bob.delete()
    entries, _ = page_of(ana)
    assert entries[0]["id"] == off.pk
    assert (entries[0]["actor"]["name"], entries[0]["tag"]["name"]) == ("", "")
    assert entries[1]["actor"] is None


def test_walks_everything_once(acme, alice, ana):
    """Several entries of one moment, and pages of every size."""
    for minute in range(1, 8):
        for _ in range(3):
            remind(acme, ana, alice, "call", minute, done=minute)
            write(acme, ana, alice, "note", minute)
            tell(acme, alice, ana, "contact.updated", minute, changed=["name"])
    whole, cursor = page_of(ana, 200)
    assert cursor is None
    assert len(whole) == len(set(keys(whole))) == 7 * 3 * 4 + 1
    assert [entry["at"] for entry in whole] == sorted((entry["at"] for entry in whole), reverse=True)
    for limit in (1, 2, 3, 7, 84, 85):
        assert everything(ana, limit) == whole


def test_walks_everything_once_while_entries_are_added(acme, alice, ana):
    for minute in range(1, 21):
        write(acme, ana, alice, "note", minute)
        tell(acme, alice, ana, "contact.updated", minute, changed=["name"])
    before = keys(page_of(ana, 200)[0])
    walked, cursor = page_of(ana, 6)
    walked = keys(walked)
    while cursor:
        minute = 100 + len(walked)
        write(acme, ana, alice, "late", minute)
        tell(acme, alice, ana, "contact.updated", minute, changed=["name"])
        more, cursor = page_of(ana, 6, cursor)
        walked += keys(more)
    assert walked == before


def test_asks_as_often_for_60_entries_as_for_6(acme, alice, bob, ana):
    tags = [Tag.objects.create(workspace=acme, name=f"Tag {n}", folded=f"tag {n}") for n in range(30)]
    for minute, tag in enumerate(tags, 1):
        ContactTag.objects.create(workspace=acme, contact=ana, tag=tag, added_at=at(minute), added_by=bob)
        tell(acme, alice, ana, "contact.updated", minute, changed=["name"])
    page_of(ana, 6)  # prepares the statements on this connection
    counts = []
    for limit in (6, 60):
        with CaptureQueriesContext(connection) as queries:
            assert len(page_of(ana, limit)[0]) == limit
        counts.append(len(queries))
    # The contact, its entries, their names.
    assert counts == [3, 3]


def test_shows_nothing_of_others(acme, alice, ana, other, charlie, alice_device, charlie_device):
    foreign = add(other, charlie, "Foreign", 0)
    write(other, foreign, charlie, "secret", 1)
    path = f"/api/v1/contacts/{foreign.pk}/timeline/"
    assert alice_device.client.get(path).status_code == 404
    assert alice_device.client.get(f"/api/v1/contacts/{uuid7()}/timeline/").status_code == 404
    assert len(charlie_device.client.get(path).json()["results"]) == 2
    # A row of another workspace that speaks of the contact by its bare id.
    tell(other, charlie, ana, "contact.updated", 2, changed=["name"])
    batch = ImportBatch.objects.create(workspace=other, file_name="theirs.csv")
    ImportRow.objects.create(workspace=other, batch=batch, row_number=1, outcome="merged", contact_id=ana.pk)
    tell(acme, alice, ana, "contact.untagged", 3, changed=[f"tags.{foreign.pk}"])
    stage = Stage.objects.create(workspace=other, name="Theirs", folded="theirs")
    tell(acme, alice, ana, "contact.updated", 4, changed=[f"stage.{stage.pk}"])
    entries, _ = page_of(ana)
    assert [entry["kind"] for entry in entries] == ["contact.updated", "tag.removed", "contact.created"]
    assert entries[0]["fields"] == [{"field": "stage", "to": {"id": stage.pk, "name": ""}}]


def test_finds_nothing_of_binned_and_merged(acme, alice, alice_device, ana):
    double = add(acme, alice, "Ana L.", 1)
    merge_contacts(workspace=acme, actor=actors.person(alice), kept_id=ana.pk, absorbed_id=double.pk)
    assert alice_device.client.get(f"/api/v1/contacts/{double.pk}/timeline/").status_code == 404
    Contact.objects.filter(pk=ana.pk).update(deleted_at=at(5))
    assert alice_device.client.get(f"/api/v1/contacts/{ana.pk}/timeline/").status_code == 404
    with pytest.raises(NotFound):
        page_of(ana)


def test_keeps_history_of_merged_contacts(acme, alice, bob, ana):
    """What went into a contact brings its history, and takes it along again."""
    double, triple = add(acme, alice, "Double", 1), add(acme, bob, "Triple", 2)
    for contact, minute in ((double, 3), (triple, 4)):
        tell(acme, bob, contact, "contact.updated", minute, changed=["name"])
    note = write(acme, triple, bob, "of the third", 5)
    first, _ = merge_contacts(workspace=acme, actor=actors.person(bob), kept_id=double.pk, absorbed_id=triple.pk)
    second, _ = merge_contacts(workspace=acme, actor=actors.person(alice), kept_id=ana.pk, absorbed_id=double.pk)
    Merge.objects.filter(pk=first.pk).update(merged_at=at(6))
    Merge.objects.filter(pk=second.pk).update(merged_at=at(7))
    entries, _ = page_of(ana)
    assert [(entry["kind"], entry["at"]) for entry in entries] == [
        ("merge.made", at(7)),
        ("merge.made", at(6)),
        ("note.written", at(5)),
        ("contact.updated", at(4)),
        ("contact.updated", at(3)),
        ("contact.created", at(2)),
        ("contact.created", at(1)),
        ("contact.created", at(0)),
    ]
    assert entries[0]["contact"] == named(double, "Double")
    assert entries[1]["contact"] == named(triple, "Triple")
    assert entries[2]["id"] == note.pk
    assert [entry["actor"]["name"] for entry in entries[:2]] == ["Alice", "Bob"]

    undo_merge(workspace=acme, actor=actors.person(bob), merge_id=second.pk)
    of_ana, of_double = page_of(ana)[0], page_of(double)[0]
    assert [entry["kind"] for entry in of_ana] == ["merge.undone", "merge.made", "contact.created"]
    assert [entry["kind"] for entry in of_double] == [
        *("merge.undone", "merge.made", "merge.made", "note.written"),
        *("contact.updated", "contact.updated", "contact.created", "contact.created"),
    ]
    assert of_ana[0]["actor"] == of_double[0]["actor"] == named(bob, "Bob")
    assert of_ana[0]["contact"] == named(double, "Double")
    assert of_double[0]["contact"] == named(ana, "Ana Lima")


def test_includes_registered_source(acme, alice, ana, alice_device, monkeypatch):
    """A floor above tells what it knows, in the same order and behind the same cursors."""
    monkeypatch.setattr(registry, "_sources", dict(registry._sources))
    registry.register_timeline_source(
        "number.seen",
        kinds=["number.seen"],
        sql="""
        SELECT i.observed_at AS at, i.id, 'number.seen' AS kind, NULL::uuid AS actor,
               jsonb_build_object('text', i.value) AS detail
        FROM crm_contactidentity i WHERE i.workspace_id = person.workspace_id AND i.contact_id = person.id
        """,
    )
    assert "number.seen" in registry.timeline_kinds()
    identity = ana.identities.create(
        workspace=acme, kind="phone", value="+5511987654321", match_key="k", source="person", observed_at=at(2)
    )
    write(acme, ana, alice, "before", 1)
    write(acme, ana, alice, "after", 3)
    entries = everything(ana, 1)
    assert [entry["kind"] for entry in entries] == ["note.written", "number.seen", "note.written", "contact.created"]
    assert entries[1] == {
        "at": at(2),
        "kind": "number.seen",
        "id": identity.pk,
        "actor": None,
        "text": "+5511987654321",
    }


def test_serves_timeline(acme, alice, alice_device, ana):
    note = write(acme, ana, alice, "hello", 1)
    path = f"/api/v1/contacts/{ana.pk}/timeline/"
    first = alice_device.client.get(path, {"limit": 1}).json()
    assert first["results"] == [
        {
            "at": "2026-03-01T12:01:00Z",
            "kind": "note.written",
            "id": str(note.pk),
            "actor": {"id": str(alice.pk), "name": "Alice"},
            "text": "hello",
        }
    ]
    second = alice_device.client.get(path, {"cursor": first["next_cursor"]}).json()
    assert [entry["kind"] for entry in second["results"]] == ["contact.created"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "cursor=x", "cursor=WyJuZXdlc3QiLCJ4IiwieSJd", "sort=oldest", "cursor=%00"]
)
def test_refuses_wrong_query(alice_device, ana, query):
    assert alice_device.client.get(f"/api/v1/contacts/{ana.pk}/timeline/?{query}").status_code == 400


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("0001-01-01T00:00:00+14:00 x", 200),
        ("9999-12-31T23:59:59-14:00 x", 200),
        ("2026-01-01T00:00:00Z '", 200),
        ("2026-01-01T00:00:00Z", 400),
        ("2026-01-01T00:00:00 x", 400),
        ("infinity x", 400),
    ],
)
def test_takes_cursor_of_its_form(alice_device, ana, place, status):
    cursor = PageRequest.of({}, SORTS, "newest").cursor_behind(place, uuid7())
    response = alice_device.client.get(f"/api/v1/contacts/{ana.pk}/timeline/", {"cursor": cursor})
    assert response.status_code == status


def test_reads_no_table_of_large_workspace(acme, alice, ana):
    """Each source of a page is found by an index, however many rows others have."""
    page_of(ana)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; DISCARD PLANS")
        cursor.execute(
            "SELECT name FROM pg_prepared_statements WHERE statement LIKE '%%WITH RECURSIVE people%%' LIMIT 1"
        )
        name = cursor.fetchone()[0]
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        last = UUID(int=2**128 - 1)
        cursor.execute(
            f"EXPLAIN EXECUTE {name} (%s, %s, 'infinity', '', %s, %s, 51)", [acme.pk, ana.pk, UUID(int=0), last]
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan" not in plan
    assert "event_object" in plan
    assert "import_row_of_contact" in plan


def test_tells_what_was_done_to_many_at_once(acme, alice, bob, charlie, other):
    """Each contact's timeline tells of the bulk changes that changed it, and of no others."""
    ana, ben, cem = (add(acme, alice, name, 0) for name in ("Ana", "Ben", "Cem"))
    vip, new = add_tag(acme, "VIP"), add_stage(acme, "New")
    city = add_field(acme, "City", "text")
    tag_contact(workspace=acme, contact_id=ana.pk, actor=actors.person(alice), tag_id=vip.pk)
    update_contact(workspace=acme, contact_id=cem.pk, actor=actors.person(alice), stage=new.pk)
    both = {"workspace": acme, "user": bob, "actor": actors.person(bob)}
    start_bulk_action(**both, action="set_stage", ids=[ana.pk, ben.pk, cem.pk], stage=new.pk)
    start_bulk_action(**both, action="set_owner", ids=[ana.pk, ben.pk], owner=bob.pk)
    start_bulk_action(**both, action="set_field", ids=[ben.pk], field=city.pk, value="Porto")
    start_bulk_action(**both, action="remove_tags", ids=[ana.pk, ben.pk], tags=[vip.pk])
    start_bulk_action(**both, action="bin", ids=[ben.pk, cem.pk])
    start_bulk_action(**both, action="restore", ids=[ben.pk, cem.pk])
    run_open_actions()

    def done_by_bob(contact) -> list[tuple]:
        entries = [entry for entry in everything(contact, 2) if (entry["actor"] or {}).get("id") == bob.pk]
        return [
            (entry["kind"], [(f["field"], f["to"] and f["to"]["name"]) for f in entry.get("fields", [])])
            for entry in entries
        ]

    assert done_by_bob(ana) == [
        ("tag.removed", []),
        ("contact.updated", [("owner", "Bob")]),
        ("contact.updated", [("stage", "New")]),
    ]
    assert done_by_bob(ben) == [
        ("contact.restored", []),
        ("contact.deleted", []),
        ("contact.updated", [("fields", "City")]),
        ("contact.updated", [("owner", "Bob")]),
        ("contact.updated", [("stage", "New")]),
    ]
    assert done_by_bob(cem) == [("contact.restored", []), ("contact.deleted", [])]
    removed = next(entry for entry in page_of(ana)[0] if entry["kind"] == "tag.removed")
    assert removed["tag"] == named(vip, "VIP")
    # An event and a row for each change, however many contacts it is about.
    assert Event.objects.filter(object_type="contact", count=2).count() == 3 and ContactsOfEvent.objects.count() == 5


def test_tells_who_took_over_from_a_member_who_left(acme, alice, bob):
    ana = add(acme, alice, "Ana", 0)
    Contact.objects.filter(pk=ana.pk).update(owner=bob)
    hand_over_contacts(workspace=acme, user_id=bob.pk, heir_id=alice.pk, limit=10)
    entry = page_of(ana)[0][0]
    assert (entry["kind"], entry["fields"]) == ("contact.updated", [{"field": "owner", "to": named(alice, "Alice")}])
    assert entry["actor"] is None
