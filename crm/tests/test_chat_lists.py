"""The list of chats: every way of finding them brings the same, in order, and none reads all of them."""

import re
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.filters import parse_filter
from crm.filters.sql import TRUE, all_of
from crm.models import Chat
from crm.search import chats as searching
from crm.search.chats import named_so, page_of_chats
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
        add_chat(account, contact, last_message_at=at, unread_count=n % 2, name=f"Crew {n % 3}")
    return acme, [{}, {"unread": True}, {"tag": {"any": [str(vip.pk)]}}, {"not": {"tag": {"any": [str(vip.pk)]}}}]


def everything(workspace, **kwargs) -> list:
    """The ids of all pages."""
    found, behind = [], None
    while True:
        ids, behind = page_of_chats(workspace=workspace, behind=behind, **kwargs)
        found += ids
        if behind is None:
            return found


@given(
    which=st.integers(0, 3), words=st.sampled_from([[], ["crew"], ["crew", "1"], ["nobody"]]), limit=st.integers(1, 7),
    walk=st.sampled_from([1, 3, 1_000]), allowance=st.sampled_from([1, 5, 40_000]), named=st.sampled_from([0, 8, 1_000]),
)  # fmt: skip
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_way_of_finding_chats_finds_the_same(
    talks, alice, monkeypatch, which, words, limit, walk, allowance, named
):
    """In the order of their latest messages, those without any last."""
    workspace, filters = talks
    found = parse_filter(workspace, filters[which], "chats").condition(alice)
    condition = all_of([named_so(words), found]) if words else found
    rows = [chat for chat in Chat.objects.all() if all(word in chat.search_text for word in words)]
    if which == 1:
        rows = [chat for chat in rows if chat.unread_count]
    elif which > 1:
        worn = {chat.pk for chat in rows if chat.contact and chat.contact.contact_tags.exists()}
        rows = [chat for chat in rows if (chat.pk in worn) == (which == 2)]
    rows.sort(key=lambda chat: (chat.last_message_at is not None, chat.last_message_at, chat.pk), reverse=True)
    with monkeypatch.context() as patch:
        patch.setattr(searching, "FIRST_WALK", walk)
        patch.setattr(searching, "ALLOWANCE", allowance)
        patch.setattr(searching, "NAMED", named)
        driver = named_so(words) if words else None
        ids = everything(workspace, condition=condition, driver=driver, limit=limit)
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
    statements = [query["sql"].rpartition("off; ") for query in captured.captured_queries]
    plans = []
    for forbidding, _, statement in statements:
        if forbidding:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"{forbidding}off; EXPLAIN {statement}")
                plans.append("\n".join(row[0] for row in cursor.fetchall()))
    assert plans
    for plan in plans:
        assert not re.search(r"Seq Scan on crm_chat\b", plan), plan
        assert "Sort" not in plan or "named" in plan, plan
