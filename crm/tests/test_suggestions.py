"""Suggestions of merges: with a reason, without a crowd, and gone once somebody decided."""

import pytest
from django.utils import timezone

from accounts import actors
from accounts.models import Event
from accounts.tests.together import assert_refused
from crm.models import Chat, Contact, Merge, MergeSuggestion, SuggestionScan, SyncEpoch, WhatsAppAccount
from crm.services import contacts, merging
from crm.services.suggestion_search import find_suggestions, search_doubles
from crm.services.suggestions import suggest
from crm.tests.people import make_contact
from waplus.lib.ids import uuid7
from waplus.lib.phones import calling_code, lookalikes, match_key
from waplus.lib.text import fold

SUGGESTIONS = "/api/v1/merge-suggestions/"

pytestmark = pytest.mark.django_db
really_committed = pytest.mark.django_db(transaction=True)


def search(workspace, *only) -> set[tuple]:
    ids = [contact.pk for contact in only] or list(
        Contact.objects.for_workspace(workspace).values_list("pk", flat=True)
    )
    search_doubles(workspace=workspace, ids=ids)
    rows = MergeSuggestion.objects.for_workspace(workspace).select_related("one", "other")
    return {(frozenset((row.one.name, row.other.name)), row.reason, row.detail) for row in rows}


def test_suggests_same_address(acme, other):
    for name, email in (("A", "ana@x.com"), ("B", "Ana@X.com"), ("C", "bea@x.com"), ("D", "")):
        make_contact(acme, name=name, email=email)
    make_contact(other, name="E", email="ana@x.com")
    ((names, reason, detail),) = search(acme)
    assert (names, reason, detail.lower()) == (frozenset("AB"), "same_email", "ana@x.com")


def test_address_of_a_crowd_says_nothing(acme):
    for n in range(5):
        make_contact(acme, name=f"N{n}", email="info@x.com")
    assert len(search(acme)) == 10
    MergeSuggestion.objects.all().delete()
    make_contact(acme, name="N5", email="info@x.com")
    assert search(acme) == set()


def test_suggests_same_name_with_something_else(acme):
    make_contact(acme, "+4915110000001", name="Ana Silva")
    make_contact(acme, "+4915110000002", name="ANA  Silvá")
    make_contact(acme, "+5511987654321", name="Ana Silva")
    make_contact(acme, name="Ana Silva", company="Acme")
    make_contact(acme, "+4915110000003", name="Ana")
    make_contact(acme, "+4915110000004", name="Ana")
    ((names, reason, detail),) = search(acme)
    assert (names, reason) == (frozenset(("Ana Silva", "ANA Silvá")), "same_name")
    assert fold(detail) == "ana silva, +49"
    make_contact(acme, name="ana silva", company="ACME")
    reasons = {(names, detail.casefold()) for names, _, detail in search(acme)}
    assert (frozenset(("Ana Silva", "ana silva")), "ana silva, acme") in reasons
    assert len(reasons) == 2


SIMILAR = [
    ("+551133334444", "5511933334444@c.us"),  # a nine before a landline
    ("11987654321@c.us", "+5511987654321"),  # the country's code left out
    ("08000464636@c.us", "558000464636@c.us"),
    ("49015112345678@c.us", "+4915112345678"),  # the zero for calls within a country
]


@pytest.mark.parametrize(("one", "other"), SIMILAR)
def test_suggests_numbers_that_are_written_differently(acme, one, other):
    a, b = make_contact(acme, one, name="A"), make_contact(acme, other, name="B")
    assert len({a.pk, b.pk}) == 2
    for looked_at in (a, b):
        MergeSuggestion.objects.all().delete()
        ((names, reason, detail),) = search(acme, looked_at)
        assert (names, reason) == (frozenset("AB"), "similar_number")
        assert detail.count(", ") == 1


def test_names_lookalikes():
    assert "551133334444" in lookalikes("5511933334444")
    assert all(match_key(form) != match_key("5511987654321") for form in lookalikes("5511987654321", "BR"))
    assert lookalikes("12345") == []
    assert (calling_code("5511987654321"), calling_code("4915112345678"), calling_code("0")) == (55, 49, None)


def test_lid_and_different_people_are_not_suggested(acme):
    make_contact(acme, "11987654321@lid", name="A")
    make_contact(acme, "+5511987654321", name="B")
    make_contact(acme, "+4915110000001", name="C")
    make_contact(acme, "+4915110000002", name="D")
    assert search(acme) == set()


def test_suggestion_goes_when_its_reason_goes(acme):
    a, b = make_contact(acme, name="A", email="a@x.com"), make_contact(acme, name="B", email="a@x.com")
    c = make_contact(acme, name="C")
    suggest(workspace=acme, pairs=[(a.pk, c.pk, "same_person", "seen")])
    assert len(search(acme)) == 2
    first = MergeSuggestion.objects.get(reason="same_email")
    search(acme)
    assert MergeSuggestion.objects.get(reason="same_email") == first
    contacts.update_contact(workspace=acme, contact_id=b.pk, actor=actors.SYSTEM, email="b@x.com")
    assert search(acme, b) == {(frozenset("AC"), "same_person", "seen")}


def listed(device) -> list[dict]:
    return device.client.get(SUGGESTIONS).json()["results"]


@pytest.fixture
def pair(acme):
    pair = [make_contact(acme, name=name, email="a@x.com") for name in "AB"]
    search(acme)
    return pair


def test_lists_suggestions(alice_device, charlie_device, acme, pair):
    (row,) = listed(alice_device)
    assert (row["one"]["id"], row["other"]["id"]) == (str(pair[0].pk), str(pair[1].pk))
    assert (row["one"]["name"], row["reason"], row["detail"]) == ("A", "same_email", "a@x.com")
    assert listed(charlie_device) == []
    Contact.objects.filter(pk=pair[1].pk).update(deleted_at=timezone.now())
    assert listed(alice_device) == []


def test_dismissed_suggestion_stays_dismissed(alice_device, acme, pair):
    path = f"{SUGGESTIONS}{listed(alice_device)[0]['id']}/dismiss/"
    for _ in range(2):
        assert alice_device.client.post(path).status_code == 204
    assert Event.objects.filter(kind="merge_suggestion.dismissed").count() == 1
    search(acme)
    suggest(workspace=acme, pairs=[(pair[1].pk, pair[0].pk, "same_person", "seen")])
    assert listed(alice_device) == []
    assert MergeSuggestion.objects.count() == 1


def test_accepted_suggestion_is_a_merge(alice_device, acme, pair):
    suggestion = listed(alice_device)[0]["id"]
    stranger = make_contact(acme, name="C")
    path = f"{SUGGESTIONS}{suggestion}/accept/"
    errors = assert_refused(alice_device.client.post(path, {"kept": str(stranger.pk)}), "invalid")["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [("kept", "invalid_choice")]
    assert not Merge.objects.exists()
    answer = alice_device.client.post(path, {"kept": str(pair[1].pk)})
    assert (answer.status_code, answer.json()["kept"]) == (201, str(pair[1].pk))
    assert alice_device.client.post(path, {"kept": str(pair[1].pk)}).json() == answer.json()
    assert listed(alice_device) == []
    merging.undo_merge(workspace=acme, actor=actors.SYSTEM, merge_id=Merge.objects.get().pk)
    search(acme)
    assert listed(alice_device) == []


def test_suggestion_of_others_is_like_missing_one(charlie_device, acme, pair):
    for suggestion in (MergeSuggestion.objects.get().pk, uuid7()):
        for action in ("dismiss", "accept"):
            assert_refused(charlie_device.client.post(f"{SUGGESTIONS}{suggestion}/{action}/"), "not_found")
    assert MergeSuggestion.objects.get().dismissed_at is None


@really_committed
def test_sweep_looks_at_what_changed_in_bounded_steps(acme, other):
    for n in range(5):
        make_contact(acme, name=f"A{n}", email=f"{n}@x.com")
    make_contact(acme, name="B", email="4@x.com")
    make_contact(other, name="C")
    looked = [find_suggestions(step=4) for _ in range(4)]
    assert looked == [5, 2, 0, 0]
    assert MergeSuggestion.objects.count() == 1
    contact = make_contact(acme, name="D", email="0@x.com")
    assert find_suggestions() == 1
    assert MergeSuggestion.objects.count() == 2
    contacts.update_contact(workspace=acme, contact_id=contact.pk, actor=actors.SYSTEM, email="d@x.com")
    assert find_suggestions() == 1
    assert MergeSuggestion.objects.count() == 1
    assert SuggestionScan.objects.count() == 2


@really_committed
def test_sweep_links_chats_that_were_reported_while_their_contact_was_written(acme):
    account = WhatsAppAccount.objects.create(workspace=acme, jid="5511911112222@c.us")
    contact = make_contact(acme, "+5511987654321", name="A")
    chat = Chat.objects.create(
        workspace=acme, whatsapp_account=account, jid="551187654321@c.us", kind="person", search_text=""
    )
    find_suggestions()
    chat.refresh_from_db()
    assert chat.contact_id == contact.pk


@really_committed
def test_search_begins_anew_in_restored_database(acme):
    """What was seen is told in the transactions of the server that the dump is from, which may be far ahead of ours."""
    make_contact(acme, "+4915110000001", name="Ana Silva", email="ana@x.com")
    find_suggestions()
    SuggestionScan.objects.update(seen_xid=2**40)
    make_contact(acme, "+4915110000002", name="Ana Silva", email="ana@x.com")
    assert find_suggestions() == 0
    SyncEpoch.objects.update(system_identifier="1")
    assert find_suggestions() == 2
    assert MergeSuggestion.objects.count() == 1
