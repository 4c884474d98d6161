"""`Idempotency-Key`: a request may be repeated, and has one effect."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.core import mail
from django.utils import timezone

from accounts.idempotency import delete_old_records
from accounts.models import Event, IdempotencyRecord, Invitation, Workspace
from accounts.tests.together import assert_refused, at_once
from conftest import join, make_device
from crm.services import contacts
from waplus.lib.encryption import decrypt

Contact = apps.get_model("crm.Contact")
CONTACTS = "/api/v1/contacts/"
KEY = "order-0001"

pytestmark = pytest.mark.django_db


def create(device, name="Ana", key=KEY, path=CONTACTS, **more):
    return device.client.post(path, {"name": name, **more}, headers={"Idempotency-Key": key})


def test_repeat_answers_as_first_did(alice_device):
    first, again = create(alice_device), create(alice_device)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert Contact.objects.count() == Event.objects.filter(kind="contact.created").count() == 1


def test_repeat_answers_as_first_did_although_things_moved_on(alice_device):
    first = create(alice_device).json()
    alice_device.client.delete(f"{CONTACTS}{first['id']}/")
    assert create(alice_device).json() == first
    assert not Contact.objects.alive().exists()


def test_without_key_every_request_counts(alice_device):
    for _ in range(2):
        assert alice_device.client.post(CONTACTS, {"name": "Ana"}).status_code == 201
    assert Contact.objects.count() == 2
    assert not IdempotencyRecord.objects.exists()


def test_order_of_names_and_spaces_do_not_matter(alice_device):
    for body in ('{"name":"Ana","company":"X"}', '{ "company": "X",  "name": "Ana" }'):
        answer = alice_device.client.generic(
            "POST", CONTACTS, body, "application/json", headers={"Idempotency-Key": KEY}
        )
        assert answer.status_code == 201
    assert Contact.objects.count() == 1


def test_key_of_another_request_is_refused(alice_device):
    create(alice_device)
    assert_refused(create(alice_device, "Bea"), "idempotency_conflict")
    assert_refused(create(alice_device, company="X"), "idempotency_conflict")
    assert_refused(create(alice_device, path="/api/v1/workspaces/"), "idempotency_conflict")
    assert (Contact.objects.count(), Workspace.objects.count()) == (1, 1)
    assert create(alice_device)["Idempotency-Replayed"] == "true"


def test_refused_request_may_be_tried_again(alice_device):
    wrong = alice_device.client.post(CONTACTS, {"name": "Ana", "email": "no"}, headers={"Idempotency-Key": KEY})
    assert_refused(wrong, "invalid")
    assert not IdempotencyRecord.objects.exists()
    assert create(alice_device).status_code == 201
    assert Contact.objects.count() == 1


def test_request_that_broke_may_be_tried_again(alice_device, monkeypatch):
    insert = contacts.insert_contact
    with monkeypatch.context() as patch:
        patch.setattr(contacts, "insert_contact", lambda *args, **kwargs: insert(*args, **kwargs) and 1 / 0)
        with pytest.raises(ZeroDivisionError):
            create(alice_device)
    assert not IdempotencyRecord.objects.exists()
    assert not Contact.objects.exists()
    assert create(alice_device).status_code == 201


def test_keys_of_people_and_workspaces_are_apart(alice, alice_device, bob_device, other):
    join(other, alice)
    elsewhere = make_device(alice, other)
    answers = [create(device) for device in (alice_device, bob_device, elsewhere)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert not any("Idempotency-Replayed" in answer for answer in answers)
    assert Contact.objects.count() == 3


def test_second_device_of_person_may_repeat(alice, acme, alice_device):
    first = create(alice_device)
    again = create(make_device(alice, acme))
    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")


def test_refuses_odd_keys(alice_device):
    for key in ("", "short", "x" * 129, "with space", "ümläute-1", "tab\tin-key", "nul\x00in-key"):
        errors = assert_refused(create(alice_device, key=key), "invalid")["errors"]
        assert errors[0]["field"] == "Idempotency-Key"
    assert not Contact.objects.exists()
    assert create(alice_device, key="~" * 128).status_code == 201


def test_repeat_sends_no_second_message(alice_device, django_capture_on_commit_callbacks):
    for _ in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            answer = alice_device.client.post(
                "/api/v1/invitations/", {"email": "x@example.com"}, headers={"Idempotency-Key": KEY}
            )
        assert answer.status_code == 201
    path = f"/api/v1/invitations/{answer.json()['id']}/resend/"
    for _ in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            assert alice_device.client.post(path, headers={"Idempotency-Key": "again-0001"}).status_code == 200
    assert len(mail.outbox) == 2
    assert Invitation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_with_one_key_have_one_effect(alice_device):
    answers = at_once(*[lambda: create(alice_device)] * 6)
    assert [answer.status_code for answer in answers] == [201] * 6
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 5
    assert Contact.objects.count() == IdempotencyRecord.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_different_requests_with_one_key_let_one_through(alice_device):
    answers = at_once(*[lambda n=n: create(alice_device, f"C{n}") for n in range(4)])
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"idempotency_conflict"}
    assert Contact.objects.count() == 1


def test_kept_answer_is_encrypted(alice_device):
    create(alice_device, "Canary Of The Record")
    record = IdempotencyRecord.objects.get()
    assert "Canary" not in record.body
    assert "Canary" not in bytes(record.fingerprint).decode("latin-1")
    assert "Canary Of The Record" in decrypt(record.body)


def test_key_is_forgotten_after_a_day(alice_device):
    create(alice_device)
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(days=1, seconds=1))
    assert create(alice_device, "Bea").json()["name"] == "Bea"
    assert Contact.objects.count() == 2
    assert IdempotencyRecord.objects.count() == 1


def test_sweep_drops_old_answers(alice_device):
    create(alice_device)
    create(alice_device, key="order-0002")
    IdempotencyRecord.objects.filter(key=KEY).update(created_at=timezone.now() - timedelta(days=1, seconds=1))
    assert delete_old_records() == 1
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["order-0002"]
