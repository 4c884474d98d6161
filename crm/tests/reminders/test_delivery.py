"""Delivery: once by e-mail, once on one of the assignee's extensions, and to nobody who should not get it."""

import smtplib
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail

from accounts.models import Event, Membership, User
from accounts.tests.together import assert_refused
from conftest import make_device
from crm.models import Contact, DeliveryState, Reminder, ReminderDelivery
from crm.services.reminders.delivery import LATEST, ReminderMails, deliver_due_reminders
from crm.tasks import deliver_due_reminders as sweep_task
from crm.tests.reminders import mailers
from crm.tests.reminders.calls import act, created, edit, problem, stored
from waplus.lib.mail_once import LEASE, UNKNOWN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def sent() -> list[tuple[str, str]]:
    """To whom which subjects went."""
    return [(message.to[0], message.subject) for message in mail.outbox]


def rows() -> list[tuple]:
    return list(ReminderDelivery.objects.order_by("due_at").values_list("channel", "state", "attempts"))


@pytest.fixture
def server(settings):
    """A mail server that does what the test tells it."""
    settings.EMAIL_BACKEND = "crm.tests.reminders.mailers.Answering"
    mailers.answers.clear()
    return mailers.answers


def test_sends_mail_once(alice_device, alice, ana, clock):
    reminder = created(alice_device, contact=str(ana.pk), text="Call Ana\nabout the offer")
    assert deliver_due_reminders() == {}
    clock.advance(hours=1)
    assert deliver_due_reminders() == {"delivered": 1}
    assert deliver_due_reminders() == {}
    assert sent() == [("alice@example.com", "Reminder: Call Ana about the offer")]
    row = ReminderDelivery.objects.get()
    assert (row.state, row.attempts, row.lease_until, row.problem) == (DeliveryState.DELIVERED, 1, None, "")
    assert (row.recipient, row.delivered_at, row.due_at) == (alice, clock.now, clock.now)
    event = Event.objects.get(kind="reminder.delivered")
    assert (str(event.object_id), event.actor_kind, event.workspace_id) == (reminder["id"], "system", row.workspace_id)


def test_writes_mail_in_language_and_zone_of_person(alice_device, alice, acme, ana, clock, settings):
    User.objects.filter(pk=alice.pk).update(time_zone="Asia/Kathmandu", language="xx")
    long = "Ask whether the second offer of last week, the one with the long warranty, suits them"
    created(alice_device, contact=str(ana.pk), text=long)
    clock.advance(hours=1)
    deliver_due_reminders()
    (message,) = mail.outbox
    assert message.subject == "Reminder: Ask whether the second offer of last week, the one with the…"
    assert message.body == (
        f"{long}\n\nDue: June 1, 2026, 6:45 p.m. (Asia/Kathmandu)\nAbout: Ana\n"
        f"{settings.BASE_URL}/contacts/{ana.pk}/\n\n"
        "You get this message because the reminder is assigned to you in “Acme” on WAPlus CRM. "
        "Your profile has a switch for reminders by e-mail:\n"
        f"{settings.BASE_URL}/profile/\n"
    )
    headers = message.message()
    assert headers["Message-ID"] == f"<reminder.{ReminderDelivery.objects.get().pk}@localhost>"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert "Ana" not in message.subject


def test_writes_dates_as_language_does(alice_device, alice, clock):
    User.objects.filter(pk=alice.pk).update(language="pt-br")
    created(alice_device)
    clock.advance(hours=1)
    deliver_due_reminders()
    assert "1 de Junho de 2026" in mail.outbox[0].body


def test_sends_snoozed_again_and_series_each_time(alice_device, clock):
    reminder = created(alice_device, rrule="FREQ=DAILY")
    clock.advance(hours=1)
    deliver_due_reminders()
    act(alice_device, reminder, "snooze", minutes=30)
    assert deliver_due_reminders() == {}
    clock.advance(minutes=30)
    assert deliver_due_reminders() == {"delivered": 1}
    act(alice_device, reminder, "done")
    clock.advance(hours=23, minutes=30)
    assert deliver_due_reminders() == {"delivered": 1}
    assert deliver_due_reminders() == {}
    assert len(mail.outbox) == 3


def test_sends_same_time_once_though_edited_there_and_back(alice_device, clock):
    reminder = created(alice_device)
    clock.advance(hours=1)
    deliver_due_reminders()
    edit(alice_device, reminder, wall_time="2026-06-01T18:00")
    edit(alice_device, reminder, wall_time="2026-06-01T13:00")
    assert deliver_due_reminders() == {}
    assert len(mail.outbox) == 1


def test_sends_nothing_to_who_should_not_get_it(alice_device, alice, bob, acme, ana, clock):
    """Each of these is due; nobody is told. The last one is the control."""
    created(alice_device, assignee=None)
    act(alice_device, created(alice_device), "done")
    created(alice_device, contact=str(ana.pk))
    Contact.objects.filter(pk=ana.pk).update(deleted_at=clock.now)
    created(alice_device, wall_time="2026-05-31T12:59")
    stale = created(alice_device)
    Reminder.objects.filter(pk=stale["id"]).update(assignee=User.objects.create(email="gone@example.com"))
    muted = created(alice_device, assignee=str(bob.pk))
    User.objects.filter(pk=bob.pk).update(reminders_by_email=False)
    clock.advance(hours=1)
    assert deliver_due_reminders() == {}
    assert rows() == []
    User.objects.filter(pk=bob.pk).update(reminders_by_email=True, is_active=False)
    assert deliver_due_reminders() == {}
    User.objects.filter(pk=bob.pk).update(is_active=True)
    assert deliver_due_reminders() == {"delivered": 1}
    assert sent() == [("bob@example.com", "Reminder: Call Ana")]
    assert str(ReminderDelivery.objects.get().reminder_id) == muted["id"]


CHANGES_OF_MIND = {
    "done": lambda reminder, **cast: act(cast["device"], reminder, "done"),
    "snoozed": lambda reminder, **cast: act(cast["device"], reminder, "snooze", minutes=5),
    "moved": lambda reminder, **cast: edit(cast["device"], reminder, wall_time="2026-06-05T09:00"),
    "unassigned": lambda reminder, **cast: edit(cast["device"], reminder, assignee=None),
    "switched off": lambda reminder, **cast: User.objects.filter(pk=cast["alice"].pk).update(reminders_by_email=False),
    "left": lambda reminder, **cast: Membership.objects.filter(user=cast["alice"]).delete(),
    "deactivated": lambda reminder, **cast: User.objects.filter(pk=cast["alice"].pk).update(is_active=False),
    "contact in bin": lambda reminder, **cast: Contact.objects.update(deleted_at=cast["clock"].now),
    "too late": lambda reminder, **cast: cast["clock"].advance(days=2),
}


@pytest.mark.parametrize("change", CHANGES_OF_MIND.values(), ids=CHANGES_OF_MIND)
def test_looks_again_before_sending(alice_device, alice, ana, clock, settings, change):
    """The mail server was away when it was due; until it is back, the reminder is wanted no longer."""
    reminder = created(alice_device, contact=str(ana.pk))
    clock.advance(hours=1)
    settings.EMAIL_BACKEND = "crm.tests.reminders.mailers.Unreachable"
    assert deliver_due_reminders() == {"waiting": 1}
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    change(reminder, device=alice_device, alice=alice, clock=clock)
    clock.advance(minutes=2)
    assert deliver_due_reminders() == {"dropped": 1}
    assert (mail.outbox, rows()) == ([], [("email", "dropped", 2)])


def test_forgets_delivery_of_deleted_reminder(alice_device, clock, settings):
    reminder = created(alice_device)
    clock.advance(hours=1)
    settings.EMAIL_BACKEND = "crm.tests.reminders.mailers.Unreachable"
    deliver_due_reminders()
    alice_device.client.delete(f"/api/v1/reminders/{reminder['id']}/")
    assert deliver_due_reminders() == {}
    assert rows() == []


def test_tells_who_is_assigned_now(alice_device, bob, clock, settings):
    reminder = created(alice_device)
    clock.advance(hours=1)
    settings.EMAIL_BACKEND = "crm.tests.reminders.mailers.Unreachable"
    deliver_due_reminders()
    edit(alice_device, reminder, assignee=str(bob.pk))
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    clock.advance(minutes=2)
    deliver_due_reminders()
    assert sent() == [("bob@example.com", "Reminder: Call Ana")]


# --- What mail servers do -------------------------------------------------------------------------


def test_waits_for_server_that_is_away(alice_device, clock, settings):
    settings.EMAIL_BACKEND = "crm.tests.reminders.mailers.Unreachable"
    created(alice_device)
    clock.advance(hours=1)
    pauses = []
    for _ in range(8):
        assert deliver_due_reminders() == {"waiting": 1}
        pauses.append(round((ReminderDelivery.objects.get().lease_until - clock.now) / timedelta(minutes=1)))
        assert deliver_due_reminders() == {}
        clock.advance(minutes=pauses[-1])
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
    assert ReminderDelivery.objects.get().problem == "The mail server cannot be reached: ConnectionRefusedError."
    clock.advance(days=1)
    assert deliver_due_reminders() == {"failed": 1}
    clock.advance(days=1)
    assert deliver_due_reminders() == {}


@pytest.mark.parametrize(
    ("answer", "problem_text"),
    [
        (smtplib.SMTPRecipientsRefused({"a@b": (450, b"greylisted")}), "code 450"),
        (smtplib.SMTPDataError(451, b"try later"), "code 451"),
        (smtplib.SMTPSenderRefused(421, b"busy", "x"), "code 421"),
    ],
)
def test_tries_again_what_server_put_off(alice_device, clock, server, answer, problem_text):
    server.append(answer)
    created(alice_device)
    clock.advance(hours=1)
    assert deliver_due_reminders() == {"waiting": 1}
    assert problem_text in ReminderDelivery.objects.get().problem
    clock.advance(minutes=2)
    assert deliver_due_reminders() == {"delivered": 1}
    assert (len(mail.outbox), rows()) == (1, [("email", "delivered", 2)])


@pytest.mark.parametrize(
    "answer",
    [
        smtplib.SMTPRecipientsRefused({"a@b": (550, b"no such user")}),
        smtplib.SMTPDataError(554, b"spam"),
        UnicodeEncodeError("idna", "x", 0, 1, "label too long"),
    ],
)
def test_gives_up_what_server_refused(alice_device, clock, server, answer):
    server.append(answer)
    created(alice_device)
    clock.advance(hours=1)
    assert deliver_due_reminders() == {"failed": 1}
    clock.advance(hours=1)
    assert deliver_due_reminders() == {}
    assert (mail.outbox, rows()) == ([], [("email", "failed", 1)])
    assert "@" not in ReminderDelivery.objects.get().problem


@pytest.mark.parametrize("error", [smtplib.SMTPServerDisconnected("gone"), TimeoutError(), ConnectionResetError()])
@pytest.mark.parametrize("taken", [False, True])
def test_sends_at_most_once_when_server_falls_silent(alice_device, clock, server, error, taken):
    server.append((error,) if taken else error)
    created(alice_device)
    clock.advance(hours=1)
    assert deliver_due_reminders() == {"unknown": 1}
    clock.advance(hours=1)
    assert deliver_due_reminders() == {}
    assert (len(mail.outbox), rows()) == (int(taken), [("email", "unknown", 1)])


def test_goes_on_behind_message_that_was_refused(alice_device, clock, server):
    server.extend([smtplib.SMTPServerDisconnected("gone"), smtplib.SMTPDataError(554, b"spam"), None])
    for minute in (1, 2, 3):
        created(alice_device, wall_time=f"2026-06-01T12:0{minute}")
    clock.advance(hours=1)
    assert deliver_due_reminders() == {"unknown": 1, "failed": 1, "delivered": 1}


def test_ends_sweep_after_so_many(alice_device, clock, monkeypatch):
    monkeypatch.setattr("waplus.lib.mail_once.A_SWEEP", 2)
    for _ in range(3):
        created(alice_device)
    clock.advance(hours=1)
    assert deliver_due_reminders() == {"delivered": 2}
    assert deliver_due_reminders() == {"delivered": 1}


# --- Workers that fall silent ---------------------------------------------------------------------


def fall_silent(monkeypatch, name: str):
    """Let the worker die where a function of the delivery is called."""
    monkeypatch.setattr(ReminderMails, name, lambda *args: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        deliver_due_reminders()
    monkeypatch.undo()


def test_sends_what_worker_had_only_leased(alice_device, clock, monkeypatch):
    created(alice_device)
    due = clock.advance(hours=1)
    fall_silent(monkeypatch, "_deliver")
    monkeypatch.setattr("django.utils.timezone.now", clock)
    assert rows() == [("email", "waiting", 1)]
    assert deliver_due_reminders() == {}
    clock.now = due + LEASE
    assert deliver_due_reminders() == {"delivered": 1}
    assert (len(mail.outbox), rows()) == (1, [("email", "delivered", 2)])


def test_keeps_once_what_worker_was_sending(alice_device, clock, monkeypatch):
    created(alice_device)
    due = clock.advance(hours=1)
    fall_silent(monkeypatch, "_end")
    monkeypatch.setattr("django.utils.timezone.now", clock)
    assert (len(mail.outbox), rows()) == (1, [("email", "sending", 1)])
    assert deliver_due_reminders() == {}
    clock.now = due + LEASE
    assert deliver_due_reminders() == {}
    assert (len(mail.outbox), rows()) == (1, [("email", "unknown", 1)])
    assert ReminderDelivery.objects.get().problem == UNKNOWN


def test_takes_late_news_that_it_was_delivered(alice_device, clock, server, monkeypatch):
    """A worker that stood still longer than its lease comes back with a fact."""
    created(alice_device)
    clock.advance(hours=1)
    taken = mailers.Answering.send_messages

    def slow(self, messages):
        taken(self, messages)
        clock.advance(seconds=LEASE.total_seconds())
        assert deliver_due_reminders() == {}
        assert rows() == [("email", "unknown", 1)]

    monkeypatch.setattr(mailers.Answering, "send_messages", slow)
    assert deliver_due_reminders() == {"delivered": 1}
    assert (len(mail.outbox), rows()) == (1, [("email", "delivered", 1)])


def test_loses_lease_to_another_worker(alice_device, clock, monkeypatch):
    """A worker that stood still before it said "sending" finds that somebody else has sent it."""
    created(alice_device)
    clock.advance(hours=1)
    begin, calls = ReminderMails._begin_sending, []

    def slow(self, lease):
        calls.append(lease.fence)
        if lease.fence == 1:
            clock.advance(seconds=LEASE.total_seconds())
            assert deliver_due_reminders() == {"delivered": 1}
        return begin(self, lease)

    monkeypatch.setattr(ReminderMails, "_begin_sending", slow)
    assert deliver_due_reminders() == {"dropped": 1}
    assert (calls, len(mail.outbox), rows()) == ([1, 2], 1, [("email", "delivered", 2)])


# --- The whole way --------------------------------------------------------------------------------


def test_writes_mail_to_files(alice_device, clock, settings, tmp_path):
    """As `make run` has it: from a request over the worker's task to a file of mail."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    created(alice_device, text="Call Ana")
    clock.advance(hours=1)
    sweep_task.apply(throw=True)
    sweep_task.apply(throw=True)
    (file,) = Path(tmp_path).iterdir()
    text = file.read_text()
    assert text.count("Message-ID: <reminder.") == 1
    assert "Subject: Reminder: Call Ana\n" in text
    assert "To: alice@example.com\n" in text


# --- The extension --------------------------------------------------------------------------------


def test_shows_on_one_of_open_extensions(alice, alice_device, acme, clock):
    other_device = make_device(alice, acme)
    reminder = created(alice_device)
    clock.advance(hours=1)
    shown = act(alice_device, reminder, "deliver")
    assert (shown.status_code, shown.json()["id"], shown.json()["overdue"]) == (200, reminder["id"], True)
    before = stored()
    assert problem(act(other_device, reminder, "deliver")) == (409, "already_delivered")
    assert act(alice_device, reminder, "deliver").json() == shown.json()
    assert stored() == before
    row = ReminderDelivery.objects.get()
    assert (row.channel, row.state, row.recipient, row.instance_id) == (
        "extension",
        "delivered",
        alice,
        alice_device.instance.pk,
    )
    event = Event.objects.get(kind="reminder.delivered")
    assert event.actor_instance_id == alice_device.instance.pk


def test_shows_each_due_time_anew(alice, alice_device, acme, clock):
    other_device = make_device(alice, acme)
    reminder = created(alice_device)
    clock.advance(hours=1)
    act(alice_device, reminder, "deliver")
    act(alice_device, reminder, "snooze", minutes=5)
    assert problem(act(alice_device, reminder, "deliver")) == (409, "wrong_state")
    clock.advance(minutes=5)
    assert act(other_device, reminder, "deliver").status_code == 200
    assert problem(act(alice_device, reminder, "deliver")) == (409, "already_delivered")


def test_shows_to_assignee_only_and_when_due(alice_device, bob_device, clock):
    reminder = created(alice_device)
    before = stored()
    assert problem(act(alice_device, reminder, "deliver")) == (409, "wrong_state")
    clock.advance(hours=1)
    assert_refused(act(bob_device, reminder, "deliver"), "forbidden")
    assert stored() == before
    act(alice_device, reminder, "done")
    before = stored()
    assert problem(act(alice_device, reminder, "deliver")) == (409, "wrong_state")
    assert stored() == before


def test_delivers_by_mail_and_extension_alike(alice_device, clock):
    reminder = created(alice_device)
    clock.advance(hours=1)
    act(alice_device, reminder, "deliver")
    assert deliver_due_reminders() == {"delivered": 1}
    assert sorted(rows()) == [("email", "delivered", 1), ("extension", "delivered", 0)]


def test_is_late_for_mail_after_a_day(alice_device, clock):
    """The bound itself: one second less is still told of."""
    created(alice_device)
    clock.advance(hours=1)
    clock.now += LATEST
    assert deliver_due_reminders() == {}
    clock.now -= timedelta(seconds=1)
    assert deliver_due_reminders() == {"delivered": 1}
