"""Imports beside everything else that makes contacts and takes them away: nobody waits for ever, and the counts stay true."""

import threading
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts import actors
from accounts.models import Resource
from accounts.services import plans
from accounts.tests.together import at_once
from crm.models import Contact, ContactIdentity, ImportBatch
from crm.services import bin
from crm.services.imports import runs, undoing
from crm.services.imports.batches import RUN
from crm.tasks import run_waiting_imports
from waplus.lib.locks import session_turn

pytestmark = pytest.mark.django_db(transaction=True)

NUMBERS = [f"+4915112{n:06d}" for n in range(1, 41)]


def upload(device, numbers: list[str]) -> ImportBatch:
    content = "Name,Phone\n" + "".join(f"Person {number},{number}\n" for number in numbers)
    file = SimpleUploadedFile("people.csv", content.encode())
    answer = device.client.post("/api/v1/imports/", {"file": file}, format="multipart")
    assert answer.status_code == 202, answer.json()
    return ImportBatch.objects.get(pk=answer.json()["id"])


def undo(device, batch: ImportBatch) -> None:
    answer = device.client.post(f"/api/v1/imports/{batch.pk}/undo/")
    assert answer.status_code == 202, answer.json()


def create(device, *numbers: str) -> int:
    identities = [{"kind": "phone", "value": number} for number in numbers]
    return device.client.post("/api/v1/contacts/", {"name": "Ana", "identities": identities}).status_code


def used(workspace) -> int:
    return plans.used_of(workspace=workspace, resource=Resource.CONTACTS)


@pytest.mark.parametrize("known", [[], NUMBERS[:1]], ids=["new people", "new numbers of somebody known"])
def test_person_who_wants_an_imported_number_waits_and_is_refused(alice_device, acme, monkeypatch, known):
    """The import has written its numbers and goes on in the same transaction: neither may wait for the other."""
    if known:
        assert create(alice_device, *known) == 201
    file = SimpleUploadedFile("people.csv", f"Name,Phone,Phone 2\nBea,{NUMBERS[0]},{NUMBERS[1]}\n".encode())
    assert alice_device.client.post("/api/v1/imports/", {"file": file}, format="multipart").status_code == 202
    written = threading.Event()

    def write_plan(*args, original=runs.write_plan):
        original(*args)
        written.set()
        time.sleep(0.5)

    monkeypatch.setattr(runs, "write_plan", write_plan)

    def person() -> int:
        assert written.wait(20)
        return create(alice_device, *NUMBERS[1:3])

    assert at_once(run_waiting_imports, person) == [None, 409]
    batch = ImportBatch.objects.get()
    assert (batch.state, batch.rows_created + batch.rows_merged, batch.rows_refused) == ("finished", 1, 0)
    assert sorted(ContactIdentity.objects.values_list("value", flat=True)) == NUMBERS[:2]
    assert Contact.objects.count() == used(acme) == 1


def test_second_worker_counts_no_attempt_at_what_the_first_is_at(alice_device):
    batch = upload(alice_device, NUMBERS)
    with session_turn(RUN, batch.pk) as is_ours:
        assert is_ours and at_once(lambda: runs.note_attempt(batch.pk)) == [False]
    batch.refresh_from_db()
    assert (batch.state, batch.attempts) == ("waiting", 0)
    assert at_once(lambda: runs.note_attempt(batch.pk)) == [True]


def test_person_who_wants_a_number_that_is_taken_back_waits_for_nobody_who_waits(alice_device, acme, monkeypatch):
    batch = upload(alice_device, NUMBERS)
    run_waiting_imports()
    undo(alice_device, batch)
    asked = threading.Event()

    def release(*, original=plans.release, **values):
        asked.set()
        time.sleep(0.5)
        original(**values)

    monkeypatch.setattr(undoing.plans, "release", release)

    def person() -> int:
        assert asked.wait(20)
        return create(alice_device, NUMBERS[0])

    done, status = at_once(run_waiting_imports, person)
    assert done is None and status in (201, 409)
    batch.refresh_from_db()
    assert (batch.state, batch.contacts_deleted) == ("undone", len(NUMBERS))
    assert Contact.objects.count() == used(acme) == (status == 201)


def test_import_undo_bin_and_creation_at_once_leave_true_counts(alice, alice_device, acme, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 5)
    monkeypatch.setattr(undoing, "CHUNK", 5)
    first = upload(alice_device, NUMBERS[:20])
    run_waiting_imports()
    binned = list(Contact.objects.order_by("-pk").values_list("pk", flat=True)[:8])
    second = upload(alice_device, NUMBERS[10:])
    undo(alice_device, first)

    def put_away() -> int:
        return bin.delete_contacts(workspace=acme, contact_ids=binned, actor=actors.person(alice))

    def persons(numbers: list[str]):
        return lambda: [create(alice_device, *pair) for pair in zip(numbers, reversed(numbers), strict=True)]

    answers = at_once(
        run_waiting_imports, put_away, persons(NUMBERS[::3]), persons(NUMBERS[1::3]), persons(NUMBERS[::-2])
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert {status for several in answers[2:] for status in several} <= {201, 409}
    run_waiting_imports()
    states = {batch.pk: batch.state for batch in ImportBatch.objects.all()}
    assert states == {first.pk: "undone", second.pk: "finished"}
    alive = Contact.objects.alive().count()
    assert used(acme) == alive
    assert plans.recount(acme, Resource.CONTACTS) == {}
    keys = ContactIdentity.objects.filter(holds_key=True)
    assert keys.count() == keys.values("match_key").distinct().count() >= 20
