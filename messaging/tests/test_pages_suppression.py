"""The do-not-contact list and a number's budget in the browser."""

from django.test import Client

from crm.tests.people import make_contact
from messaging.models import ConsentRecord, SendingBudget, Suppression
from messaging.services.suppression import is_suppressed
from messaging.services.suppression.words import words_of
from messaging.tests.test_budget import HOUR, NOW, put, settings_of
from waplus.lib.ids import uuid7

PAGE = "/messages/do-not-contact/"


def browser(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_add_number_and_allow_it_again(acme, alice, bob):
    assert "Nobody is on the list" in browser(bob).get(PAGE).content.decode()
    answer = browser(bob).post(PAGE, {"id": uuid7(), "phone": "12", "note": ""})
    assert (answer.status_code, Suppression.objects.count()) == (200, 0)
    assert browser(bob).post(PAGE, {"id": uuid7(), "phone": "(11) 98765-4321", "note": "by phone"}).status_code == 302
    row = Suppression.objects.get()
    assert "by phone" in browser(bob).get(PAGE).content.decode()
    lift = f"{PAGE}{row.pk}/lift/"
    assert browser(bob).post(lift, {"reason": "no"}).status_code == 403
    browser(alice).post(lift, {"reason": ""})
    assert is_suppressed(acme, chat_jid="5511987654321@c.us")
    browser(alice).post(lift, {"reason": "signed"})
    assert not is_suppressed(acme, chat_jid="5511987654321@c.us")
    assert ConsentRecord.objects.filter(kind="given").get().evidence == "signed"


def test_change_words(acme, alice, bob):
    assert browser(bob).post(f"{PAGE}words/", {"word": "genug", "kind": "out"}).status_code == 403
    browser(alice).post(f"{PAGE}words/", {"word": "Genug", "kind": "out", "language": "de"})
    browser(alice).post(f"{PAGE}words/remove/", {"word": "stop"})
    words = words_of(acme)
    assert words["genug"] == ("out", "de")
    assert "stop" not in words


def test_contact_page_says_and_changes_it(acme, alice, bob):
    contact = make_contact(acme, "+5511987654321", name="Ana")
    part = f"{PAGE}contacts/{contact.pk}/"
    assert "Send no more messages" in browser(bob).get(part).content.decode()
    browser(bob).post(part, {"note": "asked"})
    assert is_suppressed(acme, contact)
    assert "Do not contact, since" in browser(bob).get(part).content.decode()
    browser(bob).post(part, {"do": "lift", "reason": "no"})
    assert is_suppressed(acme, contact)
    browser(alice).post(part, {"do": "lift", "reason": "signed"})
    assert not is_suppressed(acme, contact)


def test_others_see_nothing(acme, alice, charlie, other, number):
    contact = make_contact(acme, "+5511987654321", name="Ana")
    row = Suppression.objects.create(
        workspace=acme, key_hash=bytes(32), key_version=1, source="person", created_at=NOW, contact=contact
    )
    client = browser(charlie)
    assert "Ana" not in client.get(PAGE).content.decode()
    for path in (f"{PAGE}{row.pk}/lift/", f"{PAGE}contacts/{contact.pk}/", f"/messages/numbers/{number.pk}/budget/"):
        assert client.post(path, {"reason": "mine"}).status_code == 404
    assert Suppression.objects.filter(lifted_at=None).count() == 1


def test_budget_page_shows_what_waits_and_takes_settings(alice, bob, number):
    settings_of(number, max_per_day=10, warm_up_from=NOW.date())
    put(number, held_by="new_contacts", not_before=NOW + HOUR)
    page = f"/messages/numbers/{number.pk}/budget/"
    text = browser(bob).get(page).content.decode()
    assert "The new contacts of today are used up" in text
    assert "Settings" not in text
    text = browser(alice).get(page).content.decode()
    assert "Settings" in text
    values = {
        **dict.fromkeys(("max_per_hour", "max_new_per_day", "quiet_from", "quiet_until", "warm_up_from"), ""),
        **{"spacing_seconds": "5", "jitter_seconds": "1", "max_per_day": "7", "zone": "UTC"},
        **{"warm_up_start": "50", "warm_up_days": "14", "min_reply_percent": ""},
    }
    browser(bob).post(page, values)
    assert SendingBudget.objects.get().max_per_day == 10
    assert browser(alice).post(page, values | {"max_per_day": "0"}).status_code == 200
    assert SendingBudget.objects.get().max_per_day == 10
    assert browser(alice).post(page, values).status_code == 302
    assert SendingBudget.objects.get().max_per_day == 7
