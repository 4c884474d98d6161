"""Imports of contact files, on a realistic address book whose truth was computed apart from any import code."""

import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Event, Resource, Workspace
from accounts.services import plans
from crm.models import Contact, ContactIdentity, ImportBatch, ImportRow
from crm.services.imports import runs
from crm.tasks import run_waiting_imports
from waplus.lib.long_work import MAX_ATTEMPTS
from waplus.lib.phones import match_key

DATA = Path(__file__).parent / "data"
TRUTH = json.loads((DATA / "google_contacts.expected.json").read_text())
TOTALS = TRUTH["totals"]

# Unusable rows, and the one that has nothing but a number which does not exist.
NOTHING_TO_KEEP = sorted(
    TRUTH["unusable_rows"]
    + [row for case in TRUTH["cases"] if case["kind"] == "no_name_only_invalid_phone" for row in case["rows"]]
)

pytestmark = pytest.mark.django_db


def upload(device, content: bytes, name: str = "contacts.csv", **fields):
    file = SimpleUploadedFile(name, content, content_type="text/csv")
    return device.client.post("/api/v1/imports/", {"file": file, **fields}, format="multipart")


def imported(device, content: bytes) -> ImportBatch:
    answer = upload(device, content)
    assert answer.status_code == 202, answer.json()
    run_waiting_imports()
    return ImportBatch.objects.get(pk=answer.json()["id"])


@pytest.fixture
def address_book() -> bytes:
    return (DATA / "google_contacts.csv").read_bytes()


def strict_rows() -> list[dict]:
    """Rows without numbers whose reading depends on the country that one assumes."""
    ambiguous = {case["row"] for case in TRUTH["ambiguous_national"]}
    return [row for row in TRUTH["rows"] if row["row"] not in ambiguous]


def test_imports_address_book(alice_device, acme, address_book):
    batch = imported(alice_device, address_book)
    assert (batch.state, batch.problem) == ("finished", "")
    assert batch.rows_total == TOTALS["rows"] == 1000
    refused = batch.rows.filter(outcome="refused").order_by("row_number")
    assert list(refused.values_list("row_number", flat=True)) == NOTHING_TO_KEEP
    assert batch.rows_refused == len(NOTHING_TO_KEEP) == 5
    assert all(row.reason for row in refused)


def test_reports_counts_of_database(alice_device, acme, address_book):
    batch = imported(alice_device, address_book)
    rows = ImportRow.objects.for_workspace(acme)
    changed = batch.rows_created + batch.rows_merged + batch.rows_refused
    told = rows.filter(outcome="unchanged").exclude(reason="").count()
    assert (batch.rows_total, batch.rows_done, rows.count()) == (1000, 1000, changed + told)
    assert rows.filter(outcome="created").count() == batch.rows_created == Contact.objects.for_workspace(acme).count()
    assert rows.filter(outcome="merged").count() == batch.rows_merged
    assert batch.rows_unchanged == 1000 - changed
    assert batch.rows_created + batch.rows_merged + batch.rows_unchanged + batch.rows_refused == 1000
    assert plans.used_of(workspace=acme, resource=Resource.CONTACTS) == batch.rows_created
    assert Event.objects.get(kind="import.finished").count == batch.rows_created


def test_reads_every_number_as_it_was_meant(alice_device, acme, address_book):
    imported(alice_device, address_book)
    held = set(ContactIdentity.objects.for_workspace(acme).values_list("value", flat=True))
    keys = set(ContactIdentity.objects.for_workspace(acme).values_list("match_key", flat=True))
    for row in strict_rows():
        for number in row["numbers"]:
            if number["status"] == "valid":
                assert match_key(number["canonical"].lstrip("+")) in keys, number
                assert number["e164"] in held, number
    meant = {
        match_key(n["canonical"].lstrip("+")) for r in TRUTH["rows"] for n in r["numbers"] if n["status"] == "valid"
    }
    ambiguous = {
        match_key(case["br_reading"].lstrip("+")) for case in TRUTH["ambiguous_national"] if case["br_reading"]
    }
    assert keys <= meant | ambiguous


def test_joins_rows_of_one_person(alice_device, acme, address_book):
    batch = imported(alice_device, address_book)
    contact_of = dict(batch.rows.values_list("row_number", "contact_id"))
    # A row that brought nothing new leaves no row of its own; it joined the contact that its person has.
    for group in TRUTH["groups"]:
        assert len({contact_of[row] for row in group["rows"] if row in contact_of}) == 1, group
    persons = {}
    for row in strict_rows():
        if row["group"] and row["row"] in contact_of:
            persons.setdefault(contact_of[row["row"]], set()).add(row["group"])
    assert all(len(groups) == 1 for groups in persons.values())
    assert len(persons) == TOTALS["distinct_persons_with_valid_number"]


def test_keeps_names_as_written(alice_device, acme, address_book):
    batch = imported(alice_device, address_book)
    created = dict(batch.rows.filter(outcome="created").values_list("row_number", "contact_id"))
    names = dict(Contact.objects.for_workspace(acme).values_list("id", "name"))
    written = {row["row"]: row["name"] for row in TRUTH["rows"] if row["name"] and row["row"] in created}
    changed = {row: name for row, name in written.items() if names[created[row]] != name}
    # One name is longer than we keep, one hides direction marks that reverse its letters.
    assert sorted(names[created[row]] for row in changed) == sorted(
        [next(name for name in changed.values() if len(name) > 300)[:300], "oãoJ Invertido"]
    )


def test_repeats_import_without_change(alice_device, acme, address_book):
    imported(alice_device, address_book)
    before = list(Contact.objects.order_by("id").values()), list(ContactIdentity.objects.order_by("id").values())
    again = imported(alice_device, address_book)
    assert (again.rows_created, again.rows_merged, again.rows_refused) == (0, 0, 5)
    assert again.rows_unchanged == 995
    assert (
        list(Contact.objects.order_by("id").values()),
        list(ContactIdentity.objects.order_by("id").values()),
    ) == before


def test_reads_older_format(alice_device, acme):
    batch = imported(alice_device, (DATA / "google_contacts_old_format.csv").read_bytes())
    assert (batch.state, batch.rows_total, batch.rows_created) == ("finished", 30, 30)
    assert Contact.objects.exclude(email="").count() == TRUTH["old_format_totals"]["rows_with_email"]


def test_fills_gaps_of_known_contact(alice_device, acme):
    client = alice_device.client
    known = client.post(
        "/api/v1/contacts/", {"name": "Ana", "identities": [{"kind": "c_us", "value": "551187654321@c.us"}]}
    ).json()
    batch = imported(
        alice_device,
        b"First Name,Organization Name,Phone 1 - Value,Phone 2 - Value\nAna Maria,Padaria,+55 11 98765-4321,+55 11 3333-4444\n",
    )
    assert (batch.rows_created, batch.rows_merged) == (0, 1)
    contact = client.get(f"/api/v1/contacts/{known['id']}/").json()
    assert (contact["name"], contact["company"]) == ("Ana", "Padaria")
    assert [i["value"] for i in contact["identities"]] == ["551187654321@c.us", "+5511987654321", "+551133334444"]
    assert ContactIdentity.objects.filter(match_key="551187654321", holds_key=True).count() == 1


def test_merges_no_existing_contacts(alice_device, acme):
    client = alice_device.client
    for name, number in (("Ana", "+4915112345678"), ("Bea", "+4915112345679")):
        client.post("/api/v1/contacts/", {"name": name, "identities": [{"kind": "phone", "value": number}]})
    batch = imported(
        alice_device, b"First Name,Phone 1 - Value,Phone 2 - Value\nBoth,+49 151 12345678,+49 151 12345679\n"
    )
    assert batch.rows.get().reason == "A number of this row belongs to another contact and was left there."
    assert sorted(Contact.objects.values_list("name", flat=True)) == ["Ana", "Bea"]
    assert ContactIdentity.objects.count() == 2


def test_refuses_import_over_plan(alice_device, acme):
    from accounts.models import Plan

    small = Plan.objects.get(code="free")
    small.max_contacts = 1
    small.save()
    Workspace.objects.filter(pk=acme.pk).update(plan=small)
    batch = imported(alice_device, b"First Name,Phone 1 - Value\nAna,+4915112345678\nBea,+4915112345679\n")
    assert batch.state == "failed"
    assert batch.problem == "The plan “Free” allows 1 × contacts; 0 are in use, and this needs 2 more."
    assert (Contact.objects.count(), ImportRow.objects.count()) == (0, 0)
    assert plans.used_of(workspace=acme, resource=Resource.CONTACTS) == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The submitted file is empty."),
        (b"a,b\n1,2\n", "No column of the file could be recognised"),
        (b"\xff\xfeF\x00i\x00", "No column of the file could be recognised"),
        (b'First Name,Phone 1 - Value\n"Ana,1\n', "cannot be read"),
        (b"First Name,Phone 1 - Value\nA\x00na,+4915112345678\n", "NUL"),
        (b"First Name,Phone 1 - Value\n" + b"x" * 200_000 + b",1\n", "field larger than field limit"),
        (b",".join([b"Column"] * 600) + b"\n", "more than 500 columns"),
        (b"PK\x03\x04" + bytes(range(256)) * 10, "The workbook is damaged"),
    ],
)
def test_refuses_hostile_file(alice_device, acme, content, sentence):
    answer = upload(alice_device, content)
    if answer.status_code == 202:
        run_waiting_imports()
        batch = ImportBatch.objects.get()
        assert batch.state == "failed"
        assert sentence in batch.problem
    else:
        assert answer.status_code in (400, 422)
        assert sentence in json.dumps(answer.json(), ensure_ascii=False)
        assert ImportBatch.objects.count() == 0
    assert Contact.objects.count() == 0


def test_repeats_upload_with_same_id(alice_device, acme):
    from waplus.lib.ids import uuid7

    content, id = b"First Name,Phone 1 - Value\nAna,+4915112345678\n", str(uuid7())
    first, second = (upload(alice_device, content, id=id) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 200)
    assert ImportBatch.objects.count() == 1


def test_gives_up_on_file_that_kills_workers(alice_device, acme):
    upload(alice_device, b"First Name,Phone 1 - Value\nAna,+4915112345678\n")
    batch = ImportBatch.objects.get()
    for _ in range(MAX_ATTEMPTS):
        assert runs.note_attempt(batch.pk)
    assert not runs.note_attempt(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.problem) == ("failed", "The import broke off several times. Support can look into it.")
