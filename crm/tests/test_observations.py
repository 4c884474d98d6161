"""Observations: whom WhatsApp shows is known again, never twice, and never merged behind anybody's back."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts import actors
from accounts.models import Event, Plan, Resource
from accounts.services import plans
from accounts.tests.together import assert_refused, at_once
from crm.models import Chat, Contact, ContactIdentity, MergeSuggestion, WhatsAppAccount
from crm.models.identities import IdentitySource
from crm.services import bin
from crm.services.observations import observe
from crm.tests.people import difference, make_contact, tables_of
from waplus.lib.ids import uuid7

OBSERVATIONS = "/api/v1/observations/"
LID = "157163732254124@lid"
JID = "5511987654321@c.us"

pytestmark = pytest.mark.django_db
really_at_once = pytest.mark.django_db(transaction=True)


@pytest.fixture
def number(acme):
    return WhatsAppAccount.objects.create(workspace=acme, jid="5511911112222@c.us")


def submit(device, *items, **options):
    return device.client.post(OBSERVATIONS, {"items": list(items), **options})


def results(device, *items, **options) -> list[dict]:
    answer = submit(device, *items, **options)
    assert answer.status_code == 200, answer.json()
    return answer.json()["results"]


def outcomes(device, *items, **options) -> list[str]:
    return [row["outcome"] for row in results(device, *items, **options)]


def used(workspace) -> int:
    return plans.used_of(workspace=workspace, resource=Resource.CONTACTS)


def values(contact) -> list[tuple[str, str]]:
    return list(contact.identities.order_by("id").values_list("kind", "value"))


def found(device, query: str) -> list[str]:
    answer = device.client.get("/api/v1/contacts/", {"q": query})
    assert answer.status_code == 200, answer.json()
    return [row["id"] for row in answer.json()["results"]]


def test_unknown_people_stay_unknown_unless_asked_for(alice_device, acme):
    assert results(alice_device, {"jid": JID}) == [
        {"outcome": "unknown", "contact": None, "code": "", "detail": "", "suggested": False}
    ]
    assert not Contact.objects.exists()
    assert not Event.objects.filter(kind__startswith="contact.").exists()


def test_creates_contact_with_where_and_when(alice_device, acme, number):
    item = {
        "jid": "5511987654321:4@s.whatsapp.net",
        "lid": LID,
        "bsuid": "BR.1502576394655843",
        "profile_name": " Ana\u200e ",
        "name": "Ana from work",
        "whatsapp_account": str(number.pk),
        "observed_at": "2026-03-01T10:00:00-03:00",
    }
    (row,) = results(alice_device, item, create=True)
    contact = Contact.objects.get()
    assert (row["outcome"], row["contact"]) == ("created", str(contact.pk))
    assert (contact.name, contact.profile_name, contact.sort_name) == ("Ana from work", "Ana", "ana from work")
    assert values(contact) == [("c_us", JID), ("lid", LID), ("bsuid", "BR.1502576394655843")]
    for identity in contact.identities.all():
        assert identity.observed_at == identity.last_seen_at == datetime(2026, 3, 1, 13, tzinfo=UTC)
        assert (identity.instance_id, identity.whatsapp_account_id) == (alice_device.instance.pk, number.pk)
        assert (identity.source, identity.holds_key) == (IdentitySource.EXTENSION, True)
    assert (found(alice_device, "11 98765-4321"), found(alice_device, "157163732254124")) == ([str(contact.pk)], [])
    event = Event.objects.get(kind="contact.created")
    assert (event.object_id, event.count) == (contact.pk, 1)
    assert used(acme) == 1


def test_same_people_again_write_nothing(alice_device, acme, number, django_assert_num_queries):
    items = [
        {"jid": f"49151{10_000_000 + n}@c.us", "lid": f"{157_163_732_000_000 + n}@lid", "profile_name": f"P {n}"}
        for n in range(50)
    ]
    assert outcomes(alice_device, *items, create=True) == ["created"] * 50
    before, events = tables_of(acme), Event.objects.count()
    stamps = list(ContactIdentity.objects.order_by("id").values_list("changed_xid", flat=True))
    assert outcomes(alice_device, *items, create=True) == ["known"] * 50
    assert tables_of(acme) == before
    assert list(ContactIdentity.objects.order_by("id").values_list("changed_xid", flat=True)) == stamps
    assert (Event.objects.count(), used(acme)) == (events, 50)


def test_fixed_number_of_statements(alice_device, acme, number, django_assert_num_queries):
    """500 known pairs cost as many statements as five: who is it, contacts, identities, around them one transaction."""
    items = [
        {
            "jid": f"49151{10_000_000 + n}@c.us",
            "lid": f"{157_163_732_000_000 + n}@lid",
            "whatsapp_account": str(number.pk),
        }
        for n in range(500)
    ]
    actor = actors.instance(alice_device.instance)
    # Account, savepoint, keys; plan, usage; contacts, identities, chats, event; release.
    with django_assert_num_queries(9):
        observe(workspace=acme, actor=actor, items=items, create=True)
    for count in (5, 500):
        with django_assert_num_queries(6):
            observe(workspace=acme, actor=actor, items=items[:count], create=True)
    for item in items:
        item["lid"] = item["lid"].replace("1571", "2571")
    # And the same with one more LID each: contacts are locked and changed.
    with django_assert_num_queries(11):
        assert {one.outcome for one in observe(workspace=acme, actor=actor, items=items)} == {"added"}
    assert ContactIdentity.objects.count() == 1500
    assert Contact.objects.count() == used(acme) == 500


def test_adds_what_is_new_and_never_rewrites(alice_device, acme):
    contact = make_contact(acme, "+5511987654321", name="Ana")
    before = tables_of(acme)
    (row,) = results(alice_device, {"jid": "551187654321@c.us", "lid": LID})
    assert (row["outcome"], row["contact"]) == ("added", str(contact.pk))
    assert values(contact) == [("phone", "+5511987654321"), ("c_us", "551187654321@c.us"), ("lid", LID)]
    assert contact.identities.filter(holds_key=True).count() == 2
    changed = difference(before, tables_of(acme))
    assert [table for table, _ in changed] == ["crm_contactidentity"] * 2
    assert Contact.objects.get().version == contact.version + 1
    # A second LID of the same person, over the number.
    assert outcomes(alice_device, {"phone": "+55 11 98765-4321", "lid": "99163732254124@lid"}) == ["added"]
    assert contact.identities.filter(kind="lid").count() == 2
    assert Event.objects.filter(kind="contact.observed").count() == 2


def test_seen_again_is_noted_once_a_day(alice_device, acme):
    contact = make_contact(acme, JID)
    identity = contact.identities.get()
    assert identity.last_seen_at is None
    start = timezone.now() - timedelta(days=10)

    def seen(after: timedelta):
        assert outcomes(alice_device, {"jid": JID, "observed_at": (start + after).isoformat()}) == ["known"]
        identity.refresh_from_db()
        return identity.last_seen_at - start

    assert seen(timedelta()) == timedelta()
    assert seen(timedelta(hours=23)) == timedelta()
    assert seen(timedelta(hours=25)) == timedelta(hours=25)
    assert seen(timedelta(hours=1)) == timedelta(hours=25)
    assert identity.source == IdentitySource.PERSON
    assert Event.objects.filter(kind="contact.observed").count() == 0


def test_clock_ahead_is_now(alice_device, acme):
    outcomes(alice_device, {"jid": JID, "observed_at": "2999-01-01T00:00:00Z"}, create=True)
    assert ContactIdentity.objects.get().observed_at <= timezone.now()


def test_profile_name_follows_and_own_name_stays(alice_device, acme):
    contact = make_contact(acme, JID, name="Ana Silva")
    for profile_name, expected in (("Aninha", "Aninha"), ("", "Aninha"), ("Ana 🌸", "Ana 🌸")):
        assert outcomes(alice_device, {"jid": JID, "profile_name": profile_name, "name": "Ana book"}) == ["known"]
        contact.refresh_from_db()
        assert (contact.profile_name, contact.name) == (expected, "Ana Silva")
    assert found(alice_device, "ana 🌸") == [str(contact.pk)]
    version = contact.version
    outcomes(alice_device, {"jid": JID, "profile_name": "Ana 🌸"})
    contact.refresh_from_db()
    assert contact.version == version


def test_address_book_fills_missing_name(alice_device, acme):
    contact = make_contact(acme, JID)
    outcomes(alice_device, {"jid": JID, "name": "Ana from work"})
    contact.refresh_from_db()
    assert (contact.name, contact.sort_name) == ("Ana from work", "ana from work")


def test_pair_of_two_contacts_suggests_their_merge(alice_device, acme):
    one, other = make_contact(acme, JID, name="A"), make_contact(acme, LID, name="B")
    before = tables_of(acme)
    (row,) = results(alice_device, {"jid": JID, "lid": LID, "bsuid": "BR.1", "profile_name": "X", "name": "Y"})
    assert (row["outcome"], row["contact"], row["suggested"]) == ("known", str(one.pk), True)
    suggestion = MergeSuggestion.objects.get()
    assert (suggestion.one_id, suggestion.other_id, suggestion.reason) == (one.pk, other.pk, "same_person")
    assert (JID in suggestion.detail, LID in suggestion.detail) == (True, True)
    # Nothing moved; what could be either's is nobody's; that both were seen is noted.
    assert {table for table, _ in difference(before, tables_of(acme))} == {"crm_contactidentity"}
    assert (values(one), values(other)) == ([("c_us", JID)], [("lid", LID)])
    one.refresh_from_db()
    assert one.profile_name == ""
    results(alice_device, {"lid": LID, "jid": JID})
    assert MergeSuggestion.objects.count() == 1


def test_leaked_lid_is_seen_as_the_lid(alice_device, acme):
    leaked = LID.replace("@lid", "@c.us")
    contact = make_contact(acme, LID)
    assert results(alice_device, {"jid": leaked}, create=True)[0]["contact"] == str(contact.pk)
    assert contact.identities.get(kind="c_us").match_key == f"lid:{LID.partition('@')[0]}"
    assert Contact.objects.count() == 1
    # In one batch as well, whichever comes first.
    first, second = results(alice_device, {"jid": "99163732254124@c.us"}, {"jid": "99163732254124@lid"}, create=True)
    assert (first["outcome"], second["outcome"]) == ("created", "added")
    assert first["contact"] == second["contact"]


def test_items_of_one_batch_know_each_other(alice_device, acme):
    rows = results(
        alice_device,
        {"jid": JID, "lid": LID},
        {"lid": LID, "bsuid": "BR.1"},
        {"bsuid": "BR.1", "profile_name": "Ana"},
        {"phone": "+55 11 8765-4321"},
        create=True,
    )
    assert [row["outcome"] for row in rows] == ["created", "added", "known", "added"]
    assert len({row["contact"] for row in rows}) == 1
    contact = Contact.objects.get()
    assert (contact.identities.count(), contact.profile_name, used(acme)) == (4, "Ana", 1)


def test_numbers_never_cross_countries(alice_device, acme):
    contact = make_contact(acme, "+5215512345678")
    (same,) = results(alice_device, {"jid": "525512345678@c.us"})
    assert same["contact"] == str(contact.pk)
    assert outcomes(alice_device, {"jid": "15512345678@c.us"}, {"jid": "5512345678@c.us"}) == ["unknown"] * 2


REFUSED = [
    ({"jid": "120363041234567890@g.us"}, "invalid_jid"),
    ({"jid": "status@broadcast"}, "invalid_jid"),
    ({"jid": "120363041234567890@newsletter"}, "invalid_jid"),
    ({"lid": JID}, "invalid_jid"),
    ({"jid": "BR.1502576394655843"}, "invalid_jid"),
    ({"bsuid": "1502576394655843"}, "invalid_jid"),
    ({"phone": "12"}, "invalid_phone"),
    ({}, "required"),
    ({"profile_name": "Ana"}, "required"),
    ({"jid": ""}, "required"),
    ({"jid": 5}, "invalid"),
    ({"jid": [JID]}, "invalid"),
    ({"jid": JID, "name": {}}, "invalid"),
    ({"jid": JID, "names": "x"}, "unknown_field"),
    ({"jid": JID, "observed_at": "2026-03-01T10:00:00"}, "invalid"),
    ({"jid": JID, "observed_at": "yesterday"}, "invalid"),
    ({"jid": JID, "observed_at": "0001-01-01T00:00:00+23:59"}, "invalid"),
    ({"jid": JID, "observed_at": "2026-02-31T10:00:00Z"}, "invalid"),
    ({"jid": JID, "observed_at": 1}, "invalid"),
    ({"jid": JID, "whatsapp_account": "x"}, "invalid"),
    ({"jid": JID, "whatsapp_account": 5}, "invalid"),
    ({"jid": JID, "whatsapp_account": str(uuid7())}, "not_found"),
    ("text", "invalid"),
    (None, "invalid"),
    ([], "invalid"),
]


def test_wrong_item_is_refused_alone(alice_device, acme):
    items = [item for item, _ in REFUSED]
    rows = results(alice_device, *items, {"lid": LID}, create=True)
    assert [(row["outcome"], row["code"]) for row in rows] == [
        *(("refused", code) for _, code in REFUSED),
        ("created", ""),
    ]
    assert all(row["detail"] for row in rows[:-1])
    assert Contact.objects.count() == used(acme) == 1


def test_foreign_number_is_like_missing_one(alice_device, other):
    foreign = WhatsAppAccount.objects.create(workspace=other, jid="5511911113333@c.us")
    rows = results(
        alice_device,
        {"jid": JID, "whatsapp_account": str(foreign.pk)},
        {"jid": JID, "whatsapp_account": str(uuid7())},
        create=True,
    )
    assert rows[0] == rows[1]
    assert rows[0]["code"] == "not_found"
    assert not Contact.objects.exists()


def test_refuses_requests_that_are_no_batches(alice_device, acme):
    for body in (
        {},
        {"items": []},
        {"items": {}},
        {"items": "x"},
        {"items": [{"jid": JID}] * 501},
        {"items": [{"jid": JID}], "create": "maybe"},
        {"items": [{"jid": JID}], "force": True},
    ):
        assert_refused(alice_device.client.post(OBSERVATIONS, body), "invalid")
    assert not Contact.objects.exists()


def test_creates_as_many_as_the_plan_has_places_for(alice_device, acme, team_plan):
    Plan.objects.filter(pk=team_plan.pk).update(max_contacts=3)
    known = make_contact(acme, LID)
    items = [{"jid": f"49151{10_000_000 + n}@c.us"} for n in range(4)]
    rows = results(alice_device, *items[:3], {"lid": LID}, items[0], items[3], create=True)
    assert [(row["outcome"], row["code"]) for row in rows] == [
        ("created", ""),
        ("created", ""),
        ("refused", "plan_limit_reached"),
        ("known", ""),
        ("known", ""),
        ("refused", "plan_limit_reached"),
    ]
    assert rows[3]["contact"] == str(known.pk)
    assert Contact.objects.count() == used(acme) == 3


def test_contact_has_at_most_fifty_identities(alice_device, acme):
    contact = make_contact(acme, *(f"{10_000_000 + n}@lid" for n in range(49)), JID)
    (row,) = results(alice_device, {"jid": JID, "lid": LID})
    assert (row["outcome"], row["code"]) == ("refused", "too_many")
    assert contact.identities.count() == 50


def test_people_of_other_workspace_are_unknown(alice_device, charlie_device, acme):
    make_contact(acme, JID, LID)
    assert outcomes(charlie_device, {"jid": JID, "lid": LID}) == ["unknown"]


def test_chat_finds_its_contact(alice_device, acme, number):
    chats = [
        Chat.objects.create(workspace=acme, whatsapp_account=number, jid=jid, kind="person", search_text="")
        for jid in (JID, LID, "4915110000001@c.us")
    ]
    (row,) = results(alice_device, {"jid": JID, "lid": LID}, create=True)
    linked = [Chat.objects.get(pk=chat.pk).contact_id for chat in chats]
    assert [contact_id and str(contact_id) for contact_id in linked] == [row["contact"], row["contact"], None]


@really_at_once
def test_two_extensions_that_see_the_same_people_make_them_once(alice_device, bob_device, acme):
    items = [{"jid": f"49151{10_000_000 + n}@c.us", "lid": f"{157_163_732_000_000 + n}@lid"} for n in range(60)]
    answers = at_once(
        lambda: submit(alice_device, *items, create=True),
        lambda: submit(bob_device, *reversed(items), create=True),
        lambda: submit(alice_device, *items[30:], *items[:30], create=True),
        lambda: submit(bob_device, *items[::2], create=True),
    )
    assert [answer.status_code for answer in answers] == [200] * 4
    assert Contact.objects.count() == used(acme) == 60
    assert ContactIdentity.objects.count() == ContactIdentity.objects.filter(holds_key=True).count() == 120
    made = [row for answer in answers for row in answer.json()["results"] if row["outcome"] == "created"]
    assert len(made) == 60


@really_at_once
def test_observing_while_contacts_are_deleted_and_made(alice_device, bob_device, acme):
    """Whoever wins, numbers are held once, and the plan counts what is there."""
    for n in range(4):
        contact = make_contact(acme, JID, name="A")
        answers = at_once(
            lambda: submit(alice_device, {"jid": JID, "lid": LID, "profile_name": "P"}, create=True),
            lambda contact=contact: bob_device.client.delete(f"/api/v1/contacts/{contact.pk}/"),
        )
        assert [answer.status_code for answer in answers] == [200, 204], n
        assert plans.recount(acme, Resource.CONTACTS) == {}
        for left in Contact.objects.for_workspace(acme).alive():
            bin.delete_contact(workspace=acme, contact_id=left.pk, actor=actors.instance(alice_device.instance))
        Contact.objects.all().delete()
        plans.recount(acme, Resource.CONTACTS)
