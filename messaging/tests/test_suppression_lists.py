"""Lists of numbers: a line each, set-based, and as good as one by one."""

import pytest

from accounts import actors
from accounts.models import Event
from crm.services.bin import delete_contact, purge_contact
from crm.services.observations.recording import observe
from crm.tests.people import make_contact
from messaging.models import ConsentRecord, Suppression, SuppressionSource
from messaging.services.suppression import is_suppressed, lift, suppress
from messaging.services.suppression.lists import MAX_LINES, follow_suppressed_contacts, suppress_list
from waplus.lib.errors import Invalid

LID = "157163732254124@lid"


@pytest.fixture
def by_alice(acme, alice) -> dict:
    return {"workspace": acme, "actor": actors.person(alice)}


def test_take_list_of_numbers(by_alice, acme, alice):
    ana = make_contact(acme, "+5511987654321", LID, name="Ana")
    content = (
        "name;phone\n"
        "Ana;+55 11 98765-4321\n"
        "\n"
        "4915112345678\n"
        "Otto;12;+4915112345679\n"
        "Nobody;none\n"
        "120363041234567890@g.us\n"
        '"Ana again", "(11) 8765-4321"\n'
        "157163732254999@lid\n"
    )
    taken = suppress_list(**by_alice, content=content.encode(), note="from the old system")
    assert (taken.added, taken.known, taken.refused) == (4, 0, 2)
    assert [(line.line, line.code) for line in taken.refusals] == [
        (6, "invalid_phone"),
        (7, "invalid_phone"),
    ]
    assert is_suppressed(acme, ana)
    assert is_suppressed(acme, chat_jid=LID), "all ids of the contact"
    assert is_suppressed(acme, chat_jid="4915112345678@c.us"), "programs leave the plus sign out"
    assert is_suppressed(acme, chat_jid="4915112345679@c.us")
    assert is_suppressed(acme, chat_jid="157163732254999@lid")
    leaders = Suppression.objects.filter(part_of=None)
    assert set(leaders.values_list("source", "note", "created_by")) == {("import", "from the old system", alice.pk)}
    assert Suppression.objects.count() == 5
    assert set(ConsentRecord.objects.values_list("kind", "means", "suppression")) == {
        ("withdrawn", "import", leader.pk) for leader in leaders
    }
    assert Event.objects.get(kind="suppression.imported").count == 4


def test_take_list_again(by_alice):
    content = b"+4915112345678\n+4915112345679"
    suppress_list(**by_alice, content=content)
    taken = suppress_list(**by_alice, content=content)
    assert (taken.added, taken.known) == (0, 2)
    assert Suppression.objects.count() == ConsentRecord.objects.count() == 2
    assert Event.objects.filter(kind="suppression.imported").count() == 1


def test_list_joins_what_holds_already(by_alice, acme):
    first, _ = suppress(**by_alice, source=SuppressionSource.PERSON, phone="+4915112345678")
    contact = make_contact(acme, "+4915112345678", LID)
    taken = suppress_list(**by_alice, content=LID.encode())
    assert (taken.added, taken.known) == (0, 1)
    assert first.parts.get().contact_id == contact.pk
    lift(**by_alice, suppression_id=first.pk, evidence="signed")
    assert not is_suppressed(acme, contact)


def test_list_is_of_its_workspace(by_alice, acme, other):
    contact = make_contact(other, "+4915112345678")
    suppress_list(**by_alice, content=b"+4915112345678")
    assert not is_suppressed(other, contact)
    assert Suppression.objects.get().contact_id is None


def test_refuse_list_without_end(by_alice):
    with pytest.raises(Invalid, match="100,000"):
        suppress_list(**by_alice, content=b"1\n" * (MAX_LINES + 1))
    assert not Suppression.objects.exists()


def test_read_list_in_other_encodings(by_alice, acme):
    suppress_list(**by_alice, content="\ufeff+4915112345678".encode())
    suppress_list(**by_alice, content="Müller;+4915112345679\r\n".encode("cp1252"))
    suppress_list(**by_alice, content=b"\x00\xff\xfe\n\n")
    assert is_suppressed(acme, chat_jid="4915112345678@c.us")
    assert is_suppressed(acme, chat_jid="4915112345679@c.us")
    assert Suppression.objects.count() == 2


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
