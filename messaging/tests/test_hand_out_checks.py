"""What is checked again at the hand-out and at the last moment before a message is sent."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import actors
from messaging.models import Broadcast, MediaFile, QueuedMessage
from messaging.models.suppression import SuppressionSource
from messaging.services.budget import BudgetNow
from messaging.services.dispatch import settle_expired_leases
from messaging.services.dispatch.verdicts import BIN_LOOK, MAX_AHEAD, OPTED_OUT, Candidate, judge
from messaging.services.queueing import NewMessage, queue_messages
from messaging.services.suppression import suppress
from messaging.tests.calls import CHAT, claim, kinds, nothing_happens, problem, report, state_of, story
from waplus.lib.ids import uuid7

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def put(workspace, number, clock, **values) -> QueuedMessage:
    """A message that is due now, in the queue."""
    message = NewMessage(
        **{
            "source": "direct",
            "origin_id": uuid7(),
            "whatsapp_account_id": number.pk,
            "chat_jid": CHAT,
            "due_at": clock(),
            "expires_at": clock() + timedelta(hours=1),
            "body": "hello",
            **values,
        }
    )
    queue_messages(workspace=workspace, rows=[message])
    return QueuedMessage.objects.get(pk=message.id)


def opt_out(workspace, jid: str = CHAT) -> None:
    suppress(workspace=workspace, actor=actors.SYSTEM, source=SuppressionSource.PERSON, jid=jid)


@pytest.mark.django_db
def test_skips_message_to_who_opted_out(alice_device, acme, number, clock):
    row, other = put(acme, number, clock), put(acme, number, clock, chat_jid="5521912345678@c.us")
    opt_out(acme)
    assert [message["id"] for message in claim(alice_device, number)] == [str(other.pk)]
    row.refresh_from_db()
    assert (row.state, row.reason_code, row.reason, row.fence) == ("skipped", "opted_out", OPTED_OUT, 0)
    assert (kinds(row.pk), story(row)) == (["message.skipped"], [])


@pytest.mark.django_db
def test_keeps_device_from_sending_to_who_opted_out_meanwhile(alice_device, acme, number, clock):
    put(acme, number, clock)
    [message] = claim(alice_device, number)
    opt_out(acme)
    answer = report(alice_device, message, "sending")
    assert (problem(answer), answer.json()["state"]) == ((409, "wrong_state"), "skipped")
    assert state_of(message) == "skipped"
    assert story(message) == [(1, "withdrawn", OPTED_OUT)]
    assert claim(alice_device, number) == []


@pytest.mark.django_db
def test_hands_out_messages_of_people_before_broadcast(alice_device, acme, number, clock):
    """The broadcast was due first."""
    broadcast = Broadcast.objects.create(workspace=acme, whatsapp_account=number, name="News", state="running")
    mass = put(acme, number, clock, source="broadcast", origin_id=broadcast.pk, due_at=clock() - timedelta(hours=1))
    QueuedMessage.objects.filter(pk=mass.pk).update(broadcast=broadcast)
    own = put(acme, number, clock, chat_jid="5521912345678@c.us")
    assert [message["id"] for message in claim(alice_device, number)] == [str(own.pk), str(mass.pk)]


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["draft", "paused", "cancelled", "done"])
def test_hands_out_nothing_of_broadcast_that_does_not_run(alice_device, acme, number, clock, state):
    broadcast = Broadcast.objects.create(workspace=acme, whatsapp_account=number, name="News", state=state)
    mass = put(acme, number, clock, source="broadcast", origin_id=broadcast.pk)
    QueuedMessage.objects.filter(pk=mass.pk).update(broadcast=broadcast)
    assert claim(alice_device, number) == []
    assert state_of({"id": mass.pk}) == "queued"


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "becomes"), [("paused", "queued"), ("cancelled", "cancelled")])
def test_keeps_device_from_sending_for_broadcast_that_stopped_meanwhile(
    alice_device, acme, number, clock, state, becomes
):
    broadcast = Broadcast.objects.create(workspace=acme, whatsapp_account=number, name="News", state="running")
    mass = put(acme, number, clock, source="broadcast", origin_id=broadcast.pk)
    QueuedMessage.objects.filter(pk=mass.pk).update(broadcast=broadcast)
    [message] = claim(alice_device, number)
    Broadcast.objects.update(state=state)
    assert problem(report(alice_device, message, "sending")) == (409, "wrong_state")
    assert (state_of(message), story(message)[0][1]) == (becomes, "withdrawn")


@pytest.mark.django_db
def test_lets_no_message_overtake_one_that_is_held(alice_device, acme, number, clock):
    first = put(acme, number, clock, body="first")
    put(acme, number, clock, body="second", due_at=clock() + timedelta(seconds=1))
    QueuedMessage.objects.filter(pk=first.pk).update(not_before=clock() + timedelta(hours=1), held_by="quiet_hours")
    clock.advance(1)
    assert claim(alice_device, number) == []
    QueuedMessage.objects.filter(pk=first.pk).update(not_before=clock())
    assert [message["body"] for message in claim(alice_device, number)] == ["first", "second"]


@pytest.mark.django_db
def test_hands_out_file_with_link(alice_device, acme, number, clock):
    media = MediaFile.objects.create(
        workspace=acme, file="media/x", sha256=b"1" * 32, media_type="image/jpeg", name="a.jpg", size=7
    )
    put(acme, number, clock, media_id=media.pk)
    put(acme, number, clock, chat_jid="5521912345678@c.us")
    with_file, without = claim(alice_device, number)
    assert without["media"] is None
    shown = {name: with_file["media"][name] for name in ("id", "media_type", "name", "size")}
    assert shown == {"id": str(media.pk), "media_type": "image/jpeg", "name": "a.jpg", "size": 7}
    assert with_file["media"]["url"]


@pytest.mark.django_db
def test_asks_what_to_do_with_late_message(alice_device, bob_device, acme, number, clock):
    row = put(acme, number, clock, on_late="ask", expires_at=clock() + timedelta(minutes=5))
    clock.advance(300)
    assert settle_expired_leases() == {"late": 1}
    assert claim(alice_device, number) == []
    path = f"/api/v1/dispatch/{row.pk}/decide/"
    answer = bob_device.client.post(path, {"decision": "send"}).json()
    assert (answer["state"], answer["due_at"], answer["expires_at"]) == (
        *("queued", "2026-06-01T12:05:00Z"),
        "2026-06-01T12:10:00Z",
    )
    assert [message["id"] for message in claim(alice_device, number)] == [str(row.pk)]
    with nothing_happens():
        assert problem(bob_device.client.post(path, {"decision": "skip"}))[:2] == (409, "wrong_state")
    assert kinds(row.pk) == ["message.late", "message.queued"]


@pytest.mark.django_db
def test_skips_late_message_when_member_decides_so(alice_device, acme, number, clock):
    row = put(acme, number, clock, on_late="ask", expires_at=clock() + timedelta(minutes=5))
    clock.advance(300)
    settle_expired_leases()
    path = f"/api/v1/dispatch/{row.pk}/decide/"
    answer = alice_device.client.post(path, {"decision": "skip"})
    assert (answer.json()["state"], answer.json()["reason_code"]) == ("skipped", "not_wanted")
    with nothing_happens():
        assert alice_device.client.post(path, {"decision": "skip"}).json() == answer.json()


# --- Verdicts ---


def candidate(chat: str = "a", **values) -> Candidate:
    defaults = {"source": "scheduled", "in_bin": False, "suppressed": False, "unreachable": False, "is_new": False}
    return Candidate(id=uuid7(), chat_key=chat, recipient_zone="", **{**defaults, **values})


def decide(candidates, *, most: int = 100, **budget):
    return judge(candidates, BudgetNow(**budget), now=NOW, chance=random.Random(1), most=most)


def test_keeps_distance_between_messages():
    rows = [candidate(str(index)) for index in range(5)]
    verdicts = decide(rows, spacing=8.0)
    assert [(at - NOW).total_seconds() for _, at, _ in verdicts.handed] == [0, 8, 16]
    assert (verdicts.stopped_by, verdicts.next_at) == ("spacing", NOW + timedelta(seconds=24) - MAX_AHEAD / 2)
    assert verdicts.next_send_at == NOW + timedelta(seconds=24)


def test_sends_own_message_at_once_and_counts_it():
    rows = [candidate("a"), candidate("b", source="direct"), candidate("c")]
    verdicts = decide(rows, spacing=8.0)
    assert [(at - NOW).total_seconds() for _, at, _ in verdicts.handed] == [0, 0, 16]


def test_stops_at_end_of_hour():
    until = NOW + timedelta(minutes=7)
    verdicts = decide([candidate(str(n)) for n in range(5)], left_hour=2, hour_ends_at=until)
    assert (len(verdicts.handed), verdicts.stopped_by, verdicts.next_at) == (2, "hour", until)


def test_sends_own_message_when_hour_is_used_up():
    rows = [candidate("a", source="direct"), candidate("b", source="auto_reply"), candidate("c")]
    verdicts = decide(rows, left_hour=0, hour_ends_at=NOW + timedelta(minutes=7))
    assert [one for one, *_ in verdicts.handed] == [rows[0].id, rows[1].id]
    assert verdicts.stopped_by == "hour"


def test_holds_new_contacts_beyond_their_number_and_lets_others_go():
    tomorrow = NOW + timedelta(hours=12)
    rows = [candidate("a", is_new=True), candidate("a", is_new=True), candidate("b", is_new=True), candidate("c")]
    verdicts = decide(rows, left_new=1, day_ends_at=tomorrow)
    assert [(one, is_new) for one, _, is_new in verdicts.handed] == [
        (rows[0].id, True),
        (rows[1].id, False),
        (rows[3].id, False),
    ]
    assert verdicts.held == [(rows[2].id, tomorrow, "new_contacts")]


def test_holds_later_messages_of_chat_with_the_one_that_is_held():
    rows = [candidate("a", in_bin=True), candidate("a"), candidate("b")]
    verdicts = decide(rows)
    assert [one for one, *_ in verdicts.handed] == [rows[2].id]
    assert verdicts.held == [(rows[0].id, NOW + BIN_LOOK, "in_bin")]


kinds_of_candidates = st.builds(
    candidate,
    st.sampled_from("abc"),
    source=st.sampled_from(["direct", "scheduled", "broadcast", "auto_reply"]),
    in_bin=st.booleans(),
    suppressed=st.booleans(),
    is_new=st.booleans(),
)


# A machine that does much beside draws slowly.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(kinds_of_candidates, max_size=12),
    st.one_of(st.none(), st.integers(0, 5)),
    st.one_of(st.none(), st.integers(0, 2)),
    st.sampled_from([0.0, 3.0, 30.0]),
    st.integers(1, 12),
)
def test_judges_within_limits_and_in_order(rows, left_hour, left_new, spacing, most):
    verdicts = decide(
        rows,
        most=most,
        left_hour=left_hour,
        left_new=left_new,
        spacing=spacing,
        hour_ends_at=NOW + timedelta(hours=1),
        day_ends_at=NOW + timedelta(hours=9),
    )
    by_id = {row.id: row for row in rows}
    handed = [by_id[one] for one, *_ in verdicts.handed]
    waiting_for = [row for row in handed if row.source in ("scheduled", "broadcast")]
    decided = {row.id for row in handed} | {one for one, *_ in verdicts.held} | {one for one, *_ in verdicts.skipped}
    assert len(decided) == len(handed) + len(verdicts.held) + len(verdicts.skipped)
    assert len(handed) <= most
    if left_hour is not None:
        assert len(waiting_for) <= left_hour
    if left_new is not None:
        news = [by_id[one] for one, _, is_new in verdicts.handed if is_new]
        assert sum(row.source in ("scheduled", "broadcast") for row in news) <= left_new
    assert all(NOW <= at <= NOW + MAX_AHEAD for _, at, _ in verdicts.handed)
    assert not any(row.suppressed or row.in_bin for row in handed)
    for chat in "abc":
        going = [row for row in rows if row.chat_key == chat and not row.suppressed]
        assert [row for row in handed if row.chat_key == chat] == going[: sum(row.chat_key == chat for row in handed)]
