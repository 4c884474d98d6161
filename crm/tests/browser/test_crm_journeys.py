"""What people do with their contacts, in a real browser."""

import re
import threading
import time

import pytest
from django.db import connections
from django.utils import timezone
from playwright.sync_api import expect

from conftest import PASSWORD
from crm.models import Contact, ContactTag, Reminder, Tab, Tag
from crm.services.bulk import starting
from crm.services.bulk.running import run_open_actions
from crm.services.imports.runs import run_waiting
from crm.tests.records import add_account, add_chat, add_tag
from crm.tests.test_pages_contacts import add

pytestmark = pytest.mark.django_db(transaction=True)

FILE = "Nome;Telefone;E-mail\nAna Lima;(11) 98765-4321;ana@example.com\nBruno Costa;(11) 91234-5678;\n;12;\n"


@pytest.fixture
def worker():
    """A worker beside the server, which runs imports as they come."""
    stop = threading.Event()

    def work():
        while not stop.is_set():
            run_waiting()
            time.sleep(0.1)
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_import_file_and_find_contact(visit, alice, acme, worker, tmp_path):
    file = tmp_path / "clientes.csv"
    file.write_text(FILE)
    visitor = visit()
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    page.get_by_role("link", name="Contacts", exact=True).click()
    expect(page.get_by_role("heading", name="No contacts yet")).to_be_visible()
    page.locator("main").get_by_role("link", name="Import a file").click()
    page.locator("input[type=file]").set_input_files(str(file))
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.get_by_role("heading", name="What is in the columns?")).to_be_visible()
    assert page.get_by_label("Import “Telefone” as").input_value() == "phone"
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("link", name=re.compile("2 New contacts"))).to_be_visible()
    page.get_by_role("link", name=re.compile("1 Refused")).click()
    expect(page.get_by_text("There is no such number in its country")).to_be_visible()
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_role("heading", name="Refused rows")).to_be_visible()
    page.get_by_role("link", name="See the contacts").click()
    page.get_by_label("Search contacts").press_sequentially("98765")
    expect(page.get_by_role("link", name="Bruno Costa")).to_be_hidden()
    expect(page.get_by_role("link", name="Ana Lima")).to_be_visible()
    assert page.url.endswith("/contacts/?q=98765") or "q=98765" in page.url
    page.go_back()
    page.get_by_role("link", name="Imports", exact=True).click()
    page.get_by_role("link", name="clientes.csv", exact=True).click()
    page.get_by_text("Undo this import").click()
    page.get_by_role("button", name="Undo the import").click()
    expect(page.get_by_text("Taken back: 2 contacts deleted")).to_be_visible()
    assert not Contact.objects.exists()


def test_remind_merge_and_undo(visit, alice, acme):
    ana = add(acme, alice, "Ana Lima", "+5511987654321")
    add(acme, alice, "Aninha", "+5511912345678", company="Café Aurora")
    visitor = visit()
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    visitor.open("/contacts/")
    page.get_by_role("link", name="Ana Lima").click()
    reminders = page.get_by_role("region", name="Reminders")
    reminders.get_by_text("New reminder").click()
    reminders.get_by_label("What about?").fill("Send the offer")
    reminders.get_by_role("button", name="Remind me").click()
    expect(page.get_by_text("The reminder is set.")).to_be_visible()
    reminders.get_by_role("button", name="Done: Send the offer").click()
    expect(reminders.get_by_role("button", name="Not done after all: Send the offer")).to_be_visible()
    assert Reminder.objects.get().done_at <= timezone.now()

    page.get_by_role("region", name="Duplicates").get_by_role("link", name="Merge").click()
    page.get_by_label("Search contacts").press_sequentially("anin")
    page.get_by_role("link", name="Compare with Aninha").click()
    expect(page.get_by_role("heading", name="Ana Lima stays")).to_be_visible()
    page.get_by_role("button", name="Merge into Ana Lima").click()
    expect(page.get_by_text("The two are one contact now.")).to_be_visible()
    expect(page.get_by_text("+55 11 91234-5678")).to_be_visible()
    assert list(Contact.objects.alive()) == [ana]
    page.get_by_role("button", name="Undo the merge with Aninha").click()
    expect(page.get_by_text("They are two contacts again.")).to_be_visible()
    assert Contact.objects.alive().count() == 2


def test_filter_and_scroll(visit, alice, acme):
    for number in range(60):
        add(acme, alice, f"Person {number:02}")
    visitor = visit()
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    visitor.open("/contacts/")
    expect(page.locator("#rows > tr")).to_have_count(51)
    page.locator(".more-row").scroll_into_view_if_needed()
    expect(page.locator("#rows > tr")).to_have_count(60)
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Add a condition").select_option("Owner")
    page.get_by_label("Owner: which").select_option("Alice")
    expect(page.get_by_role("heading", name="Nobody found")).to_be_visible()
    page.get_by_label("Owner: how").select_option("is not")
    expect(page.locator("#rows > tr")).to_have_count(51)
    assert f"field=owner&op=not&value={alice.pk}" in page.url
    page.get_by_label(re.compile("Take the condition “Owner")).click()
    expect(page.get_by_label(re.compile("Take the condition “Owner"))).to_be_hidden()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"


def test_tag_in_bulk(visit, alice, acme):
    for name in ("Ana", "Bruno", "Carla"):
        add(acme, alice, name)
    visitor = visit()
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    visitor.open("/tags/")
    page.get_by_label("Name").fill("VIP")
    page.get_by_label("Purple").check()
    page.get_by_role("button", name="Add tag").click()
    page.get_by_role("link", name="Contacts", exact=True).click()
    bar = page.get_by_role("group", name="With the selected contacts")
    expect(bar).to_be_hidden()
    page.get_by_label("Select Ana").check()
    page.get_by_label("Select Carla").check()
    bar.get_by_label("Tag", exact=True).select_option("VIP")
    bar.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("2 contacts are changed.")).to_be_visible()
    expect(page.locator("#rows .chip", has_text="VIP")).to_have_count(2)
    expect(bar).to_be_hidden()
    page.get_by_label("Select all that are shown").check()
    bar.get_by_label("Owner", exact=True).select_option("Alice")
    bar.get_by_role("button", name="Set the owner").click()
    expect(page.get_by_text("3 contacts are changed.")).to_be_visible()
    assert Contact.objects.filter(owner=alice).count() == 3


def test_enter_on_a_tick_changes_nobody(visit, alice, acme):
    """The ticks stay, for the button that says what to do."""
    ana, vip = add(acme, alice, "Ana"), add_tag(acme, "VIP")
    visitor = visit()
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    visitor.open("/contacts/")
    page.get_by_label("Select Ana").check()
    bar = page.get_by_role("group", name="With the selected contacts")
    bar.get_by_label("Tag", exact=True).select_option("VIP")
    sent = []
    page.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    page.get_by_label("Select Ana").press("Enter")
    bar.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("1 contact is changed.")).to_be_visible()
    assert len(sent) == 1
    assert list(ana.contact_tags.values_list("tag", flat=True)) == [vip.pk]


def test_enter_presses_no_button_that_was_not_meant_without_javascript(visit, alice, acme):
    """In a filter it takes no condition away, on a tick it chooses none of the changes."""
    ana = add(acme, alice, "Ana")
    add_tag(acme, "VIP")
    visitor = visit(java_script_enabled=False)
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    visitor.open("/contacts/?field=created&op=within&value=30")
    page.locator("summary", has_text="Filter").click()
    page.get_by_role("spinbutton").fill("7")
    page.get_by_role("spinbutton").press("Enter")
    page.wait_for_url(lambda url: "field=created&op=within&value=7" in url)
    page.get_by_label("Select Ana").check()
    bar = page.get_by_role("group", name="With the selected contacts")
    bar.get_by_label("Tag", exact=True).select_option("VIP")
    page.get_by_label("Select Ana").press("Enter")
    expect(page.get_by_text("Choose what to do with them.")).to_be_visible()
    assert not ana.contact_tags.exists()


def test_search_again_and_again(visit, alice, acme):
    account = add_account(acme)
    for name in ("Crew", "Team one", "Team two"):
        add_chat(account, kind="group", name=name)
        add(acme, alice, name)
    visitor = visit()
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    for path in ("/contacts/", "/chats/"):
        visitor.open(path)
        for query, names in (
            ("crew", ["Crew"]),
            ("team", ["Team one", "Team two"]),
            ("zebra", []),
            ("two", ["Team two"]),
        ):
            page.get_by_role("searchbox").fill(query)
            page.wait_for_url(f"**{path}?q={query}")
            for name in ("Crew", "Team one", "Team two"):
                expect(page.locator("#rows bdi", has_text=name)).to_have_count(int(name in names))


def test_find_and_edit_contact_without_javascript(visit, alice, acme):
    add(acme, alice, "Ana Lima", "+5511987654321")
    add(acme, alice, "Bruno Costa")
    visitor = visit("narrow", java_script_enabled=False)
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    visitor.open("/contacts/")
    page.get_by_label("Search contacts").fill("ana")
    page.get_by_role("button", name="Search").click()
    assert page.get_by_role("link", name="Bruno Costa").count() == 0
    page.get_by_role("link", name="Ana Lima").click()
    page.get_by_label("Company").fill("Café Aurora")
    page.get_by_role("region", name="Details").get_by_role("button", name="Save").click()
    expect(page.get_by_text("The contact is saved.")).to_be_visible()
    assert Contact.objects.get(name="Ana Lima").company == "Café Aurora"


def test_change_all_that_match_and_watch(visit, alice, acme, monkeypatch):
    """A number that was counted, a question, a change that goes on beside the list, and its result."""
    monkeypatch.setattr(starting, "AT_ONCE", 1)
    for number in range(60):
        add(acme, alice, f"Person {number:02}")
    Tag.objects.create(workspace=acme, name="VIP", folded="vip")
    visitor = visit()
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    visitor.open("/contacts/")
    bar = page.get_by_role("group", name="With the selected contacts")
    page.get_by_label("Select Person 00").check()
    expect(bar.get_by_text("With 1 selected:")).to_be_visible()
    bar.get_by_label("All 60 that match").check()
    expect(page.get_by_label("Select Person 49")).to_be_checked()
    page.locator(".more-row").scroll_into_view_if_needed()
    expect(page.get_by_label("Select Person 59")).to_be_checked()
    bar.get_by_label("Tag", exact=True).select_option("VIP")
    bar.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Change 60 contacts?")).to_be_visible()
    assert not ContactTag.objects.exists()
    page.get_by_role("button", name="Change 60 contacts").click()
    expect(page.get_by_role("region", name="Waiting for its turn…")).to_be_visible()
    visitor.open("/contacts/")
    expect(page.get_by_text("Waits for its turn")).to_be_visible()
    run_open_actions()
    expect(page.get_by_text("60 contacts changed")).to_be_visible()
    page.get_by_role("link", name="Details").click()
    expect(page.get_by_role("region", name="Done")).to_be_visible()
    page.get_by_role("link", name="See who wears it").click()
    expect(page.locator("#rows .chip", has_text="VIP").first).to_be_visible()
    assert ContactTag.objects.count() == 60


def test_keep_and_change_tab(visit, alice, acme):
    for name in ("Ana", "Anita", "Bruno"):
        add(acme, alice, name)
    visitor = visit()
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    visitor.open("/contacts/")
    page.get_by_label("Search contacts").press_sequentially("an")
    page.locator("summary", has_text="Save as tab").click()
    page.get_by_label("Name of the tab").fill("Anas")
    page.get_by_role("button", name="Save the tab").click()
    strip = page.get_by_role("navigation", name="Tabs")
    expect(strip.get_by_role("link", name="Anas 2")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("link", name="Bruno")).to_be_hidden()
    page.get_by_label("Search contacts").fill("ani")
    expect(page.get_by_role("link", name="Ana", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Save in “Anas”").click()
    expect(page.get_by_text("The tab “Anas” shows this from now on.")).to_be_visible()
    strip.get_by_role("link", name="All contacts").click()
    expect(page.get_by_role("link", name="Bruno")).to_be_visible()
    page.get_by_label("Sort by").select_option("-name")
    expect(page.locator("#rows th a").first).to_have_text("Bruno")
    assert Tab.objects.get().filter == {"q": "ani"}


def test_change_all_that_match_without_javascript(visit, alice, acme):
    for number in range(60):
        add(acme, alice, f"Person {number:02}")
    visitor = visit("narrow", java_script_enabled=False)
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    visitor.open("/contacts/")
    page.get_by_label("Select Person 00").check()
    page.get_by_label("All that match").check()
    page.get_by_label("Owner", exact=True).select_option("Alice")
    page.get_by_role("button", name="Set the owner").click()
    page.get_by_role("button", name="Change 60 contacts").click()
    expect(page.get_by_text("60 contacts are changed.")).to_be_visible()
    assert Contact.objects.filter(owner=alice).count() == 60
    page.get_by_label("Sort by").select_option("-name")
    page.get_by_role("button", name="Sort").click()
    expect(page.locator("#rows th a").first).to_have_text("Person 59")
