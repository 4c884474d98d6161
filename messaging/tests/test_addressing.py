"""Where to write: the conversation's own address before anything else, and the zone that a number tells."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from accounts.actors import SYSTEM
from crm.models import Chat, ContactIdentity
from crm.services.contacts import create_contact
from messaging.services.addressing import address_for, recipient_zone_sql, zone_of_chat
from waplus.lib.errors import Invalid
from waplus.lib.phone_zones import zone_of_phone, zones_of_prefixes
from waplus.lib.walltime import zone_names

ZONES = [
    ("551187654321", "America/Sao_Paulo"),
    ("559287654321", "America/Manaus"),
    ("4915112345678", "Europe/Berlin"),
    ("447911123456", "Europe/London"),
    ("393331234567", "Europe/Rome"),  # the Vatican has the same clock
    ("12125550123", "America/New_York"),
    ("13105550123", "America/Los_Angeles"),
    ("18085550100", "Pacific/Honolulu"),
    ("9779812345678", "Asia/Kathmandu"),
    ("6857212345", "Pacific/Apia"),
    ("212612345678", "Africa/Casablanca"),
    ("525512345678", "America/Mexico_City"),
    ("61412345678", ""),  # a mobile number in a country of several clocks
    ("79161234567", ""),
    ("351912345678", ""),  # the Azores
    ("999", ""),
    ("", ""),
]


def add_contact(workspace, *identities):
    rows = [{"kind": kind, "value": value} for kind, value in identities]
    return create_contact(workspace=workspace, actor=SYSTEM, source="api", name="Diana", identities=rows)[0]


def add_chat(number, jid, contact, *, day: int | None = None, kind="person"):
    """A chat of a number, last written in on a day of May."""
    at = day and datetime(2026, 5, day, tzinfo=UTC)
    return Chat.objects.create(
        workspace=number.workspace, whatsapp_account=number, jid=jid, kind=kind, contact=contact, last_message_at=at
    )


@pytest.mark.parametrize(("digits", "zone"), ZONES)
def test_finds_zone_of_phone(digits, zone):
    assert zone_of_phone(digits) == zone


def test_names_zones_that_people_may_use():
    zones = set(zones_of_prefixes().values()) - {""}
    assert zones <= zone_names()
    assert len(zones) > 200


@pytest.mark.django_db
def test_finds_zones_of_set_as_of_one():
    sql, params = recipient_zone_sql("given.key")
    keys = [digits for digits, _ in ZONES]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {sql} FROM unnest(%(keys)s::text[]) WITH ORDINALITY AS given (key, n) ORDER BY n",
            params | {"keys": keys},
        )
        assert [zone for (zone,) in cursor.fetchall()] == [zone for _, zone in ZONES]


@pytest.mark.parametrize(
    ("jid", "zone"),
    [
        ("5511987654321@c.us", "America/Sao_Paulo"),
        ("4915112345678@lid", ""),
        ("4915112345678-1612345678@g.us", ""),
    ],
)
def test_reads_zone_of_numbers_only(jid, zone):
    assert zone_of_chat(jid) == zone


@pytest.mark.django_db
def test_writes_to_conversation_before_identities(acme, number, second_number):
    contact = add_contact(acme, ("phone", "+4915112345678"), ("lid", "98765432101234@lid"))
    address = address_for(workspace=acme, account=number, contact=contact)
    assert (address.chat_jid, address.contact, address.chat_key) == ("98765432101234@lid", contact, str(contact.pk))
    assert address.zone == "Europe/Berlin"
    add_chat(number, "4915112345678@c.us", contact, day=1)
    assert address_for(workspace=acme, account=number, contact=contact).chat_jid == "4915112345678@c.us"
    # The other number has no conversation with the contact.
    assert address_for(workspace=acme, account=second_number, contact=contact).chat_jid == "98765432101234@lid"


@pytest.mark.django_db
def test_follows_conversation_that_moved(acme, number):
    contact = add_contact(acme, ("c_us", "4915112345678@c.us"))
    add_chat(number, "4915112345678@c.us", contact, day=1)
    add_chat(number, "98765432101234@lid", contact, day=2)
    add_chat(number, "11111111111111@lid", contact)
    assert address_for(workspace=acme, account=number, contact=contact).chat_jid == "98765432101234@lid"


@pytest.mark.django_db
def test_never_writes_to_digits_of_lid(acme, number):
    contact = add_contact(acme, ("lid", "98765432101234@lid"), ("c_us", "98765432101234@c.us"))
    assert ContactIdentity.objects.filter(match_key="lid:98765432101234").count() == 2
    address = address_for(workspace=acme, account=number, contact=contact)
    assert (address.chat_jid, address.zone) == ("98765432101234@lid", "")


@pytest.mark.django_db
def test_keeps_address_that_was_named(acme, number):
    contact = add_contact(acme, ("phone", "+4915112345678"))
    add_chat(number, "98765432101234@lid", contact, day=1)
    address = address_for(workspace=acme, account=number, chat_jid="98765432101234@lid")
    assert (address.chat_jid, address.contact, address.zone) == ("98765432101234@lid", contact, "Europe/Berlin")
    address = address_for(workspace=acme, account=number, contact=contact, chat_jid="4915112345678:3@s.whatsapp.net")
    assert (address.chat_jid, address.chat_key) == ("4915112345678@c.us", str(contact.pk))
    address = address_for(workspace=acme, account=number, chat_jid="5511987654321@c.us")
    assert (address.contact, address.chat_key) == (None, "5511987654321@c.us")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({}, ("chat_jid", "required")),
        ({"chat_jid": "status@broadcast"}, ("chat_jid", "invalid_jid")),
        ({"chat_jid": "120363000000000000@newsletter"}, ("chat_jid", "invalid_jid")),
        ({"chat_jid": "Diana"}, ("chat_jid", "invalid_jid")),
    ],
)
def test_refuses_what_leads_nowhere(acme, number, values, error):
    with pytest.raises(Invalid) as refusal:
        address_for(workspace=acme, account=number, **values)
    assert [(one.field, one.code) for one in refusal.value.fields] == [error]


@pytest.mark.django_db
def test_refuses_contact_without_address(acme, number):
    with pytest.raises(Invalid) as refusal:
        address_for(workspace=acme, account=number, contact=add_contact(acme, ("bsuid", "BR.1502576394655843")))
    assert [(one.field, one.code) for one in refusal.value.fields] == [("contact", "no_identity")]
