"""The do-not-contact list and a number's budget over the API."""

from accounts import actors
from accounts.models import Event
from conftest import make_device
from crm.services.bin import delete_contact, purge_contact
from crm.tests.people import make_contact
from messaging.models import ConsentRecord, OptOutWord, SendingBudget, Suppression
from messaging.services.suppression import is_suppressed
from messaging.tests.calls import problem
from messaging.tests.test_budget import DAY, HOUR, NOW, put, sent, settings_of
from waplus.lib.ids import uuid7

URL = "/api/v1/suppressions/"
WORDS = "/api/v1/opt-out-words/"
LID = "157163732254124@lid"


def add(device, **values):
    return device.client.post(URL, values)


def test_suppress_by_contact_phone_and_jid(bob_device, acme, bob):
    contact = make_contact(acme, "+5511987654321", LID, name="Ana")
    mine = str(uuid7())
    answer = add(bob_device, id=mine, contact=str(contact.pk), note="asked by phone")
    assert answer.status_code == 201
    body = answer.json()
    assert {name: body[name] for name in ("id", "source", "note", "contact", "label", "created_by")} == {
        "id": mine,
        "source": "api",
        "note": "asked by phone",
        "contact": str(contact.pk),
        "label": "Ana",
        "created_by": str(bob.pk),
    }
    assert "key_hash" not in body
    assert add(bob_device, id=mine, contact=str(contact.pk)).status_code == 200
    assert add(bob_device, phone="(11) 98765-4321").json()["id"] == mine
    assert add(bob_device, jid=LID).json()["id"] == mine
    assert add(bob_device, jid="4915112345678@c.us").status_code == 201
    assert [row["label"] for row in bob_device.client.get(URL).json()["results"]] == ["", "Ana"]


def test_label_is_masked_without_a_name(alice_device, acme):
    contact = make_contact(acme, "+5511987654321", LID)
    assert add(alice_device, contact=str(contact.pk)).json()["label"] == "+55 •• •••••-••21"


def test_refuse_what_names_nobody(alice_device, acme, other):
    foreign = make_contact(other, "+4915112345678")
    nameless = make_contact(acme, name="No Number")
    refused = [
        ({}, (400, "invalid", ("contact", "one_of"))),
        ({"phone": "+4915112345678", "jid": LID}, (400, "invalid", ("contact", "one_of"))),
        ({"contact": str(foreign.pk)}, (400, "invalid", ("contact", "does_not_exist"))),
        ({"contact": str(nameless.pk)}, (400, "invalid", ("contact", "no_identity"))),
        ({"phone": "123"}, (400, "invalid", ("phone", "invalid_phone"))),
        ({"jid": "120363041234567890@g.us"}, (400, "invalid", ("jid", "invalid_jid"))),
        ({"phone": "+4915112345678", "key_hash": "00"}, (400, "invalid", ("key_hash", "unknown_field"))),
    ]
    for payload, expected in refused:
        assert problem(add(alice_device, **payload)) == expected, payload
    assert not Suppression.objects.exists()


def test_pages_of_list_are_keyset(alice_device):
    ids = [add(alice_device, phone=f"+49151123456{n:02}").json()["id"] for n in range(3)]
    first = alice_device.client.get(URL, {"limit": 2}).json()
    second = alice_device.client.get(URL, {"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in first["results"] + second["results"]] == ids[::-1]
    assert second["next_cursor"] is None


def test_page_costs_fixed_number_of_queries(alice_device, acme, django_assert_max_num_queries):
    for n in range(5):
        add(alice_device, contact=str(make_contact(acme, f"+49151123456{n:02}").pk))
    with django_assert_max_num_queries(6):
        alice_device.client.get(URL)


def test_lift_with_a_reason_by_an_admin(alice_device, bob_device, charlie_device):
    url = f"{URL}{add(alice_device, phone='+4915112345678').json()['id']}/"
    assert problem(bob_device.client.delete(f"{url}?reason=no")) == (403, "forbidden")
    assert problem(charlie_device.client.delete(f"{url}?reason=no")) == (404, "not_found")
    assert problem(alice_device.client.delete(url)) == (400, "invalid", ("reason", "required"))
    assert problem(alice_device.client.delete(f"{url}?reason={'x' * 301}")) == (
        400,
        "invalid",
        ("reason", "max_length"),
    )
    assert Suppression.objects.get().lifted_at is None
    answer = alice_device.client.delete(f"{url}?reason=form+of+12+May")
    assert answer.status_code == 200
    assert [(record["kind"], record["evidence"]) for record in answer.json()["consents"]] == [
        ("withdrawn", ""),
        ("given", "form of 12 May"),
    ]
    assert alice_device.client.get(URL).json()["results"] == []
    assert alice_device.client.get(url).json()["lifted_at"] is not None
    assert alice_device.client.delete(f"{url}?reason=again").status_code == 200
    assert ConsentRecord.objects.count() == 2


def test_suppression_comes_back_with_the_number(alice_device, acme, alice):
    contact = make_contact(acme, "+5511987654321", name="Ana")
    add(alice_device, contact=str(contact.pk))
    by = {"workspace": acme, "actor": actors.person(alice), "contact_id": contact.pk}
    delete_contact(**by)
    purge_contact(**by)
    [row] = alice_device.client.get(URL).json()["results"]
    assert (row["contact"], row["label"]) == (None, "")
    created = alice_device.client.post(
        "/api/v1/contacts/", {"name": "Ana again", "identities": [{"kind": "phone", "value": "+5511987654321"}]}
    )
    assert is_suppressed(acme, created.json()["id"])


def test_set_words(alice_device, bob_device, acme):
    words = {row["word"]: row["kind"] for row in bob_device.client.get(WORDS).json()["results"]}
    assert (words["stop"], words["start"], words["baja"]) == ("out", "in", "out")
    assert problem(bob_device.client.put(WORDS, {"word": "genug", "kind": "out"})) == (403, "forbidden")
    assert problem(alice_device.client.put(WORDS, {"word": "🛑", "kind": "out"})) == (
        400,
        "invalid",
        ("word", "invalid"),
    )
    assert not OptOutWord.objects.exists()
    answer = alice_device.client.put(WORDS, {"word": "Genug!", "kind": "out", "language": "de"})
    assert {"word": "genug", "kind": "out", "language": "de"} in answer.json()["results"]
    answer = alice_device.client.put(WORDS, {"word": "stop", "kind": "none"})
    assert "stop" not in [row["word"] for row in answer.json()["results"]]
    assert Event.objects.filter(kind="opt_out_word.changed").count() == 2


# --- The budget -----------------------------------------------------------------------------------


def test_show_budget_and_what_it_holds(bob_device, number):
    settings_of(number, max_per_hour=2, max_per_day=10, max_new_per_day=3, spacing_seconds=10, zone="UTC")
    sent(number, HOUR / 2)
    sent(number, HOUR / 3)
    for _ in range(3):
        put(number)
    put(number, due_at=NOW + DAY, not_before=NOW + DAY)  # not due, nothing holds it
    put(number, held_by="new_contacts", not_before=NOW + 12 * HOUR)
    body = bob_device.client.get(f"/api/v1/whatsapp-accounts/{number.pk}/budget/").json()
    assert body["settings"]["max_per_hour"] == 2
    assert body["hour"] == {"used": 2, "limit": 2, "left": 0, "free_at": "2026-06-01T12:30:00Z"}
    assert (body["day"]["left"], body["new_contacts"]["left"]) == (8, 3)
    assert body["waiting"] == 4
    assert [(one["code"], one["count"], one["until"]) for one in body["held"]] == [
        ("hour", 3, "2026-06-01T12:30:00Z"),
        ("new_contacts", 1, "2026-06-02T00:00:00Z"),
    ]
    assert body["next_at"] == "2026-06-01T12:30:00Z"
    assert body["last_at"] == "2026-06-02T00:00:00Z"


def test_nothing_waits(bob_device, number):
    SendingBudget.objects.all().delete()
    body = bob_device.client.get(f"/api/v1/whatsapp-accounts/{number.pk}/budget/").json()
    assert (body["waiting"], body["held"], body["next_at"], body["last_at"]) == (0, [], None, None)
    assert body["warm_up_day"] == 1


def test_change_budget_by_an_admin_within_bounds(alice_device, bob_device, charlie_device, number):
    SendingBudget.objects.all().delete()
    url = f"/api/v1/whatsapp-accounts/{number.pk}/budget/"
    alice_device.client.get(url)
    before = SendingBudget.objects.values().get()
    assert problem(bob_device.client.patch(url, {"max_per_day": 5})) == (403, "forbidden")
    assert problem(charlie_device.client.patch(url, {"max_per_day": 5})) in [(404, "not_found"), (403, "forbidden")]
    refused = [
        ({"max_per_day": 0}, ("max_per_day", "min_value")),
        ({"spacing_seconds": 601}, ("spacing_seconds", "max_value")),
        ({"spacing_seconds": None}, ("spacing_seconds", "null")),
        ({"zone": "Berlin"}, ("zone", "invalid_time_zone")),
        ({"quiet_from": None}, ("quiet_until", "required")),
        ({"quiet_from": "06:00", "quiet_until": "23:00"}, ("quiet_until", "too_long")),
        ({"cold_paused_until": None}, ("cold_paused_until", "unknown_field")),
    ]
    for payload, expected in refused:
        assert problem(alice_device.client.patch(url, payload)) == (400, "invalid", expected), payload
    assert SendingBudget.objects.values().get() == before
    answer = alice_device.client.patch(url, {"max_per_day": None, "quiet_from": "22:30", "warm_up_from": None})
    assert answer.status_code == 200
    assert answer.json()["day"] == {
        "used": None,
        "limit": None,
        "left": None,
        "free_at": answer.json()["day"]["free_at"],
    }
    assert answer.json()["settings"]["quiet_from"] == "22:30:00"


def test_budget_of_others_is_unknown(number, other, charlie):
    SendingBudget.objects.all().delete()
    device = make_device(charlie, other)
    assert problem(device.client.get(f"/api/v1/whatsapp-accounts/{number.pk}/budget/")) == (404, "not_found")
    assert not SendingBudget.objects.exists()
