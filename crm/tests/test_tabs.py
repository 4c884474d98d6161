"""Tabs: whose they are, what they list, that their filters outlive what they name, and counts that cost little."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import actors
from accounts.models import Event
from accounts.services.events import record_event
from accounts.tests.together import assert_refused
from crm.filters import parse_filter
from crm.models import ContactTag, Tab, TabCount, Tag
from crm.services import tab_counts
from crm.tests.records import add_account, add_chat, add_contact, add_stage, add_tag, wear
from waplus.lib.ids import uuid7

TABS, CONTACTS, CHATS = "/api/v1/tabs/", "/api/v1/contacts/", "/api/v1/chats/"

pytestmark = pytest.mark.django_db


def make(device, name="Mine", status=201, **fields) -> dict:
    answer = device.client.post(TABS, {"name": name, **fields}, format="json")
    assert answer.status_code == status, answer.json()
    return answer.json()


def names(device) -> list[str]:
    return [row["name"] for row in device.client.get(TABS).json()["results"]]


def counts(device) -> dict[str, tuple[int, bool]]:
    rows = device.client.get(f"{TABS}counts/").json()["results"]
    return {row["tab"]: (row["count"], row["exact"]) for row in rows}


def test_creates_tab_with_event(alice_device, alice, acme):
    vip = add_tag(acme, "VIP")
    tab = make(alice_device, " My  VIPs ", filter={"and": [{"tag": {"any": [str(vip.pk)]}}]}, sort="-changed")
    assert (tab["name"], tab["filter"]) == ("My VIPs", {"tag": {"any": [str(vip.pk)]}})
    assert (tab["shared"], tab["owner"], tab["dead"]) == (False, str(alice.pk), [])
    assert Event.objects.filter(kind="tab.created", object_id=tab["id"]).count() == 1


def test_repeated_creation_is_one_tab(alice_device, bob_device):
    id = str(uuid7())
    first, second = make(alice_device, id=id), make(alice_device, name="Other", id=id, status=200)
    assert second == first and Tab.objects.count() == 1
    assert_refused(bob_device.client.post(TABS, {"id": id, "name": "x"}, format="json"), "id_taken")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"filter": {"colour": 1}}, "filter.colour"),
        ({"filter": {"tag": {"any": [str(uuid7())]}}}, "filter.tag.any.0"),
        ({"filter": []}, "filter"),
        ({"sort": "colour"}, "sort"),
        ({"target": "chats", "sort": "name"}, "sort"),
        ({"target": "people"}, "target"),
    ],
)
def test_malformed_tab_is_refused(alice_device, fields, field):
    errors = assert_refused(alice_device.client.post(TABS, {"name": "x", **fields}, format="json"), "invalid")["errors"]
    assert [error["field"] for error in errors] == [field]
    assert not Tab.objects.exists()


def test_private_tab_of_others_is_unknown(alice_device, bob_device, charlie_device):
    private, shared = make(alice_device, "Private"), make(alice_device, "Shared", shared=True)
    assert names(alice_device) == ["Private", "Shared"]
    assert names(bob_device) == ["Shared"] and names(charlie_device) == []
    for device, tab in ((bob_device, private), (charlie_device, private), (charlie_device, shared)):
        path = f"{TABS}{tab['id']}/"
        for answer in (
            device.client.get(path),
            device.client.patch(path, {"name": "stolen"}, format="json"),
            device.client.delete(path),
        ):
            assert_refused(answer, "not_found")
        errors = assert_refused(device.client.get(CONTACTS, {"tab": tab["id"]}), "invalid")["errors"]
        assert [(error["field"], error["code"]) for error in errors] == [("tab", "does_not_exist")]
        assert_refused(device.client.put(f"{TABS}order/", {"ids": [tab["id"]]}, format="json"), "invalid")
        assert tab["id"] not in counts(device)
    assert Tab.objects.filter(name__in=["Private", "Shared"]).count() == 2


def test_shared_tab_is_the_teams_and_its_owner_alone_takes_it_back(alice_device, bob_device):
    tab = make(alice_device, "Shared", shared=True)
    path = f"{TABS}{tab['id']}/"
    assert bob_device.client.patch(path, {"name": "Better"}, format="json").json()["name"] == "Better"
    assert_refused(bob_device.client.patch(path, {"shared": False}, format="json"), "forbidden")
    assert Tab.objects.get().shared
    assert alice_device.client.patch(path, {"shared": False}, format="json").json()["shared"] is False
    assert names(bob_device) == []


def test_stale_change_is_refused(alice_device):
    tab = make(alice_device)
    path = f"{TABS}{tab['id']}/"
    etag = alice_device.client.get(path)["ETag"]
    alice_device.client.patch(path, {"name": "Second"}, format="json")
    answer = alice_device.client.patch(path, {"name": "Third"}, format="json", HTTP_IF_MATCH=etag)
    assert_refused(answer, "precondition_failed")
    assert Tab.objects.get().name == "Second"


def test_reorders_tabs(alice_device):
    ids = [make(alice_device, name)["id"] for name in "abc"]
    answer = alice_device.client.put(f"{TABS}order/", {"ids": [ids[2], ids[0]]}, format="json")
    assert [row["name"] for row in answer.json()["results"]] == ["c", "a", "b"] == names(alice_device)


def test_tab_lists_what_its_filter_says(alice_device, acme):
    vip = add_tag(acme, "VIP")
    for name in ("Ana", "Bia", "Carla"):
        contact = add_contact(acme, name)
        if name != "Bia":
            wear(contact, vip)
    tab = make(alice_device, filter={"tag": {"any": [str(vip.pk)]}}, sort="-name")

    def listed(**params):
        rows = alice_device.client.get(CONTACTS, {"tab": tab["id"], **params}).json()["results"]
        return [row["name"] for row in rows]

    assert listed() == ["Carla", "Ana"]
    assert listed(sort="name") == ["Ana", "Carla"]
    assert listed(q="ana") == ["Ana"]
    assert listed(filter='{"not": {"q": "carla"}}') == ["Ana"]
    body = {"tab": tab["id"], "q": "carla"}
    assert [
        row["name"] for row in alice_device.client.post(f"{CONTACTS}search/", body, format="json").json()["results"]
    ] == ["Carla"]
    assert_refused(alice_device.client.get(CHATS, {"tab": tab["id"]}), "invalid")


def test_tab_over_chats_lists_chats(alice_device, acme):
    account, stage = add_account(acme), add_stage(acme, "New")
    now = timezone.now()
    unread = add_chat(account, add_contact(acme, "Ana", stage=stage), unread_count=2, last_message_at=now)
    add_chat(account, add_contact(acme, "Bia", stage=stage), last_message_at=now - timedelta(days=1))
    add_chat(account, kind="group", unread_count=1, last_message_at=now - timedelta(days=2))
    tab = make(alice_device, target="chats", filter={"and": [{"unread": True}, {"stage": str(stage.pk)}]})
    assert [row["id"] for row in alice_device.client.get(CHATS, {"tab": tab["id"]}).json()["results"]] == [
        str(unread.pk)
    ]
    listed = alice_device.client.get(CHATS, {"filter": '{"kind": "group"}'}).json()["results"]
    assert len(listed) == 1 and counts(alice_device) == {tab["id"]: (1, True)}
    assert_refused(alice_device.client.get(CONTACTS, {"tab": tab["id"]}), "invalid")


def test_tab_outlives_its_tag_and_says_so(alice_device, acme):
    vip = add_tag(acme, "VIP")
    wear(add_contact(acme, "Ana"), vip)
    tab = make(alice_device, filter={"or": [{"tag": {"any": [str(vip.pk)]}}, {"q": "bia"}]})
    add_contact(acme, "Bia")
    ContactTag.objects.all().delete()
    Tag.objects.all().delete()
    shown = alice_device.client.get(f"{TABS}{tab['id']}/").json()
    assert [part["field"] for part in shown["dead"]] == ["filter.or.0.tag.any.0"]
    rows = alice_device.client.get(CONTACTS, {"tab": tab["id"]}).json()["results"]
    assert [row["name"] for row in rows] == ["Bia"]


def test_counts_are_kept_until_something_happens(alice_device, alice, acme, monkeypatch):
    tab = make(alice_device, filter={"q": "ana"})
    add_contact(acme, "Ana")
    assert counts(alice_device) == {tab["id"]: (1, True)}
    add_contact(acme, "Ana too")
    record_event(kind="contact.created", actor=actors.person(alice), workspace=acme)
    assert counts(alice_device) == {tab["id"]: (1, True)}
    TabCount.objects.update(counted_at=timezone.now() - timedelta(seconds=11))
    assert counts(alice_device) == {tab["id"]: (2, True)}
    add_contact(acme, "Ana without an event")
    TabCount.objects.update(counted_at=timezone.now() - timedelta(seconds=11))
    assert counts(alice_device) == {tab["id"]: (2, True)}
    TabCount.objects.update(counted_at=timezone.now() - timedelta(minutes=11))
    assert counts(alice_device) == {tab["id"]: (3, True)}


def test_changed_tab_is_counted_anew(alice_device, acme):
    tab = make(alice_device, filter={"q": "ana"})
    add_contact(acme, "Bia")
    assert counts(alice_device) == {tab["id"]: (0, True)}
    alice_device.client.patch(f"{TABS}{tab['id']}/", {"filter": {}}, format="json")
    assert counts(alice_device) == {tab["id"]: (1, True)}


def test_counts_about_me_are_each_ones_own(alice_device, bob_device, alice, bob, acme):
    tab = make(alice_device, filter={"owner": "me"}, shared=True)
    for owner in (alice, alice, bob):
        add_contact(acme, "x", owner=owner)
    assert counts(alice_device) == {tab["id"]: (2, True)}
    assert counts(bob_device) == {tab["id"]: (1, True)}
    assert TabCount.objects.count() == 2


def test_counts_end_at_the_ceiling(acme, alice, monkeypatch):
    monkeypatch.setattr(tab_counts, "CEILING", 3)
    account = add_account(acme)
    everybody, chats = parse_filter(acme, {}), parse_filter(acme, {}, "chats")
    for expected in ((0, True), (1, True), (2, True), (3, True), (3, False)):
        assert tab_counts.count_contacts(everybody, alice) == expected
        assert tab_counts.count_chats(chats, alice) == expected
        add_chat(account, add_contact(acme, "x"))


def test_budget_leaves_the_rest_as_it_was(alice_device, acme, monkeypatch):
    for name in "abc":
        make(alice_device, name)
    monkeypatch.setattr(tab_counts, "BUDGET", -1)
    assert counts(alice_device) == {}
    monkeypatch.setattr(tab_counts, "BUDGET", 10)
    assert len(counts(alice_device)) == 3


def test_person_makes_so_many_tabs(alice_device, monkeypatch):
    from crm.services import tabs

    monkeypatch.setattr(tabs, "MAX_SHOWN", 1)
    make(alice_device)
    assert_refused(alice_device.client.post(TABS, {"name": "x"}, format="json"), "limit_reached")
    assert Tab.objects.count() == 1
