"""Conversations in the browser: off until somebody switches them on, read, searched, and switched off with a warning."""

import pytest
from django.urls import reverse

from accounts import actors
from messaging.models import ConversationMessage, ConversationRule, ConversationSync
from messaging.services.conversations import deletion, switching
from messaging.tests.seen import GROUP, chat, message, switch, upload

pytestmark = pytest.mark.django_db


def page(client, name: str, *args, **query) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_say_that_it_is_off_by_default_and_what_switching_on_means(client, alice, number):
    client.force_login(alice)
    assert "WAPlus stores no conversation by itself" in page(client, "conversations")
    assert "stores nothing of a conversation until you switch it on" in page(client, "conversation", chat(number).pk)


def test_switch_a_chat_on_read_it_and_switch_it_off(client, bob, bob_device, number):
    row = chat(number)
    client.force_login(bob)
    client.post(reverse("switch-conversation", args=[row.pk]), {"mode": "content"})
    rule = ConversationRule.objects.get()
    assert (rule.kind, rule.content_on, rule.changed_by) == ("chat", True, bob)
    upload(
        bob_device,
        number,
        [
            message("3EB0A1", text="<b>Hello</b> there"),
            message("3EB0A2", seconds=9, text="", type="image", media={"name": "beach.jpg", "size": 2048}),
            message("3EB0A3", seconds=-90_000, text="yesterday", from_me=True, ack=3),
        ],
    )
    shown = page(client, "conversation", row.pk)
    assert "&lt;b&gt;Hello&lt;/b&gt; there" in shown and "beach.jpg" in shown
    assert shown.count('class="day"') == 2
    assert "Switching off deletes 3 messages" in shown
    found = page(client, "conversation", row.pk, q="hello")
    assert "Hello" in found and "yesterday" not in found
    assert "Nothing found" in page(client, "conversation", row.pk, q="zebra")
    client.post(reverse("switch-conversation", args=[row.pk]), {"mode": "off"})
    gone = page(client, "conversation", row.pk)
    assert "It is being deleted" in gone and "Hello" not in gone
    assert "being deleted" in page(client, "conversations")
    deletion.delete_switched_off()
    assert not ConversationMessage.objects.exists()
    client.post(reverse("switch-conversation", args=[row.pk]), {"mode": "rules"})
    assert not ConversationRule.objects.exists()


def test_load_older_messages(client, alice, alice_device, number):
    switch(number)
    upload(
        alice_device, number, [message(f"3EB0A{index:03}", seconds=index, text=f"text {index}") for index in range(60)]
    )
    client.force_login(alice)
    url = reverse("conversation", args=[ConversationSync.objects.get().chat_id])
    newest = client.get(url)
    assert [row.text for row in newest.context["rows"]] == [f"text {index}" for index in range(20, 60)]
    older = client.get(url, {"before": newest.context["older"]}, headers={"HX-Request": "true"})
    assert [row.text for row in older.context["rows"]] == [f"text {index}" for index in range(20)]
    assert "<html" not in older.content.decode() and older.context["older"] is None


def test_switch_many_chats_on_and_off_as_an_admin(client, alice, alice_device, bob, number):
    client.force_login(bob)
    sent = {"chats": f"account:{number.pk}", "content": "on"}
    assert client.post(reverse("conversations"), sent).status_code == 404
    assert not ConversationRule.objects.exists()
    client.force_login(alice)
    client.post(reverse("conversations"), sent)
    rule = ConversationRule.objects.get()
    upload(alice_device, number, [message(text="a")])
    shown = page(client, "conversations")
    assert "Up to 1 synced message is deleted" in shown and "with content" in shown
    client.post(reverse("change-conversation-rule", args=[rule.pk]), {})
    rule.refresh_from_db()
    assert not rule.content_on
    client.post(reverse("remove-conversation-rule", args=[rule.pk]))
    assert not ConversationRule.objects.exists()
    assert ConversationSync.objects.get().deleting == "metadata"


def test_show_no_conversation_to_others(client, charlie, alice, other, acme, number):
    row = chat(number, GROUP)
    switching.switch_chats(
        workspace=acme,
        actor=actors.person(alice),
        kind="chat",
        target_id=row.pk,
        metadata_on=True,
        content_on=True,
    )
    client.force_login(charlie)
    assert client.get(reverse("conversation", args=[row.pk])).status_code == 404
    client.post(reverse("switch-conversation", args=[row.pk]), {"mode": "off"})
    assert ConversationRule.objects.get().metadata_on
    assert "Nothing is synced" in page(client, "conversations")
