"""Pushing: each change applied, merged or refused with the present state, and a batch that may be sent again."""

from uuid import UUID

import pytest
from django.utils import timezone

from accounts import actors
from accounts.models import Event, Resource, Workspace
from accounts.services import plans
from accounts.tests.together import assert_refused, at_once
from crm.models import Contact, ContactIdentity, ContactTag, CustomField, FieldValue, Note, PushedChange, Reminder, Tag
from crm.serializers.sync import SHAPES
from crm.services import bin, contacts, merging, notes
from crm.services.sync import epoch
from crm.services.sync.handlers import pushable
from crm.services.sync.kinds import kind_named
from crm.tests.sync.devices import SYNC, Replica
from crm.tests.sync.test_pulling import make_contact
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)


def push(device, *changes, status=200):
    answer = device.client.post(SYNC, {"changes": list(changes)})
    assert answer.status_code == status, answer.content
    return answer.json()["results"] if status == 200 else answer


def change(kind: str, op: str, row_id=None, /, **members) -> dict:
    """A change as a device makes it; what is not an envelope's member is set."""
    envelope = {name: members.pop(name) for name in ("base_version", "base_versions", "epoch") if name in members}
    made = {"change_id": str(uuid7()), "kind": kind, "op": op, "id": str(row_id or uuid7()), **envelope}
    return {**made, "set": members} if members else made


def update(kind: str, row, base_version: int, /, **members) -> dict:
    members.setdefault("epoch", str(epoch.standing_epoch()))
    return change(kind, "update", row.pk, base_version=base_version, **members)


def phone(value: str) -> list[dict]:
    return [{"kind": "phone", "value": value}]


def rename(workspace, user, contact, **values) -> None:
    contacts.update_contact(workspace=workspace, contact_id=contact.pk, actor=actors.person(user), **values)


def assert_outcome(result: dict, status: str, code: str = "", fields=()) -> None:
    assert (result["status"], result["code"], [error["field"] for error in result["fields"]]) == (
        status,
        code,
        list(fields),
    ), result
    assert bool(result["detail"]) == bool(code)


# --- Applied --------------------------------------------------------------------------------------


def test_applies_what_was_made_offline_in_one_batch(acme, alice, alice_device):
    tag, contact, note, reminder = (str(uuid7()) for _ in range(4))
    results = push(
        alice_device,
        change("tag", "create", tag, name="VIP", colour="red"),
        change("contact", "create", contact, name="Ana", identities=phone("+4915112345678"), tags=[tag]),
        change("note", "create", note, contact=contact, text="Called"),
        change("reminder", "create", reminder, contact=contact, text="Again", wall_time="2027-03-28T02:30:00"),
        change("note", "delete", note),
    )
    assert [result["status"] for result in results] == ["applied"] * 5
    assert [result["id"] for result in results] == [tag, contact, note, reminder, note]
    assert results[1]["current"]["document"]["name"] == "Ana"
    # The state of all is read at the end of the batch.
    assert results[2]["current"]["document"]["deleted_at"] is not None
    replica = Replica(alice_device.client).pull()
    assert {kind for kind, _ in replica.rows} == {
        "tag",
        "contact",
        "contact_identity",
        "contact_tag",
        "note",
        "reminder",
    }
    for result in results:
        assert replica.of(result["kind"])[result["id"]] == result["current"]["document"]
    kinds = Event.objects.filter(actor_instance_id=alice_device.instance.pk).values_list("kind", flat=True)
    assert {"tag.created", "contact.created", "note.written", "reminder.created", "note.deleted"} <= set(kinds)


def test_every_operation_of_every_kind(acme, alice, alice_device):
    field = CustomField.objects.create(workspace=acme, name="Size", folded="size", kind="number")
    contact = make_contact(acme, alice)
    tag = Tag.objects.create(workspace=acme, name="T", folded="t")

    def one(*args, **members) -> dict:
        [result] = push(alice_device, change(*args, **members))
        return result

    identity = one("contact_identity", "create", contact=str(contact.pk), kind="phone", value="+49 1511 2345678")
    assert ContactIdentity.objects.get(pk=identity["id"]).value == "+4915112345678"
    again = one("contact_identity", "create", contact=str(contact.pk), kind="phone", value="+4915112345678")
    assert (again["status"], again["id"]) == ("unchanged", identity["id"])
    worn = one("contact_tag", "create", contact=str(contact.pk), tag=str(tag.pk))
    assert ContactTag.objects.get().pk == UUID(worn["id"])
    assert one("contact_tag", "create", contact=str(contact.pk), tag=str(tag.pk))["status"] == "unchanged"
    value = one("field_value", "create", contact=str(contact.pk), field=str(field.pk), value="12.50")
    assert value["current"]["document"]["value"] == "12.5"
    [changed] = push(alice_device, update("field_value", FieldValue.objects.get(), 1, value=13))
    assert (changed["status"], changed["current"]["document"]["value"]) == ("applied", "13")
    reminder = one("reminder", "create", text="Call", wall_time="2020-01-01T09:00", time_zone="UTC", rrule="FREQ=DAILY")
    occurrence = reminder["current"]["document"]["occurrence_wall"]
    assert one("reminder", "done", reminder["id"], occurrence=occurrence)["status"] == "applied"
    assert one("reminder", "done", reminder["id"], occurrence=occurrence)["status"] == "unchanged"
    assert one("reminder", "reopen", reminder["id"])["status"] == "unchanged"
    for kind, row_id in (
        ("reminder", reminder["id"]), ("field_value", value["id"]), ("contact_tag", worn["id"]),
        ("contact_identity", identity["id"]),
    ):  # fmt: skip
        deleted = one(kind, "delete", row_id)
        assert (deleted["status"], deleted["current"], deleted["id"]) == ("applied", None, None)
        assert one(kind, "delete", row_id)["status"] == "unchanged"
    assert one("contact", "delete", contact.pk)["current"]["document"]["deleted_at"]
    assert one("contact", "delete", contact.pk)["status"] == "unchanged"
    assert one("contact", "restore", contact.pk)["current"]["document"]["deleted_at"] is None
    assert one("contact", "restore", contact.pk)["status"] == "unchanged"
    note = one("note", "create", contact=str(contact.pk), text="x")
    assert [one("note", op, note["id"])["status"] for op in ("delete", "delete", "restore", "restore")] == [
        "applied", "unchanged", "applied", "unchanged"
    ]  # fmt: skip
    assert not ContactTag.objects.exists() and not FieldValue.objects.exists() and not Reminder.objects.exists()


def test_what_updates_set_is_versioned():
    """A member without versions could be overwritten without anybody noticing."""
    for (kind, op), shape in SHAPES.items():
        assert op in pushable()[kind]
        if op == "update":
            model = kind_named(kind).model
            columns = {model._meta.get_field(name).column for name in shape().fields}
            assert columns <= set(model.versioned), kind


# --- Conflicts, by field --------------------------------------------------------------------------


def test_sets_untouched_field_beside_a_colleagues_change(acme, alice, bob, alice_device):
    contact = make_contact(acme, alice, "Ana")
    rename(acme, bob, contact, company="Bob's")
    [result] = push(alice_device, update("contact", contact, 1, name="Anna"))
    assert_outcome(result, "applied")
    document = result["current"]["document"]
    assert (document["name"], document["company"], document["version"]) == ("Anna", "Bob's", 3)
    assert document["field_versions"] == {"company": 2, "name": 3}


def test_merges_what_is_no_conflict_and_names_the_rest(acme, alice, bob, alice_device):
    contact = make_contact(acme, alice, "Ana")
    rename(acme, bob, contact, company="Bob's")
    [result] = push(alice_device, update("contact", contact, 1, name="Anna", company="Alice's"))
    assert_outcome(result, "merged", fields=["company"])
    assert result["fields"][0]["code"] == "conflict"
    assert (result["current"]["document"]["name"], result["current"]["document"]["company"]) == ("Anna", "Bob's")


def test_refuses_conflict_with_present_state(acme, alice, bob, alice_device):
    contact = make_contact(acme, alice, "Ana")
    rename(acme, bob, contact, name="Bob's")
    [result] = push(alice_device, update("contact", contact, 1, name="Alice's"))
    assert_outcome(result, "refused", "conflict", ["name"])
    assert result["current"]["document"]["name"] == "Bob's"
    [again] = push(alice_device, update("contact", contact, 2, name="Alice's"))
    assert_outcome(again, "applied")


def test_same_value_is_no_conflict(acme, alice, bob, alice_device):
    contact = make_contact(acme, alice, "Ana")
    rename(acme, bob, contact, name="Anna")
    [result] = push(alice_device, update("contact", contact, 1, name="Anna"))
    assert_outcome(result, "unchanged")
    assert Contact.objects.get().version == 2


def test_versions_of_single_members_count(acme, alice, bob, alice_device):
    """The device set the company at version 1, pulled, and set the name at version 2."""
    contact = make_contact(acme, alice, "Ana")
    rename(acme, bob, contact, company="Bob's", name="Bea")
    [result] = push(
        alice_device, update("contact", contact, 2, base_versions={"company": 1}, name="Anna", company="Alice's")
    )
    assert_outcome(result, "merged", fields=["company"])


def test_versions_of_a_lost_history_overwrite_nothing(acme, alice, alice_device):
    contact = make_contact(acme, alice, "Ana")
    [ahead] = push(alice_device, update("contact", contact, 9, name="From a future that was lost"))
    assert_outcome(ahead, "refused", "conflict", ["name"])
    [foreign] = push(alice_device, update("contact", contact, 1, epoch=str(uuid7()), name="Of another epoch"))
    assert_outcome(foreign, "refused", "conflict", ["name"])
    [same] = push(alice_device, update("contact", contact, 1, epoch=str(uuid7()), name="Ana"))
    assert_outcome(same, "unchanged")
    assert Contact.objects.get().name == "Ana"


def test_refuses_change_of_what_was_deleted(acme, alice, bob, alice_device):
    contact = make_contact(acme, alice, "Ana")
    note, _ = notes.write_note(workspace=acme, contact_id=contact.pk, actor=actors.person(bob), text="x")
    bin.delete_contact(workspace=acme, contact_id=contact.pk, actor=actors.person(bob))
    results = push(alice_device, update("contact", contact, 1, name="Anna"), update("note", note, 1, text="y"))
    assert [result["code"] for result in results] == ["not_found", "not_found"]
    assert results[0]["current"]["document"]["deleted_at"]
    Contact.objects.get().delete()
    [gone] = push(alice_device, update("contact", contact, 1, name="Anna"))
    assert (gone["status"], gone["code"], gone["current"], gone["id"]) == ("refused", "not_found", None, None)


def test_field_value_that_both_filled(acme, alice, bob, alice_device):
    field = CustomField.objects.create(workspace=acme, name="Size", folded="size", kind="number")
    contact = make_contact(acme, alice)
    rename(acme, bob, contact, fields={str(field.pk): 1})
    made = [change("field_value", "create", contact=str(contact.pk), field=str(field.pk), value=v) for v in ("1", "2")]
    same, other = push(alice_device, *made)
    assert_outcome(same, "unchanged")
    assert_outcome(other, "refused", "conflict", ["value"])
    assert other["current"]["document"]["value"] == "1"
    assert same["id"] == other["id"] == str(FieldValue.objects.get().pk)


def test_field_value_means_the_same_however_it_is_written(acme, alice, bob, alice_device):
    kinds = {"number": ("12.5", "12.50"), "choice": ("a1", "Gold"), "multiple": (["a1", "b2"], ["Silver", "Gold"])}
    options = [
        {"id": "a1", "label": "Gold", "colour": "grey", "retired": False},
        {"id": "b2", "label": "Silver", "colour": "grey", "retired": False},
    ]
    contact = make_contact(acme, alice)
    for kind, (stored, written) in kinds.items():
        field = CustomField.objects.create(
            workspace=acme, name=kind, folded=kind, kind=kind, options=[] if kind == "number" else options
        )
        rename(acme, bob, contact, fields={str(field.pk): stored})
        row = FieldValue.objects.get(field=field)
        again = change("field_value", "create", contact=str(contact.pk), field=str(field.pk), value=written)
        for result in push(alice_device, again, update("field_value", row, 0, value=written)):
            assert_outcome(result, "unchanged")
        row.refresh_from_db()
        assert (row.value, row.version) == (stored, 1)


def test_updating_field_value_to_nothing_empties_it(acme, alice, alice_device):
    field = CustomField.objects.create(workspace=acme, name="Size", folded="size", kind="text")
    contact = make_contact(acme, alice)
    for nothing in ("", " ", []):
        rename(acme, alice, contact, fields={str(field.pk): "L"})
        row = FieldValue.objects.get()
        emptied, note = push(
            alice_device,
            update("field_value", row, 1, value=nothing),
            change("note", "create", contact=str(contact.pk), text="behind it"),
        )
        assert_outcome(emptied, "applied")
        assert_outcome(note, "applied")
        assert (emptied["current"], FieldValue.objects.count()) == (None, 0)


# --- The same person on two computers -------------------------------------------------------------


def test_person_noted_twice_offline_is_one_contact(acme, alice, bob, alice_device, bob_device):
    """Bob's device is answered with Alice's contact, and what he hung on his own goes there."""
    mine = change("contact", "create", name="Ana", identities=phone("+5511987654321"))
    theirs = change(
        "contact", "create", name="Anna Souza", company="Padaria", email="a@x.br",
        identities=[*phone("+551187654321"), {"kind": "lid", "value": "157163732254124@lid"}],
    )  # fmt: skip
    push(alice_device, mine)
    note = change("note", "create", contact=theirs["id"], text="From Bob")
    renamed = change("contact", "update", theirs["id"], epoch=str(epoch.standing_epoch()), base_version=1, company="P")
    joined, noted, updated = push(bob_device, theirs, note, renamed)
    assert_outcome(joined, "merged", fields=["name"])
    assert joined["id"] == mine["id"]
    assert_outcome(noted, "applied")
    assert noted["current"]["document"]["contact"] == mine["id"]
    assert updated["id"] == mine["id"]
    contact = Contact.objects.get()
    assert (contact.name, contact.email) == ("Ana", "a@x.br")
    assert contact.identities.count() == 3
    assert plans.used_of(workspace=acme, resource=Resource.CONTACTS) == 1
    # The answer was lost: the same batch leads to the same rows.
    assert [result["id"] for result in push(bob_device, theirs, note, renamed)] == [mine["id"], noted["id"], mine["id"]]
    assert Note.objects.count() == 1


def test_tag_of_the_same_name_is_one_tag(acme, alice_device, bob_device):
    mine, theirs = change("tag", "create", name="VIP"), change("tag", "create", name="vip ")
    contact = change("contact", "create", name="Ana", tags=[theirs["id"]])
    push(alice_device, mine)
    joined, made = push(bob_device, theirs, contact)
    assert (joined["status"], joined["id"], made["status"]) == ("merged", mine["id"], "applied")
    assert ContactTag.objects.get().tag_id == Tag.objects.get().pk


def test_note_on_merged_contact_goes_to_the_one_that_stayed(acme, alice, alice_device):
    kept, absorbed = make_contact(acme, alice, "a"), make_contact(acme, alice, "b")
    merging.merge_contacts(workspace=acme, actor=actors.person(alice), kept_id=kept.pk, absorbed_id=absorbed.pk)
    [result] = push(alice_device, change("note", "create", contact=str(absorbed.pk), text="x"))
    assert_outcome(result, "applied")
    assert Note.objects.get().contact_id == kept.pk


# --- Sent again -----------------------------------------------------------------------------------


def batch_of_everything(workspace, user) -> list[dict]:
    make_contact(workspace, user, "Taken", identities=phone("+4915100000000"))
    contact = make_contact(workspace, user, "Ana")
    rename(workspace, user, contact, company="Other")
    made = str(uuid7())
    return [
        change("contact", "create", made, name="Bea"),
        change("note", "create", contact=made, text="x"),
        change("contact", "create", name="T", identities=phone("+4915100000000")),
        update("contact", contact, 1, name="Anna", company="Mine"),
        update("contact", contact, 1, company="Mine"),
        change("contact", "create"),
        change("contact", "delete", made),
        change("note", "create", contact=str(uuid7()), text="x"),
    ]


def without_sentences(results: list[dict]) -> list[dict]:
    return [
        {**result, "detail": "", "fields": [(error["field"], error["code"]) for error in result["fields"]]}
        for result in results
    ]


def counts() -> tuple:
    return (
        *(model.objects.count() for model in (Contact, Note, PushedChange, Event)),
        sum(Contact.objects.values_list("version", flat=True)),
    )


def test_repeated_batch_answers_the_same_and_does_nothing(acme, alice, alice_device):
    batch = batch_of_everything(acme, alice)
    first = push(alice_device, *batch)
    statuses = [result["status"] for result in first]
    assert statuses == ["applied", "applied", "merged", "merged", "refused", "refused", "applied", "refused"]
    before = counts()
    for _ in range(3):
        assert without_sentences(push(alice_device, *batch)) == without_sentences(first)
    assert without_sentences(push(alice_device, *batch[:3])) == without_sentences(first[:3])
    assert counts() == before


def test_repeat_shows_the_state_of_today(acme, alice, bob, alice_device):
    made = change("contact", "create", name="Ana")
    push(alice_device, made)
    rename(acme, bob, Contact.objects.get(), name="Bob's")
    [again] = push(alice_device, made)
    assert (again["status"], again["current"]["document"]["name"]) == ("applied", "Bob's")


def test_refusal_is_final_for_its_change(acme, alice, alice_device):
    """Of two answers to one change, a device that lost the first would believe the second."""
    contact = make_contact(acme, alice)
    wrong = change("note", "create", contact=str(contact.pk), text=" ")
    [first] = push(alice_device, wrong)
    assert_outcome(first, "refused", "invalid", ["text"])
    [again] = push(alice_device, {**wrong, "set": {**wrong["set"], "text": "x"}})
    assert_outcome(again, "refused", "idempotency_conflict")
    assert not Note.objects.exists()


def test_same_batch_at_once_is_applied_once(acme, alice, alice_device):
    batch = batch_of_everything(acme, alice)
    answers = at_once(*(lambda: alice_device.client.post(SYNC, {"changes": batch}) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [200] * 3
    results = [without_sentences(answer.json()["results"]) for answer in answers]
    assert [[row["status"] for row in each] for each in results] == [[row["status"] for row in results[0]]] * 3
    assert PushedChange.objects.count() == len(batch)
    assert Contact.objects.count() == 3
    assert Note.objects.count() == 1
    assert Event.objects.filter(kind="contact.deleted").count() == 1


def test_one_change_twice_in_a_batch_is_done_once(acme, alice_device):
    made = change("contact", "create", name="Ana")
    first, second = push(alice_device, made, made)
    assert (first["status"], second["status"], Contact.objects.count()) == ("applied", "applied", 1)


def test_another_persons_change_id_is_no_matter(acme, alice_device, bob_device):
    mine, theirs = change("contact", "create", name="Ana"), change("contact", "create", name="Bea")
    theirs["change_id"] = mine["change_id"]
    push(alice_device, mine)
    assert push(bob_device, theirs)[0]["status"] == "applied"
    assert Contact.objects.count() == 2


def test_ledger_is_kept_for_a_time_and_quotes_nobody(acme, alice, alice_device, settings):
    make_contact(acme, alice, identities=phone("+4915100000000"))
    contact = make_contact(acme, alice, "Canary Name")
    push(
        alice_device,
        change("contact_identity", "create", contact=str(contact.pk), kind="phone", value="+4915100000000"),
        update("contact", contact, 1, name="Canary Again"),
    )
    kept = str(list(PushedChange.objects.values_list("outcome", flat=True)))
    assert "number_in_use" in kept
    assert "Canary" not in kept and "4915100000000" not in kept
    assert epoch.delete_old_marks()["pushed_changes"] == 0
    PushedChange.objects.update(pushed_at=timezone.now() - settings.SYNC_PUSH_LIFE)
    assert epoch.delete_old_marks()["pushed_changes"] == 2


# --- What builds on what was refused --------------------------------------------------------------


def test_what_builds_on_a_refused_creation_is_refused(acme, alice, alice_device):
    missing = str(uuid7())
    results = push(
        alice_device,
        change("contact", "create", missing),
        change("note", "create", contact=missing, text="x"),
        change("contact", "delete", missing),
        change("contact", "create", name="Bea"),
    )
    assert [result["code"] for result in results] == ["invalid", "depends_on_refused", "depends_on_refused", ""]
    assert Contact.objects.get().name == "Bea"


def test_creation_that_succeeds_in_the_end_carries_what_comes_behind(acme, alice, alice_device):
    id = str(uuid7())
    results = push(
        alice_device,
        change("contact", "create", id),
        change("contact", "create", id, name="Ana"),
        change("note", "create", contact=id, text="x"),
    )
    assert [result["code"] for result in results] == ["invalid", "", ""]
    assert str(Note.objects.get().contact_id) == id


def test_change_on_which_the_server_breaks_holds_up_no_other(acme, alice, alice_device, monkeypatch):
    broken, fine = change("contact", "create", name="Ana"), change("contact", "create", name="Bea")
    create = contacts.create_contact

    def burst(**values):
        return 1 / 0 if values["name"] == "Ana" else create(**values)

    with monkeypatch.context() as breaking:
        breaking.setattr(contacts, "create_contact", burst)
        first, second = push(alice_device, broken, fine)
    assert_outcome(first, "refused", "server_error")
    assert_outcome(second, "applied")
    # It is not remembered: once it is mended, the same change is done.
    again, known = push(alice_device, broken, fine)
    assert (again["status"], known["status"]) == ("applied", "applied")
    assert sorted(Contact.objects.values_list("name", flat=True)) == ["Ana", "Bea"]


def test_full_plan_refuses_what_does_not_fit(acme, alice, alice_device):
    limit = plans.usage_table(acme)
    Workspace.objects.get(pk=acme.pk).plan.__class__.objects.update(max_contacts=1)
    assert limit
    first, second = push(alice_device, change("contact", "create", name="a"), change("contact", "create", name="b"))
    assert (first["status"], second["code"]) == ("applied", "plan_limit_reached")
    assert plans.used_of(workspace=acme, resource=Resource.CONTACTS) == 1


# --- What is no change ----------------------------------------------------------------------------


def test_wrong_changes_refuse_themselves_alone(acme, alice, alice_device):
    contact = make_contact(acme, alice, "Ana")
    good = change("contact", "create", name="Bea")
    ok = {"change_id": str(uuid7()), "kind": "contact", "op": "update", "id": str(contact.pk)}
    based = {**ok, "base_version": 1, "epoch": str(uuid7())}
    wrong = [
        *(None, 7, "x", [], {}, True),
        {**good, "change_id": "x"}, {**good, "change_id": None}, {**good, "change_id": "0" * 32}, {**good, "change_id": 5},
        {**good, "kind": "nothing"}, {**good, "kind": None}, {**good, "kind": []}, {**good, "kind": "event"},
        {**good, "op": "join"}, {**good, "op": {}}, {**good, "op": "done"},
        {**good, "id": "x"}, {**good, "id": None}, {**good, "id": str(UUID(int=4))},
        {**good, "set": []}, {**good, "set": "x"}, {**good, "extra": 1}, {**good, "x" * 1000: 1},
        ok, {**ok, "base_version": 1}, {**based, "base_version": "1"}, {**based, "base_version": True},
        {**based, "base_version": -1}, {**based, "base_version": 2**70}, {**based, "base_version": 1.5},
        {**based, "base_versions": []}, {**based, "base_versions": {"name": "x"}}, {**based, "epoch": "x"},
    ]  # fmt: skip
    values = [
        {"workspace": str(acme.pk)}, {"version": 7}, {"profile_name": "x"}, {"merged_into": str(contact.pk)}, {"id": 1},
        {"deleted_at": None}, {"name": "x" * 301}, {"name": []}, {"email": "x"},
        {"owner": "x"}, {"owner": str(uuid7())}, {"stage": str(uuid7())}, {"fields": {}},
    ]  # fmt: skip
    wrong += [
        {**based, "change_id": str(uuid7()), "epoch": str(epoch.standing_epoch()), "set": each} for each in values
    ]
    results = push(alice_device, *wrong, good)
    taken = [sent for sent, result in zip(wrong, results, strict=False) if result["status"] != "refused"]
    assert (taken, results[-1]["status"]) == ([], "applied")
    assert {result["code"] for result in results[:-1]} == {"invalid"}
    assert all(result["fields"] for result in results[:-1])
    assert list(Contact.objects.order_by("id").values_list("name", "version")) == [("Ana", 1), ("Bea", 1)]


def test_refuses_what_is_no_batch(alice_device):
    for body in ({}, {"changes": None}, {"changes": {}}, {"changes": "x"}, {"changes": [], "more": 1}):
        assert_refused(alice_device.client.post(SYNC, body), "invalid")
    many = [change("contact", "create", name="x")] * 501
    assert_refused(alice_device.client.post(SYNC, {"changes": many}), "invalid")
    assert not PushedChange.objects.exists()
    assert push(alice_device) == []


def test_reaches_into_no_other_workspace(acme, alice, alice_device, other, charlie, charlie_device):
    contact, tag = make_contact(acme, alice, "Ana"), Tag.objects.create(workspace=acme, name="T", folded="t")
    note, _ = notes.write_note(workspace=acme, contact_id=contact.pk, actor=actors.person(alice), text="x")
    own = make_contact(other, charlie, "Charlie's")
    results = push(
        charlie_device,
        update("contact", contact, 1, name="stolen"), update("note", note, 1, text="stolen"),
        change("contact", "delete", contact.pk),
        change("note", "create", contact=str(contact.pk), text="stolen"),
        change("contact_tag", "create", contact=str(own.pk), tag=str(tag.pk)),
        change("contact", "create", name="x", tags=[str(tag.pk)]),
        change("reminder", "create", contact=str(contact.pk), text="x", wall_time="2027-01-01T09:00"),
        change("contact", "create", contact.pk, name="stolen"),
    )  # fmt: skip
    assert [(result["status"], result["code"]) for result in results] == [
        ("refused", "not_found"), ("refused", "not_found"), ("unchanged", ""),
        ("refused", "not_found"), ("refused", "not_found"), ("refused", "invalid"), ("refused", "invalid"), ("refused", "id_taken"),
    ]  # fmt: skip
    assert {result["current"] for result in results} == {None}
    assert Contact.objects.for_workspace(acme).get().version == 1
    assert Note.objects.count() == 1 and not ContactTag.objects.exists()
