"""Quick replies on connections of their own: whoever comes second finds the row as the first one left it, or gone."""

import pytest

from accounts.tests.together import meet_behind
from messaging.models import QuickReply, QuickReplyFolder, QuickReplyUse
from messaging.services.quick_replies import changes, folders, using
from messaging.tests.calls import problem
from messaging.tests.test_quick_replies import FOLDERS, REPLIES, make
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(alice_device) -> QuickReplyFolder:
    answer = alice_device.client.post(FOLDERS, {"name": "Sales"})
    assert answer.status_code == 201, answer.json()
    return QuickReplyFolder.objects.get()


@pytest.fixture
def reply(alice_device, folder) -> QuickReply:
    return QuickReply.objects.get(pk=make(alice_device, folder=str(folder.pk))["id"])


def use(device, reply, id=None):
    return device.client.post(f"{REPLIES}{reply.pk}/used/", {"id": str(id or uuid7())})


def test_folder_goes_while_its_reply_is_changed(alice_device, bob_device, folder, reply, monkeypatch):
    """The name is looked at when the reply is locked and the folder is not."""
    changed, deleted = meet_behind(
        monkeypatch,
        changes,
        "clean_name",
        lambda: alice_device.client.patch(f"{REPLIES}{reply.pk}/", {"name": "New", "folder": str(folder.pk)}),
        lambda: bob_device.client.delete(f"{FOLDERS}{folder.pk}/"),
    )
    assert (changed.status_code, deleted.status_code) == (200, 204)
    assert list(QuickReply.objects.values_list("name", "folder")) == [("New", None)]
    assert not QuickReplyFolder.objects.exists()


def test_reply_is_changed_while_its_folder_goes(alice_device, bob_device, folder, reply, monkeypatch):
    deleted, changed = meet_behind(
        monkeypatch,
        folders,
        "folder_of",
        lambda: bob_device.client.delete(f"{FOLDERS}{folder.pk}/"),
        lambda: alice_device.client.patch(f"{REPLIES}{reply.pk}/", {"name": "New", "folder": str(folder.pk)}),
    )
    assert deleted.status_code == 204
    assert problem(changed) == (400, "invalid", ("folder", "does_not_exist"))
    assert list(QuickReply.objects.values_list("name", "folder")) == [("Greeting", None)]


def test_folder_goes_while_its_replies_are_put_in_order(alice_device, bob_device, folder, reply, monkeypatch):
    ids = [str(reply.pk), *(make(alice_device, folder=str(folder.pk))["id"] for _ in range(3))][::-1]
    deleted, ordered = meet_behind(
        monkeypatch,
        folders,
        "folder_of",
        lambda: bob_device.client.delete(f"{FOLDERS}{folder.pk}/"),
        lambda: alice_device.client.put(f"{REPLIES}order/", {"ids": ids}),
    )
    assert (deleted.status_code, ordered.status_code) == (204, 204)
    rows = QuickReply.objects.order_by("position").values_list("pk", "folder")
    assert [(str(id), folder_id) for id, folder_id in rows] == [(id, None) for id in ids]


def test_use_is_counted_while_reply_goes(alice_device, bob_device, reply, monkeypatch):
    used, deleted = meet_behind(
        monkeypatch,
        using,
        "held",
        lambda: use(bob_device, reply),
        lambda: alice_device.client.delete(f"{REPLIES}{reply.pk}/"),
    )
    assert (used.status_code, deleted.status_code) == (201, 204)
    assert not QuickReplyUse.objects.exists()


def test_use_of_reply_that_goes_is_refused(alice_device, bob_device, reply, monkeypatch):
    deleted, used = meet_behind(
        monkeypatch,
        changes,
        "reply_of",
        lambda: alice_device.client.delete(f"{REPLIES}{reply.pk}/"),
        lambda: use(bob_device, reply),
    )
    assert deleted.status_code == 204
    assert problem(used) == (404, "not_found")
    assert not QuickReplyUse.objects.exists()


def test_use_that_is_told_twice_at_once_counts_once(bob_device, reply, monkeypatch):
    id = uuid7()
    answers = meet_behind(
        monkeypatch, using, "held", lambda: use(bob_device, reply, id), lambda: use(bob_device, reply, id)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert QuickReplyUse.objects.count() == 1
