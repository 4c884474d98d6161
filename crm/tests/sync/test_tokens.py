"""Tokens: which ones go on, which start over and why, and what never was one."""

import base64
import random
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import actors
from accounts.models import Event
from accounts.services import workspaces
from accounts.tests.together import assert_refused, at_once
from conftest import make_device
from crm.models import SyncEpoch, SyncFloor, Tombstone
from crm.services.sync import epoch, pulling, tokens
from crm.tests.sync.devices import SYNC, Replica
from crm.tests.sync.server_state import server_state
from crm.tests.sync.test_pulling import make_contact
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def replica(acme, alice, alice_device) -> Replica:
    """Alice's device, up to date with two contacts."""
    make_contact(acme, alice)
    make_contact(acme, alice, name="Bea")
    return Replica(alice_device.client).pull()


def assert_starts_over(answer, reason: str) -> None:
    assert assert_refused(answer, "sync_start_over")["reason"] == reason


def later(xids: int) -> None:
    """Let the database hand out transaction ids."""
    with connection.cursor() as cursor:
        for _ in range(xids):
            cursor.execute("SELECT pg_current_xact_id()")


def test_goes_on_after_thousands_of_other_transactions(replica, acme, alice):
    before = replica.token
    later(50)
    assert replica.pull().token == before
    contact = make_contact(acme, alice, name="Cid")
    assert replica.pull().of("contact")[str(contact.pk)]["name"] == "Cid"
    assert replica.starts == []


# --- What never was one ---------------------------------------------------------------------------


def garbage(token: str) -> list[str]:
    """Fifty things that are no tokens."""
    randomness = random.Random(7)
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    made = [base64.urlsafe_b64encode(randomness.randbytes(size)).decode().rstrip("=") for size in range(0, 30)]
    words = [
        "x",
        "null",
        "0",
        "-1",
        "é",
        "😀",
        "%00",
        "\x00",
        "../../etc",
        "' OR 1=1 --",
        "=" * 9,
        "{}",
        "a" * 5000,
        token[:-3],
    ]
    changed = [
        base64.urlsafe_b64encode(bytes([99]) + raw[1:]).decode(),
        base64.urlsafe_b64encode(raw[:1] + bytes([2]) + raw[2:]).decode(),
        base64.urlsafe_b64encode(raw + b"\x00").decode(),
        base64.urlsafe_b64encode(raw[:-1]).decode(),
    ]
    return [text for text in [*made, *words, *changed, token + "!", token + "\n", " " + token] if text]


def test_refuses_what_never_was_a_token(replica):
    wrong = garbage(replica.token)
    assert len(wrong) >= 50
    for text in wrong:
        assert_refused(replica.ask(text), "invalid_cursor")
    assert replica.pull().starts == []


def test_every_flipped_bit_is_noticed(replica):
    raw = bytearray(base64.urlsafe_b64decode(replica.token + "=" * (-len(replica.token) % 4)))
    for index in range(0, len(raw)):
        raw[index] ^= 1
        answer = replica.ask(base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="))
        assert answer.status_code in (400, 410), index
        raw[index] ^= 1
    assert replica.pull().starts == []


def test_token_of_dropped_key_starts_over(replica, acme, alice, settings):
    scope = tokens.scope_of(acme.pk, alice.pk)
    at, present = tokens.decode(replica.token, scope), settings.SECRET_KEY
    settings.SECRET_KEY = "another" * 10
    signed_before = tokens.encode(at, scope)
    settings.SECRET_KEY = present
    assert_starts_over(replica.ask(signed_before), "unknown_signature")
    settings.SECRET_KEY_FALLBACKS = ["another" * 10]
    assert replica.ask(signed_before).json()["next"] == replica.token


# --- Whose it is ----------------------------------------------------------------------------------


def test_token_of_another_person_or_workspace_starts_over(replica, bob_device, charlie_device, charlie, other):
    make_contact(other, charlie, name="Secret")
    for device in (bob_device, charlie_device):
        assert_starts_over(device.client.get(SYNC, {"token": replica.token}), "other_account")
    charlies = Replica(charlie_device.client).pull()
    assert_starts_over(replica.ask(charlies.token), "other_account")


def test_former_member_gets_nothing(replica, acme, bob, bob_device, alice):
    bobs = Replica(bob_device.client).pull()
    workspaces.remove_member(
        workspace=acme,
        remover=alice.memberships.get(workspace=acme),
        membership_id=bob.memberships.get(workspace=acme).pk,
        actor=actors.person(alice),
    )
    make_contact(acme, alice, name="Cid")
    assert bobs.ask(bobs.token).status_code == 401
    assert bobs.ask("").status_code == 401


# --- Too old --------------------------------------------------------------------------------------


def age_tombstones() -> None:
    Tombstone.objects.update(buried_at=timezone.now() - timedelta(days=91))


def test_token_from_before_a_dropped_tombstone_starts_over(replica, acme, alice, bob, bob_device):
    contact = make_contact(acme, alice, name="Gone")
    replica.pull()
    bobs = Replica(bob_device.client).pull()
    contact.delete()
    bobs.pull()
    age_tombstones()
    assert epoch.delete_old_marks(batch=1) == {"tombstones": 1, "pushed_changes": 0}
    assert_starts_over(replica.ask(replica.token), "too_old")
    assert replica.pull().starts == ["too_old"]
    assert replica.rows == server_state(acme, alice)
    # Bob's device was there when it happened, and nothing happened since.
    assert bobs.pull().starts == []


def test_quiet_workspace_never_starts_over(replica, acme, alice, charlie, other):
    """Deletions of others raise no floor here."""
    make_contact(other, charlie).delete()
    age_tombstones()
    epoch.delete_old_marks()
    assert SyncFloor.objects.get().workspace_id == other.pk
    assert replica.pull().starts == []


def test_new_device_starts_above_floor(acme, alice, alice_device):
    """Nothing is left but a floor: a first pull must end above it and not start over for ever."""
    make_contact(acme, alice).delete()
    age_tombstones()
    epoch.delete_old_marks()
    replica = Replica(alice_device.client).pull()
    assert (replica.rows, replica.starts) == ({}, [])


def test_keeps_young_tombstones_and_floors_never_sink(replica, acme, alice):
    make_contact(acme, alice).delete()
    assert epoch.delete_old_marks()["tombstones"] == 0
    age_tombstones()
    epoch.delete_old_marks()
    floor = SyncFloor.objects.get().xid
    SyncFloor.objects.update(xid="9999999999")
    make_contact(acme, alice).delete()
    age_tombstones()
    epoch.delete_old_marks()
    assert SyncFloor.objects.get().xid == 9999999999 > floor


def test_page_within_a_dropped_transaction_starts_over(acme, alice, alice_device):
    """Half of a transaction's deletions came, the rest was dropped: the device missed them."""
    rows = [make_contact(acme, alice, name=name) for name in "abcd"]
    replica = Replica(alice_device.client, limit=2).pull()
    type(rows[0]).objects.filter(pk__in=[row.pk for row in rows]).delete()
    assert replica.pull_page() is True
    age_tombstones()
    epoch.delete_old_marks()
    assert replica.pull().starts == ["too_old"]
    assert replica.rows == {}


# --- Another history ------------------------------------------------------------------------------


def load_dump() -> None:
    """What loading a dump does to the epoch: the same values, written by another transaction."""
    row = SyncEpoch.objects.get()
    SyncEpoch.objects.all().delete()
    later(1)
    SyncEpoch.objects.create(
        epoch=row.epoch,
        system_identifier=row.system_identifier,
        database_oid=row.database_oid,
        timeline=row.timeline,
        written_xid=row.written_xid,
    )


def change_timeline() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_syncepoch SET timeline = timeline + 1, written_xid = pg_current_xact_id()")


def change_server() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_syncepoch SET system_identifier = '1', written_xid = pg_current_xact_id()")


def change_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_syncepoch SET database_oid = 1, written_xid = pg_current_xact_id()")


def lose_epoch() -> None:
    SyncEpoch.objects.all().delete()


@pytest.mark.parametrize("what", [load_dump, change_timeline, change_server, change_database, lose_epoch])
def test_other_history_starts_over_once(replica, acme, alice, what):
    former = SyncEpoch.objects.get().epoch
    what()
    make_contact(acme, alice, name="Cid").delete()
    assert_starts_over(replica.ask(replica.token), "other_database")
    assert not Tombstone.objects.exists()
    now = SyncEpoch.objects.get().epoch
    assert now != former
    assert replica.pull().starts == ["other_database"]
    assert replica.epoch == str(now) == str(SyncEpoch.objects.get().epoch)
    assert replica.rows == server_state(acme, alice)


@pytest.mark.parametrize("ask", [epoch.standing_epoch, None], ids=["standing", "first pull"])
def test_begins_epoch_behind_savepoints(acme, alice, ask):
    """PostgreSQL notes the subtransaction beside the row, which is not the transaction that it names when asked."""
    ask = ask or (lambda: pulling.pull(workspace=acme, user=alice).epoch)
    lose_epoch()
    with transaction.atomic():
        make_contact(acme, alice)
        with transaction.atomic():
            begun = ask()
            assert ask() == begun
    assert epoch.standing_epoch() == SyncEpoch.objects.get().epoch == begun


def test_first_pull_starts_over_when_history_changes(acme, alice, alice_device):
    for name in "abc":
        make_contact(acme, alice, name=name)
    replica = Replica(alice_device.client, limit=1)
    assert replica.pull_page() is True
    load_dump()
    assert replica.pull().starts == ["other_database"]
    assert replica.rows == server_state(acme, alice)


def test_ordinary_writes_keep_the_epoch(replica):
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (FULL, FREEZE) crm_syncepoch")
        cursor.execute("VACUUM FREEZE crm_syncepoch")
        cursor.execute("SELECT * FROM crm_syncepoch FOR UPDATE")
    assert replica.pull().starts == []


def test_epoch_begins_once_for_all_who_find_it_gone(acme, alice, alice_device, bob, bob_device):
    devices = [alice_device, bob_device, make_device(alice, acme)]
    # The third login ended nobody else's; all three pull at the same moment.
    answers = at_once(*(lambda device=device: device.client.get(SYNC) for device in devices))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["epoch"] for answer in answers}) == 1


def test_token_from_ahead_proves_that_the_database_was_set_back(replica, acme, alice, bob, bob_device):
    """The disks were set back and nobody said so: the first device that knows more starts everybody over."""
    bobs = Replica(bob_device.client).pull()
    scope = tokens.scope_of(acme.pk, alice.pk)
    ahead = tokens.decode(replica.token, scope)
    replica.token = tokens.encode(ahead.at(ahead.xid + 10_000, tokens.END, tokens.NIL), scope)
    assert replica.pull().starts == ["set_back"]
    assert replica.rows == server_state(acme, alice)
    assert bobs.pull().starts == ["other_database"]
    assert Event.objects.filter(kind="sync.started_over").count() == 1


def test_command_starts_everybody_over(replica, acme, alice):
    from django.core.management import call_command

    call_command("start_sync_over", verbosity=0)
    assert replica.pull().starts == ["other_database"]
    assert replica.rows == server_state(acme, alice)


def test_unknown_epoch_of_a_genuine_token_starts_over(replica, acme, alice):
    scope = tokens.scope_of(acme.pk, alice.pk)
    at = tokens.decode(replica.token, scope)
    foreign = tokens.encode(tokens.Token(uuid7(), at.xid), scope)
    assert_starts_over(replica.ask(foreign), "other_database")
    assert replica.pull().starts == []
