"""Identities of every kind: business-scoped ids, and LIDs that leaked as `c.us` ids."""

import pytest

from accounts import actors
from accounts.tests.together import assert_refused
from crm.models import Chat, Contact, ContactIdentity, WhatsAppAccount
from crm.search.lists import page_of_contacts
from crm.services.contacts import add_identity, remove_identity
from crm.services.identities import jids_of
from crm.tests.people import make_contact
from waplus.lib.errors import Refused
from waplus.lib.jids import InvalidJid, parse_bsuid

CONTACTS = "/api/v1/contacts/"
LID = "157163732254124"

pytestmark = pytest.mark.django_db


def add(workspace, contact, kind: str, value: str) -> None:
    add_identity(
        workspace=workspace, contact_id=contact.pk, actor=actors.SYSTEM, source="person", kind=kind, value=value
    )


def test_reads_business_scoped_ids():
    for text, canonical in (
        ("BR.1502576394655843", "BR.1502576394655843"),
        (" br.1502576394655843 ", "BR.1502576394655843"),
        ("US.ENT.11815799212886844830", "US.ENT.11815799212886844830"),
        ("US.aB1", "US.aB1"),
        ("US." + "a" * 128, "US." + "a" * 128),
    ):
        assert parse_bsuid(text) == canonical
    for wrong in ("", "BR", "BR.", "B.1", "BRA.1", "BR 1", "BR.1@c.us", "BR.1.2", "BR.é", "BR.٣", "US." + "a" * 129):
        with pytest.raises(InvalidJid):
            parse_bsuid(wrong)


def test_business_scoped_id_is_an_identity(alice_device):
    body = {"identities": [{"kind": "bsuid", "value": "br.1502576394655843"}]}
    contact = alice_device.client.post(CONTACTS, body).json()
    assert [(row["kind"], row["value"]) for row in contact["identities"]] == [("bsuid", "BR.1502576394655843")]
    assert ContactIdentity.objects.get().match_key == "bsuid:BR.1502576394655843"
    assert_refused(alice_device.client.post(CONTACTS, body), "number_in_use")
    wrong = {"identities": [{"kind": "bsuid", "value": "1502576394655843"}]}
    errors = assert_refused(alice_device.client.post(CONTACTS, wrong), "invalid")["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [("identities.0.value", "invalid_jid")]
    assert Contact.objects.count() == 1


def test_longest_business_scoped_id_is_kept(acme):
    contact = make_contact(acme, "US." + "a" * 128)
    assert contact.identities.get().value == "US." + "a" * 128


def test_digits_of_business_scoped_id_are_no_number(acme):
    contact = make_contact(acme, "BR.5511987654321")
    make_contact(acme, "+5511987654321")
    found, _ = page_of_contacts(workspace=acme, query="5511987654321")
    assert found == [Contact.objects.exclude(pk=contact.pk).get().pk]


def test_leaked_lid_belongs_to_contact_of_lid(acme):
    contact = make_contact(acme, f"{LID}@lid", name="Ana")
    with pytest.raises(Refused) as refusal:
        make_contact(acme, f"{LID}@c.us")
    assert refusal.value.extra == {"contact_id": str(contact.pk)}
    add(acme, contact, "c_us", f"{LID}:3@s.whatsapp.net")
    leaked = contact.identities.get(kind="c_us")
    assert (leaked.value, leaked.match_key, leaked.holds_key) == (f"{LID}@c.us", f"lid:{LID}", False)
    contact.refresh_from_db()
    assert LID not in contact.search_text


def test_leaked_lid_in_one_payload_is_no_number(acme):
    contact = make_contact(acme, f"{LID}@c.us", f"{LID}@lid")
    assert set(contact.identities.values_list("match_key", flat=True)) == {f"lid:{LID}"}
    assert LID not in contact.search_text


def test_typed_number_is_a_number_whatever_lids_there_are(acme):
    make_contact(acme, "5511987654321@lid")
    contact = make_contact(acme, "+5511987654321")
    assert contact.identities.get().match_key == "551187654321"


def test_c_us_id_from_before_its_lid_stays_what_it_is(acme):
    before = make_contact(acme, f"{LID}@c.us")
    contact = make_contact(acme, f"{LID}@lid")
    assert before.pk != contact.pk
    assert before.identities.get().match_key == LID


def test_lid_of_other_workspace_says_nothing(acme, other):
    make_contact(other, f"{LID}@lid")
    assert make_contact(acme, f"{LID}@c.us").identities.get().match_key == LID


def test_chat_finds_its_contact_when_identity_is_added(acme, other):
    account = WhatsAppAccount.objects.create(workspace=acme, jid="5511911112222@c.us")
    chats = {
        jid: Chat.objects.create(workspace=acme, whatsapp_account=account, jid=jid, kind="person", search_text="")
        for jid in ("551187654321@c.us", f"{LID}@lid", f"{LID}@c.us", "4915110000001@c.us")
    }
    make_contact(other, "+5511987654321")
    contact = make_contact(acme, "+5511987654321")
    assert set(Chat.objects.filter(contact=contact)) == {chats["551187654321@c.us"]}
    add(acme, contact, "lid", f"{LID}@lid")
    assert set(Chat.objects.filter(contact=contact)) == {*chats.values()} - {chats["4915110000001@c.us"]}
    remove_identity(
        workspace=acme, contact_id=contact.pk, identity_id=contact.identities.get(kind="lid").pk, actor=actors.SYSTEM
    )
    assert set(Chat.objects.filter(contact=contact)) == {chats["551187654321@c.us"]}


def test_names_jids_of_keys():
    assert jids_of("551187654321") == ["551187654321@c.us", "5511987654321@c.us"]
    assert jids_of("4915110000001") == ["4915110000001@c.us"]
    assert jids_of(f"lid:{LID}") == [f"{LID}@lid", f"{LID}@c.us"]
    assert jids_of("bsuid:BR.1") == []
