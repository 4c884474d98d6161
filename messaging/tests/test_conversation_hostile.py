"""What a stranger or a broken extension sends to conversations: refused item by item, never a 500, nothing half."""

import json

import pytest

from messaging.models import ConversationMessage, ConversationRule, ConversationSync, MessageReaction
from messaging.tests.seen import GROUP, PERSON, at, chat, key, message, switch

pytestmark = pytest.mark.django_db

URL = "/api/v1/conversations/messages/"
LONE, NULL, HUGE = "\ud800", "a\x00b", 10**400
STRANGE = [
    *(LONE, f"{LONE}\u200d", NULL, "", "x" * 100_000, "\u202e", HUGE, -HUGE, 1e308, -1, 0, True, None, [], {}, [[]]),
    *({"a": {"b": LONE}}, "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"),
    *("9999-12-31T23:59:59-14:00", "2026-06-01T24:00:00Z", "2026-06-01T11:00:00", "1e9", float("nan"), float("inf")),
]
ITEMS = {
    "messages": message(text="a", quoted_id="3EB0FF", previous_id="3EB0FE", ack=1, ack_scheme="web", live=True)
    | {"media": {"id": None, "name": "x"}, "edited_at": at(1), "revoked_at": None, "participant": PERSON},
    "edits": key(text="b", edited_at=at(2)),
    "revocations": key(revoked_at=at(3)),
    "reactions": key(chat_jid=GROUP, emoji="👍", reactor=PERSON, reacted_at=at(4)),
    "covers": {"chat_jid": PERSON, "from": at(0), "to": at(9), "reached_start": True, "whatsapp_count": 5},
}


def send(device, number, body):
    """As bytes of a person's own making: surrogates as escapes, numbers as they are."""
    text = body if isinstance(body, str) else json.dumps({"whatsapp_account": str(number.pk)} | body)
    return device.client.post(URL, text, content_type="application/json")


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, item in ITEMS.items() for field in item])
def test_answer_each_strange_value(alice_device, number, name, field):
    switch(number)
    switch(chat(number, GROUP), kind="chat")
    good = message("3EB0BB", text="good") if name == "messages" else None
    for value in STRANGE:
        item = ITEMS[name] | {field: value}
        answer = send(alice_device, number, {name: [item, *([good] if good else [])]})
        assert answer.status_code in (200, 400), (value, answer.content)
        assert answer.content.decode("utf-8")
        for row in ConversationMessage.objects.all():
            assert row.sent_at is None or row.sent_at.year in (2009, 2026)


@pytest.mark.parametrize("name", [*ITEMS, "whatsapp_account"])
def test_answer_each_strange_list(alice_device, number, name):
    switch(number)
    for value in (*STRANGE, [LONE], [None], [[]], [{LONE: 1}], [{NULL: 1}], [{}] * 501):
        assert send(alice_device, number, {name: value}).status_code in (200, 400), value
    assert not ConversationMessage.objects.exists() and not ConversationSync.objects.exists()


@pytest.mark.parametrize("field", ["name", "mime", "size", "sha256", "id", "seconds", LONE])
def test_answer_each_strange_description_of_a_file(alice_device, number, field):
    switch(number)
    for value in STRANGE:
        answer = send(alice_device, number, {"messages": [message(media={field: value})]})
        assert answer.status_code in (200, 400), (value, answer.content)


@pytest.mark.parametrize(
    "body", ["[" * 100_000, "{" * 5, '{"messages":' * 50_000, "null", "[]", '"a"', "\x00", "1" * 5000]
)
def test_refuse_what_is_no_upload(alice_device, number, body):
    assert send(alice_device, number, body).status_code == 400
    nested = (
        json.dumps({"whatsapp_account": str(number.pk)})[:-1] + ', "messages": [' + "[" * 90_000 + "]" * 90_000 + "]}"
    )
    assert send(alice_device, number, nested).status_code in (200, 400)


def test_answer_strange_queries(alice_device, number):
    row = chat(number)
    switch(number)
    for value in ("%00", "%ed%a0%80", "9" * 500, "-1", "null", "x" * 3000, "%F0%9F", "[]"):
        for url in (
            f"/api/v1/conversations/?cursor={value}",
            f"/api/v1/conversations/?limit={value}",
            f"/api/v1/conversations/needs/?whatsapp_account={value}",
            f"/api/v1/conversations/work/?whatsapp_account={value}",
            f"/api/v1/conversations/search/?q={value}",
            f"/api/v1/conversations/search/?q=a&chat={value}",
            f"/api/v1/conversations/search/?q=a&cursor={value}",
            *(f"/api/v1/conversations/{row.pk}/messages/?{name}={value}" for name in ("before", "after", "limit")),
        ):
            assert alice_device.client.get(url).status_code in (200, 400, 404), url


def test_answer_strange_rules(alice_device, number):
    good = {"kind": "account", "target": str(number.pk), "metadata_on": True, "content_on": True}
    for field in (*good, "id"):
        for value in (one for one in STRANGE if one not in (True, 1)):
            if field == "id" and value is None:
                continue
            body = json.dumps(good | {field: value})
            answer = alice_device.client.post("/api/v1/conversations/rules/", body, content_type="application/json")
            assert answer.status_code in (200, 201, 400), (field, value, answer.content)
    assert ConversationRule.objects.count() <= 1


def test_show_and_change_nothing_of_another_workspace(alice_device, charlie_device, number, foreign_number):
    row = chat(number)
    rule = switch(number)
    send(alice_device, number, {"messages": [message(text="secret")], "covers": [ITEMS["covers"]]})
    before = [list(model.objects.values()) for model in (ConversationMessage, ConversationSync, ConversationRule)]
    client, body = charlie_device.client, {"messages": [message(text="x")]}
    assert send(charlie_device, number, body).status_code == 400
    for path in ("needs", "work"):
        assert client.get(f"/api/v1/conversations/{path}/?whatsapp_account={number.pk}").status_code == 404
    assert client.get(f"/api/v1/conversations/{row.pk}/messages/").status_code == 404
    assert client.get(f"/api/v1/conversations/search/?q=secret&chat={row.pk}").status_code == 404
    assert client.get("/api/v1/conversations/search/?q=secret").json()["results"] == []
    assert client.get("/api/v1/conversations/").json()["results"] == []
    for method in (client.get, client.patch, client.delete):
        assert method(f"/api/v1/conversations/rules/{rule.pk}/").status_code == 404
    assert before == [
        list(model.objects.values()) for model in (ConversationMessage, ConversationSync, ConversationRule)
    ]
    assert not MessageReaction.objects.exists()
