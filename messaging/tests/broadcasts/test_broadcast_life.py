"""A running broadcast: paused, resumed, cancelled, put off, ended; answers, opt-outs, the report, the table."""

import csv
import io
from collections import Counter
from datetime import timedelta

import pytest

from accounts import actors
from accounts.models import Event, Resource
from accounts.services import plans
from accounts.tests.together import assert_refused
from crm.models import Contact
from messaging.models import Broadcast, QueuedMessage
from messaging.services.broadcasts import running
from messaging.services.broadcasts.running import settle_broadcasts
from messaging.services.observed import ObservedMessage, tell_observers
from messaging.services.suppression import suppress
from messaging.tests.broadcasts.calls import BROADCASTS, act, add_people, draft, post, read, started, states
from messaging.tests.calls import claim, report, story

pytestmark = pytest.mark.django_db


def used(workspace) -> int:
    return plans.used_of(workspace=workspace, resource=Resource.BROADCAST_RECIPIENTS)


def row_of(broadcast) -> dict:
    return {"id": str(broadcast.pk)}


def send(broadcast, clock, *names, state="sent", **values) -> None:
    QueuedMessage.objects.filter(broadcast=broadcast, contact__name__in=names).update(
        state=state, sent_at=clock(), sending_at=clock(), **values
    )


def hear(workspace, user, message: QueuedMessage, clock, **changes) -> None:
    """The person to whom a message went writes back."""
    seen = {
        "whatsapp_account_id": message.whatsapp_account_id,
        "chat_jid": message.chat_jid,
        "chat_id": None,
        "contact_id": message.contact_id,
        "from_me": False,
        "message_id": f"3EB0{clock().timestamp()}",
        "participant": "",
        "type": "chat",
        "text": None,
        "sent_at": clock(),
        "is_live": True,
    }
    tell_observers(workspace, actors.person(user), [ObservedMessage(**seen | changes)])


def test_hands_out_only_while_it_runs(alice_device, acme, number, clock):
    add_people(acme, "Ana", "Bruno", "Carla")
    broadcast = started(alice_device, number)
    assert act(alice_device, row_of(broadcast), "pause")["state"] == "paused"
    assert claim(alice_device, number, limit=1) == []
    assert act(alice_device, row_of(broadcast), "pause")["state"] == "paused"
    assert act(alice_device, row_of(broadcast), "resume")["state"] == "running"
    clock.advance(60)
    assert [message["body"] for message in claim(alice_device, number, limit=1)] == ["Hello Ana!"]
    kinds = Event.objects.filter(object_id=broadcast.pk, kind__in=["broadcast.paused", "broadcast.resumed"])
    assert list(kinds.order_by("id").values_list("kind", flat=True)) == ["broadcast.paused", "broadcast.resumed"]


@pytest.mark.parametrize(
    ("action", "answer", "told"),
    [("pause", (200, "sending"), [(1, "")]), ("cancel", (409, "wrong_state"), [(1, "withdrawn")])],
)
def test_permission_is_asked_for_again_after(alice_device, acme, number, action, answer, told):
    """What a pause finds under way may go out; what a cancellation finds and nobody has sent may not."""
    add_people(acme, "Ana")
    broadcast = started(alice_device, number)
    [message] = claim(alice_device, number, limit=1)
    assert report(alice_device, message, "sending").status_code == 200
    act(alice_device, row_of(broadcast), action)
    again = report(alice_device, message, "sending")
    assert (again.status_code, again.json().get("code") or again.json()["state"]) == answer
    assert states(broadcast) == {"sending" if action == "pause" else "cancelled": 1}
    assert [(fence, outcome) for fence, outcome, _ in story(message)] == told


def test_sends_nothing_to_who_opted_out_after_the_start(alice_device, alice, acme, number, clock):
    ana, _bruno = add_people(acme, "Ana", "Bruno")
    broadcast = started(alice_device, number)
    suppress(workspace=acme, actor=actors.person(alice), source="person", contact=ana)
    bodies = []
    for _ in range(4):
        clock.advance(120)
        bodies += [message["body"] for message in claim(alice_device, number, limit=1)]
    assert bodies == ["Hello Bruno!"]
    message = QueuedMessage.objects.get(broadcast=broadcast, contact=ana)
    assert (message.state, message.reason_code) == ("skipped", "opted_out")


def test_cancels_what_nobody_has_and_gives_the_plan_back(alice_device, acme, number, clock):
    add_people(acme, "Ana", "Bruno", "Carla")
    broadcast = started(alice_device, number)
    assert used(acme) == 3
    send(broadcast, clock, "Ana")
    QueuedMessage.objects.filter(broadcast=broadcast, contact__name="Bruno").update(
        state="leased", fence=1, claimed_at=clock(), lease_until=clock() + timedelta(minutes=1)
    )
    assert act(alice_device, row_of(broadcast), "cancel")["state"] == "cancelled"
    assert claim(alice_device, number) == []
    assert settle_broadcasts() == {"cancelled": 1, "put_off": 0, "ended": 0}
    assert states(broadcast) == {"sent": 1, "leased": 1, "cancelled": 1} and used(acme) == 2
    QueuedMessage.objects.filter(broadcast=broadcast, state="leased").update(state="queued", lease_until=None)
    assert settle_broadcasts() == {"cancelled": 1, "put_off": 0, "ended": 1}
    assert settle_broadcasts() == {"cancelled": 0, "put_off": 0, "ended": 0}
    broadcast.refresh_from_db()
    assert (broadcast.state, broadcast.finished_at, used(acme)) == ("cancelled", clock(), 1)
    for action in ("pause", "resume", "start"):
        assert_refused(post(alice_device, f"{broadcast.pk}/{action}/"), "wrong_state")


def test_gives_nothing_back_to_another_month(alice_device, acme, number, clock):
    add_people(acme, "Ana", "Bruno")
    broadcast = started(alice_device, number)
    clock.advance(31 * 86400)
    plans.reserve(workspace=acme, resource=Resource.BROADCAST_RECIPIENTS, amount=5)
    act(alice_device, row_of(broadcast), "cancel")
    settle_broadcasts()
    assert used(acme) == 5


def test_cancels_before_the_start(alice_device, acme, number, clock):
    add_people(acme, "Ana")
    row = draft(alice_device, number, start_wall="2026-06-02T09:00")
    act(alice_device, row, "start")
    assert act(alice_device, row, "cancel")["state"] == "cancelled"
    clock.advance(2 * 86400)
    settle_broadcasts()
    broadcast = Broadcast.objects.get(pk=row["id"])
    assert (broadcast.state, broadcast.started_at) == ("cancelled", None) and used(acme) == 0


def test_settles_what_stands_behind_one_that_cannot_be_settled(alice_device, acme, number, monkeypatch):
    add_people(acme, "Ana")
    broken, sound = (started(alice_device, number) for _ in range(2))
    for broadcast in (broken, sound):
        act(alice_device, row_of(broadcast), "cancel")
    cancel_chunk = running._cancel_chunk

    def cancel_all_but_one(broadcast_id):
        if broadcast_id == broken.pk:
            raise ZeroDivisionError
        return cancel_chunk(broadcast_id)

    monkeypatch.setattr(running, "_cancel_chunk", cancel_all_but_one)
    assert settle_broadcasts() == {"cancelled": 1, "put_off": 0, "ended": 1}
    assert (states(broken), states(sound)) == (Counter(queued=1), Counter(cancelled=1))


def test_ends_when_nothing_is_left(alice_device, acme, number, clock):
    add_people(acme, "Ana", "Bruno")
    broadcast = started(alice_device, number)
    send(broadcast, clock, "Ana", state="read")
    send(broadcast, clock, "Bruno", state="outcome_unknown")
    assert settle_broadcasts()["ended"] == 0
    send(broadcast, clock, "Bruno", state="failed")
    assert settle_broadcasts()["ended"] == 1
    broadcast.refresh_from_db()
    assert (broadcast.state, broadcast.finished_at) == ("done", clock())
    assert Event.objects.get(kind="broadcast.finished").count == 2


def test_plans_by_the_rate_within_the_hours(alice_device, acme, number, clock):
    add_people(acme, *"ABCDE")
    hours = {"from": "13:00", "to": "15:00", "of": "sender"}
    broadcast = started(alice_device, number, hours=hours, rate_per_hour=2)
    planned = QueuedMessage.objects.filter(broadcast=broadcast).order_by("id").values_list("not_before", "held_by")
    times = [(moment.strftime("%d %H:%M"), held) for moment, held in planned]
    assert times == [(at, "broadcast_plan") for at in ("01 13:00", "01 13:30", "01 14:00", "01 14:30", "02 13:00")]
    assert claim(alice_device, number) == []


def test_plans_by_the_clock_of_each_recipient(alice_device, acme, number, clock):
    add_people(acme, "Berlin", first=4915112345678)
    add_people(acme, "London", first=447400123456)
    hours = {"from": "13:00", "to": "18:00"}
    broadcast = started(alice_device, number, hours=hours)
    rows = QueuedMessage.objects.filter(broadcast=broadcast).order_by("id").values_list("recipient_zone", "not_before")
    assert dict(rows) == {"Europe/Berlin": clock(), "Europe/London": clock()}  # 14:00 and 13:00 in summer
    assert sorted(broadcast.zones) == ["Europe/Berlin", "Europe/London"]


def test_leaves_out_who_cannot_be_reached_before_the_end(alice_device, acme, number):
    add_people(acme, *"ABC")
    broadcast = started(alice_device, number, rate_per_hour=1, end_wall="2026-06-01T13:30")
    assert broadcast.left_out == {"no_time": 1} and broadcast.recipients == 2 and used(acme) == 2


def test_puts_off_what_the_hours_have_passed(alice_device, acme, number, clock):
    add_people(acme, "Ana", "Bruno")
    hours = {"from": "09:00", "to": "13:00", "of": "sender", "days": [1, 3]}
    broadcast = started(alice_device, number, hours=hours)
    clock.advance(3600)
    assert claim(alice_device, number) == []  # also before the sweep
    assert settle_broadcasts()["put_off"] == 2
    rows = QueuedMessage.objects.filter(broadcast=broadcast).values_list("not_before", "held_by").distinct()
    assert [(moment.isoformat(), held) for moment, held in rows] == [("2026-06-03T09:00:00+00:00", "broadcast_hours")]
    assert settle_broadcasts()["put_off"] == 0


def test_notes_an_answer_once_on_the_latest_message(alice_device, alice, acme, number, clock):
    add_people(acme, "Ana", "Bruno")
    first = started(alice_device, number)
    send(first, clock, "Ana", "Bruno", state="read")
    clock.advance(86400)
    second = started(alice_device, number)
    send(second, clock, "Ana")
    message = QueuedMessage.objects.get(broadcast=second, contact__name="Ana")
    answered = clock.advance(3600)
    hear(acme, alice, message, clock, from_me=True)
    hear(acme, alice, message, clock, is_live=False)
    assert not QueuedMessage.objects.filter(replied_at__isnull=False).exists()
    hear(acme, alice, message, clock)
    clock.advance(3600)
    hear(acme, alice, message, clock)
    rows = QueuedMessage.objects.filter(replied_at__isnull=False).values_list("broadcast", "replied_at")
    assert list(rows) == [(second.pk, answered)]
    assert read(alice_device, second, "report/")["replied"] == 1
    clock.advance(8 * 86400)
    hear(acme, alice, QueuedMessage.objects.get(broadcast=first, contact__name="Bruno"), clock)
    assert read(alice_device, first, "report/")["replied"] == 0


def test_notes_an_answer_of_who_was_merged(alice_device, alice, acme, number, clock):
    ana, bruno = add_people(acme, "Ana", "Bruno")
    broadcast = started(alice_device, number)
    send(broadcast, clock, "Ana")
    Contact.objects.filter(pk=ana.pk).update(merged_into=bruno)
    message = QueuedMessage.objects.get(broadcast=broadcast, contact=ana)
    hear(acme, alice, message, clock, contact_id=bruno.pk)
    message.refresh_from_db()
    assert message.replied_at == clock()


def test_reports_what_became_of_everybody(alice_device, alice, acme, number, clock):
    people = add_people(acme, *"ABCDEF")
    people[5].identities.all().delete()
    broadcast = started(alice_device, number)
    send(broadcast, clock, "A", state="read", delivered_at=clock(), read_at=clock())
    send(broadcast, clock, "B", state="delivered", delivered_at=clock())
    send(broadcast, clock, "C", state="failed", reason_code="not_on_whatsapp", reason="The number is not on WhatsApp.")
    send(broadcast, clock, "D", state="skipped", reason_code="opted_out", reason="No.")
    clock.advance(60)
    suppress(workspace=acme, actor=actors.person(alice), source="opt_out_word", contact=people[0], word="stop")
    report = read(alice_device, broadcast, "report/")
    assert {name: value for name, value in report.items() if isinstance(value, int)} == {
        "recipients": 5, "queued": 1, "sent": 2, "delivered": 2, "read": 1, "replied": 0, "opted_out": 1,
        "outcome_unknown": 0, "cancelled": 0,
    }  # fmt: skip
    assert report["failed"] == [{"code": "not_on_whatsapp", "reason": "The number is not on WhatsApp.", "count": 1}]
    assert report["skipped"] == [{"code": "opted_out", "reason": "No.", "count": 1}]
    assert [(each["reason"], each["count"]) for each in report["left_out"]] == [("no_identity", 1)]
    assert report["hours"] == [{"hour": "2026-06-01T12:00:00Z", "sent": 4, "delivered": 2, "read": 1, "replied": 0}]
    assert read(alice_device, broadcast)["progress"] == {
        "read": 1, "delivered": 1, "failed": 1, "skipped": 1, "queued": 1
    }  # fmt: skip


def test_counts_a_person_by_the_part_that_came_the_least_far(alice_device, acme, number, clock):
    add_people(acme, "Ana")
    broadcast = started(alice_device, number, parts=[{"body": "One"}, {"body": "Two"}])
    rows = QueuedMessage.objects.filter(broadcast=broadcast)
    rows.filter(position=0).update(state="read", sent_at=clock())
    report = read(alice_device, broadcast, "report/")
    assert (report["recipients"], report["queued"], report["read"]) == (1, 1, 0)
    rows.filter(position=1).update(state="failed", reason_code="other", reason="No.")
    [person] = read(alice_device, broadcast, "recipients/")["results"]
    assert (person["name"], person["state"], person["reason"]) == ("Ana", "failed", "No.")


def test_lists_recipients_page_by_page(alice_device, charlie_device, acme, number, clock):
    add_people(acme, *"ABCDE")
    broadcast = started(alice_device, number)
    send(broadcast, clock, "B", "D")
    page = read(alice_device, broadcast, "recipients/", limit=3)
    assert [row["name"] for row in page["results"]] == ["A", "B", "C"]
    rest = read(alice_device, broadcast, "recipients/", limit=3, cursor=page["next_cursor"])
    assert [row["name"] for row in rest["results"]] == ["D", "E"] and rest["next_cursor"] is None
    sent = read(alice_device, broadcast, "recipients/", state="sent")["results"]
    assert [row["name"] for row in sent] == ["B", "D"]
    answer = alice_device.client.get(f"{BROADCASTS}{broadcast.pk}/recipients/", {"state": "x"})
    assert_refused(answer, "invalid")
    for path in ("", "report/", "recipients/", "left-out/", "export/"):
        assert_refused(charlie_device.client.get(f"{BROADCASTS}{broadcast.pk}/{path}"), "not_found")


def test_exports_everybody_without_formulas(alice_device, acme, number, clock):
    people = add_people(acme, "=cmd()", "Bruno", "Carla")
    people[2].identities.all().delete()
    broadcast = started(alice_device, number)
    send(broadcast, clock, "Bruno", state="read", read_at=clock())
    answer = alice_device.client.get(f"{BROADCASTS}{broadcast.pk}/export/")
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert rows == [
        ["Name", "WhatsApp ID", "State", "Reason", "Sent", "Delivered", "Read", "Answered"],
        ["'=cmd()", "5511987650000@c.us", "Waiting for a device", "", "", "", "", ""],
        ["Bruno", "5511987650001@c.us", "Read", "", "2026-06-01 12:00:00+00:00", "", "2026-06-01 12:00:00+00:00", ""],
        ["Carla", "", "Left out", "No number and no WhatsApp ID", "", "", "", ""],
    ]
    assert Event.objects.get(kind="broadcast.exported").count == 2
