"""Whoever asked not to be written to is recognised by every id, and also after they were deleted and came back."""

import hmac
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts import actors
from accounts.models import Event
from crm.models import Contact, ContactIdentity, IdentityKind
from crm.services.bin import delete_contact, purge_contact
from crm.services.merging import merge_contacts, undo_merge
from crm.services.observations.recording import observe
from crm.tests.people import make_contact
from messaging.checks import check_pepper
from messaging.models import ConsentRecord, Suppression, SuppressionSource
from messaging.services.suppression import (
    is_suppressed,
    lift,
    lift_contact,
    suppress,
    suppressed_contacts_sql,
    suppressions_of,
)
from messaging.services.suppression.following import follow_suppressed_contacts
from messaging.services.suppression.keys import hash_of, hash_sql, jid_keys_sql, keys_of_jid, pads
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.phones import match_key, match_key_sql

PHONE = "+5511987654321"
C_US = "551187654321@c.us"  # the same mobile, as it was registered before the ninth digit
LID = "157163732254124@lid"

DIGITS = st.one_of(
    st.from_regex(r"\A55[1-9][0-9]9?[2-9][0-9]{7}\Z"),
    st.from_regex(r"\A521?[0-9]{10}\Z"),
    st.from_regex(r"\A549?[0-9]{10}\Z"),
    st.from_regex(r"\A5[245][0-9]{6,13}\Z"),
    st.from_regex(r"\A[0-9]{5,20}\Z"),
)


def ask(sql: str, params) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}", params)
        return cursor.fetchone()


@pytest.mark.django_db
def test_hash_in_postgresql_as_in_python(settings):
    @given(st.text(alphabet=st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=150))
    def check(key):
        assert bytes(ask(hash_sql("%(key)s::text"), {**pads(), "key": key})[0]) == hash_of(key)
        assert hash_of(key) == hmac.new(settings.SUPPRESSION_PEPPER.encode(), key.encode(), "sha256").digest()

    check()
    for length in (1, 63, 64, 65, 200):  # longer than a block, the key itself is hashed first
        settings.SUPPRESSION_PEPPER = "p" * length
        assert bytes(ask(hash_sql("%(key)s::text"), {**pads(), "key": "5511"})[0]) == hash_of("5511")


@pytest.mark.django_db
def test_find_match_key_in_postgresql_as_in_python():
    @given(DIGITS)
    def check(digits):
        assert ask(match_key_sql("%(digits)s::text"), {"digits": digits})[0] == match_key(digits)

    check()


@pytest.mark.django_db
def test_find_keys_of_chat_in_postgresql_as_in_python():
    for jid in (f"{match_key('5511987654321')}@c.us", C_US, LID, "120363041234567890@g.us", "status@broadcast", ""):
        found = ask(", ".join(jid_keys_sql("%(jid)s::text")), {"jid": jid})
        assert [key for key in found if key is not None] == keys_of_jid(jid)


@pytest.fixture
def by_alice(acme, alice) -> dict:
    return {"workspace": acme, "actor": actors.person(alice)}


def forget(by, **whom) -> Suppression:
    return suppress(**by, source=SuppressionSource.PERSON, **whom)[0]


def test_suppress_contact_by_all_its_ids(by_alice, acme):
    contact = make_contact(acme, PHONE, LID, name="Ana")
    assert not is_suppressed(acme, contact)
    suppression, is_new = suppress(**by_alice, source=SuppressionSource.PERSON, contact=contact, note="asked by phone")
    assert is_new
    assert is_suppressed(acme, contact)
    assert is_suppressed(acme, chat_jid=C_US)
    assert is_suppressed(acme, chat_jid=LID)
    assert not is_suppressed(acme, chat_jid="5511987654322@c.us")
    assert Suppression.objects.count() == 2
    assert [suppression.parts.get().contact_id, suppression.contact_id] == [contact.pk, contact.pk]
    assert list(ConsentRecord.objects.values_list("kind", "means", "evidence", "contact")) == [
        ("withdrawn", "person", "asked by phone", contact.pk)
    ]
    assert Event.objects.filter(kind="suppression.created").count() == 1


def test_suppress_again_changes_nothing(by_alice, acme):
    contact = make_contact(acme, PHONE, LID)
    first = forget(by_alice, phone="11 98765-4321")
    assert suppress(**by_alice, source=SuppressionSource.API, contact=contact) == (first, False)
    assert suppress(**by_alice, source=SuppressionSource.API, jid=C_US) == (first, False)
    assert ConsentRecord.objects.count() == Event.objects.filter(kind="suppression.created").count() == 1


def test_repeat_of_clients_id_answers_what_it_made(by_alice, acme, other, charlie):
    mine = uuid7()
    first = forget(by_alice, phone=PHONE, id=mine)
    assert suppress(**by_alice, source=SuppressionSource.API, phone="+4915112345678", id=mine) == (first, False)
    with pytest.raises(Refused, match="id_taken"):
        suppress(workspace=other, actor=actors.person(charlie), source=SuppressionSource.API, phone=PHONE, id=mine)
    assert Suppression.objects.count() == 1


def test_suppress_number_of_nobody(by_alice, acme, other):
    forget(by_alice, phone=PHONE)
    assert is_suppressed(acme, chat_jid=C_US)
    assert is_suppressed(acme, make_contact(acme, PHONE))
    assert not is_suppressed(other, chat_jid=C_US)
    assert not is_suppressed(other, make_contact(other, PHONE))


def test_refuse_whom_nothing_recognises(by_alice, acme):
    refused = [
        ({"contact": make_contact(acme, name="No Number")}, ("contact", "no_identity")),
        ({"phone": "12"}, ("phone", "invalid_phone")),
        ({"jid": "120363041234567890@g.us"}, ("jid", "invalid_jid")),
        ({"jid": "nobody"}, ("jid", "invalid_jid")),
    ]
    for whom, expected in refused:
        with pytest.raises(Invalid) as refusal:
            forget(by_alice, **whom)
        assert (refusal.value.fields[0].field, refusal.value.fields[0].code) == expected
    assert not Suppression.objects.exists()


def test_id_that_is_learned_later_counts(by_alice, acme):
    contact = make_contact(acme, PHONE)
    forget(by_alice, contact=contact)
    observe(workspace=acme, actor=actors.SYSTEM, items=[{"jid": C_US, "lid": LID}])
    assert ContactIdentity.objects.filter(contact=contact, kind=IdentityKind.LID).exists()
    assert is_suppressed(acme, contact, LID)
    assert is_suppressed(acme, chat_jid=LID), "through the contact that the chat's id belongs to"


def test_digits_of_leaked_lid_count_as_the_lid(by_alice, acme):
    forget(by_alice, jid=LID)
    assert is_suppressed(acme, chat_jid=LID.replace("@lid", "@c.us"))


def test_suppression_survives_the_contact(by_alice, acme):
    contact = make_contact(acme, PHONE, LID)
    forget(by_alice, contact=contact, note="canary")
    delete_contact(**by_alice, contact_id=contact.pk)
    assert is_suppressed(acme, contact), "in the bin"
    purge_contact(**by_alice, contact_id=contact.pk)
    assert not Contact.objects.filter(pk=contact.pk).exists()
    assert list(Suppression.objects.values_list("contact", flat=True)) == [None, None]
    assert ConsentRecord.objects.get().contact_id is None
    for identity in (PHONE, LID):
        assert is_suppressed(acme, make_contact(acme, identity)), f"came back as {identity}"
    [seen] = observe(workspace=acme, actor=actors.SYSTEM, items=[{"jid": C_US}], create=True)
    assert is_suppressed(acme, seen.row_id)


def test_only_the_hash_stays(by_alice, acme):
    contact = make_contact(acme, PHONE, LID)
    forget(by_alice, contact=contact)
    delete_contact(**by_alice, contact_id=contact.pk)
    purge_contact(**by_alice, contact_id=contact.pk)
    text = ask("string_agg(t::text, ' ') FROM (SELECT * FROM messaging_suppression) t", {})[0]
    for canary in ("987654321", "1187654321", "157163732254124"):
        assert canary not in text
    assert hash_of("551187654321").hex() in text


def test_suppression_goes_with_a_merge_and_back(by_alice, acme):
    kept, absorbed = make_contact(acme, "+4915112345678", name="Kept"), make_contact(acme, PHONE, name="Absorbed")
    forget(by_alice, contact=absorbed)
    assert not is_suppressed(acme, kept)
    merge, _ = merge_contacts(**by_alice, kept_id=kept.pk, absorbed_id=absorbed.pk)
    assert is_suppressed(acme, kept)
    assert Suppression.objects.get().contact_id == kept.pk
    undo_merge(**by_alice, merge_id=merge.pk)
    assert not is_suppressed(acme, kept)
    assert is_suppressed(acme, absorbed)
    assert Suppression.objects.get().contact_id == absorbed.pk


def test_find_suppressed_among_contacts(by_alice, acme, other):
    people = {name: make_contact(acme, f"+49151123400{n:02}", name=name) for n, name in enumerate("abcd")}
    sql, params = suppressed_contacts_sql("c", workspace="%(workspace)s::uuid")

    def found() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT c.name FROM crm_contact c WHERE c.workspace_id = %(workspace)s AND {sql} ORDER BY 1",
                {**params, "workspace": acme.pk},
            )
            return [row[0] for row in cursor.fetchall()]

    assert found() == []
    forget(by_alice, contact=people["b"])
    forget(by_alice, phone="+4915112340003")
    assert found() == ["b", "d"]


def test_lift_with_a_reason(by_alice, acme, alice):
    contact = make_contact(acme, PHONE, LID)
    suppression = forget(by_alice, contact=contact)
    with pytest.raises(Invalid, match="Say what the consent rests on"):
        lift(**by_alice, suppression_id=suppression.pk, evidence=" ")
    assert is_suppressed(acme, contact)
    lifted = lift(**by_alice, suppression_id=suppression.parts.get().pk, evidence="form of 12 May")
    assert lifted == suppression
    assert not is_suppressed(acme, contact, LID)
    assert Suppression.objects.filter(lifted_at=None).count() == 0
    again = lift(**by_alice, suppression_id=suppression.pk, evidence="another form")
    assert again.lifted_at == lifted.lifted_at
    assert list(ConsentRecord.objects.order_by("id").values_list("kind", "evidence", "recorded_by")) == [
        ("withdrawn", "", alice.pk),
        ("given", "form of 12 May", alice.pk),
    ]
    assert forget(by_alice, contact=contact) != suppression, "and they may change their mind again"
    assert is_suppressed(acme, contact)


def test_lift_all_that_holds_of_a_merged_contact(by_alice, acme):
    one, two = make_contact(acme, PHONE), make_contact(acme, "+4915112345678")
    for contact in (one, two):
        forget(by_alice, contact=contact)
    merge_contacts(**by_alice, kept_id=one.pk, absorbed_id=two.pk)
    assert len(suppressions_of(workspace=acme, contact=one)) == 2
    lift_contact(**by_alice, contact=one, evidence="signed")
    assert not is_suppressed(acme, one)


def test_lift_of_others_is_unknown(by_alice, acme, other, charlie):
    suppression = forget(by_alice, phone=PHONE)
    for suppression_id in (suppression.pk, UUID(int=7)):
        with pytest.raises(NotFound):
            lift(workspace=other, actor=actors.person(charlie), suppression_id=suppression_id, evidence="mine")
    assert is_suppressed(acme, chat_jid=C_US)


@pytest.mark.django_db
def test_refuse_pepper_that_recognises_nobody(settings, by_alice):
    suppression = forget(by_alice, phone=PHONE)
    assert check_pepper(None, databases=["default"]) == []
    assert check_pepper(None) == []
    settings.SUPPRESSION_PEPPER = "q" * 48
    assert [error.id for error in check_pepper(None, databases=["default"])] == ["messaging.E001"]
    lift(**by_alice, suppression_id=suppression.pk, evidence="so that nothing holds any more")
    assert check_pepper(None, databases=["default"]) == []


def test_follow_suppressed_people_to_later_ids(by_alice, acme, clock):
    contact = make_contact(acme, "+4915112345678")
    suppress(**by_alice, source=SuppressionSource.PERSON, contact=contact)
    assert follow_suppressed_contacts() == 0
    clock.advance(3600)
    observe(workspace=acme, actor=actors.SYSTEM, items=[{"jid": "4915112345678@c.us", "lid": LID}])
    assert follow_suppressed_contacts() == 1
    assert follow_suppressed_contacts() == 0
    delete_contact(**by_alice, contact_id=contact.pk)
    purge_contact(**by_alice, contact_id=contact.pk)
    assert is_suppressed(acme, make_contact(acme, LID))
