"""The start of a broadcast: whom it queues, what each of them reads, whom it leaves out, once and whole."""

from datetime import timedelta

import pytest

from accounts import actors
from accounts.models import Event, Plan, Resource
from accounts.services import plans
from accounts.tests.together import assert_refused
from crm.models import Contact
from crm.services import bin
from crm.services.contacts import create_contact
from crm.tests.records import add_contact, add_field, add_tag, hold, wear
from messaging.models import Broadcast, BroadcastExclusion, QueuedMessage
from messaging.services.broadcasts import preparing, starting
from messaging.services.broadcasts.starting import start_waiting_broadcasts
from messaging.services.queueing import INSERT_COLUMNS
from messaging.services.reachability import note_failure
from messaging.services.suppression import suppress
from messaging.tests.broadcasts.calls import (
    act,
    add_chat,
    add_identity,
    add_people,
    draft,
    left_out,
    post,
    read,
    started,
    states,
    texts,
)

pytestmark = pytest.mark.django_db


def used(workspace) -> int:
    return plans.used_of(workspace=workspace, resource=Resource.BROADCAST_RECIPIENTS)


def allow(workspace, recipients: int) -> None:
    Plan.objects.filter(pk=workspace.plan_id).update(max_broadcast_recipients=recipients)


def test_queues_one_message_for_each_person(alice_device, alice, acme, number, clock):
    ana, bruno = add_people(acme, "Ana Lima", "Bruno")
    broadcast = started(alice_device, number)
    assert texts(broadcast) == [("5511987650000@c.us", "Hello Ana!"), ("5511987650001@c.us", "Hello Bruno!")]
    first = QueuedMessage.objects.filter(broadcast=broadcast).order_by("id").first()
    assert (first.source, first.origin_id, first.contact_id) == ("broadcast", broadcast.pk, ana.pk)
    assert (first.due_at, first.not_before, first.occurrence_at, first.queued_at) == (clock(),) * 4
    assert first.expires_at == clock() + timedelta(days=30)
    assert (first.state, first.position, first.created_by_id, first.held_by) == ("queued", 0, alice.pk, "")
    assert first.recipient_zone == "" or "/" in first.recipient_zone
    assert (broadcast.state, broadcast.recipients, broadcast.left_out) == ("running", 2, {})
    assert broadcast.started_by == alice and broadcast.started_at == clock()
    assert used(acme) == 2
    event = Event.objects.get(kind="broadcast.started")
    assert (event.count, event.actor_user_id, event.object_id) == (2, alice.pk, broadcast.pk)


def test_names_every_column_of_the_queue(alice_device, acme, number):
    add_people(acme, "Ana")
    broadcast = started(alice_device, number)
    columns = {field.column for field in QueuedMessage._meta.concrete_fields if not field.generated}
    filled = QueuedMessage.objects.filter(broadcast=broadcast).values().get()
    assert all(filled[name] is not None or QueuedMessage._meta.get_field(name).null for name in filled)
    assert set(INSERT_COLUMNS) <= columns


def test_renders_every_part_for_each_person(alice_device, acme, number):
    city = add_field(acme, "City", "text")
    ana, bruno = add_people(acme, "Ana", "Bruno")
    hold(ana, city, "Porto")
    parts = [{"body": "Hi {{name}}"}, {"body": "How is {{field.City|your city}}?"}]
    broadcast = started(alice_device, number, parts=parts)
    rows = QueuedMessage.objects.filter(broadcast=broadcast).order_by("id").values_list("contact", "position", "body")
    assert list(rows) == [
        (ana.pk, 0, "Hi Ana"),
        (ana.pk, 1, "How is Porto?"),
        (bruno.pk, 0, "Hi Bruno"),
        (bruno.pk, 1, "How is your city?"),
    ]
    assert used(acme) == 2  # people, not messages


def test_freezes_what_it_says(alice_device, acme, number):
    [ana] = add_people(acme, "Ana")
    broadcast = started(alice_device, number)
    Contact.objects.filter(pk=ana.pk).update(name="Anita")
    assert texts(broadcast) == [("5511987650000@c.us", "Hello Ana!")]


def test_takes_the_numbers_own_conversation_first(alice_device, acme, number, second_number, clock):
    contact = add_contact(acme, "Ana", number="5511987650000")
    add_identity(contact, "c_us", "5511987650009@c.us")
    add_identity(contact, "lid", "157163732254124@lid", "lid:157163732254124")
    add_chat(second_number, contact, jid="5511987650077@c.us", last_message_at=clock())
    add_chat(number, contact, jid="5511987650000@c.us", last_message_at=clock() - timedelta(days=2))
    add_chat(number, contact, jid="157163732254124@lid", last_message_at=clock() - timedelta(days=1))
    broadcast = started(alice_device, number)
    assert [jid for jid, _ in texts(broadcast)] == ["157163732254124@lid"]


def test_takes_an_id_of_whatsapp_before_a_typed_number(alice_device, acme, number):
    contact = add_contact(acme, "Ana", number="5511987650000")
    add_identity(contact, "c_us", "551187650000@c.us", "551187650000")
    leaked = add_contact(acme, "Bruno", number="5511987650001")
    add_identity(leaked, "c_us", "157163732254124@c.us", "lid:157163732254124")
    broadcast = started(alice_device, number)
    assert [jid for jid, _ in texts(broadcast)] == ["551187650000@c.us", "5511987650001@c.us"]


def test_unites_sources_and_names_nobody_twice(alice_device, acme, number):
    vip = add_tag(acme, "VIP")
    ana, bruno, carla = add_people(acme, "Ana", "Bruno", "Carla")
    wear(ana, vip)
    wear(bruno, vip)
    audience = {
        "include": [{"tags": [str(vip.pk)]}, {"contacts": [str(ana.pk), str(carla.pk)]}, {"filter": {"q": "ana"}}],
        "exclude": [{"contacts": [str(bruno.pk)]}],
    }
    row = draft(alice_device, number, audience=audience)
    found = act(alice_device, row, "dry-run")
    assert (found["people"], found["repeated"], found["will_be_sent"]) == (2, 2, 2)
    act(alice_device, row, "start")
    start_waiting_broadcasts()
    assert [jid for jid, _ in texts(row["id"])] == ["5511987650000@c.us", "5511987650002@c.us"]


def test_means_the_survivor_of_a_merge(alice_device, acme, number):
    ana, double, last = add_people(acme, "Ana", "Anna", "Anita")
    Contact.objects.filter(pk=double.pk).update(merged_into=ana)
    Contact.objects.filter(pk=ana.pk).update(merged_into=last)
    ids = [str(double.pk), str(last.pk)]
    broadcast = started(alice_device, number, audience={"include": [{"contacts": ids}]})
    assert texts(broadcast) == [("5511987650002@c.us", "Hello Anita!")]


def test_sends_to_a_chat_once_whoever_it_belongs_to(alice_device, acme, number):
    ana, bruno = add_people(acme, "Ana", "Bruno")
    add_chat(number, bruno, jid="5511987650000@c.us")
    broadcast = started(alice_device, number)
    assert texts(broadcast) == [("5511987650000@c.us", "Hello Ana!")]
    assert left_out(broadcast) == {"Bruno": "duplicate"}


def test_leaves_out_with_the_first_reason_that_holds(alice_device, alice, acme, number):
    person = actors.person(alice)
    fits, binned, silent, bare, opaque, nameless = add_people(acme, "Fits", "Binned", "Silent", "", "", "")
    add_people(acme, "Lost", first=5511987660000)
    for contact, name in ((bare, "Bare"), (opaque, "Opaque")):
        contact.identities.all().delete()
        Contact.objects.filter(pk=contact.pk).update(name=name)
    add_identity(opaque, "bsuid", "BR.123456", "bsuid:BR.123456")
    suppress(workspace=acme, actor=person, source="person", contact=silent)
    note_failure(
        workspace=acme, account_id=number.pk, chat_jid="5511987660000@c.us", code="not_on_whatsapp", actor=person
    )
    everybody = Contact.objects.for_workspace(acme).values_list("pk", flat=True)
    bin.delete_contact(workspace=acme, contact_id=binned.pk, actor=person)
    broadcast = started(alice_device, number, parts=[{"body": "Dear {{name}}"}], audience=_only(*everybody))
    assert texts(broadcast) == [("5511987650000@c.us", "Dear Fits")]
    assert left_out(broadcast) == {
        "Binned": "in_bin",
        "Silent": "opted_out",
        "Bare": "no_identity",
        "Opaque": "unreachable",
        "Lost": "unreachable",
        "": "missing_variable: name",
    }
    assert broadcast.left_out == {
        "in_bin": 1, "opted_out": 1, "no_identity": 1, "unreachable": 2, "missing_variable": 1
    }  # fmt: skip
    assert used(acme) == 1
    assert nameless.pk in BroadcastExclusion.objects.filter(reason="missing_variable").values_list("contact", flat=True)


def _only(*contacts) -> dict:
    return {"include": [{"contacts": [str(getattr(each, "pk", each)) for each in contacts]}]}


def test_does_not_start_beyond_the_plan(alice_device, acme, number):
    add_people(acme, "Ana", "Bruno", "Carla")
    allow(acme, 2)
    row = draft(alice_device, number)
    found = act(alice_device, row, "dry-run")
    assert (found["will_be_sent"], found["would_be_refused"], found["plan"]) == (2, True, {"left": 2, "limit": 2})
    act(alice_device, row, "start")
    assert start_waiting_broadcasts() == 0
    broadcast = Broadcast.objects.get(pk=row["id"])
    assert broadcast.state == "draft" and "allows 2" in broadcast.problem
    assert not QueuedMessage.objects.exists() and not BroadcastExclusion.objects.exists() and used(acme) == 0
    assert Event.objects.filter(kind="broadcast.not_started").count() == 1


def test_sends_to_as_many_as_the_plan_allows_if_asked(alice_device, acme, number):
    add_people(acme, "Ana", "Bruno", "Carla")
    allow(acme, 2)
    broadcast = started(alice_device, number, allow_partial=True)
    assert [body for _, body in texts(broadcast)] == ["Hello Ana!", "Hello Bruno!"]
    assert left_out(broadcast) == {"Carla": "over_plan"} and used(acme) == 2


def test_does_not_start_without_anybody(alice_device, acme, number):
    row = draft(alice_device, number, audience={"include": [{"filter": {"q": "nobody"}}]})
    act(alice_device, row, "start")
    assert start_waiting_broadcasts() == 0
    assert Broadcast.objects.get(pk=row["id"]).problem == starting.NOBODY


def test_refuses_a_second_start(alice_device, acme, number):
    add_people(acme, "Ana")
    row = draft(alice_device, number)
    act(alice_device, row, "start")
    assert_refused(post(alice_device, f"{row['id']}/start/"), "wrong_state")
    start_waiting_broadcasts()
    assert_refused(post(alice_device, f"{row['id']}/start/"), "wrong_state")
    assert start_waiting_broadcasts() == 0
    assert states(row["id"]) == {"queued": 1} and used(acme) == 1


@pytest.mark.parametrize(("values", "field"), [({"parts": None}, "parts"), ({"audience": {}}, "audience.include")])
def test_refuses_to_start_what_is_not_finished(alice_device, acme, number, values, field):
    add_people(acme, "Ana")
    row = draft(alice_device, number)
    if values.get("parts", 1) is None:
        Broadcast.objects.get(pk=row["id"]).parts.all().delete()
    else:
        alice_device.client.patch(f"/api/v1/broadcasts/{row['id']}/", values, format="json")
    for action in ("start", "dry-run"):
        errors = assert_refused(post(alice_device, f"{row['id']}/{action}/"), "invalid")["errors"]
        assert errors[0]["field"] == field
    assert Broadcast.objects.get(pk=row["id"]).state == "draft"


def test_asks_the_worker_at_once(alice_device, acme, number, hints, django_capture_on_commit_callbacks):
    row = draft(alice_device, number)
    with django_capture_on_commit_callbacks(execute=True):
        act(alice_device, row, "start")
    assert hints == [starting.START]


def test_waits_for_its_time(alice_device, acme, number, clock):
    add_people(acme, "Ana")
    row = draft(alice_device, number, start_wall="2026-06-01T14:00", time_zone="Europe/Berlin")
    assert row["starts_at"] == "2026-06-01T12:00:00Z"
    clock.advance(-600)
    assert act(alice_device, row, "start")["state"] == "scheduled"
    assert start_waiting_broadcasts() == 0
    assert act(alice_device, row, "unschedule")["state"] == "draft"
    act(alice_device, row, "start")
    clock.advance(600)
    assert start_waiting_broadcasts() == 1
    assert read(alice_device, row)["state"] == "running"


def test_members_start_only_where_they_may(alice_device, bob_device, acme, number):
    add_people(acme, "Ana")
    row = draft(bob_device, number)
    assert_refused(post(bob_device, f"{row['id']}/start/"), "forbidden")
    assert Broadcast.objects.get(pk=row["id"]).state == "draft"
    settings = "/api/v1/broadcasts/settings/"
    assert_refused(bob_device.client.patch(settings, {"members_may_start": True}, format="json"), "forbidden")
    assert bob_device.client.get(settings).json() == {"members_may_start": False}
    assert alice_device.client.patch(settings, {"members_may_start": True}, format="json").status_code == 200
    assert act(bob_device, row, "start")["state"] == "starting"


def test_starts_what_stands_behind_a_start_that_breaks_off(alice_device, acme, number, monkeypatch):
    """Whatever goes wrong with one, and it is no error of the database."""
    add_people(acme, "Ana")
    broken, sound = (draft(alice_device, number) for _ in range(2))
    for row in (broken, sound):
        act(alice_device, row, "start")
    judge = starting.judge

    def judge_but_one(broadcast, **values):
        if str(broadcast.pk) == broken["id"]:
            raise ZeroDivisionError
        return judge(broadcast, **values)

    monkeypatch.setattr(starting, "judge", judge_but_one)
    assert start_waiting_broadcasts() == 1
    states = dict(Broadcast.objects.values_list("pk", "state"))
    assert {str(pk): state for pk, state in states.items()} == {broken["id"]: "starting", sound["id"]: "running"}
    assert Broadcast.objects.get(pk=broken["id"]).attempts == 1


def test_gives_up_after_some_broken_starts(alice_device, acme, number, monkeypatch):
    add_people(acme, "Ana")
    row = draft(alice_device, number)
    act(alice_device, row, "start")
    monkeypatch.setattr(starting, "_LEAVE_OUT", "SELECT 1/0")
    for _ in range(starting.MAX_ATTEMPTS):
        assert start_waiting_broadcasts() == 0
        assert not QueuedMessage.objects.exists() and used(acme) == 0
    broadcast = Broadcast.objects.get(pk=row["id"])
    assert (broadcast.state, broadcast.problem) == ("draft", starting.BROKE_OFF)


@pytest.mark.parametrize("people", [0, 1, 4, 5])
def test_prepares_everybody_in_steps(alice_device, acme, number, monkeypatch, people):
    monkeypatch.setattr(preparing, "STEP", 2)
    add_people(acme, *"ABCDE"[:people])
    row = draft(alice_device, number)
    assert act(alice_device, row, "dry-run")["will_be_sent"] == people
    act(alice_device, row, "start")
    assert start_waiting_broadcasts() == (people > 0)
    assert [body for _, body in texts(row["id"])] == [f"Hello {name}!" for name in "ABCDE"[:people]]


def test_steps_of_large_audiences_are_few():
    assert preparing.spans(25_000) == [(0, 10_000), (10_000, 20_000), (20_000, 25_000)]
    assert len(preparing.spans(10_000_001)) == 20 and preparing.spans(10_000_001)[-1][1] == 10_000_001
    assert preparing.spans(0) == []


def test_a_contact_made_by_the_service_is_reached(alice_device, alice, acme, number):
    create_contact(
        workspace=acme,
        actor=actors.person(alice),
        source="person",
        name="Ana",
        identities=[{"kind": "phone", "value": "+4915112345678"}],
    )
    broadcast = started(alice_device, number)
    message = QueuedMessage.objects.get(broadcast=broadcast)
    assert (message.chat_jid, message.recipient_zone) == ("4915112345678@c.us", "Europe/Berlin")
    assert broadcast.zones == ["Europe/Berlin"]
