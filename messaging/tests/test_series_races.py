"""Real threads with connections of their own: the sweep against pauses, exceptions, cancels and edits of a series."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from accounts import actors
from accounts.services import plans
from messaging.models import QueuedMessage, ScheduledMessage, ScheduledRecipient
from messaging.services.scheduling import (
    cancel_scheduled_message,
    pause_series,
    queue_due_messages,
    resume_series,
    skip_occurrence,
    update_scheduled_message,
)
from messaging.tests.calls import waiting
from messaging.tests.schedules import make_schedule
from messaging.tests.test_dispatch_races import offsets, together

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 12
DUE = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def series(acme, number, clock):
    """Makes a daily series that is due in half a minute, counted in the plan."""

    def make() -> ScheduledMessage:
        message = make_schedule(
            number, chat_jid="5511987654321@c.us", rrule="FREQ=DAILY", wall_time=DUE.replace(tzinfo=None), due_at=DUE
        )
        plans.recount(acme)
        return message

    return make


def in_queue(message) -> list[tuple[str, datetime]]:
    return list(QueuedMessage.objects.filter(scheduled_message=message).values_list("state", "due_at"))


def test_pauses_or_queues(acme, series, clock):
    """Whoever was first: a paused series has nothing in the queue, and goes on with the same time if it is still to come."""
    endings = Counter()
    for turn in range(ROUNDS):
        message = series()
        values = {"workspace": acme, "message_id": message.pk, "actor": actors.SYSTEM}
        _, swept = together(lambda: pause_series(**values), queue_due_messages, offsets=offsets(turn))  # noqa: B023
        endings[swept] += 1
        message.refresh_from_db()
        assert (message.state, in_queue(message), waiting(acme)) == ("paused", [], 1)
        assert queue_due_messages() == 0
        resume_series(**values)
        assert (queue_due_messages(), in_queue(message)) == (1, [("queued", DUE)])
        message.delete()
    assert set(endings) == {0, 1}


def test_leaves_out_or_queues(acme, series, clock):
    """The time that is left out is not in the queue, whoever was first; the next day's is what comes."""
    for turn in range(ROUNDS):
        message = series()
        values = {"workspace": acme, "message_id": message.pk, "actor": actors.SYSTEM, "wall_time": message.wall_time}
        together(lambda: skip_occurrence(**values), queue_due_messages, offsets=offsets(turn))  # noqa: B023
        assert in_queue(message) == []
        assert message.recipients.get().next_at == DUE + timedelta(days=1)
        assert queue_due_messages() == 0
        message.delete()


def test_cancels_or_queues(acme, series, clock):
    """After a cancel nothing of it waits: it never entered the queue, or is cancelled there."""
    for turn in range(ROUNDS):
        message = series()
        values = {"workspace": acme, "message_id": message.pk, "actor": actors.SYSTEM}
        together(lambda: cancel_scheduled_message(**values), queue_due_messages, offsets=offsets(turn))  # noqa: B023
        assert in_queue(message) in ([], [("cancelled", DUE)])
        assert (queue_due_messages(), waiting(acme)) == (0, 0)
        message.delete()


def test_moves_or_queues(acme, series, clock):
    """Another time of day: today's old time is sent to nobody, and the new one once."""
    new = DUE + timedelta(hours=1)
    for turn in range(ROUNDS):
        message = series()
        values = {"workspace": acme, "message_id": message.pk, "actor": actors.SYSTEM}
        together(
            lambda: update_scheduled_message(**values, wall_time=new.replace(tzinfo=None)),  # noqa: B023
            queue_due_messages,
            offsets=offsets(turn),
        )
        assert in_queue(message) == []
        clock.now, before = new, clock.now
        assert (queue_due_messages(), queue_due_messages(), in_queue(message)) == (1, 0, [("queued", new)])
        clock.now = before
        message.delete()
    assert waiting(acme) >= 0


def test_several_workers_queue_each_time_once(acme, number, clock):
    """Six workers over 120 series of three recipients: each time of each once, and each goes on tomorrow."""
    for index in range(120):
        message = make_schedule(number, chat_jid=f"551198765{index:04}@c.us", rrule="FREQ=DAILY", due_at=DUE)
        for more in (1, 2):
            ScheduledRecipient.objects.create(
                workspace=acme,
                scheduled_message=message,
                chat_jid=f"55118765{more}{index:04}@c.us",
                keeps_address=True,
                time_zone="UTC",
                next_wall=DUE.replace(tzinfo=None),
                next_at=DUE,
            )
    plans.recount(acme)
    counts = together(*([lambda: queue_due_messages(limit=50)] * 6))
    while queue_due_messages(limit=50):
        pass
    assert sum(counts) >= 50
    assert set(counts) <= {0, 50}
    assert QueuedMessage.objects.count() == QueuedMessage.objects.values("chat_jid").distinct().count() == 360
    assert set(ScheduledRecipient.objects.values_list("next_at", flat=True)) == {DUE + timedelta(days=1)}
    assert set(ScheduledMessage.objects.values_list("due_at", "state")) == {(DUE + timedelta(days=1), "waiting")}
    assert (waiting(acme), plans.recount(acme)) == (360, {})
