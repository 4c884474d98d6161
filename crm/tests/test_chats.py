"""Chats of every kind, as the extension reports them, and who is in groups."""

import json
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from accounts import actors
from accounts.models import Event
from accounts.tests.together import assert_refused, at_once, linger
from crm.models import Chat, Contact, GroupMember, Tombstone, WhatsAppAccount
from crm.services import bin, chat_links
from crm.services.chats import report_chats
from crm.services.group_members import change_members, set_members
from crm.services.merging import merge_contacts
from crm.services.sync.kinds import kind_named, present_changes
from crm.tests.people import make_contact, tables_of
from waplus.lib.ids import uuid7

CHATS = "/api/v1/chats/"
JID, LID, GROUP = "5511987654321@c.us", "157163732254124@lid", "120363041234567890@g.us"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db
really_at_once = pytest.mark.django_db(transaction=True)


@pytest.fixture
def number(acme):
    return WhatsAppAccount.objects.create(workspace=acme, jid="5511911112222@c.us")


@pytest.fixture
def group(acme, number):
    return Chat.objects.create(
        workspace=acme, whatsapp_account=number, jid=GROUP, kind="group", name="Team", search_text=" team"
    )


def report(device, number, *chats):
    items = [{"whatsapp_account": str(number.pk), **chat} if isinstance(chat, dict) else chat for chat in chats]
    answer = device.client.put(CHATS, {"chats": items})
    assert answer.status_code == 200, answer.json()
    return answer.json()["results"]


def outcomes(*args) -> list[str]:
    return [row["outcome"] for row in report(*args)]


def at(minutes: int) -> str:
    return (NOON + timedelta(minutes=minutes)).isoformat()


# --- Reporting ------------------------------------------------------------------------------------


def test_knows_chats_of_every_kind(alice_device, number):
    forms = {
        JID: "person",
        LID: "person",
        GROUP: "group",
        "4915112345678-1612345678@g.us": "group",
        "120363041234567891@newsletter": "channel",
        "status@broadcast": "broadcast",
        "1234567890@broadcast": "broadcast",
    }
    rows = report(alice_device, number, *({"jid": jid, "name": f"Name {jid}"} for jid in forms))
    assert [row["outcome"] for row in rows] == ["created"] * len(forms)
    for row, (jid, kind) in zip(rows, forms.items(), strict=True):
        body = alice_device.client.get(f"{CHATS}{row['chat']}/").json()
        assert (body["jid"], body["kind"], body["name"]) == (jid, kind, f"Name {jid}")
        assert body["contact"] is None
    assert not Contact.objects.exists()
    event = Event.objects.get(kind="chat.added")
    assert event.count == len(forms)


def test_report_again_changes_nothing(alice_device, acme, number):
    chat = {
        "jid": "5511987654321:3@s.whatsapp.net",
        "name": "Ana",
        "unread_count": 2,
        "last_inbound_at": at(0),
        "archived": True,
        "pinned": False,
        "description": "two\nlines",
    }
    (first,) = report(alice_device, number, chat)
    before, events = tables_of(acme), Event.objects.count()
    stamp = Chat.objects.get().changed_xid
    (again,) = report(alice_device, number, chat)
    assert (first["outcome"], again["outcome"], again["chat"]) == ("created", "unchanged", first["chat"])
    assert tables_of(acme) == before
    assert (Event.objects.count(), Chat.objects.get().changed_xid) == (events, stamp)
    row = Chat.objects.get()
    assert (row.jid, row.name, row.unread_count, row.archived, row.pinned) == (JID, "Ana", 2, True, False)
    assert (row.last_message_at, row.awaiting_reply, row.description) == (NOON, True, "two\nlines")


def test_change_counts_for_what_it_names_alone(alice_device, number):
    report(alice_device, number, {"jid": JID, "name": "Ana", "unread_count": 2, "pinned": True})
    assert outcomes(alice_device, number, {"jid": JID, "unread_count": 0}) == ["updated"]
    chat = Chat.objects.get()
    assert (chat.name, chat.unread_count, chat.pinned, chat.version) == ("Ana", 0, True, 2)
    assert chat.field_versions == {"unread_count": 2}
    assert outcomes(alice_device, number, {"jid": JID, "unread_count": -1, "name": None}) == ["updated"]
    assert Chat.objects.get().unread_count == 1


def test_late_report_turns_nothing_back(alice_device, number):
    steps = [
        ({"last_inbound_at": at(10)}, (10, None, 10, True)),
        ({"last_inbound_at": at(5)}, (10, None, 10, True)),
        ({"last_outbound_at": at(7)}, (10, 7, 10, True)),
        ({"last_outbound_at": at(12)}, (10, 12, 12, False)),
        ({"last_message_at": at(11)}, (10, 12, 12, False)),
        ({"last_message_at": at(20)}, (10, 12, 20, False)),
        ({"last_inbound_at": at(21), "last_outbound_at": at(1)}, (21, 12, 21, True)),
    ]
    for change, expected in steps:
        report(alice_device, number, {"jid": JID, **change})
        chat = Chat.objects.get()
        times = [chat.last_inbound_at, chat.last_outbound_at, chat.last_message_at]
        minutes = [time and (time - NOON) / timedelta(minutes=1) for time in times]
        assert (*minutes, chat.awaiting_reply) == expected, change
    report(alice_device, number, {"jid": JID, "last_inbound_at": "2999-01-01T00:00:00Z"})
    assert Chat.objects.get().last_inbound_at <= timezone.now()


def test_groups_expect_no_answer(alice_device, number):
    report(alice_device, number, {"jid": GROUP, "last_inbound_at": at(1)})
    assert Chat.objects.get().awaiting_reply is False


def test_items_of_one_chat_follow_each_other(alice_device, number):
    rows = report(
        alice_device,
        number,
        {"jid": JID, "name": "A"},
        {"jid": "5511987654321@s.whatsapp.net", "name": "B"},
        {"jid": JID, "name": "B"},
    )
    assert [row["outcome"] for row in rows] == ["created", "updated", "unchanged"]
    assert Chat.objects.get().name == "B"


def test_person_with_two_addresses_has_two_chats(alice_device, acme, number):
    contact = make_contact(acme, "+5511987654321", LID)
    report(
        alice_device, number, {"jid": "551187654321@c.us"}, {"jid": LID}, {"jid": "4915110000001@c.us"}, {"jid": GROUP}
    )
    assert set(Chat.objects.filter(contact=contact).values_list("jid", flat=True)) == {"551187654321@c.us", LID}
    listed = alice_device.client.get(CHATS, {"contact": str(contact.pk)}).json()["results"]
    assert {row["jid"] for row in listed} == {"551187654321@c.us", LID}


def test_chat_of_leaked_lid_is_the_lids(alice_device, acme, number):
    contact = make_contact(acme, LID)
    report(alice_device, number, {"jid": LID.replace("@lid", "@c.us")})
    assert Chat.objects.get().contact_id == contact.pk


REFUSED = [
    ({"jid": "nobody"}, "invalid_jid"),
    ({"jid": ""}, "required"),
    ({}, "required"),
    ({"jid": 5}, "invalid"),
    ({"jid": JID, "whatsapp_account": None}, "required"),
    ({"jid": JID, "whatsapp_account": str(uuid7())}, "not_found"),
    ({"jid": JID, "unread_count": "2"}, "invalid"),
    ({"jid": JID, "unread_count": True}, "invalid"),
    ({"jid": JID, "unread_count": 10**40}, "invalid"),
    ({"jid": JID, "archived": 1}, "invalid"),
    ({"jid": JID, "name": ["A"]}, "invalid"),
    ({"jid": JID, "last_message_at": "yesterday"}, "invalid"),
    ({"jid": JID, "contact": str(uuid7())}, "unknown_field"),
    ("text", "invalid"),
    (None, "invalid"),
]


def test_wrong_chat_is_refused_alone(alice_device, number):
    rows = report(alice_device, number, *(item for item, _ in REFUSED), {"jid": LID})
    assert [(row["outcome"], row["code"]) for row in rows] == [
        *(("refused", code) for _, code in REFUSED),
        ("created", ""),
    ]
    assert list(Chat.objects.values_list("jid", flat=True)) == [LID]


def test_refuses_requests_that_are_no_reports(alice_device, number):
    item = {"whatsapp_account": str(number.pk), "jid": JID}
    for body in ({}, {"chats": []}, {"chats": "x"}, {"chats": [item] * 501}, {"chats": [item], "force": 1}):
        assert_refused(alice_device.client.put(CHATS, body), "invalid")
    assert not Chat.objects.exists()


def test_number_of_other_workspace_is_unknown(alice_device, other):
    foreign = WhatsAppAccount.objects.create(workspace=other, jid="5511911113333@c.us")
    assert report(alice_device, foreign, {"jid": JID})[0]["code"] == "not_found"
    assert not Chat.objects.exists()


def test_fixed_number_of_statements(alice_device, acme, number, django_assert_num_queries):
    make_contact(acme, "4915110000001@c.us")
    items = [
        {"whatsapp_account": str(number.pk), "jid": f"49151{10_000_000 + n}@c.us", "unread_count": n}
        for n in range(500)
    ]
    actor = actors.instance(alice_device.instance)
    with django_assert_num_queries(9):  # account, savepoint, chats, keys, contacts, keys, insert, event, release
        report_chats(workspace=acme, actor=actor, items=items)
    with django_assert_num_queries(5):  # account, savepoint, chats, keys, release
        report_chats(workspace=acme, actor=actor, items=items)
    for item in items:
        item["unread_count"] += 1
    with django_assert_num_queries(9):  # and a lock, the chats again, their update, and a hint
        report_chats(workspace=acme, actor=actor, items=items)
    assert Chat.objects.count() == 500


@really_at_once
def test_parallel_reports_make_each_chat_once(alice_device, bob_device, acme, number):
    jids = [f"49151{10_000_000 + n}@c.us" for n in range(40)]

    def job(device, jids, minute):
        return lambda: report(device, number, *({"jid": jid, "last_inbound_at": at(minute)} for jid in jids))

    for minute in (1, 9):
        answers = at_once(
            job(alice_device, jids, minute),
            job(bob_device, jids[::-1], minute + 3),
            job(alice_device, jids[20:] + jids[:20], minute + 1),
            job(bob_device, jids[::2], minute + 2),
        )
        assert [len(answer) for answer in answers] == [40, 40, 40, 20]
        assert Chat.objects.count() == 40
        # The latest time wins, whoever wrote last.
        assert set(Chat.objects.values_list("last_inbound_at", flat=True)) == {NOON + timedelta(minutes=minute + 3)}


@really_at_once
def test_chat_reported_while_its_contact_goes_is_not_left_behind_with_it(
    alice_device, bob_device, acme, alice, number, group, monkeypatch
):
    """A chat or a member lands at the contact that stays, or at nobody; never at one that was merged or deleted."""
    linger(monkeypatch, chat_links, "settled")
    actor = actors.person(alice)
    for n in range(4):
        jid = f"491511000000{n}@c.us"
        kept, gone = make_contact(acme, name="Kept"), make_contact(acme, jid)
        leave = (
            partial(merge_contacts, workspace=acme, actor=actor, kept_id=kept.pk, absorbed_id=gone.pk)
            if n % 2
            else partial(bin.delete_contact, workspace=acme, actor=actor, contact_id=gone.pk)
        )
        reported, listed, left = at_once(
            lambda jid=jid: outcomes(alice_device, number, {"jid": jid}),
            lambda jid=jid: change_members(
                workspace=acme, actor=actor, chat_id=group.pk, members=[{"jid": jid}], left=[]
            ),
            lambda leave=leave: time.sleep(0.015) or leave(),
        )
        assert reported == ["created"]
        assert not [one for one in (listed, left) if isinstance(one, Exception)]
        where = {Chat.objects.get(jid=jid).contact_id, GroupMember.objects.get(jid=jid).contact_id}
        assert where <= {kept.pk, None}


# --- Reading and naming ---------------------------------------------------------------------------


def test_lists_latest_first_and_silent_ones_behind(alice_device, acme, number):
    for n in range(5):
        report(alice_device, number, {"jid": f"4915110{n}000000@c.us", **({"last_inbound_at": at(n)} if n < 3 else {})})
    seen, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        body = alice_device.client.get(CHATS, params).json()
        seen += [row["jid"][7] for row in body["results"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert seen == ["2", "1", "0", "4", "3"]


def test_list_is_read_from_its_index(alice_device, acme, number):
    report(
        alice_device, number, *({"jid": f"49151{10_000_000 + n}@c.us", "last_inbound_at": at(n)} for n in range(300))
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE crm_chat")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(
            "EXPLAIN SELECT * FROM crm_chat WHERE workspace_id = %s "
            "ORDER BY coalesce(last_message_at, '1970-01-01 00:00:00+00:00'::timestamptz) DESC, id DESC LIMIT 50",
            [acme.pk],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "chat_by_last_message" in plan
    assert "Sort" not in plan


def test_filters_chats(alice_device, acme, number):
    second = WhatsAppAccount.objects.create(workspace=acme, jid="5511911113333@c.us")
    report(alice_device, number, {"jid": JID, "name": "José Álvares"}, {"jid": GROUP, "name": "Team"})
    report(alice_device, second, {"jid": JID, "name": "Ana"})

    def names(**params):
        return [row["name"] for row in alice_device.client.get(CHATS, params).json()["results"]]

    assert sorted(names()) == ["Ana", "José Álvares", "Team"]
    assert names(q="jose alv") == ["José Álvares"]
    assert names(kind="group") == ["Team"]
    assert names(whatsapp_account=str(second.pk)) == ["Ana"]
    assert names(whatsapp_account=str(uuid7())) == names(contact=str(uuid7())) == []
    for wrong in ({"kind": "x"}, {"contact": "x"}, {"whatsapp_account": "\x00"}, {"q": "x" * 201}, {"q": "\x00"}):
        assert_refused(alice_device.client.get(CHATS, wrong), "invalid")


def test_own_name_outlives_reports_and_gives_way_to_them_when_emptied(alice_device, bob_device, acme, number, group):
    path = f"{CHATS}{group.pk}/"
    alice_device.client.patch(path, {"own_name": "Suppliers"})
    assert outcomes(bob_device, number, {"jid": GROUP, "name": "Friday football"}) == ["updated"]
    group.refresh_from_db()
    assert (group.own_name, group.name, str(group)) == ("Suppliers", "Friday football", "Suppliers")
    assert group.search_text == " suppliers friday football"
    assert group.field_versions == {"own_name": 2, "name": 3}
    pulled = present_changes(
        kind=kind_named("chat"), workspace_id=acme.pk, user_id=bob_device.instance.user_id, ids=[str(group.pk)]
    )
    document = json.loads(pulled[str(group.pk)])["document"]
    assert (document["own_name"], document["name"]) == ("Suppliers", "Friday football")
    assert document["field_versions"] == {"own_name": 2, "name": 3}
    alice_device.client.patch(path, {"own_name": ""})
    group.refresh_from_db()
    assert (str(group), group.search_text) == ("Friday football", " friday football")


def test_names_chat(alice_device, acme, group):
    answer = alice_device.client.patch(f"{CHATS}{group.pk}/", {"own_name": " The  Crew "})
    assert answer.status_code == 200
    assert (answer.json()["own_name"], answer.json()["name"]) == ("The Crew", "Team")
    for words in ("the c", "team"):
        assert alice_device.client.get(CHATS, {"q": words}).json()["results"][0]["own_name"] == "The Crew"
    assert Event.objects.get(kind="chat.updated").changed == ["own_name"]
    stale = alice_device.client.patch(f"{CHATS}{group.pk}/", {"own_name": "X"}, headers={"If-Match": '"old"'})
    assert_refused(stale, "precondition_failed")
    for wrong in ({}, {"own_name": None}, {"own_name": "x" * 301}, {"name": "X"}, {"jid": LID}):
        assert_refused(alice_device.client.patch(f"{CHATS}{group.pk}/", wrong), "invalid")
    group.refresh_from_db()
    assert (group.own_name, group.name, group.jid) == ("The Crew", "Team", GROUP)


def test_chat_of_others_is_like_missing_one(charlie_device, group):
    for path in (f"{CHATS}{group.pk}/", f"{CHATS}{uuid7()}/"):
        assert_refused(charlie_device.client.get(path), "not_found")
        assert_refused(charlie_device.client.patch(path, {"own_name": "stolen"}), "not_found")
        assert_refused(charlie_device.client.put(f"{path}members/", {"members": []}), "not_found")


# --- Members --------------------------------------------------------------------------------------


def members(group) -> dict[str, tuple]:
    rows = GroupMember.objects.filter(chat=group).values_list("jid", "name", "is_admin", "contact")
    return {jid: tuple(rest) for jid, *rest in rows}


def put_members(device, group, *members):
    return device.client.put(f"{CHATS}{group.pk}/members/", {"members": list(members)})


def test_sets_members_of_group(alice_device, acme, group):
    contact = make_contact(acme, "+5511987654321")
    first = [{"jid": "551187654321:7@s.whatsapp.net", "name": "Ana", "is_admin": True}, {"jid": LID}]
    assert put_members(alice_device, group, *first).status_code == 204
    assert members(group) == {"551187654321@c.us": ("Ana", True, contact.pk), LID: ("", False, None)}
    before, events = tables_of(acme), Event.objects.count()
    put_members(alice_device, group, *first)
    assert (tables_of(acme), Event.objects.count()) == (before, events)
    left = GroupMember.objects.get(jid=LID)
    put_members(alice_device, group, {"jid": "551187654321@c.us", "is_admin": False}, {"jid": "4915110000001@c.us"})
    assert members(group) == {
        "551187654321@c.us": ("Ana", False, contact.pk),
        "4915110000001@c.us": ("", False, None),
    }
    assert list(Tombstone.objects.values_list("kind", "row_id")) == [("group_member", left.pk)]
    assert Contact.objects.count() == 1
    assert [event.count for event in Event.objects.filter(kind="chat.members_reported").order_by("id")] == [2, 3]


def test_changes_members_of_group(alice_device, group):
    put_members(alice_device, group, {"jid": JID}, {"jid": LID})
    path = f"{CHATS}{group.pk}/members/"
    change = {"members": [{"jid": JID, "name": "Ana"}, {"jid": "4915110000001@c.us"}], "left": [LID, "99999999@lid"]}
    for _ in range(2):
        assert alice_device.client.patch(path, change).status_code == 204
        assert members(group) == {JID: ("Ana", False, None), "4915110000001@c.us": ("", False, None)}
    assert alice_device.client.patch(path, {}).status_code == 204
    body = alice_device.client.get(path, {"limit": 1}).json()
    assert (body["results"][0]["jid"], bool(body["next_cursor"])) == ("4915110000001@c.us", True)


def test_member_gets_contact_once_known(alice_device, acme, group):
    put_members(alice_device, group, {"jid": LID})
    contact = make_contact(acme, LID)
    assert members(group) == {LID: ("", False, contact.pk)}


def test_wrong_member_refuses_the_list(alice_device, acme, number, group):
    put_members(alice_device, group, {"jid": JID})
    before = members(group)
    path = f"{CHATS}{group.pk}/members/"
    for wrong, code in (
        ({"jid": GROUP}, "invalid_jid"),
        ({"jid": "x"}, "invalid_jid"),
        ({"jid": 5}, "invalid"),
        ({"name": "A"}, "invalid_jid"),
        ({"jid": LID, "role": "x"}, "unknown_field"),
        ({"jid": LID, "is_admin": "yes"}, "invalid"),
        ("x", "invalid"),
        (None, "invalid"),
    ):
        body = assert_refused(put_members(alice_device, group, {"jid": LID}, wrong), "invalid")
        assert (wrong, body["errors"][0]["code"]) == (wrong, code)
        assert body["errors"][0]["field"].startswith("members.1")
    for body in ({}, {"members": {}}, {"members": [{"jid": JID}] * 1101}, {"members": [], "left": []}):
        assert_refused(alice_device.client.put(path, body), "invalid")
    for body in ({"left": [5, None]}, {"left": "x"}, {"left": ["x"]}):
        assert_refused(alice_device.client.patch(path, body), "invalid")
    assert members(group) == before
    person = Chat.objects.create(workspace=acme, whatsapp_account=number, jid=JID, kind="person", search_text="")
    assert_refused(put_members(alice_device, person, {"jid": LID}), "wrong_state")


def test_large_group_costs_few_statements(alice_device, acme, group, django_assert_num_queries):
    many = [{"jid": f"{157_163_732_000_000 + n}@lid", "name": f"P {n}"} for n in range(1_100)]
    actor = actors.instance(alice_device.instance)
    with django_assert_num_queries(7):  # savepoint, chat, members, keys, insert, event, release
        set_members(workspace=acme, actor=actor, chat_id=group.pk, members=many)
    with django_assert_num_queries(5):
        set_members(workspace=acme, actor=actor, chat_id=group.pk, members=many)
    assert GroupMember.objects.count() == 1_100


@really_at_once
def test_parallel_lists_leave_one_of_them(alice_device, bob_device, group):
    lists = [[{"jid": f"4915110{n}00{m:02}00@c.us"} for m in range(20)] for n in range(2)]
    answers = at_once(
        *(lambda d=device, m=m: put_members(d, group, *m) for device in (alice_device, bob_device) for m in lists)
    )
    assert [answer.status_code for answer in answers] == [204] * 4
    assert set(members(group)) in [{row["jid"] for row in one} for one in lists]
