"""What people do with what is to be sent, in a real browser: settle, pause, hold back, refuse, prepare, schedule."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from messaging.models import Dispatcher, QuickReply, ScheduledMessage, SendingBudget, Suppression
from messaging.services.presence import note_presence
from messaging.tests.files import pdf
from messaging.tests.test_scheduling import add_contact

pytestmark = pytest.mark.django_db(transaction=True)


def test_settle_what_nobody_knows(page, put):
    message = put("outcome_unknown", minutes=-5)
    late = put("late", minutes=-90)
    page.get_by_role("link", name="Queue", exact=True).click()
    views = page.get_by_role("navigation", name="Which messages")
    views.get_by_role("link", name=re.compile("^Unknown 1")).click()
    page.get_by_role("button", name="It was sent", exact=True).click()
    expect(page.get_by_text("It is noted as sent.")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing is unknown")).to_be_visible()
    views.get_by_role("link", name=re.compile("^Too late 1")).click()
    page.locator(f"#message-{late.pk}").get_by_role("link", name="+55 11 98765-4321").click()
    page.get_by_role("button", name="Skip it").click()
    expect(page.locator("#message [role=status]")).to_have_text("Skipped")
    message.refresh_from_db()
    late.refresh_from_db()
    assert (message.state, late.state) == ("sent", "skipped")


def test_pause_number_and_choose_another_device(page, number, alice_device, bob_device, clock):
    note_presence(number.pk, alice_device.instance.pk, clock())
    note_presence(number.pk, bob_device.instance.pk, clock())
    page.goto(f"/messages/numbers/{number.pk}/")
    page.get_by_role("button", name="Pause sending").click()
    expect(page.get_by_text("Nothing more is sent from this number")).to_be_visible()
    expect(page.get_by_text("Sending is paused since")).to_be_visible()
    assert Dispatcher.objects.get().paused_at == clock()
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_role("button", name="Pause sending")).to_be_visible()
    assert Dispatcher.objects.get().paused_at is None
    device = page.locator(".row", has_text="Bob")
    device.get_by_role("button", name="Let it send").click()
    expect(page.get_by_text("This device sends from the number now.")).to_be_visible()
    expect(device.get_by_text("chosen by Alice")).to_be_visible()
    assert Dispatcher.objects.get().instance == bob_device.instance


def test_change_budget_and_see_what_it_holds_back(page, number, put, clock):
    put("sent", minutes=-10, sending_at=clock() - timedelta(minutes=10))
    put(minutes=-1, source="scheduled")
    page.goto(f"/messages/numbers/{number.pk}/")
    page.get_by_role("link", name="Look at it or change it").click()
    expect(page.get_by_text("no limit").first).to_be_visible()
    page.get_by_label("Messages an hour").fill("1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The budget is saved.")).to_be_visible()
    waits = page.get_by_role("region", name="Waits")
    expect(waits.get_by_text("The messages of this hour are used up")).to_be_visible()
    expect(waits.get_by_text("1 message", exact=True)).to_be_visible()
    assert SendingBudget.objects.get().max_per_hour == 1


def test_refuse_somebody_and_allow_them_again(page):
    page.get_by_role("link", name="Do not contact", exact=True).click()
    page.get_by_label("Phone number").fill("12")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".errorlist")).to_be_visible()
    page.get_by_label("Phone number").fill("+55 11 98765-4321")
    page.get_by_label("Note").first.fill("Asked on the phone")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("It is on the list.")).to_be_visible()
    row = page.locator(".row", has_text="Asked on the phone")
    row.get_by_text("Allow again").click()
    row.get_by_label("What the consent rests on").fill("Signed form of 12 May")
    row.get_by_role("button", name="Allow messages again").click()
    expect(page.get_by_role("heading", name="Nobody is on the list")).to_be_visible()
    assert Suppression.objects.get().lifted_at is not None


def test_write_quick_reply_of_two_parts(page, tmp_path):
    (tmp_path / "menu.pdf").write_bytes(pdf())
    page.get_by_role("link", name="Quick replies", exact=True).click()
    page.get_by_role("link", name="Write the first one").click()
    page.get_by_label("Name", exact=True).fill("Menu")
    page.get_by_label("Shortcut").fill("/menu")
    page.get_by_label("Text of the message").fill("Hi ")
    page.locator(".variables summary").focus()
    page.get_by_role("button", name="First name", exact=True).click()
    expect(page.locator("#preview").get_by_text("Hi Ana")).to_be_visible()
    page.get_by_role("button", name="Add a message behind it").click()
    second = page.get_by_role("group", name="Message 2")
    second.get_by_label("or from your computer").set_input_files(str(tmp_path / "menu.pdf"))
    second.get_by_label("Text of the message").fill("Here is our menu.")
    expect(page.locator("#preview").get_by_text("Here is our menu.")).to_be_visible()
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_text("“Menu” is saved.")).to_be_visible()
    expect(page.locator(".quick-reply", has_text="/menu").get_by_text("2 messages")).to_be_visible()
    [text] = QuickReply.objects.get().contents
    assert [part["body"] for part in text["parts"]] == ["Hi {{first_name}}", "Here is our menu."]
    assert [part["media"] is None for part in text["parts"]] == [True, False]


def test_searches_for_what_was_typed_before_htmx_came(page, acme, number):
    diana = add_contact(acme, ("phone", "+4915112345678"))
    held = []
    page.route("**/htmx*.js", lambda route: held.append(route))
    page.goto("/messages/scheduled/new/", wait_until="commit")
    page.get_by_label("Search contacts and groups").press_sequentially("dian")
    expect(page.get_by_label("Diana")).to_have_count(0)
    [script] = held
    script.continue_()
    page.get_by_label("Diana").check()
    assert page.get_by_label("Diana").input_value() == f"contact:{diana.pk}"


def test_schedule_series_and_leave_one_time_out(page, acme, alice, number):
    """It is Monday, 1 June."""
    alice.time_zone = "Europe/Berlin"
    alice.save()
    diana = add_contact(acme, ("phone", "+4915112345678"))
    page.get_by_role("link", name="Scheduled", exact=True).click()
    page.locator("main").get_by_role("link", name="Schedule a message").first.click()
    page.get_by_label("Search contacts and groups").press_sequentially("dian")
    page.get_by_label("Diana").check()
    page.get_by_label("Text of the message").fill("The offer of the week")
    expect(page.get_by_label("Ends")).to_be_hidden()
    page.get_by_label("How often?").select_option("Every week")
    page.get_by_label("Ends").select_option("After some times")
    page.get_by_label("Times").fill("4")
    page.get_by_role("button", name="Schedule it").click()
    times = page.get_by_role("region", name="The next times")
    expect(times.get_by_role("button")).to_have_count(4)
    page.get_by_role("link", name="Scheduled messages").click()
    expect(page.locator(".calendar .entry")).to_have_count(4)
    page.locator(".calendar td", has=page.locator("time[datetime='2026-06-16']")).locator(".entry").click()
    times.get_by_role("button", name="Leave out June 16, 2026, 9 a.m.").click()
    expect(page.get_by_text("That time is left out.")).to_be_visible()
    expect(times.get_by_role("button")).to_have_count(3)
    page.get_by_role("link", name="Scheduled messages").click()
    expect(page.locator(".calendar .entry")).to_have_count(3)
    message = ScheduledMessage.objects.get()
    assert (message.rrule, message.excluded) == ("FREQ=WEEKLY;COUNT=4", [datetime(2026, 6, 16, 9)])
    assert message.recipients.get().contact == diana


def test_enter_in_a_field_saves_what_is_scheduled(page, acme, alice, number):
    """Nothing that only adds a part is pressed by it, and in the box that searches it sends nothing."""
    diana = add_contact(acme, ("phone", "+4915112345678"))
    page.goto("/messages/scheduled/new/")
    page.get_by_label("Search contacts and groups").press_sequentially("dian")
    page.get_by_label("Diana").check()
    page.get_by_label("Text of the message").fill("The offer of the week")
    page.get_by_label("Search contacts and groups").press_sequentially("a")
    page.get_by_label("Search contacts and groups").press("Enter")
    expect(page.get_by_label("Diana")).to_be_checked()
    assert page.url.endswith("/messages/scheduled/new/") and not ScheduledMessage.objects.exists()
    page.get_by_label("Time zone").press("Enter")
    page.wait_for_url(lambda url: not url.endswith("/new/"))
    message = ScheduledMessage.objects.get()
    assert message.recipients.get().contact == diana
    page.get_by_text("Change it").click()
    page.get_by_label("Text of the message").fill("The offer of the month")
    page.get_by_label("Time zone").press("Enter")
    expect(page.locator(".bubble").first).to_have_text("The offer of the month")
    assert [part.body for part in message.parts.all()] == ["The offer of the month"]
