"""How the contacts workspace looks: nothing cut off, nothing too faint, light and dark, both directions."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts import actors
from accounts.tests.browser.test_pages_look import misled, nameless, on_pages, too_faint, walk
from conftest import PASSWORD
from crm.models import BulkAction, Contact, ContactTag, ImportBatch, Stage, SuggestionReason, Tag
from crm.models.colours import Colour
from crm.services.bulk.starting import start_bulk_action
from crm.services.imports import batches
from crm.services.imports.runs import run_waiting
from crm.services.reminders import changes
from crm.services.suggestions import suggest
from crm.services.tabs import create_tab
from crm.tests.records import add_account, add_chat
from crm.tests.test_pages_contacts import add
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft von und zu Hohenstein"
FILE = f"Nome;Telefone;{LONG[:60]}\nAna;(11) 98765-4321;{LONG}\n;12;x\n".encode()


def import_file(acme, alice, *, to: str) -> ImportBatch:
    """An import that stands at its columns, its preview, or its result."""
    batch, _ = batches.upload_file(
        workspace=acme,
        user=alice,
        actor=actors.person(alice),
        file=SimpleUploadedFile(f"{LONG[:70]}.csv", FILE, "text/csv"),
        start=to == "result",
    )
    if to == "preview":
        batches.request_preview(workspace=acme, batch_id=batch.pk)
    if to != "columns":
        run_waiting()
    return batch


@pytest.fixture
def paths(alice, acme) -> list[str]:
    """Every page with something on it, long words and other scripts included."""
    contacts = [
        add(acme, alice, LONG, "+5511987654321", company=LONG, email=f"{'a' * 60}@subdomain.of.example.com"),
        add(acme, alice, "محمد بن عبد الرحمن آل سعيد", "+971501234567"),
        add(acme, alice, "王小明"),
        add(acme, alice, "", "+4915112345678"),
    ]
    stage = Stage.objects.create(workspace=acme, name=LONG[:80], folded="long")
    for index, colour in enumerate(Colour.values):
        tag = Tag.objects.create(
            workspace=acme, name=f"{colour} {LONG[:40]}", folded=colour, colour=colour, position=index
        )
        ContactTag.objects.create(workspace=acme, contact=contacts[0], tag=tag, added_at=timezone.now())
    Contact.objects.filter(pk=contacts[0].pk).update(stage=stage, owner=alice, profile_name="~Dona 🌸")
    suggest(workspace=acme, pairs=[(contacts[0].pk, contacts[1].pk, SuggestionReason.SAME_EMAIL, LONG)])
    for contact, wall in ((contacts[0], "2020-01-01T09:00"), (None, "2035-01-01T09:00")):
        changes.create_reminder(
            workspace=acme,
            user=alice,
            actor=actors.person(alice),
            id=uuid7(),
            text=LONG,
            contact=contact,
            wall_time=timezone.datetime.fromisoformat(wall),
            rrule="FREQ=MONTHLY",
        )
    person = actors.person(alice)
    for target, filter in (("contacts", {"q": "a"}), ("chats", {"unread": True})):
        tab, _ = create_tab(
            workspace=acme, user=alice, actor=person, name=f"{target} {LONG}"[:80], target=target, filter=filter
        )
    account = add_account(acme)
    add_chat(account, contacts[0], name=LONG, unread_count=3, awaiting_reply=True, last_message_at=timezone.now())
    add_chat(account, kind="group", name=LONG, unread_count=1)
    owned = {"action": "set_owner", "owner": alice.pk, "filter": {"q": LONG[:60]}}
    done, _ = start_bulk_action(workspace=acme, user=alice, actor=person, **owned)
    waiting = BulkAction.objects.create(workspace=acme, action="bin", filter={"q": LONG}, created_by=alice)
    imports = [import_file(acme, alice, to=to) for to in ("columns", "preview", "result")]
    first, second = contacts[0].pk, contacts[1].pk
    return [
        "/contacts/",
        "/contacts/?q=zzz",
        "/contacts/?field=tag&op=is&value=&field=created&op=within&value=30",
        "/contacts/?q=a&sort=-last_message",
        "/contacts/new/",
        "/contacts/bulk/",
        f"/contacts/bulk/{done.pk}/",
        f"/contacts/bulk/{waiting.pk}/",
        "/chats/",
        f"/chats/?tab={tab.pk}&changed=1",
        "/chats/?field=archived&op=yes&value=",
        "/tabs/",
        f"/contacts/{first}/",
        f"/contacts/{first}/merge/?q=a",
        f"/contacts/{first}/merge/{second}/",
        "/duplicates/",
        "/reminders/",
        "/imports/",
        "/imports/new/",
        *(f"/imports/{batch.pk}/" for batch in imports),
    ]


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_open_every_page(visit, alice, paths, size):
    visitor = visit(size)
    visitor.log_in(alice, PASSWORD)
    assert walk(visitor, paths) == {}


def test_open_every_page_right_to_left(visit, alice, paths, settings):
    settings.LANGUAGES = [("ar", "العربية")]
    settings.LANGUAGE_CODE = "ar"
    alice.language = "ar"
    alice.save()
    visitor = visit("narrow")
    visitor.open("/accounts/login/")
    visitor.page.locator("[name=login]").fill(alice.email)
    visitor.page.locator("[name=password]").fill(PASSWORD)
    visitor.page.locator("main button.button[type=submit]").first.click()
    visitor.page.wait_for_url("**/home/")
    assert walk(visitor, paths) == {}
    assert visitor.page.locator("html").get_attribute("dir") == "rtl"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_read_text_with_contrast(visit, alice, paths, scheme):
    visitor = visit(color_scheme=scheme)
    visitor.log_in(alice, PASSWORD)
    assert too_faint(visitor, paths) == {}


def test_name_every_control(visit, alice, paths):
    visitor = visit()
    visitor.log_in(alice, PASSWORD)
    assert on_pages(visitor, paths, nameless) == {}


def test_press_main_button_by_enter(visit, alice, paths):
    visitor = visit()
    visitor.log_in(alice, PASSWORD)
    assert on_pages(visitor, paths, misled) == {}
