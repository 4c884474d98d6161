"""Random sequences of what people do to a reminder while time passes and sweeps run.

A plain model beside it knows the rules of docs/reminders.md and nothing of the
code. Whatever the sequence: what is due follows from what was meant, nobody is
told twice of one due time, and done is never due.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from accounts import actors
from conftest import make_device
from crm.models import Reminder, ReminderDelivery
from crm.services.reminders import changes
from crm.services.reminders.delivery import LATEST, deliver_due_reminders, deliver_to_extension
from waplus.lib.errors import Refused
from waplus.lib.recurrence import occurrences, parse_rule
from waplus.lib.walltime import to_utc

pytestmark = pytest.mark.django_db

ZONES = ["UTC", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"]
RULES = ["", "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=DAILY;COUNT=3", "FREQ=MONTHLY;BYMONTHDAY=-1"]
# Around New York's and Lord Howe's changes of November 2026 and April 2027, and plain days.
walls = st.sampled_from(
    [
        datetime(2026, 6, 1, 12, 30),
        datetime(2026, 5, 31, 23, 30),
        datetime(2026, 6, 2, 2, 15),
        datetime(2026, 5, 1, 9, 0),
        datetime(2026, 11, 1, 1, 30),
    ]
)


class ReminderMachine(RuleBasedStateMachine):
    workspace = people = devices = clock = None

    def __init__(self):
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.clock.now = datetime(2026, 6, 1, 12, tzinfo=UTC)
        mail.outbox.clear()
        self.actor = actors.person(self.people[0])
        self.shown: Counter = Counter()

    def teardown(self):
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @property
    def row(self) -> Reminder:
        return Reminder.objects.get(pk=self.id)

    def call(self, service, **values):
        return service(workspace=self.workspace, reminder_id=self.id, actor=self.actor, **values)

    @initialize(wall=walls, zone=st.sampled_from(ZONES), rrule=st.sampled_from(RULES))
    def create(self, wall, zone, rrule):
        reminder, _ = changes.create_reminder(
            workspace=self.workspace,
            user=self.people[0],
            actor=self.actor,
            text="x",
            wall_time=wall,
            time_zone=zone,
            rrule=rrule,
        )
        self.id = reminder.pk

    @rule(wall=walls, rrule=st.sampled_from(RULES))
    def edit_time(self, wall, rrule):
        self.call(changes.update_reminder, wall_time=wall, rrule=rrule)

    @rule(zone=st.sampled_from(ZONES))
    def edit_zone(self, zone):
        before = self.row
        after = self.call(changes.update_reminder, time_zone=zone)
        assert (after.occurrence_wall, after.state) == (before.occurrence_wall, before.state)

    @rule(who=st.sampled_from([0, 1, None]))
    def assign(self, who):
        before = self.row
        after = self.call(changes.update_reminder, assignee=None if who is None else self.people[who])
        assert (after.due_at, after.state) == (before.due_at, before.state)

    @rule(minutes=st.sampled_from([1, 45, 3000]))
    def snooze(self, minutes):
        before = self.row
        try:
            after = self.call(changes.snooze_reminder, minutes=minutes)
        except Refused as refused:
            assert (refused.code, before.state) == ("wrong_state", "done")
            return
        assert after.due_at == self.clock.now + timedelta(minutes=minutes)
        assert after.occurrence_wall == before.occurrence_wall

    @rule()
    def do(self):
        before = self.row
        done = self.call(changes.complete_reminder)
        if before.state == "done":
            assert done.missed == 0
            return
        present = to_utc(before.occurrence_wall, before.time_zone)
        later = []
        if before.rrule:
            series = occurrences(
                parse_rule(before.rrule), start=before.wall_time, zone=before.time_zone, after=before.occurrence_wall
            )
            for occurrence in series:
                later.append(occurrence)
                if occurrence.at > max(self.clock.now, present):
                    break
        left = [occurrence for occurrence in later if occurrence.at > max(self.clock.now, present)]
        assert done.missed == sum(present < occurrence.at <= self.clock.now for occurrence in later)
        assert (done.reminder.state == "open") == bool(left)
        if left:
            assert (done.reminder.occurrence_wall, done.reminder.due_at) == (left[0].wall, left[0].at)

    @rule()
    def reopen(self):
        before = self.row
        after = self.call(changes.reopen_reminder)
        assert (after.state, after.due_at) == ("open", before.due_at)

    @rule(minutes=st.sampled_from([1, 30, 720, 1441, 10_000]), sweep=st.booleans())
    def pass_time(self, minutes, sweep):
        self.clock.advance(minutes=minutes)
        if sweep:
            self.sweep()

    @rule()
    def sweep(self):
        row, before = self.row, len(mail.outbox)
        known = ReminderDelivery.objects.filter(reminder=row, channel="email", due_at=row.due_at).exists()
        told = deliver_due_reminders()
        late = not row.due_at <= self.clock.now < row.due_at + LATEST
        expected = row.state == "open" and row.assignee_id is not None and not late and not known
        assert told == ({"delivered": 1} if expected else {})
        assert len(mail.outbox) - before == expected
        if expected:
            assert mail.outbox[-1].to == [row.assignee.email]

    @rule(which=st.sampled_from([0, 1, 2]))
    def show(self, which):
        person, instance = self.devices[which]
        row = self.row
        try:
            deliver_to_extension(
                workspace=self.workspace, reminder_id=self.id, user=person, instance=instance, actor=self.actor
            )
        except Refused as refused:
            allowed = row.assignee_id == person.pk and row.is_overdue(self.clock.now)
            assert refused.code == "already_delivered" if allowed else refused.code in ("forbidden", "wrong_state")
            return
        self.shown.setdefault(row.due_at, instance.pk)
        assert self.shown[row.due_at] == instance.pk

    @invariant()
    def due_follows_from_what_was_meant(self):
        row = self.row
        assert row.due_at == (row.snoozed_until or to_utc(row.occurrence_wall, row.time_zone))
        if not row.rrule:
            assert row.occurrence_wall == row.wall_time
        if row.state == "done":
            assert row.snoozed_until is None
            assert row.done_at is not None
            assert not row.is_overdue(self.clock.now)

    @invariant()
    def nobody_is_told_twice(self):
        assert len(mail.outbox) == ReminderDelivery.objects.filter(channel="email", state="delivered").count()
        assert set(ReminderDelivery.objects.values_list("state", flat=True)) <= {"delivered"}


@pytest.fixture
def machine(acme, alice, bob, clock):
    """The machine in this test's workspace; each of its runs is rolled back."""
    Machine = type("Machine", (ReminderMachine,), {})
    Machine.workspace, Machine.people, Machine.clock = acme, (alice, bob), clock
    Machine.devices = [(person, make_device(person, acme).instance) for person in (alice, alice, bob)]
    return Machine


def test_keeps_rules_in_any_sequence(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
