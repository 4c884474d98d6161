"""The list of chats: every way of finding them brings the same, in order, and none reads all of them."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.filters import parse_filter
from crm.filters.sql import TRUE, all_of
from crm.models import Chat, GroupMember
from crm.search import chats as searching
from crm.search.chats import named_so, page_of_chats
from crm.services.bulk.sets import count_matching
from crm.services.tab_counts import count_chats, count_contacts
from crm.tests.plans import plans_of
from crm.tests.records import add_account, add_chat, add_contact, add_tag, wear

pytestmark = pytest.mark.django_db


@pytest.fixture
def talks(acme):
    """Chats with messages at repeated times and without any, and filters over them."""
    account, vip = add_account(acme), add_tag(acme, "VIP")
    now = timezone.now()
    for n in range(20):
        contact = add_contact(acme, f"Name {n}") if n % 3 else None
        if contact and n % 2:
            wear(contact, vip)
        at = now - timedelta(minutes=n % 4) if n % 5 else None
        state = {"unread_count": n % 2, "archived": n % 4 == 1, "awaiting_reply": n % 3 == 1}
        kind = "person" if contact else ["group", "channel"][n % 2]
        add_chat(account, contact, kind=kind, last_message_at=at, name=f"Crew {n % 3}", **state)
    tagged = {"tag": {"any": [str(vip.pk)]}}
    return acme, [
        ({}, lambda chat: True),
        (tagged, lambda chat: bool(chat.contact and chat.contact.contact_tags.exists())),
        ({"not": tagged}, lambda chat: not (chat.contact and chat.contact.contact_tags.exists())),
        ({"unread": True}, lambda chat: chat.unread_count > 0),
        ({"not": {"unread": True}}, lambda chat: chat.unread_count == 0),
        ({"archived": True}, lambda chat: chat.archived),
        ({"archived": False}, lambda chat: not chat.archived),
        ({"awaiting_reply": True}, lambda chat: chat.awaiting_reply),
        ({"kind": "group"}, lambda chat: chat.kind == "group"),
        ({"kind": {"any": ["channel", "person"]}}, lambda chat: chat.kind != "group"),
        ({"last_message": {"never": True}}, lambda chat: chat.last_message_at is None),
        (
            {"and": [{"archived": True}, {"unread": True}, {"last_message": {"last_days": 9}}]},
            lambda chat: chat.archived and chat.unread_count > 0 and chat.last_message_at is not None,
        ),
        ({"or": [{"archived": True}, {"kind": "group"}]}, lambda chat: chat.archived or chat.kind == "group"),
    ]


def everything(workspace, **kwargs) -> list:
    """The ids of all pages."""
    found, behind = [], None
    while True:
        ids, behind = page_of_chats(workspace=workspace, behind=behind, **kwargs)
        found += ids
        if behind is None:
            return found


@given(
    which=st.integers(0, 12), words=st.sampled_from([[], ["crew"], ["crew", "1"], ["nobody"]]), limit=st.integers(1, 7),
    walk=st.sampled_from([1, 3, 1_000]), allowance=st.sampled_from([1, 5, 40_000]), named=st.sampled_from([0, 8, 1_000]),
)  # fmt: skip
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_way_of_finding_chats_finds_the_same(
    talks, alice, monkeypatch, which, words, limit, walk, allowance, named
):
    """In the order of their latest messages, those without any last."""
    workspace, filters = talks
    tree, holds = filters[which]
    found = parse_filter(workspace, tree, "chats")
    condition = all_of([*([named_so(words)] if words else []), found.condition(alice)])
    rows = [chat for chat in Chat.objects.all() if all(word in chat.search_text for word in words) and holds(chat)]
    rows.sort(key=lambda chat: (chat.last_message_at is not None, chat.last_message_at, chat.pk), reverse=True)
    with monkeypatch.context() as patch:
        patch.setattr(searching, "FIRST_WALK", walk)
        patch.setattr(searching, "ALLOWANCE", allowance)
        patch.setattr(searching, "NAMED", named)
        driver = named_so(words) if words else None
        ids = everything(workspace, condition=condition, driver=driver, along=found.along(alice), limit=limit)
    assert ids == [chat.pk for chat in rows]


@pytest.mark.parametrize("words", [[], ["rare"], ["absent"], ["chat"]])
def test_chats_are_read_along_an_index(acme, monkeypatch, words):
    account = add_account(acme)
    now = timezone.now()
    Chat.objects.bulk_create(
        Chat(
            workspace=acme,
            whatsapp_account=account,
            jid=f"{n}@c.us",
            kind="person",
            search_text=f" chat {n} {'rare' if n == 7 else ''}",
            last_message_at=now - timedelta(minutes=n) if n % 3 else None,
        )
        for n in range(3000)
    )
    monkeypatch.setattr(searching, "FIRST_WALK", 100)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE crm_chat")
    with CaptureQueriesContext(connection) as captured:
        condition = named_so(words) if words else TRUE
        page_of_chats(workspace=acme, condition=condition, driver=condition if words else None, limit=50)
    plans = plans_of(captured)
    assert plans
    for plan in plans:
        assert not re.search(r"Seq Scan on crm_chat\b", plan), plan
        assert "Sort" not in plan or "named" in plan, plan


@pytest.fixture
def rare(acme):
    """A thousand chats with people, in which nothing happens, before one of every other kind and state."""
    account = add_account(acme)
    now = timezone.now()
    Chat.objects.bulk_create(
        Chat(workspace=acme, whatsapp_account=account, jid=f"{n}@c.us", kind="person", last_message_at=now)
        for n in range(1000)
    )
    states = [{"unread_count": 1}, {"archived": True}, {"awaiting_reply": True, "last_inbound_at": now}]
    kinds = [{"kind": "group"}, {"kind": "channel"}, {"kind": "broadcast"}]
    for n, columns in enumerate([*states, *kinds]):
        contact = add_contact(acme, f"Name {n}")
        add_chat(account, contact, last_message_at=now - timedelta(days=1), name=f"Rare {n}", **columns)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE crm_chat")
    return acme


RARE = [
    ({"unread": True}, "chat_unread", 1),
    ({"archived": True}, "chat_archived", 1),
    ({"awaiting_reply": True}, "chat_awaiting_by_message", 1),
    ({"kind": "group"}, "chat_not_of_person", 1),
    ({"kind": {"any": ["channel", "broadcast"]}}, "chat_not_of_person", 2),
]


@pytest.mark.parametrize(("tree", "index", "count"), RARE)
def test_rare_chats_are_found_behind_all_others_at_once(rare, alice, monkeypatch, tree, index, count):
    monkeypatch.setattr(searching, "FIRST_WALK", 10)
    monkeypatch.setattr(searching, "ALLOWANCE", 10)
    found = parse_filter(rare, tree, "chats")
    with CaptureQueriesContext(connection) as captured:
        ids, following = page_of_chats(
            workspace=rare, condition=found.condition(alice), along=found.along(alice), limit=5
        )
    assert (len(ids), following) == (count, None)
    plans = plans_of(captured)
    assert len(plans) == 1
    assert f"using {index} on" in plans[0], plans[0]
    assert "Sort" not in plans[0]
    assert count_chats(found, alice) == (count, True)


@pytest.mark.parametrize(("tree", "index", "count"), RARE)
def test_contacts_of_rare_chats_are_looked_up(rare, alice, tree, index, count):
    found = parse_filter(rare, tree)
    with CaptureQueriesContext(connection) as captured:
        assert count_contacts(found, alice) == (count, True)
    plans = plans_of(captured)
    assert len(plans) == 1
    assert index in plans[0] or "chat_awaiting_reply" in plans[0], plans[0]
    assert count_matching(found, alice, "add_tags") == count


def test_members_of_groups_are_looked_up(acme, alice):
    """Those of whom one is in two groups, and those whose own chat is taken for one, once each."""
    account, ana, bea = add_account(acme), add_contact(acme, "Ana"), add_contact(acme, "Bea")
    add_contact(acme, "Caio")
    for name in ("Crew", "Team"):
        group = add_chat(account, kind="group", name=name)
        GroupMember.objects.create(workspace=acme, chat=group, jid="1@c.us", contact=ana)
    add_chat(account, bea, kind="group")
    found = parse_filter(acme, {"kind": "group"})
    assert found.exact(alice) is not None
    assert count_matching(found, alice, "add_tags") == 2
    assert count_contacts(found, alice) == (2, True)


def test_either_of_two_that_indexes_know_is_known_by_them(acme, alice):
    account, ana, bea, caio = add_account(acme), *(add_contact(acme, name) for name in ("Ana", "Bea", "Caio Smith"))
    add_chat(account, ana, awaiting_reply=True)
    add_chat(account, bea, archived=True)
    add_chat(account, caio, awaiting_reply=True)
    found = parse_filter(acme, {"or": [{"awaiting_reply": True}, {"q": "smith"}]})
    assert found.exact(alice) is not None
    assert count_matching(found, alice, "add_tags") == 2
    several_words = parse_filter(acme, {"or": [{"awaiting_reply": True}, {"q": "bea smith"}]})
    assert several_words.exact(alice) is None
    assert count_matching(several_words, alice, "add_tags") == 2
