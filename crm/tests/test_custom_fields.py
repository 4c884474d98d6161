"""Custom fields: renamed, reordered, retired and taken back, and nothing in them is lost."""

import pytest

from accounts import actors
from accounts.models import Event
from accounts.tests.together import assert_refused, at_once
from crm.models import CustomField, FieldValue, Tombstone
from crm.services import custom_fields
from waplus.lib.ids import uuid7

CONTACTS = "/api/v1/contacts/"
FIELDS = "/api/v1/custom-fields/"

pytestmark = pytest.mark.django_db


def make(device, name: str = "Size", kind: str = "text", **values) -> dict:
    answer = device.client.post(FIELDS, {"name": name, "kind": kind, **values})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def contact_with(device, **fields) -> dict:
    answer = device.client.post(CONTACTS, {"name": "Ana", "fields": fields})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def shown(device, contact: dict) -> dict:
    return device.client.get(f"{CONTACTS}{contact['id']}/").json()["fields"]


def change(device, field: dict, **values):
    return device.client.patch(f"{FIELDS}{field['id']}/", values)


def test_creates_fields_of_every_kind(alice_device):
    for kind in ("text", "number", "date", "url", "boolean"):
        field = make(alice_device, kind, kind)
        assert (field["kind"], field["options"], field["currency"], field["retired_at"]) == (kind, [], "", None)
    money = make(alice_device, "Budget", "money", currency="BRL")
    assert money["currency"] == "BRL"
    choice = make(alice_device, "Colour", "choice", options=[{"label": " Red "}, {"label": "Blue", "colour": "blue"}])
    assert [(o["label"], o["colour"], o["retired"]) for o in choice["options"]] == [
        ("Red", "grey", False),
        ("Blue", "blue", False),
    ]
    listed = alice_device.client.get(FIELDS).json()["results"]
    assert [row["position"] for row in listed] == list(range(7))
    assert listed[-1] == choice


def test_refuses_fields_that_make_no_sense(alice_device):
    id = str(uuid7())
    for payload, wrong in (
        ({"name": "A", "kind": "colour"}, "kind"),
        ({"name": "", "kind": "text"}, "name"),
        ({"name": "A", "kind": "money"}, "currency"),
        ({"name": "A", "kind": "money", "currency": "EURO"}, "currency"),
        ({"name": "A", "kind": "money", "currency": "ABC"}, "currency"),
        ({"name": "A", "kind": "text", "currency": "EUR"}, "currency"),
        ({"name": "A", "kind": "text", "options": [{"label": "x"}]}, "options"),
        ({"name": "A", "kind": "choice", "options": [{"label": "x"}, {"label": "X"}]}, "options.1.label"),
        (
            {"name": "A", "kind": "choice", "options": [{"id": id, "label": "x"}, {"id": id, "label": "y"}]},
            "options.1.id",
        ),
        ({"name": "A", "kind": "choice", "options": [{"label": "\u200e"}]}, "options.0.label"),
        ({"name": "A", "kind": "choice", "options": [{"label": str(n)} for n in range(201)]}, "options"),
    ):
        errors = assert_refused(alice_device.client.post(FIELDS, payload), "invalid")["errors"]
        assert (payload, errors[0]["field"].removesuffix(".0")) == (payload, wrong)
    assert not CustomField.objects.exists()


def test_only_admins_administer_fields(alice_device, bob_device):
    field = make(alice_device)
    path = f"{FIELDS}{field['id']}/"
    for call in (
        lambda: bob_device.client.post(FIELDS, {"name": "B", "kind": "text"}),
        lambda: change(bob_device, field, name="B"),
        lambda: bob_device.client.post(f"{path}retire/"),
        lambda: bob_device.client.delete(path),
        lambda: bob_device.client.put(f"{FIELDS}order/", {"ids": [field["id"]]}),
    ):
        assert_refused(call(), "forbidden")
    assert bob_device.client.get(path).json() == field
    assert contact_with(bob_device, **{field["id"]: "M"})["fields"] == {field["id"]: "M"}


def test_renaming_keeps_values_and_name_stays_one(alice_device):
    field, other = make(alice_device, "Size"), make(alice_device, "Shirt")
    contact = contact_with(alice_device, **{field["id"]: "M"})
    assert change(alice_device, field, name="Größe").json()["name"] == "Größe"
    assert shown(alice_device, contact) == {field["id"]: "M"}
    assert assert_refused(change(alice_device, field, name="SHIRT"), "name_taken")["id"] == other["id"]
    assert_refused(alice_device.client.post(FIELDS, {"name": "groẞe", "kind": "text"}), "name_taken")
    for unchangeable in ({"kind": "number"}, {"currency": "EUR"}, {"retired_at": None}):
        assert_refused(change(alice_device, field, **unchangeable), "invalid")


def test_retiring_hides_and_restoring_shows_again(alice_device):
    field = make(alice_device)
    contact = contact_with(alice_device, **{field["id"]: "M"})
    path = f"{FIELDS}{field['id']}/"
    retired = [alice_device.client.post(f"{path}retire/").json() for _ in range(2)]
    assert retired[0] == retired[1]
    assert retired[0]["retired_at"] is not None
    assert shown(alice_device, contact) == {}
    answer = alice_device.client.patch(f"{CONTACTS}{contact['id']}/", {"fields": {field["id"]: "L"}})
    assert assert_refused(answer, "invalid")["errors"][0]["code"] == "retired"
    taken = make(alice_device, "SIZE")
    assert_refused(alice_device.client.post(f"{path}restore/"), "name_taken")
    change(alice_device, taken, name="Else")
    restored = [alice_device.client.post(f"{path}restore/").json() for _ in range(2)]
    assert (restored[0], restored[0]["retired_at"]) == (restored[1], None)
    assert shown(alice_device, contact) == {field["id"]: "M"}
    assert [Event.objects.filter(kind=f"custom_field.{what}").count() for what in ("retired", "restored")] == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_no_value_is_set_once_a_field_is_retired(alice_device, bob_device):
    for n in range(4):
        field = make(alice_device, f"F{n}")
        contact = contact_with(alice_device)
        answers = at_once(
            lambda f=field: alice_device.client.post(f"{FIELDS}{f['id']}/retire/"),
            lambda f=field, c=contact: bob_device.client.patch(f"{CONTACTS}{c['id']}/", {"fields": {f["id"]: "M"}}),
        )
        assert answers[0].status_code == 200
        value = FieldValue.objects.filter(field=field["id"])
        assert (answers[1].status_code, value.exists()) in ((200, True), (400, False))


def test_options_are_renamed_added_ordered_and_retired_without_loss(alice_device, monkeypatch):
    monkeypatch.setattr(custom_fields, "CHUNK", 2)
    field = make(alice_device, "Colour", "choice", options=[{"label": "Red"}, {"label": "Blue"}])
    red, blue = (option["id"] for option in field["options"])
    contacts = [contact_with(alice_device, **{field["id"]: id}) for id in (red, red, red, blue, blue)]
    green = str(uuid7())
    answer = change(alice_device, field, options=[{"id": green, "label": "Green"}, {"id": red, "label": "Crimson"}])
    assert [(o["id"], o["label"], o["retired"]) for o in answer.json()["options"]] == [
        (green, "Green", False),
        (red, "Crimson", False),
        (blue, "Blue", True),
    ]
    assert [shown(alice_device, contact)[field["id"]] for contact in contacts] == [red, red, red, blue, blue]
    assert sorted(FieldValue.objects.values_list("text", flat=True)) == [
        "blue",
        "blue",
        "crimson",
        "crimson",
        "crimson",
    ]
    path = f"{CONTACTS}{contacts[0]['id']}/"
    assert assert_refused(alice_device.client.patch(path, {"fields": {field["id"]: blue}}), "invalid")
    back = change(alice_device, field, options=[{"id": blue, "label": "Blue", "retired": False}])
    assert [(o["id"], o["retired"]) for o in back.json()["options"]] == [(blue, False), (green, True), (red, True)]
    assert alice_device.client.patch(path, {"fields": {field["id"]: blue}}).status_code == 200


def test_sending_options_again_mends_what_a_crash_left(alice_device):
    options = [{"id": str(uuid7()), "label": label} for label in ("Red", "Blue")]
    field = make(alice_device, "Colours", "multiple", options=options)
    contact_with(alice_device, **{field["id"]: [option["id"] for option in options]})
    assert FieldValue.objects.get().text == "red blue"
    FieldValue.objects.update(text="stale")
    change(alice_device, field, options=options)
    assert FieldValue.objects.get().text == "red blue"
    assert Event.objects.filter(kind="custom_field.updated").count() == 0


def test_contact_keeps_retired_option_beside_new_ones(alice_device):
    field = make(alice_device, "Colours", "multiple", options=[{"label": "Red"}, {"label": "Blue"}])
    red, blue = (option["id"] for option in field["options"])
    contact = contact_with(alice_device, **{field["id"]: [red]})
    change(alice_device, field, options=[{"id": blue, "label": "Blue"}])
    path = f"{CONTACTS}{contact['id']}/"
    assert alice_device.client.patch(path, {"fields": {field["id"]: [red, blue]}}).json()["fields"] == {
        field["id"]: [blue, red]
    }
    alice_device.client.patch(path, {"fields": {field["id"]: [blue]}})
    assert_refused(alice_device.client.patch(path, {"fields": {field["id"]: [red]}}), "invalid")


def test_only_retired_field_is_deleted_with_its_values(alice_device, monkeypatch):
    monkeypatch.setattr(custom_fields, "CHUNK", 2)
    field, other = make(alice_device, "Size"), make(alice_device, "Else")
    for _ in range(5):
        contact_with(alice_device, **{field["id"]: "M", other["id"]: "x"})
    path = f"{FIELDS}{field['id']}/"
    assert_refused(alice_device.client.delete(path), "wrong_state")
    assert FieldValue.objects.count() == 10
    alice_device.client.post(f"{path}retire/")
    assert alice_device.client.delete(path).status_code == 204
    assert (FieldValue.objects.count(), CustomField.objects.count()) == (5, 1)
    assert Tombstone.objects.filter(kind="field_value").count() == 5
    assert Event.objects.get(kind="custom_field.deleted").count == 5
    assert_refused(alice_device.client.delete(path), "not_found")


def test_fields_have_a_limit_that_counts_retired_ones(alice_device, monkeypatch):
    monkeypatch.setattr(custom_fields, "MAX_FIELDS", 2)
    field = make(alice_device, "A")
    make(alice_device, "B")
    alice_device.client.post(f"{FIELDS}{field['id']}/retire/")
    assert (
        assert_refused(alice_device.client.post(FIELDS, {"name": "C", "kind": "text"}), "limit_reached")["limit"] == 2
    )
    alice_device.client.delete(f"{FIELDS}{field['id']}/")
    make(alice_device, "C")


@pytest.mark.django_db(transaction=True)
def test_racing_creations_stay_within_the_limit(alice_device, monkeypatch):
    monkeypatch.setattr(custom_fields, "MAX_FIELDS", 3)
    jobs = [lambda n=n: alice_device.client.post(FIELDS, {"name": f"F{n}", "kind": "text"}) for n in range(6)]
    assert sorted(answer.status_code for answer in at_once(*jobs)) == [201] * 3 + [409] * 3
    assert sorted(CustomField.objects.values_list("position", flat=True)) == [0, 1, 2]


def test_orders_fields_and_answers_repeats_of_one_id(alice_device, charlie_device, acme, alice):
    a, b = make(alice_device, "A", id=str(uuid7())), make(alice_device, "B")
    ordered = alice_device.client.put(f"{FIELDS}order/", {"ids": [b["id"]]}).json()["results"]
    assert [row["name"] for row in ordered] == ["B", "A"]
    again = alice_device.client.post(FIELDS, {"id": a["id"], "name": "Z", "kind": "date"})
    assert (again.status_code, again.json()["name"], again.json()["kind"]) == (200, "A", "text")
    assert_refused(charlie_device.client.post(FIELDS, {"id": a["id"], "name": "Z", "kind": "date"}), "id_taken")
    assert_refused(charlie_device.client.get(f"{FIELDS}{a['id']}/"), "not_found")
    assert custom_fields.create_field(workspace=acme, actor=actors.person(alice), name="A2", kind="text", id=uuid7())[1]
