"""WhatsApp numbers of a workspace: told once or often, it is one number and one place of the plan."""

import pytest

from accounts.models import Event, Plan, Resource
from accounts.services import plans
from accounts.tests.together import assert_refused, at_once
from crm.models import WhatsAppAccount
from waplus.lib.ids import uuid7

ACCOUNTS = "/api/v1/whatsapp-accounts/"
JID = "4915112345678@c.us"

pytestmark = pytest.mark.django_db


def add(device, jid: str = JID, **more) -> dict:
    answer = device.client.post(ACCOUNTS, {"jid": jid, **more})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def used(workspace) -> int:
    return plans.used_of(workspace=workspace, resource=Resource.WHATSAPP_NUMBERS)


def test_adds_number(alice_device, acme):
    account = add(alice_device, lid="157163732254124:3@lid", name="Sales")
    assert (account["jid"], account["lid"], account["phone"], account["name"]) == (
        JID,
        "157163732254124@lid",
        "+4915112345678",
        "Sales",
    )
    assert used(acme) == 1
    assert Event.objects.filter(kind="whatsapp_account.added", object_id=account["id"]).count() == 1


def test_telling_again_in_any_spelling_is_one_number(alice_device, bob_device, acme):
    account = add(alice_device)
    for jid in (JID, "4915112345678@s.whatsapp.net", "4915112345678:12@s.whatsapp.net", f" {JID} "):
        again = bob_device.client.post(ACCOUNTS, {"jid": jid, "id": str(uuid7()), "name": "Other"})
        assert (again.status_code, again.json()) == (200, account)
    assert used(acme) == WhatsAppAccount.objects.count() == 1
    assert Event.objects.filter(kind="whatsapp_account.added").count() == 1


def test_refuses_what_is_no_number_of_whatsapp(alice_device, acme):
    for payload, field, code in [
        ({}, "jid", "required"),
        ({"jid": "4915112345678"}, "jid", "invalid_jid"),
        ({"jid": "157163732254124@lid"}, "jid", "invalid_jid"),
        ({"jid": "120363041234567890@g.us"}, "jid", "invalid_jid"),
        ({"jid": "status@broadcast"}, "jid", "invalid_jid"),
        ({"jid": JID, "lid": JID}, "lid", "invalid_jid"),
        ({"jid": JID, "lid": "x"}, "lid", "invalid_jid"),
        ({"jid": "1" * 70}, "jid", "max_length"),
        ({"jid": JID, "name": "x" * 101}, "name", "max_length"),
        ({"jid": JID, "phone_number": "1"}, "phone_number", "unknown_field"),
    ]:
        errors = assert_refused(alice_device.client.post(ACCOUNTS, payload), "invalid")["errors"]
        assert [(error["field"], error["code"]) for error in errors] == [(field, code)]
    assert not WhatsAppAccount.objects.exists()
    assert used(acme) == 0


def test_plan_limits_numbers_and_removal_gives_place_back(alice_device, acme):
    Plan.objects.filter(code="team").update(max_whatsapp_numbers=1)
    account = add(alice_device)
    body = assert_refused(alice_device.client.post(ACCOUNTS, {"jid": "4915100000000@c.us"}), "plan_limit_reached")
    assert (body["resource"], body["limit"], body["used"]) == ("whatsapp_numbers", 1, 1)
    assert alice_device.client.post(ACCOUNTS, {"jid": JID}).status_code == 200, "a known number needs no place"
    assert alice_device.client.delete(f"{ACCOUNTS}{account['id']}/").status_code == 204
    assert (used(acme), WhatsAppAccount.objects.count()) == (0, 0)
    assert_refused(alice_device.client.delete(f"{ACCOUNTS}{account['id']}/"), "not_found")
    assert used(acme) == 0
    add(alice_device)


@pytest.mark.django_db(transaction=True)
def test_number_told_by_all_devices_at_once_is_one(alice_device, bob_device, acme):
    answers = at_once(
        *[lambda d=device: d.client.post(ACCOUNTS, {"jid": JID}) for device in (alice_device, bob_device) * 3]
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert used(acme) == WhatsAppAccount.objects.count() == 1


def test_id_is_made_once(alice_device, charlie_device):
    id = str(uuid7())
    add(alice_device, id=id)
    for device in (alice_device, charlie_device):
        assert_refused(device.client.post(ACCOUNTS, {"id": id, "jid": "4915100000000@c.us"}), "id_taken")
    assert WhatsAppAccount.objects.get().jid == JID


def test_same_number_may_be_in_two_workspaces(alice_device, charlie_device, acme, other):
    add(alice_device)
    add(charlie_device)
    assert (used(acme), used(other)) == (1, 1)


def test_notes_lid_and_name(alice_device):
    account = add(alice_device)
    path = f"{ACCOUNTS}{account['id']}/"
    answer = alice_device.client.patch(path, {"lid": "157163732254124:1@lid", "name": "Sales"})
    assert (answer.json()["lid"], answer.json()["name"], answer.json()["jid"]) == ("157163732254124@lid", "Sales", JID)
    assert Event.objects.get(kind="whatsapp_account.updated").changed == ["lid", "name"]
    alice_device.client.patch(path, {"lid": "157163732254124@lid"})
    assert Event.objects.filter(kind="whatsapp_account.updated").count() == 1
    assert_refused(alice_device.client.patch(path, {"lid": "no"}), "invalid")
    assert_refused(alice_device.client.patch(path, {"jid": "4915100000000@c.us"}), "invalid")
    assert WhatsAppAccount.objects.get().jid == JID


def test_only_admins_remove_numbers(alice_device, bob_device):
    account = add(bob_device)
    assert_refused(bob_device.client.delete(f"{ACCOUNTS}{account['id']}/"), "forbidden")
    assert WhatsAppAccount.objects.count() == 1
    assert alice_device.client.delete(f"{ACCOUNTS}{account['id']}/").status_code == 204


def test_number_of_other_workspace_is_like_missing_one(alice_device, charlie_device):
    account = add(charlie_device)
    for call in (
        lambda path: alice_device.client.get(path),
        lambda path: alice_device.client.patch(path, {"name": "Mine"}),
        lambda path: alice_device.client.delete(path),
    ):
        bodies = [
            assert_refused(call(f"{ACCOUNTS}{id}/"), "not_found") | {"request_id": ""}
            for id in (account["id"], uuid7())
        ]
        assert bodies[0] == bodies[1]
    assert WhatsAppAccount.objects.get().name == ""
    assert alice_device.client.get(ACCOUNTS).json()["results"] == []
