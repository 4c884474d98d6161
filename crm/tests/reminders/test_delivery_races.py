"""Workers that meet, and workers that are killed with SIGKILL, each a process of its own with its own connection."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts import actors
from accounts.models import Event, Membership, Role
from accounts.services import workspaces
from accounts.services.departures import finish_departures
from accounts.tests.together import at_once, linger
from conftest import make_device
from crm.models import Chat, Reminder, ReminderDelivery, WhatsAppAccount
from crm.services.reminders import changes, delivery
from crm.services.reminders.changes import complete_reminder, create_reminder, delete_reminder, update_reminder
from crm.services.reminders.delivery import deliver_due_reminders, deliver_to_extension
from crm.services.whatsapp_accounts import remove_whatsapp_account
from crm.tests.records import add_account, add_chat
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.tests.killing import kill_at, mails_in, run_out

pytestmark = pytest.mark.django_db(transaction=True)

SWEEP = "crm.services.reminders.delivery.deliver_due_reminders"


def due(workspace, person, **values) -> Reminder:
    """A reminder that has been due for a minute."""
    wall = (timezone.now() - timedelta(minutes=1)).replace(tzinfo=None)
    values = {"text": "Call Ana", "wall_time": wall, "time_zone": "UTC", **values}
    return create_reminder(workspace=workspace, user=person, actor=actors.person(person), **values)[0]


def states() -> list[tuple[str, int]]:
    return sorted(ReminderDelivery.objects.values_list("state", "attempts"))


@pytest.mark.parametrize(
    ("name", "where", "left", "mails_of_dead", "then", "ended"),
    [
        # Noted, and in nobody's hands: the next sweep takes it at once.
        ("_note_due", "behind", ("waiting", 0), 0, {"delivered": 1}, ("delivered", 1)),
        # Leased, nothing said yet: another worker sends it.
        ("_lease", "behind", ("waiting", 1), 0, {"delivered": 1}, ("delivered", 2)),
        ("_begin_sending", "before", ("waiting", 1), 0, {"delivered": 1}, ("delivered", 2)),
        # "Sending" is written: whether the server has it, nobody knows. It is not sent again.
        ("_begin_sending", "behind", ("sending", 1), 0, {}, ("unknown", 1)),
        ("_end", "before", ("sending", 1), 1, {}, ("unknown", 1)),
        # It is written that it was delivered.
        ("_end", "behind", ("delivered", 1), 1, {}, ("delivered", 1)),
    ],
)
def test_survives_killed_worker(acme, alice, tmp_path, name, where, left, mails_of_dead, then, ended):
    due(acme, alice)
    owner = "crm.services.reminders.delivery" + ("" if name == "_note_due" else ".ReminderMails")
    kill_at(SWEEP, f"{owner}.{name}", where, mails=tmp_path / "mail")
    assert (states(), mails_in(tmp_path / "mail")) == ([left], mails_of_dead)
    run_out(ReminderDelivery)
    assert deliver_due_reminders() == then
    assert deliver_due_reminders() == {}
    assert states() == [ended]
    assert len(mail.outbox) == then.get("delivered", 0)
    assert mails_of_dead + len(mail.outbox) <= 1


def test_sends_once_from_many_sweeps(acme, alice, bob, monkeypatch):
    linger(monkeypatch, delivery.ReminderMails, "_lease")
    linger(monkeypatch, delivery.ReminderMails, "_begin_sending")
    wanted = {str(due(acme, person, text=f"No. {number}").pk) for number in range(6) for person in (alice, bob)}
    answers = at_once(*[deliver_due_reminders] * 5)
    assert sum(answer.get("delivered", 0) for answer in answers) == 12
    assert len(mail.outbox) == len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 12
    assert states() == [("delivered", 1)] * 12
    assert {str(pk) for pk in ReminderDelivery.objects.values_list("reminder_id", flat=True)} == wanted
    assert sum(bool(answer) for answer in answers) > 1  # control: several did really work


def test_sends_or_finishes_but_never_both_late(acme, alice, monkeypatch):
    """Done while it is sent: whichever comes first decides, and nothing is sent of what was done before."""
    linger(monkeypatch, delivery.ReminderMails, "_lease")
    outcomes = set()
    for turn in range(8):
        reminder = due(acme, alice)

        def finish(reminder=reminder):
            return complete_reminder(workspace=acme, reminder_id=reminder.pk, actor=actors.person(alice))

        first, second = (deliver_due_reminders, finish) if turn % 2 else (finish, deliver_due_reminders)
        answers = at_once(first, second)
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        row = ReminderDelivery.objects.filter(reminder=reminder).first()
        outcomes.add(row and row.state)
        mails = [m for m in mail.outbox if row and str(row.pk) in m.extra_headers["Message-ID"]]
        assert len(mails) == (row is not None and row.state == "delivered")
        assert Reminder.objects.get(pk=reminder.pk).state == "done"
    assert outcomes <= {None, "delivered", "dropped"}


def test_deletes_while_it_is_sent(acme, alice):
    for _ in range(8):
        reminder = due(acme, alice)
        answers = at_once(
            deliver_due_reminders,
            lambda reminder=reminder: delete_reminder(
                workspace=acme, reminder_id=reminder.pk, actor=actors.person(alice)
            ),
            deliver_due_reminders,
        )
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        assert not Reminder.objects.filter(pk=reminder.pk).exists()
    assert states() == []


def test_removes_number_while_its_reminders_are_sent(acme, alice, monkeypatch):
    """What hangs on a number goes with it, also what a sweep notes at the very moment."""
    linger(monkeypatch, delivery, "_note_due")
    for _ in range(6):
        account = add_account(acme)
        for index in range(5):
            due(acme, alice, chat=add_chat(account), text=f"Call {index}")
        answers = at_once(
            deliver_due_reminders,
            lambda account=account: remove_whatsapp_account(
                workspace=acme, account_id=account.pk, actor=actors.person(alice)
            ),
            deliver_due_reminders,
        )
        assert not [answer for answer in answers if isinstance(answer, Exception)], answers
        assert (Reminder.objects.count(), Chat.objects.count(), WhatsAppAccount.objects.count()) == (0, 0, 0)
    assert states() == []


def test_shows_on_one_of_many_devices(acme, alice):
    devices = [make_device(alice, acme).instance for _ in range(6)]
    reminder = due(acme, alice)
    answers = at_once(
        *(
            lambda instance=instance: deliver_to_extension(
                workspace=acme,
                reminder_id=reminder.pk,
                user=alice,
                instance=instance,
                actor=actors.instance(instance, alice),
            )
            for instance in devices
        )
    )
    assert sum(isinstance(answer, Reminder) for answer in answers) == 1
    assert [answer.code for answer in answers if isinstance(answer, Refused)] == ["already_delivered"] * 5
    assert Event.objects.filter(kind="reminder.delivered").count() == ReminderDelivery.objects.count() == 1


def test_does_each_occurrence_once(acme, alice, bob):
    reminder = due(acme, alice, rrule="FREQ=DAILY")
    seen = reminder.occurrence_wall
    answers = at_once(
        *(
            lambda person=person: complete_reminder(
                workspace=acme, reminder_id=reminder.pk, actor=actors.person(person), occurrence=seen
            )
            for person in (alice, bob, alice, bob)
        )
    )
    assert {answer.reminder.occurrence_wall for answer in answers} == {seen + timedelta(days=1)}
    assert Event.objects.filter(kind="reminder.done").count() == 1


def test_creates_once_at_once(acme, alice):
    id = uuid7()
    answers = at_once(*[lambda: due(acme, alice, id=id)] * 4)
    assert {answer.pk for answer in answers} == {id}
    assert Event.objects.filter(kind="reminder.created").count() == Reminder.objects.count() == 1


def test_leaves_no_reminder_with_who_has_left(acme, alice, bob, monkeypatch):
    """Assigning somebody and their leaving meet: the reminder is the owner's, or the assignment is refused."""
    owner = Membership.objects.get(workspace=acme, role=Role.OWNER)
    linger(monkeypatch, changes, "_check_assignee")
    endings = set()
    for turn in range(6):
        membership, _ = Membership.objects.get_or_create(workspace=acme, user=bob)
        reminder = due(acme, alice)

        def assign(reminder=reminder):
            return update_reminder(workspace=acme, reminder_id=reminder.pk, actor=actors.person(alice), assignee=bob)

        def leave(membership=membership):
            workspaces.remove_member(
                workspace=acme, membership_id=membership.pk, actor=actors.person(alice), remover=owner
            )

        answers = at_once(*((assign, leave) if turn % 2 else (leave, assign)))
        refused = [answer for answer in answers if isinstance(answer, Exception)]
        assert all(isinstance(answer, Invalid) and answer.fields[0].code == "not_a_member" for answer in refused)
        endings.add(len(refused))
        finish_departures()
        assert Reminder.objects.get(pk=reminder.pk).assignee_id == alice.pk
    assert not Reminder.objects.filter(assignee=bob).exists()
    assert not [answer for answer in endings if answer > 1]


def test_refuses_change_of_what_was_deleted_meanwhile(acme, alice):
    reminder = due(acme, alice)
    delete_reminder(workspace=acme, reminder_id=reminder.pk, actor=actors.person(alice))
    with pytest.raises(NotFound):
        update_reminder(workspace=acme, reminder_id=reminder.pk, actor=actors.person(alice), text="x")
