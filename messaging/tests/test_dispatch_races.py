"""Real threads with connections of their own: claims, sweeps, edits and cancels that meet."""

import random
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts import actors
from accounts.models import Plan, Resource
from accounts.services import plans
from conftest import make_device
from messaging.models import DispatchAttempt, QueuedMessage, ScheduledMessage
from messaging.services.dispatch import claim_messages, report_message, settle_expired_leases
from messaging.services.scheduling import (
    cancel_scheduled_message,
    queue_all_due,
    queue_due_messages,
    schedule_message,
    update_scheduled_message,
)
from messaging.services.scheduling.recipients import To
from messaging.tests.calls import CHAT, handed, waiting
from messaging.tests.conftest import add_number
from messaging.tests.schedules import make_schedule
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)

CLAIMERS = 8
ROUNDS = 25


def together(*functions, offsets=()) -> list:
    """Let functions start at one moment (or so many seconds after it); answers what they return or are refused with."""
    barrier = threading.Barrier(len(functions))

    def run(index):
        try:
            connection.ensure_connection()
            barrier.wait(10)
            if offsets and offsets[index]:
                time.sleep(offsets[index])
            return functions[index]()
        except Refused as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, range(len(functions))))


def offsets(turn: int) -> tuple[float, float]:
    """The first rounds let one side win for certain, so that both endings are met; the rest is left to chance."""
    certain = [(0, 0.5), (0.5, 0)]
    return certain[turn] if turn < len(certain) else (random.random() * 0.004, random.random() * 0.004)


class Cast:
    """Alice's workspace, and the calls of her devices without the parts that do not change."""

    def __init__(self, workspace, person, number, clock):
        self.workspace, self.person, self.number, self.clock = workspace, person, number, clock
        self.actor = actors.person(person)
        self.device = make_device(person, workspace).instance

    def schedule(self, **values) -> ScheduledMessage:
        defaults = {"wall_time": self.clock().replace(tzinfo=None), "time_zone": "UTC"}
        values = {"recipients": [To(chat_jid=CHAT)], "parts": [{"body": values.pop("body", "old")}], **values}
        return schedule_message(
            workspace=self.workspace,
            user=self.person,
            actor=self.actor,
            whatsapp_account=values.pop("number", self.number),
            **defaults | values,
        )[0]

    def fill(self, numbers, chats: int, each: int) -> None:
        """Many due messages at once: for every number, in every chat, numbered in the order in which they are due."""
        plans.reserve(
            workspace=self.workspace,
            resource=Resource.SCHEDULED_MESSAGES,
            amount=len(numbers) * chats * each,
        )
        now = self.clock()
        for number in numbers:
            for chat in range(chats):
                for index in range(each):
                    # two by two for the same moment: those go in the order of their ids
                    due_at = now - timedelta(minutes=1) + timedelta(milliseconds=index // 2)
                    make_schedule(number, chat_jid=f"55119000000{chat:02}@c.us", body=str(index), due_at=due_at)

    def claim(self, *, instance=None, number=None, limit=10):
        claim = claim_messages(
            workspace=self.workspace,
            account_id=(number or self.number).pk,
            instance=instance or self.device,
            claim_id=uuid7(),
            limit=limit,
        )
        return handed(claim)

    def report(self, message, what, *, instance=None):
        return report_message(
            workspace=self.workspace,
            message_id=message.pk,
            instance=instance or self.device,
            actor=self.actor,
            fence=message.fence,
            report=what,
        )

    def edit(self, message, **values):
        return update_scheduled_message(workspace=self.workspace, message_id=message.pk, actor=self.actor, **values)

    def cancel(self, message):
        return cancel_scheduled_message(workspace=self.workspace, message_id=message.pk, actor=self.actor)


@pytest.fixture
def cast(acme, alice, number, clock) -> Cast:
    return Cast(acme, alice, number, clock)


def test_hands_out_each_message_once(cast, acme, alice):
    """400 messages, 4 numbers, 8 devices that ask for all of them: each once, and every chat in its order."""
    numbers = [add_number(acme, f"55119222200{index:02}") for index in range(4)]
    cast.fill(numbers, chats=20, each=5)
    assert queue_due_messages() == 400
    devices = [make_device(alice, acme).instance for _ in range(CLAIMERS)]
    handed_out, sent, lock = [], defaultdict(list), threading.Lock()

    def work(device):
        chance = random.Random(str(device.pk))
        while len(handed_out) < 400:
            for number in chance.sample(numbers, len(numbers)):
                messages = cast.claim(instance=device, number=number, limit=chance.randint(1, 12))
                with lock:
                    handed_out.extend(message.pk for message in messages)
                for message in messages:
                    with lock:
                        sent[message.whatsapp_account_id, message.chat_jid].append(int(message.body))
                    cast.report(message, "sent", instance=device)
        return None

    assert together(*(lambda device=device: work(device) for device in devices)) == [None] * CLAIMERS
    assert (len(handed_out), len(set(handed_out))) == (400, 400)
    assert list(sent.values()) == [[0, 1, 2, 3, 4]] * 80
    assert Counter(QueuedMessage.objects.values_list("state", "fence")) == {("sent", 1): 400}
    attempts = DispatchAttempt.objects.values_list("fence", "outcome", "instance")
    assert Counter((fence, outcome) for fence, outcome, _ in attempts) == {(1, "sent"): 400}
    assert len({instance for *_, instance in attempts}) > 1  # several devices did the work


def test_queues_each_occurrence_once(cast, acme, number):
    cast.fill([number], chats=20, each=15)
    assert waiting(acme) == 300
    counts = together(*([lambda: queue_due_messages(limit=70)] * 6))
    assert sum(counts) == QueuedMessage.objects.count() <= 300
    while queue_due_messages(limit=70):
        pass
    assert QueuedMessage.objects.values("scheduled_message").distinct().count() == QueuedMessage.objects.count() == 300
    assert QueuedMessage.objects.values("message_id").distinct().count() == 300
    assert (waiting(acme), plans.recount(acme).get("scheduled_messages")) == (0, None)


def test_cancels_or_hands_out(cast, acme):
    """Cancelled and never handed out, or handed out and the cancel refused; never both, never neither."""
    endings = Counter()
    for turn in range(ROUNDS):
        message = cast.schedule()
        queue_due_messages()
        cancelled, claimed = together(lambda: cast.cancel(message), cast.claim, offsets=offsets(turn))  # noqa: B023
        row = QueuedMessage.objects.get(scheduled_message=message)
        if isinstance(cancelled, Refused):
            assert (cancelled.code, cancelled.extra) == ("wrong_state", {"dispatch_state": "leased"})
            assert [one.pk for one in claimed] == [row.pk]
            assert (row.state, row.fence, row.attempts.count()) == ("leased", 1, 0)
            cast.report(claimed[0], "sent")
            endings["handed out"] += 1
        else:
            assert claimed == []
            assert (row.state, row.attempts.count(), row.fence) == ("cancelled", 0, 0)
            assert cast.claim() == []
            endings["cancelled"] += 1
        assert waiting(acme) == 0
    assert set(endings) == {"handed out", "cancelled"}


def test_edits_or_hands_out(cast, acme):
    """What is handed out is the text as it was, and the edit is refused; or the edit counts, and only the new text goes."""
    endings = Counter()
    for turn in range(ROUNDS):
        message = cast.schedule()
        queue_due_messages()
        edited, claimed = together(
            lambda: cast.edit(message, parts=[{"body": "new"}]),  # noqa: B023
            cast.claim,
            offsets=offsets(turn),
        )
        if isinstance(edited, Refused):
            assert edited.code == "wrong_state"
            endings["handed out"] += 1
        else:
            # The message kept its place: a claim that waited for the edit has the new text.
            claimed = claimed or cast.claim()
            endings["edited"] += 1
        assert queue_due_messages() == 0
        assert [one.body for one in claimed] == ["old" if isinstance(edited, Refused) else "new"]
        cast.report(claimed[0], "sent")
        assert waiting(acme) == 0
    assert set(endings) == {"handed out", "edited"}


def test_edits_before_or_after_sweep(cast, acme):
    """A sweep and an edit at once: the message is waiting or queued, once, and always with the new text."""
    endings = Counter()
    for turn in range(ROUNDS):
        message = cast.schedule()
        edited, swept = together(
            lambda: cast.edit(message, parts=[{"body": "new"}]),  # noqa: B023
            queue_due_messages,
            offsets=offsets(turn),
        )
        assert not isinstance(edited, Refused)
        rows = list(QueuedMessage.objects.filter(scheduled_message=message).values_list("state", "body"))
        message.refresh_from_db()
        if rows:
            assert (rows, message.state, waiting(acme), swept) == ([("queued", "new")], "queued", 0, 1)
            endings["one after the other"] += 1
        else:
            assert (message.state, waiting(acme), swept) == ("waiting", 1, 0)
            assert queue_due_messages() == 1
            endings["sweep passed by"] += 1
        [claimed] = cast.claim()
        assert (claimed.scheduled_message_id, claimed.body, claimed.fence) == (message.pk, "new", 1)
        cast.report(claimed, "sent")
    assert endings["one after the other"] >= 1


def test_takes_late_fact_or_refuses_second_send(cast, acme, alice, clock):
    """“Sent” comes late while another device claims: that one gets nothing, or is refused before it sends."""
    second = make_device(alice, acme).instance
    for turn in range(ROUNDS):
        message = cast.schedule()
        queue_due_messages()
        clock.advance(61)  # the number is free again
        [stale] = cast.claim()
        clock.advance(61)
        settle_expired_leases()
        told, claimed = together(
            lambda: cast.report(stale, "sent"),  # noqa: B023
            lambda: cast.claim(instance=second),
            offsets=offsets(turn),
        )
        assert told.state == "sent"
        for one in claimed:
            with pytest.raises(Refused, match="wrong_state"):
                cast.report(one, "sending", instance=second)
        assert QueuedMessage.objects.get(scheduled_message=message).state == "sent"


def test_keeps_order_of_chat_while_its_first_message_is_looked_at(cast):
    """Somebody holds the first message for a moment (an edit that changes nothing): the second must not overtake it."""
    messages = [cast.schedule(body=body) for body in ("first", "second")]
    queue_due_messages()
    locked, let_go = threading.Event(), threading.Event()

    def look():
        with transaction.atomic():
            QueuedMessage.objects.select_for_update().get(scheduled_message=messages[0])
            locked.set()
            let_go.wait(10)

    def ask():
        locked.wait(10)
        threading.Timer(0.3, let_go.set).start()
        return cast.claim(limit=1)

    _, claimed = together(look, ask)
    assert [message.body for message in claimed] == ["first"]


def test_keeps_order_of_number_while_an_earlier_message_is_edited(cast, acme, clock):
    """What somebody edits comes with the next sweep, and so does what is later of its number; other numbers go on."""
    other = add_number(acme, "551192222099")
    at = [clock() + timedelta(seconds=seconds) for seconds in range(3)]
    before, edited, after, elsewhere = (
        make_schedule(number, chat_jid=CHAT, body=body, due_at=due_at)
        for number, body, due_at in (
            *((cast.number, "before", at[0]), (cast.number, "edited", at[1]), (cast.number, "after", at[2])),
            (other, "elsewhere", at[2]),
        )
    )
    plans.recount(acme)
    locked, swept = threading.Event(), threading.Event()

    def look():
        with transaction.atomic():
            ScheduledMessage.objects.select_for_update().get(pk=edited.pk)
            locked.set()
            swept.wait(10)

    def sweep():
        locked.wait(10)
        try:
            return queue_all_due()
        finally:
            swept.set()

    assert together(look, sweep) == [None, 2]
    queued = QueuedMessage.objects.order_by("due_at", "body").values_list("body", flat=True)
    assert list(queued.all()) == ["before", "elsewhere"]
    assert queue_all_due() == 2
    assert list(queued.all()) == ["before", "edited", "after", "elsewhere"]


def test_sweeps_one_at_a_time(cast, acme):
    """While a worker is at it, another one leaves everything to it, also other numbers, and comes again."""
    cast.fill([cast.number], chats=1, each=1)
    begun, ended = threading.Event(), threading.Event()
    other = make_schedule(add_number(acme, "551192222099"), chat_jid=CHAT, due_at=cast.clock())

    def sweep_slowly():
        with transaction.atomic():
            entered = queue_due_messages(limit=1)
            begun.set()
            ended.wait(10)
        return entered

    def sweep():
        begun.wait(10)
        try:
            return queue_due_messages()
        finally:
            ended.set()

    assert together(sweep_slowly, sweep) == [1, 0]
    assert not QueuedMessage.objects.filter(scheduled_message=other).exists()
    assert (queue_due_messages(), QueuedMessage.objects.count()) == (1, 2)


def test_gives_last_places_once(cast, acme, team_plan):
    Plan.objects.filter(pk=team_plan.pk).update(max_scheduled_messages=3)
    answers = together(*[cast.schedule] * 8)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert {answer.code for answer in refused} == {"plan_limit_reached"}
    assert (len(refused), ScheduledMessage.objects.count(), waiting(acme)) == (5, 3, 3)


def test_makes_one_message_of_one_id(cast, acme):
    message_id = uuid7()
    answers = together(*[lambda: cast.schedule(id=message_id)] * 8)
    assert {answer.pk for answer in answers} == {message_id}
    assert (ScheduledMessage.objects.count(), waiting(acme)) == (1, 1)
