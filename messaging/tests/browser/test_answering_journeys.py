"""What people do with rules, broadcasts, conversations and links, in a real browser."""

import pytest
from playwright.sync_api import expect

from conftest import PASSWORD
from messaging.models import (
    AutoReplyRule,
    AutoReplySetting,
    Broadcast,
    ConversationRule,
    ConversationSync,
    QueuedMessage,
    ShareLink,
)
from messaging.services.broadcasts.starting import start_waiting_broadcasts
from messaging.services.contents import parts_of
from messaging.tests.broadcasts.calls import add_people, draft
from messaging.tests.files import pdf
from messaging.tests.seen import chat, message, switch, upload

pytestmark = pytest.mark.django_db(transaction=True)


def test_build_rule_and_try_it(page, number, tmp_path):
    page.goto("/messages/auto-replies/new/")
    page.get_by_role("textbox", name="Name").fill("Price")
    page.get_by_label("One of these words").fill("price")
    page.get_by_label("Text of the message").fill("It is 10.")
    (tmp_path / "prices.pdf").write_bytes(pdf())
    page.get_by_label("or from your computer").set_input_files(str(tmp_path / "prices.pdf"))
    page.get_by_label("And also").select_option("first_message")
    page.get_by_role("button", name="Add condition").click()
    expect(page.get_by_label("The first message in so many days")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Price")
    page.get_by_role("button", name="Remove").last.click()
    expect(page.get_by_label("The first message in so many days")).to_have_count(0)
    assert AutoReplyRule.objects.count() == 0
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("The rule is saved. It answers as soon as it is switched on.")).to_be_visible()
    rule = AutoReplyRule.objects.get()
    assert [(part.body, part.media.name) for part in parts_of(rule)] == [("It is 10.", "prices.pdf")]
    assert ([one["kind"] for one in rule.conditions], rule.enabled) == (["keyword"], False)
    page.goto("/messages/auto-replies/try/")
    page.locator("textarea").fill("What is the price?\nhello")
    page.locator("select").first.select_option(str(rule.pk))
    page.locator("main form").get_by_role("button").first.click()
    found = page.get_by_role("region", name="What came of it")
    expect(found).to_contain_text("Answered.")
    expect(found).to_contain_text("Did not answer: no rule fits.")
    assert QueuedMessage.objects.count() == 0


def test_change_how_cautious_rules_are(page, acme):
    page.goto("/messages/auto-replies/")
    page.get_by_role("link", name="How cautious rules are").click()
    page.get_by_label("Minutes of silence after a member wrote").fill("90")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. It counts from the next message on.")).to_be_visible()
    page.get_by_role("link", name="Auto replies").last.click()
    expect(page.get_by_text("rules are silent in that chat for 90 minutes")).to_be_visible()
    assert AutoReplySetting.objects.get().silence_minutes == 90


def test_check_broadcast_and_start_it(page, acme, number, tmp_path):
    add_people(acme, "Ana Lima", "Bruno")
    page.goto("/messages/broadcasts/new/")
    page.get_by_label("Name").first.fill("Spring")
    page.get_by_label("Text of the message").fill("Hello {{first_name|there}}!")
    (tmp_path / "menu.pdf").write_bytes(pdf())
    page.get_by_label("or from your computer").set_input_files(str(tmp_path / "menu.pdf"))
    page.get_by_role("button", name="Add a message behind it").click()
    second = page.get_by_role("group", name="Message 2")
    second.get_by_label("Text of the message").fill("See you")
    page.get_by_role("button", name="Save and choose the audience").click()
    page.get_by_label("All contacts").check()
    page.get_by_role("button", name="Save and check").click()
    expect(page.get_by_text("2 people would get it")).to_be_visible()
    expect(page.get_by_text("Hello Ana!")).to_be_visible()
    page.get_by_role("button", name="Send to 2 people").click()
    expect(page.get_by_text("Everybody is being queued")).to_be_visible()
    assert QueuedMessage.objects.count() == 0
    start_waiting_broadcasts()
    expect(page.get_by_text("It is on its way")).to_be_visible(timeout=20_000)
    assert (QueuedMessage.objects.count(), Broadcast.objects.get().state) == (4, "running")
    said = [(part.body, part.media and part.media.name) for part in parts_of(Broadcast.objects.get())]
    assert said == [("Hello {{first_name|there}}!", "menu.pdf"), ("See you", None)]


def test_let_member_start_broadcast(visit, page, bob, acme, number, bob_device):
    add_people(acme, "Ana")
    row = draft(bob_device, number)
    member = visit("narrow")
    member.log_in(bob, PASSWORD)
    member.open(f"/messages/broadcasts/{row['id']}/check/")
    expect(member.page.get_by_text("Ask Alice to look at this draft and start it.")).to_be_visible()
    page.goto("/messages/broadcasts/")
    who = page.get_by_role("region", name="Who may start broadcasts")
    who.get_by_label("Every member").check()
    who.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Every member may start broadcasts now.")).to_be_visible()
    member.page.reload()
    member.page.get_by_role("button", name="Send to 1 person").click()
    expect(member.page.get_by_text("Everybody is being queued")).to_be_visible()
    assert Broadcast.objects.get().started_by == bob


def test_switch_conversation_on_and_off(page, number, alice_device):
    row = chat(number)
    page.goto(f"/messages/conversations/{row.pk}/")
    page.locator("input[name=mode][value=content]").check()
    page.get_by_role("button", name="Save").click()
    upload(alice_device, number, [message(text="Hello there")])
    page.reload()
    expect(page.get_by_text("Hello there")).to_be_visible()
    page.locator("input[name=mode][value=off]").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It is being deleted")).to_be_visible()
    expect(page.get_by_text("Hello there")).to_have_count(0)
    assert not ConversationRule.objects.get().metadata_on


def test_share_conversation_with_a_stranger(visit, page, number, alice_device):
    switch(number)
    upload(alice_device, number, [message("3EB0A1", text="first"), message("3EB0A2", seconds=9, text="second")])
    page.goto(f"/messages/shares/new/{ConversationSync.objects.get().chat_id}/")
    page.get_by_label("Password").fill("open sesame")
    page.get_by_label("Leave this message out").last.check()
    page.get_by_role("button", name="Make the link").click()
    link = page.locator("#link").input_value()
    stranger = visit("narrow")
    stranger.open(link[link.index("/s/") :])
    stranger.page.get_by_label("Password").fill("open sesame")
    stranger.page.get_by_role("button", name="Show the conversation").click()
    expect(stranger.page.get_by_text("first", exact=True)).to_be_visible()
    expect(stranger.page.get_by_text("second", exact=True)).to_have_count(0)
    assert ShareLink.objects.get().opened_count == 1
