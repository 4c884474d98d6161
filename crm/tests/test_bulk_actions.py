"""Bulk actions: the frozen set, each effect, repeats, workers that die, and nobody else's contacts."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.db import connection
from django.urls import reverse

from accounts import actors
from accounts.models import Event, Resource
from accounts.services import plans
from accounts.tests.together import assert_refused, at_once, linger, meet_behind
from crm.models import BulkAction, BulkChunk, Contact, ContactTag, FieldValue, Tag
from crm.services import bin
from crm.services.bulk import effects, running, sets, starting
from crm.tests.records import add_contact, add_field, add_stage, add_tag, hold, wear
from waplus.lib.ids import uuid7
from waplus.lib.locks import session_turn
from waplus.tests.killing import kill_at

BULK = "/api/v1/contacts/bulk/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_background(monkeypatch):
    """Nothing is small enough to be done at once; chunks are of three."""
    monkeypatch.setattr(starting, "AT_ONCE", 1)
    monkeypatch.setattr(sets, "CHUNK", 3)


def start(device, action: str, status: int, **payload) -> dict:
    answer = device.client.post(BULK, {"action": action, **payload}, format="json")
    assert answer.status_code == status, answer.json()
    return answer.json()


def state(row: dict) -> tuple:
    found = BulkAction.objects.get(pk=row["id"])
    return found.state, found.total, found.done, found.changed


def people(workspace, count: int) -> list[Contact]:
    return [add_contact(workspace, f"Ana {n}") for n in range(count)]


def test_few_are_changed_at_once(alice_device, alice, acme):
    vip, (one, two, _) = add_tag(acme, "VIP"), people(acme, 3)
    wear(one, vip)
    row = start(alice_device, "add_tags", 201, ids=[str(one.pk), str(two.pk)], tags=[str(vip.pk)])
    assert state(row) == ("finished", 2, 2, 1)
    assert set(ContactTag.objects.values_list("contact_id", flat=True)) == {one.pk, two.pk}
    assert ContactTag.objects.get(contact=two).added_by == alice
    event = Event.objects.get(kind="contact.tagged")
    assert (event.count, event.changed, event.actor_user_id) == (1, [f"tags.{vip.pk}"], alice.pk)


def test_many_are_changed_by_the_worker_in_chunks(alice_device, acme, in_background):
    vip = add_tag(acme, "VIP")
    people(acme, 8)
    row = start(alice_device, "add_tags", 202, filter={"tag": {"none": True}}, tags=[str(vip.pk)])
    assert state(row) == ("waiting", None, 0, 0) and not ContactTag.objects.exists()
    running.run_open_actions()
    # Each tag that is put on takes its contact out of the filter: the set was frozen before.
    assert state(row) == ("finished", 8, 8, 8)
    assert ContactTag.objects.count() == 8 and not BulkChunk.objects.exists()
    assert list(Event.objects.filter(kind="contact.tagged").order_by("id").values_list("count", flat=True)) == [3, 3, 2]
    assert Event.objects.filter(kind="bulk_action.finished").count() == 1
    shown = alice_device.client.get(f"{BULK}{row['id']}/").json()
    assert (shown["state"], shown["done"], shown["changed"]) == ("finished", 8, 8)


def test_contacts_that_come_later_are_left_alone(alice_device, acme, in_background):
    vip = add_tag(acme, "VIP")
    people(acme, 4)
    row = start(alice_device, "add_tags", 202, filter={}, tags=[str(vip.pk)])
    assert running.run_action(BulkAction.objects.get().pk, seconds=0) is False
    assert running._step(row_id := BulkAction.objects.get().pk)
    add_contact(acme, "Late")
    while running.run_action(row_id):
        pass
    assert state(row)[:3] == ("finished", 4, 4)
    assert not ContactTag.objects.filter(contact__name="Late").exists()


def test_dry_run_counts_and_changes_nothing(alice_device, acme):
    vip = add_tag(acme, "VIP")
    people(acme, 5)
    payload = {"action": "add_tags", "filter": {"q": "ana"}, "tags": [str(vip.pk)]}
    answer = alice_device.client.post(f"{BULK}?dry_run=1", payload, format="json")
    assert answer.json() == {"total": 5}
    assert not BulkAction.objects.exists() and not ContactTag.objects.exists()


@pytest.mark.parametrize("background", [False, True])
def test_each_effect(alice_device, alice, bob, acme, monkeypatch, background):
    if background:
        monkeypatch.setattr(starting, "AT_ONCE", 1)
    vip, lead, stage, field = (
        add_tag(acme, "VIP"),
        add_tag(acme, "Lead"),
        add_stage(acme, "New"),
        add_field(acme, "City", "text"),
    )
    rows = people(acme, 4)
    before = {row.pk: row.updated_at for row in rows}
    wear(rows[0], vip, lead)
    hold(rows[0], field, "Porto")
    hold(rows[1], field, "Köln")

    def done(action, **payload):
        row = start(alice_device, action, 202 if background else 201, filter={}, **payload)
        running.run_open_actions()
        assert state(row)[:3] == ("finished", 4, 4)
        return state(row)[3]

    assert done("add_tags", tags=[str(vip.pk), str(lead.pk)]) == 3
    assert done("remove_tags", tags=[str(vip.pk)]) == 4
    assert set(ContactTag.objects.values_list("tag_id", flat=True)) == {lead.pk}
    assert not any(Contact.objects.get(pk=pk).updated_at != at for pk, at in before.items())
    assert (
        done("set_owner", owner=str(bob.pk)),
        done("set_owner", owner=str(bob.pk)),
        done("set_owner", owner=None),
    ) == (4, 0, 4)
    assert (done("set_stage", stage=str(stage.pk)), done("set_stage", stage=None)) == (4, 4)
    assert (
        done("set_field", field=str(field.pk), value=" Porto "),
        FieldValue.objects.filter(text="porto").count(),
    ) == (3, 4)
    assert (done("set_field", field=str(field.pk), value=None), FieldValue.objects.count()) == (4, 0)
    assert all(Contact.objects.get(pk=pk).updated_at > at for pk, at in before.items())
    used = plans.used_of(workspace=acme, resource=Resource.CONTACTS)
    assert done("bin") == 4
    assert (
        Contact.objects.alive().count() == 0 and used <= plans.used_of(workspace=acme, resource=Resource.CONTACTS) + 4
    )


def test_restores_by_ids_and_counts_who_cannot_come_back(alice_device, acme):
    made = [
        alice_device.client.post(
            "/api/v1/contacts/",
            {"name": f"Ana {n}", "identities": [{"kind": "phone", "value": f"+49151234567{n:02d}"}]},
            format="json",
        ).json()
        for n in range(3)
    ]
    ids = [row["id"] for row in made]
    start(alice_device, "bin", 201, ids=ids)
    alice_device.client.post(
        "/api/v1/contacts/",
        {"name": "New", "identities": [{"kind": "phone", "value": "+4915123456701"}]},
        format="json",
    )
    row = start(alice_device, "restore", 202, ids=ids)
    running.run_open_actions()
    assert state(row) == ("finished", 3, 3, 2)
    assert BulkAction.objects.get(pk=row["id"]).refused == 1
    assert set(Contact.objects.alive().values_list("name", flat=True)) == {"Ana 0", "Ana 2", "New"}
    assert_refused(alice_device.client.post(BULK, {"action": "restore", "filter": {}}, format="json"), "invalid")


def test_repeated_start_is_one_action(alice_device, charlie_device, acme):
    vip, id = add_tag(acme, "VIP"), str(uuid7())
    people(acme, 2)
    first = start(alice_device, "add_tags", 201, id=id, filter={}, tags=[str(vip.pk)])
    add_contact(acme, "Late")
    assert start(alice_device, "add_tags", 200, id=id, filter={}, tags=[str(vip.pk)]) == first
    assert ContactTag.objects.count() == 2 and BulkAction.objects.count() == 1
    payload = {"id": id, "action": "bin", "filter": {}}
    assert_refused(charlie_device.client.post(BULK, payload, format="json"), "id_taken")
    assert Contact.objects.alive().count() == 3


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"action": "add_tags", "filter": {}}, "tags"),
        ({"action": "add_tags", "filter": {}, "tags": []}, "tags"),
        ({"action": "add_tags", "filter": {}, "tags": [str(uuid7())]}, "tags.0"),
        ({"action": "bin", "filter": {}, "owner": None}, "owner"),
        ({"action": "bin"}, "filter"),
        ({"action": "bin", "filter": {}, "ids": [str(uuid7())]}, "filter"),
        ({"action": "bin", "filter": {"colour": 1}}, "filter.colour"),
        ({"action": "bin", "filter": "x"}, "filter"),
        ({"action": "bin", "ids": []}, "ids"),
        ({"action": "set_owner", "filter": {}, "owner": str(uuid7())}, "owner"),
        ({"action": "set_stage", "filter": {}, "stage": str(uuid7())}, "stage"),
        ({"action": "set_field", "filter": {}, "field": str(uuid7()), "value": 1}, "field"),
        ({"action": "explode", "filter": {}}, "action"),
    ],
)
def test_malformed_action_is_refused_and_changes_nothing(alice_device, acme, payload, field):
    people(acme, 2)
    for path in (BULK, f"{BULK}?dry_run=true"):
        errors = assert_refused(alice_device.client.post(path, payload, format="json"), "invalid")["errors"]
        assert [error["field"] for error in errors][0] == field
    assert not BulkAction.objects.exists() and Contact.objects.alive().count() == 2


def test_value_that_does_not_fit_is_refused(alice_device, acme):
    field = add_field(acme, "Size", "number")
    people(acme, 1)
    payload = {"action": "set_field", "filter": {}, "field": str(field.pk), "value": "tall"}
    errors = assert_refused(alice_device.client.post(BULK, payload, format="json"), "invalid")["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [("value", "not_a_number")]
    assert not FieldValue.objects.exists()


def test_foreign_contacts_and_tags_stay_out_of_reach(alice_device, acme, other, in_background):
    theirs, tag = add_contact(other, "Ana theirs"), add_tag(other, "VIP")
    mine = add_tag(acme, "VIP")
    people(acme, 2)
    payload = {"action": "add_tags", "filter": {}, "tags": [str(tag.pk)]}
    assert_refused(alice_device.client.post(BULK, payload, format="json"), "invalid")
    for contacts in ({"ids": [str(theirs.pk)]}, {"filter": {"q": "theirs"}}):
        start(alice_device, "add_tags", 201, tags=[str(mine.pk)], **contacts)
        start(alice_device, "bin", 201, **contacts)
    running.run_open_actions()
    theirs.refresh_from_db()
    assert theirs.deleted_at is None and not ContactTag.objects.exists()


def test_stop_leaves_the_rest(alice_device, acme, in_background):
    vip = add_tag(acme, "VIP")
    people(acme, 8)
    row = start(alice_device, "add_tags", 202, filter={}, tags=[str(vip.pk)])
    running._step(BulkAction.objects.get().pk)
    running._step(BulkAction.objects.get().pk)
    assert alice_device.client.post(f"{BULK}{row['id']}/stop/").json()["state"] == "stopped"
    running.run_open_actions()
    assert state(row) == ("stopped", 8, 3, 3)
    assert ContactTag.objects.count() == 3 and not BulkChunk.objects.exists()


def test_action_whose_tag_goes_fails_with_a_sentence(alice_device, acme, in_background):
    vip = add_tag(acme, "VIP")
    people(acme, 4)
    row = start(alice_device, "add_tags", 202, filter={}, tags=[str(vip.pk)])
    Tag.objects.all().delete()
    running.run_open_actions()
    found = BulkAction.objects.get(pk=row["id"])
    assert (found.state, found.problem, found.done) == ("failed", "A tag of it was deleted.", 0)
    assert not BulkChunk.objects.exists()


def test_filter_whose_tag_goes_before_the_beginning_fails(alice_device, acme, in_background):
    vip = add_tag(acme, "VIP")
    people(acme, 4)
    row = start(alice_device, "bin", 202, filter={"not": {"tag": {"any": [str(vip.pk)]}}})
    Tag.objects.all().delete()
    running.run_open_actions()
    assert state(row)[0] == "failed" and Contact.objects.alive().count() == 4


def test_so_many_wait_at_a_time(alice_device, acme, in_background, monkeypatch):
    monkeypatch.setattr(starting, "MAX_OPEN", 1)
    people(acme, 4)
    start(alice_device, "bin", 202, filter={})
    assert_refused(alice_device.client.post(BULK, {"action": "bin", "filter": {}}, format="json"), "limit_reached")
    assert BulkAction.objects.count() == 1


WORKER = """
import django; django.setup()
from crm.services.bulk import running, sets
sets.CHUNK = 20
print("ready", flush=True)
running.run_open_actions()
"""


@pytest.mark.django_db(transaction=True)
def test_killed_worker_leaves_whole_chunks_and_the_next_goes_on(alice_device, acme, monkeypatch):
    monkeypatch.setattr(starting, "AT_ONCE", 1)
    vip = add_tag(acme, "VIP")
    people(acme, 400)
    row = start(alice_device, "add_tags", 202, filter={"tag": {"none": True}}, tags=[str(vip.pk)])
    database = connection.settings_dict
    url = (
        f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    )
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "waplus.settings"}
    kills = 0
    for attempt in range(8):
        with subprocess.Popen([sys.executable, "-c", WORKER], env=environment, stdout=subprocess.PIPE) as worker:
            assert worker.stdout.readline() == b"ready\n"
            time.sleep(0.02 * (attempt + 1))
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        kills += 1
        found = BulkAction.objects.get(pk=row["id"])
        assert ContactTag.objects.count() == found.changed == found.done
        left = sum(len(chunk.contact_ids) for chunk in BulkChunk.objects.all())
        assert found.total is None or found.done + left == found.total == 400
        if found.state == "finished":
            break
    running.run_open_actions()
    assert state(row) == ("finished", 400, 400, 400) and kills
    assert ContactTag.objects.count() == 400 and not BulkChunk.objects.exists()
    assert sum(Event.objects.filter(kind="contact.tagged").values_list("count", flat=True)) == 400


def wait_for_turn(row: dict) -> None:
    """Until the server has ended what a killed worker had begun."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with session_turn(starting.RUN, row["id"]) as is_free:
            if is_free:
                return
    raise AssertionError("the killed worker keeps its turn")


@pytest.mark.django_db(transaction=True)
def test_action_that_kills_its_worker_is_not_tried_for_ever(alice_device, client, alice, acme, in_background, tmp_path):
    """Behind five workers that died in the second chunk there is a reason to read, and the first chunk stays done."""
    vip = add_tag(acme, "VIP")
    people(acme, 8)
    row = start(alice_device, "add_tags", 202, filter={}, tags=[str(vip.pk)])
    assert running._step(row["id"]) and running._step(row["id"])
    for attempt in range(1, running.MAX_ATTEMPTS + 1):
        kill_at(
            "crm.services.bulk.running.run_open_actions", "crm.services.bulk.effects._tags", "behind", mails=tmp_path
        )
        wait_for_turn(row)
        assert (state(row), BulkAction.objects.get().attempts) == (("running", 8, 3, 3), attempt)
    running.run_open_actions()
    assert state(row) == ("failed", 8, 3, 3)
    assert ContactTag.objects.count() == 3 and not BulkChunk.objects.exists()
    assert Event.objects.filter(kind="bulk_action.failed").count() == 1
    shown = alice_device.client.get(f"{BULK}{row['id']}/").json()
    assert shown["problem"] == running.BROKE_OFF and running.BROKE_OFF.startswith("It broke off 5 times")
    client.force_login(alice)
    assert running.BROKE_OFF in client.get(reverse("bulk-action", args=[row["id"]])).content.decode()


def test_action_that_breaks_off_does_not_hold_the_next_one_up(alice_device, acme, in_background, monkeypatch):
    vip, stage = add_tag(acme, "VIP"), add_stage(acme, "Won")
    people(acme, 4)
    broken = start(alice_device, "add_tags", 202, filter={}, tags=[str(vip.pk)])
    other = start(alice_device, "set_stage", 202, filter={}, stage=str(stage.pk))

    def break_off(*args):
        raise MemoryError

    monkeypatch.setattr(effects, "_tags", break_off)
    running.run_open_actions()
    assert (state(broken), state(other)) == (("running", 4, 0, 0), ("finished", 4, 4, 4))
    for _ in range(running.MAX_ATTEMPTS):
        running.run_open_actions()
    assert state(broken) == ("failed", 4, 0, 0) and BulkAction.objects.get(pk=broken["id"]).problem == running.BROKE_OFF
    assert not ContactTag.objects.exists() and not BulkChunk.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_second_worker_leaves_the_action_to_the_first(alice_device, acme, in_background, monkeypatch):
    vip = add_tag(acme, "VIP")
    people(acme, 8)
    row = start(alice_device, "add_tags", 202, filter={}, tags=[str(vip.pk)])

    def come_again() -> list[bool]:
        return [running.run_action(row["id"]) for _ in range(running.MAX_ATTEMPTS + 1)]

    answers = meet_behind(monkeypatch, effects, "_tags", lambda: running.run_action(row["id"]), come_again)
    assert answers == [True, [False] * (running.MAX_ATTEMPTS + 1)]
    assert (state(row), BulkAction.objects.get().attempts) == (("finished", 8, 8, 8), 0)
    assert sorted(Event.objects.filter(kind="contact.tagged").values_list("count", flat=True)) == [2, 3, 3]


@pytest.mark.django_db(transaction=True)
def test_stopping_waits_for_the_chunk_that_is_written(alice_device, bob_device, acme, in_background, monkeypatch):
    vip = add_tag(acme, "VIP")
    people(acme, 8)
    row = start(alice_device, "add_tags", 202, filter={}, tags=[str(vip.pk)])

    def stop() -> dict:
        return bob_device.client.post(f"{BULK}{row['id']}/stop/").json()

    worked, stopped = meet_behind(monkeypatch, effects, "_tags", lambda: running.run_action(row["id"]), stop)
    found = BulkAction.objects.get()
    # Between two chunks either of them may come first.
    assert worked is True and stopped["state"] == found.state in ("stopped", "finished")
    assert found.done in (3, 6, 8) and stopped["done"] == found.done == found.changed == ContactTag.objects.count()
    assert found.attempts in (0, 1) and not BulkChunk.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_worker_that_meets_a_stop_does_nothing(alice_device, bob_device, acme, in_background, monkeypatch):
    vip = add_tag(acme, "VIP")
    people(acme, 8)
    row = start(alice_device, "add_tags", 202, filter={}, tags=[str(vip.pk)])
    assert running._step(row["id"])

    def stop() -> dict:
        return bob_device.client.post(f"{BULK}{row['id']}/stop/").json()

    stopped, worked = meet_behind(monkeypatch, starting, "close_action", stop, lambda: running.run_action(row["id"]))
    assert (stopped["state"], worked) == ("stopped", False)
    assert state(row) == ("stopped", 8, 0, 0)
    assert not ContactTag.objects.exists() and not BulkChunk.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_restoring_many_takes_turns_with_restoring_one(alice_device, bob_device, acme, monkeypatch):
    ids = [contact.pk for contact in people(acme, 4)]
    bin.delete_contacts(workspace=acme, contact_ids=ids, actor=actors.SYSTEM)
    plans.recount(acme, Resource.CONTACTS)
    row = start(alice_device, "restore", 202, ids=[str(id) for id in ids])
    running.run_action(row["id"], seconds=0.000_001)
    linger(monkeypatch, bin, "_locked")
    linger(monkeypatch, plans, "reserve")
    answer, _ = at_once(
        lambda: time.sleep(0.02) or bob_device.client.post(f"/api/v1/contacts/{ids[-1]}/restore/"),
        lambda: running.run_action(row["id"]),
    )
    assert answer.status_code == 200
    found = BulkAction.objects.get(pk=row["id"])
    assert (found.state, found.total, found.refused, found.attempts) == ("finished", 4, 0, 0)
    assert Contact.objects.alive().count() == plans.used_of(workspace=acme, resource=Resource.CONTACTS) == 4
