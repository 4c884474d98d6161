"""How the pages of sending look: nothing cut off, nothing too faint, every control with a name, both directions."""

from datetime import timedelta

import pytest

from accounts import actors
from accounts.tests.browser.test_pages_look import misled, nameless, on_pages, too_faint, walk
from conftest import PASSWORD
from crm.tests.test_pages_contacts import add
from messaging.models import (
    DispatchAttempt,
    DispatchWarning,
    SuppressionSource,
    UnreachableChat,
)
from messaging.services.contents import replace_parts
from messaging.services.number_lists.runs import take_chunk
from messaging.services.number_lists.uploading import upload_list
from messaging.services.presence import note_presence
from messaging.services.quick_replies import changes, folders
from messaging.services.suppression import suppress
from messaging.services.suppression.words import set_word
from messaging.tests.calls import CHAT
from messaging.tests.number_lists import list_file
from messaging.tests.schedules import make_schedule
from messaging.tests.test_contents import add_file

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft von und zu Hohenstein"
ARABIC = "مرحبا بك في متجرنا، طلبك جاهز للاستلام من الفرع الرئيسي في أي وقت تريده هذا الأسبوع"
HELD = ("hour", "day", "new_contacts", "quiet_hours", "reply_ratio", "cold_paused")


@pytest.fixture
def paths(acme, alice, alice_device, bob_device, number, second_number, put, clock) -> list[str]:
    """Every page with something on it: every state, long words, and two scripts."""
    now, person = clock(), actors.person(alice)
    number.name = LONG[:60]
    number.save()
    contacts = [
        add(acme, alice, LONG, "+5511987654321", company=LONG),
        add(acme, alice, "محمد بن عبد الرحمن آل سعيد", "+971501234567"),
    ]
    files = [add_file(acme, f"{LONG}.pdf"), add_file(acme, "قائمة الأسعار.pdf")]
    for index, code in enumerate(HELD):
        put(
            minutes=-1,
            not_before=now + timedelta(hours=index + 1),
            held_by=code,
            contact=contacts[index % 2],
            body=LONG,
        )
    put(media=files[0], body=ARABIC, account=second_number)
    rows = {
        state: put(state, minutes=-10, contact=contacts[0], body=f"{LONG * 3}\n{ARABIC}", media=files[1], reason=LONG)
        for state in ("leased", "late", "outcome_unknown", "failed", "skipped", "cancelled", "played")
    }
    DispatchAttempt.objects.create(
        workspace=acme,
        message=rows["failed"],
        fence=1,
        instance=alice_device.instance,
        claimed_at=now,
        outcome="failed",
        reason=LONG,
        ended_at=now,
    )
    for kind in ("no_instance", "late", "outcome_unknown"):
        DispatchWarning.objects.create(
            workspace=acme,
            whatsapp_account=number,
            kind=kind,
            first_due_at=now,
            message_count=3,
            raised_at=now,
        )
    UnreachableChat.objects.create(workspace=acme, whatsapp_account=number, chat_jid=CHAT, code="blocked", since=now)
    for device in (alice_device, bob_device):
        note_presence(number.pk, device.instance.pk, now)
    suppress(workspace=acme, actor=person, source=SuppressionSource.PERSON, contact=contacts[0], note=LONG)
    suppress(workspace=acme, actor=person, source=SuppressionSource.IMPORT, phone="+5511912345678", note=ARABIC)
    lists = [
        upload_list(workspace=acme, actor=person, file=list_file(content, f"{LONG}.csv"), note=ARABIC)[0]
        for content in ("nobody\n" * 60 + "+5511912345678\n", "+5511912345678\n+5511912345679\n")
    ]
    take_chunk(lists[0].pk)
    set_word(workspace=acme, actor=person, word=LONG[:60], kind="out")
    series = make_schedule(number, chat_jid=CHAT, contact=contacts[0], body=LONG, rrule="FREQ=DAILY")
    parts = [{"body": LONG, "media": files[0].pk}, {"body": ARABIC, "media": None}]
    replace_parts(workspace=acme, parts=parts, scheduled_message=series)
    once = make_schedule(number, chat_jid=CHAT, contact=contacts[1], body=ARABIC, time_zone="Asia/Dubai")
    folder, _ = folders.create_folder(workspace=acme, actor=person, name=LONG[:80])
    reply, _ = changes.create_reply(
        workspace=acme,
        user=alice,
        actor=person,
        name=LONG[:80],
        shortcut="/مرحبا",
        folder=folder.pk,
        texts=[{"language": "en", "parts": parts}, {"language": "ar", "parts": [{"body": ARABIC}]}],
    )
    return [
        *(f"/messages/queue/?show={view}" for view in ("waiting", "sending", "late", "unknown", "failed", "skipped")),
        f"/messages/queue/?show=today&number={number.pk}",
        *(f"/messages/queue/{row.pk}/" for row in rows.values()),
        f"/messages/numbers/{number.pk}/",
        f"/messages/numbers/{second_number.pk}/",
        f"/messages/numbers/{number.pk}/budget/",
        "/messages/do-not-contact/",
        "/messages/do-not-contact/lists/",
        *(f"/messages/do-not-contact/lists/{row.pk}/" for row in lists),
        "/messages/scheduled/",
        "/messages/scheduled/?view=week",
        f"/messages/scheduled/new/?to=contact:{contacts[0].pk}",
        f"/messages/scheduled/{series.pk}/",
        f"/messages/scheduled/{once.pk}/",
        "/messages/quick-replies/",
        "/messages/quick-replies/new/",
        "/messages/quick-replies/import/",
        f"/messages/quick-replies/{reply.pk}/",
        "/messages/files/",
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
