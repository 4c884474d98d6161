"""How the pages of broadcasts, automatic replies, conversations and shared links look, with much on them and with nothing."""

import pytest

from accounts.tests.browser.test_pages_look import misled, nameless, on_pages, too_faint, walk
from conftest import PASSWORD
from messaging.models import ConversationMessage, ConversationSync
from messaging.tests.auto_reply_calls import add_rule, receive, words, write
from messaging.tests.broadcasts.calls import add_people, draft, started
from messaging.tests.broadcasts.test_broadcast_life import send
from messaging.tests.browser.test_sending_look import ARABIC, LONG
from messaging.tests.seen import message, switch, upload
from messaging.tests.test_sharing import made

pytestmark = pytest.mark.django_db(transaction=True)
EMPTY = [
    "/messages/broadcasts/",
    "/messages/broadcasts/new/",
    "/messages/auto-replies/",
    "/messages/auto-replies/new/",
    "/messages/auto-replies/decisions/",
    "/messages/auto-replies/try/",
    "/messages/auto-replies/hours/",
    "/messages/auto-replies/caution/",
    "/messages/conversations/",
    "/messages/shares/",
]


@pytest.fixture
def full(acme, alice_device, number, clock) -> list[str]:
    """Every page with something on it: long words, two scripts, a broadcast at each step."""
    add_people(acme, LONG[:100], "محمد بن عبد الرحمن", "Ana", "Bruno")
    running = started(alice_device, number, name=LONG[:80])
    send(running, clock, "Ana", state="failed", reason_code="other", reason=LONG)
    send(running, clock, "Bruno", state="read", delivered_at=clock(), read_at=clock(), replied_at=clock())
    row = draft(alice_device, number, name=ARABIC[:80], parts=[{"body": LONG}, {"body": ARABIC}])
    rule = add_rule(acme, name=LONG[:80], conditions=words("price", LONG[:60]), says=[LONG, ARABIC])
    receive(number, f"the price? {LONG}")
    write(number)
    receive(number, "the price?")
    switch(number)
    items = [
        message("3EB0A1", text=f"{LONG * 3}\n{ARABIC}"),
        message("3EB0A2", seconds=9, text="", type="image", media={"name": f"{LONG}.jpg", "size": 2048}),
        message("3EB0A3", seconds=-90_000, text=ARABIC, from_me=True, ack=3),
    ]
    upload(alice_device, number, items)
    chat = ConversationSync.objects.get().chat
    messages = list(ConversationMessage.objects.order_by("sent_at"))
    shared = made(alice_device, chat, messages)
    locked = made(alice_device, chat, messages, password="open sesame")
    return [
        *EMPTY,
        f"/messages/broadcasts/{running.pk}/",
        f"/messages/broadcasts/{running.pk}/people/",
        *(f"/messages/broadcasts/{row['id']}/{step}/" for step in ("message", "audience", "check")),
        f"/messages/auto-replies/{rule.pk}/",
        f"/messages/conversations/{chat.pk}/",
        f"/messages/shares/new/{chat.pk}/",
        shared,
        locked,
    ]


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_open_every_page(visit, alice, full, size):
    visitor = visit(size)
    visitor.log_in(alice, PASSWORD)
    assert walk(visitor, full) == {}


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_open_every_page_with_nothing_on_it(visit, alice, acme, number, size):
    visitor = visit(size)
    visitor.log_in(alice, PASSWORD)
    assert walk(visitor, EMPTY) == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_read_text_with_contrast(visit, alice, full, scheme):
    visitor = visit(color_scheme=scheme)
    visitor.log_in(alice, PASSWORD)
    assert too_faint(visitor, full) == {}


def test_name_every_control(visit, alice, full):
    visitor = visit()
    visitor.log_in(alice, PASSWORD)
    assert on_pages(visitor, full, nameless) == {}


def test_press_main_button_by_enter(visit, alice, full):
    visitor = visit()
    visitor.log_in(alice, PASSWORD)
    assert on_pages(visitor, full, misled) == {}
