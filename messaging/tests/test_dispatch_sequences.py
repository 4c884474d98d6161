"""Random sequences of what can happen to the queue, with two devices that keep to docs/dispatch.md.

A pretended WhatsApp counts what is really sent. Whatever the sequence: no
message is sent twice, each ends in exactly one state, what is told is what
happened, fences only rise, and usage is the number of waiting rows.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from accounts import actors
from accounts.models import ExtensionInstance
from conftest import make_device
from messaging.models import DispatchAttempt, DispatchState, QueuedMessage, ScheduledMessage, ScheduleState
from messaging.models.dispatch import OPEN
from messaging.services.dispatch import (
    choose_dispatcher,
    claim_messages,
    report_message,
    settle_expired_leases,
    settling,
)
from messaging.services.scheduling import (
    cancel_scheduled_message,
    queue_due_messages,
    schedule_message,
    update_scheduled_message,
)
from messaging.services.scheduling.recipients import To
from messaging.tests.calls import handed, to_reconcile, waiting
from waplus.lib.errors import NotFound, Refused
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db

CHATS = ["5511900000001@c.us", "5511900000002@c.us"]
ENDED = {DispatchState.SENT, DispatchState.FAILED, DispatchState.SKIPPED, DispatchState.CANCELLED}


class SentTwice(AssertionError):
    """What must never happen."""


@dataclass
class Device:
    """An honest extension. A crash empties everything but its journal, which lies on the disk."""

    instance: ExtensionInstance
    claimed: list = field(default_factory=list)  # handed out, nothing said yet
    allowed: list = field(default_factory=list)  # "sending" was accepted, not yet sent: one at most
    done: list = field(default_factory=list)  # sent, not yet told
    journal: list = field(default_factory=list)  # sent, and perhaps never told


devices = st.sampled_from([0, 1])
picks = st.integers(0, 5)
wishes = {
    "chat": st.sampled_from(CHATS),
    "delay": st.sampled_from([-60, -1, 20, 90]),
    "lateness": st.sampled_from([600, 2]),
}


class QueueMachine(RuleBasedStateMachine):
    workspace = person = number = clock = instances = None

    def __init__(self):
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.clock.now = type(self).noon
        self.actor = actors.person(self.person)
        self.devices = [Device(instance) for instance in self.instances]
        self.whatsapp: Counter[str] = Counter()  # sends by reserved id
        self.sends: Counter = Counter()  # sends by scheduled message
        self.fences: dict = {}
        self.ended: dict = {}

    def teardown(self):
        try:
            self.drain()
            self.compare_told_with_done()
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    # --- People and the server ---

    @initialize(messages=st.lists(st.tuples(*wishes.values()), min_size=1, max_size=4))
    def schedule_some(self, messages):
        for chat, delay, lateness in messages:
            self.schedule(chat, delay, lateness)

    @rule(**wishes)
    def schedule(self, chat, delay, lateness):
        wall = self.clock.now.replace(tzinfo=None)
        schedule_message(
            workspace=self.workspace,
            user=self.person,
            actor=self.actor,
            whatsapp_account=self.number,
            parts=[{"body": "x"}],
            wall_time=wall + timedelta(seconds=delay),
            time_zone="UTC",
            recipients=[To(chat_jid=chat)],
            lateness_minutes=lateness,
        )

    @rule(pick=picks)
    def cancel(self, pick):
        self.change(pick, cancel_scheduled_message)

    @rule(pick=picks, body=st.sampled_from("xyz"))
    def edit(self, pick, body):
        self.change(pick, update_scheduled_message, parts=[{"body": body}])

    def change(self, pick, service, **values):
        messages = list(ScheduledMessage.objects.order_by("id"))
        if not messages:
            return
        message = messages[pick % len(messages)]
        row = QueuedMessage.objects.filter(scheduled_message=message).first()
        try:
            service(workspace=self.workspace, message_id=message.pk, actor=self.actor, **values)
        except Refused as refused:
            assert refused.code == "wrong_state"
            gone = row is not None and row.state != DispatchState.QUEUED
            assert gone or message.state == ScheduleState.CANCELLED

    @rule()
    def sweep(self):
        queue_due_messages()

    @rule(seconds=st.sampled_from([5, 30, 61, 200]), then_settle=st.booleans())
    def pass_time(self, seconds, then_settle):
        self.clock.advance(seconds)
        if then_settle:
            self.settle()

    @rule()
    def settle(self):
        settle_expired_leases()

    # --- Devices ---

    @rule(which=devices, limit=st.integers(1, 4))
    def claim(self, which, limit):
        device = self.devices[which]
        if device.allowed or device.done:
            return  # it finishes what it is sending before it asks for more
        claim = claim_messages(
            workspace=self.workspace,
            account_id=self.number.pk,
            instance=device.instance,
            claim_id=uuid7(),
            limit=limit,
        )
        assert claim.is_holder or claim.messages == "[]"
        device.claimed += handed(claim)
        for message in to_reconcile(claim):
            assert QueuedMessage.objects.get(pk=message.pk).instance_id == device.instance.pk
            self.report(device, message, "sent" if self.whatsapp[message.message_id] else "not_sent")

    @rule(which=devices)
    def choose(self, which):
        """A person lets one of the devices send from now on, whatever the other one is at."""
        choose_dispatcher(
            workspace=self.workspace,
            account_id=self.number.pk,
            instance_id=self.devices[which].instance.pk,
            user=self.person,
            actor=self.actor,
        )

    @rule(which=devices)
    def say_sending(self, which):
        device = self.devices[which]
        if device.claimed and not device.allowed:
            message = device.claimed.pop(0)
            if self.report(device, message, "sending"):
                device.allowed.append(message)

    @rule(which=devices)
    def send(self, which):
        device = self.devices[which]
        for message in device.allowed:
            self.whatsapp[message.message_id] += 1
            self.sends[message.scheduled_message_id] += 1
            device.done.append(message)
            device.journal.append(message)
        device.allowed.clear()

    @rule(which=devices, told_again=st.booleans())
    def say_sent(self, which, told_again):
        device = self.devices[which]
        for message in device.done:
            assert self.report(device, message, "sent")
            if told_again:
                assert self.report(device, message, "sent")
        device.done.clear()

    @rule(which=devices)
    def say_failed(self, which):
        device = self.devices[which]
        for message in (device.allowed or device.claimed)[:1]:
            self.report(device, message, "failed")
            (device.allowed or device.claimed).remove(message)

    @rule(which=devices)
    def say_not_sent(self, which):
        """It slept after the permission, and says so instead of sending."""
        device = self.devices[which]
        while device.allowed:
            self.report(device, device.allowed.pop(), "not_sent")

    @rule(which=devices)
    def release(self, which):
        device = self.devices[which]
        if device.claimed:
            self.report(device, device.claimed.pop(), "released")

    @rule(which=devices, limit=st.integers(1, 3), until=st.sampled_from([2, 1, 3]), dies=st.booleans())
    def work(self, which, limit, until, dies):
        """The usual order of things, up to some point; without it, few sequences would get that far."""
        self.sweep()
        self.claim(which, limit)
        for step in (self.say_sending, self.send, lambda which: self.say_sent(which, told_again=False))[:until]:
            step(which)
        if dies:
            self.crash(which)

    @rule(which=devices)
    def crash(self, which):
        device = self.devices[which]
        device.claimed, device.allowed, device.done = [], [], []

    @rule(which=devices, pick=picks)
    def read_journal(self, which, pick):
        """What was sent long ago is told (again), under the fence of then."""
        journal = self.devices[which].journal
        if journal:
            assert self.report(self.devices[which], journal[pick % len(journal)], "sent")

    @rule(
        which=devices,
        pick=picks,
        fence=st.integers(1, 4),
        what=st.sampled_from(["sending", "failed", "released", "not_sent"]),
    )
    def report_any_fence(self, which, pick, fence, what):
        """A report that no longer or never belonged to the device changes nothing."""
        rows = list(QueuedMessage.objects.order_by("id"))
        if not rows:
            return
        row = rows[pick % len(rows)]
        instance = self.devices[which].instance
        if row.instance_id == instance.pk and row.fence == fence:
            return
        before = (row.state, row.fence, row.lease_until, row.instance_id)
        row.fence = fence
        assert not self.report(self.devices[which], row, what, expected={"stale_fence"})
        row.refresh_from_db()
        assert (row.state, row.fence, row.lease_until, row.instance_id) == before

    def report(
        self, device, message, what, expected=frozenset({"stale_fence", "wrong_state", "not_found", "number_taken"})
    ) -> bool:
        try:
            report_message(
                workspace=self.workspace,
                message_id=message.pk,
                instance=device.instance,
                actor=self.actor,
                fence=message.fence,
                report=what,
            )
        except (Refused, NotFound) as refused:
            assert refused.code in expected
            return False
        return True

    # --- What always holds ---

    @invariant()
    def nothing_is_sent_twice(self):
        if self.sends and max(self.sends.values()) > 1:
            raise SentTwice(self.sends)

    @invariant()
    def fences_only_rise(self):
        now = dict(QueuedMessage.objects.values_list("id", "fence"))
        assert all(fence >= self.fences.get(pk, 0) for pk, fence in now.items())
        self.fences = now
        # An attempt for each claim: a row once it has ended, and at most one under way.
        ended = Counter(DispatchAttempt.objects.values_list("message_id", flat=True))
        under_way = Counter(QueuedMessage.objects.filter(state__in=OPEN).values_list("id", flat=True))
        assert all(ended[pk] + under_way[pk] == fence for pk, fence in now.items())

    @invariant()
    def endings_are_final(self):
        """Only “sent” may come after another ending, because a fact wins."""
        now = dict(QueuedMessage.objects.values_list("id", "state"))
        for pk, ending in self.ended.items():
            assert now[pk] in (ending, DispatchState.SENT)
        self.ended = {pk: state for pk, state in now.items() if state in ENDED}

    @invariant()
    def usage_is_what_waits(self):
        rows = ScheduledMessage.objects.filter(state=ScheduleState.WAITING).count()
        assert waiting(self.workspace) == rows

    def drain(self):
        """Both devices come back and work until nothing is left."""
        for which in (0, 1):
            self.send(which)
            self.say_sent(which, told_again=False)
        for _ in range(60):
            self.clock.advance(61)
            self.sweep()
            self.settle()
            for which in (0, 1):
                self.claim(which, limit=4)
                while self.devices[which].claimed:
                    self.say_sending(which)
                    self.send(which)
                    self.say_sent(which, told_again=False)
                self.nothing_is_sent_twice()
            if not ScheduledMessage.objects.filter(state=ScheduleState.WAITING).exists() and not (
                QueuedMessage.objects.exclude(state__in=ENDED).exists()
            ):
                break

    def compare_told_with_done(self):
        for message in ScheduledMessage.objects.all():
            states = list(QueuedMessage.objects.filter(scheduled_message=message).values_list("state", flat=True))
            if message.state == ScheduleState.CANCELLED:
                assert states in ([], ["cancelled"])
            else:
                assert len(states) == 1
                assert states[0] in ENDED - {DispatchState.CANCELLED}
            assert self.sends[message.pk] == states.count("sent")
        self.usage_is_what_waits()


@pytest.fixture
def machine(acme, alice, bob, number, clock):
    """The machine in this test's workspace; each of its runs is rolled back."""
    Machine = type("Machine", (QueueMachine,), {})
    Machine.workspace, Machine.person, Machine.number, Machine.clock = acme, alice, number, clock
    Machine.noon = clock.now
    Machine.instances = [make_device(person, acme).instance for person in (alice, bob)]
    return Machine


def run(machine, examples: int) -> None:
    run_state_machine_as_test(
        seed(2026)(machine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_sends_once_in_any_sequence(machine):
    run(machine, examples=50)


def crash_after_send(queue: QueueMachine) -> None:
    """The story that the whole protocol is about, step by step."""
    queue.schedule(CHATS[0], delay=0, lateness=600)
    queue.sweep()
    queue.claim(0, limit=1)
    queue.say_sending(0)
    queue.send(0)
    queue.crash(0)
    queue.pass_time(61, then_settle=True)
    for which in (1, 0):
        queue.claim(which, limit=1)
        queue.say_sending(which)
        queue.send(which)
    queue.nothing_is_sent_twice()


def test_sends_once_when_device_crashes_after_sending(machine):
    queue = machine()
    crash_after_send(queue)
    assert list(queue.sends.values()) == [1]
    assert list(QueuedMessage.objects.values_list("state", "fence")) == [("sent", 1)]
    queue.teardown()


@pytest.fixture
def without_guard(monkeypatch):
    """A server that hands a message out again although its device said that it was sending."""
    careless = settling._SETTLE.replace("THEN 'outcome_unknown'", "THEN 'queued'")
    assert careless != settling._SETTLE
    monkeypatch.setattr(settling, "_SETTLE", careless)


@pytest.mark.usefixtures("without_guard")
def test_finds_second_send_when_guard_is_gone(machine):
    """Control: the same story, the same checker, and the second send is seen."""
    queue = machine()
    with pytest.raises(SentTwice):
        crash_after_send(queue)
    with pytest.raises(AssertionError):
        queue.teardown()


@pytest.mark.usefixtures("without_guard")
def test_finds_second_send_in_some_sequence_when_guard_is_gone(machine):
    """Control: the random sequences reach that story by themselves."""
    machine.compare_told_with_done = lambda self: None
    with pytest.raises(SentTwice):
        run(machine, examples=100)


@pytest.mark.usefixtures("without_guard")
def test_finds_wrong_ending_in_some_sequence_when_guard_is_gone(machine):
    """Control: what is told is compared with what was done."""
    machine.nothing_is_sent_twice = lambda self: None
    with pytest.raises(AssertionError) as found:
        run(machine, examples=100)
    assert not isinstance(found.value, SentTwice)
