"""Warnings: before messages cannot be sent in time, and of those that wait for a person."""

import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils.dateparse import parse_datetime

from accounts.models import Event, Membership, User
from conftest import join, make_person
from crm.tests.reminders import mailers
from messaging.models import (
    Broadcast,
    Dispatcher,
    DispatchWarning,
    MessageSource,
    QueuedMessage,
    WarningKind,
    WarningMail,
)
from messaging.services.presence import note_presence
from messaging.services.queueing import NewMessage, queue_messages
from messaging.services.warnings import send_warning_mails, warn_in_time
from messaging.services.warnings.sweep import COUNTED, delete_old_warnings
from messaging.tasks import warn_in_time as sweep_task
from messaging.tests.calls import CHAT, scheduled
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db

NOTHING = {"no_instance": 0, "late": 0, "outcome_unknown": 0}


@pytest.fixture
def put(acme, number, bob, clock):
    """Put a message of Bob's into the queue, due in so many minutes."""

    def put(minutes: float = 5, *, account=number, person=bob, lateness: float = 60, **changes) -> QueuedMessage:
        due_at = clock() + timedelta(minutes=minutes)
        row = NewMessage(
            source=MessageSource.SCHEDULED,
            origin_id=uuid7(),
            whatsapp_account_id=account.pk,
            chat_jid=CHAT,
            body="secret words",
            due_at=due_at,
            expires_at=due_at + timedelta(minutes=lateness),
            created_by_id=person.pk,
        )
        queue_messages(workspace=account.workspace, rows=[row])
        QueuedMessage.objects.filter(pk=row.id).update(**changes)
        return QueuedMessage.objects.get(pk=row.id)

    return put


def open_warnings() -> list[tuple]:
    rows = DispatchWarning.objects.filter(resolved_at=None).order_by("kind", "whatsapp_account")
    return list(rows.values_list("kind", "message_count"))


def mailed() -> list[str]:
    """Who was mailed, in the order of their addresses."""
    return sorted(address for message in mail.outbox for address in message.to)


# --- Nobody is there to send ---------------------------------------------------------------------------------------


def test_warns_before_it_is_too_late(acme, number, put, clock):
    first = put(14)
    put(15)
    put(16)
    assert warn_in_time() == NOTHING | {"no_instance": 1}
    row = DispatchWarning.objects.get()
    assert (row.workspace, row.whatsapp_account, row.kind) == (acme, number, WarningKind.NO_INSTANCE)
    assert (row.first_due_at, row.message_count, row.raised_at) == (first.due_at, 2, clock())
    event = Event.objects.get(kind="dispatch_warning.raised")
    assert (event.object_id, event.workspace, event.object_type) == (row.pk, acme, "dispatch_warning")


def test_stays_silent_of_what_is_far(put):
    put(15.1)
    assert warn_in_time() == NOTHING
    assert open_warnings() == []


@pytest.mark.parametrize(("ago", "warned"), [(0, 0), (179, 0), (180, 1), (3600, 1)])
def test_looks_who_was_there_lately(alice_device, number, put, clock, ago, warned):
    put()
    note_presence(number.pk, alice_device.instance.pk, clock() - timedelta(seconds=ago))
    assert warn_in_time()["no_instance"] == warned


def test_counts_no_device_that_may_not_send(alice_device, number, put, clock):
    put()
    note_presence(number.pk, alice_device.instance.pk, clock(), may_dispatch=False)
    assert warn_in_time()["no_instance"] == 1


def test_counts_who_holds_the_number(acme, alice_device, number, put, clock):
    """A device that sends slowly asks for nothing meanwhile, and renews its lease on the number."""
    put()
    Dispatcher.objects.create(
        workspace=acme,
        whatsapp_account=number,
        instance=alice_device.instance,
        lease_until=clock() + timedelta(seconds=60),
    )
    assert warn_in_time() == NOTHING
    clock.advance(61)
    assert warn_in_time()["no_instance"] == 1


def test_stays_silent_of_paused_number(acme, number, put, clock):
    put()
    Dispatcher.objects.create(workspace=acme, whatsapp_account=number, paused_at=clock())
    assert warn_in_time() == NOTHING


def test_warns_of_scheduled_messages(bob_device, number):
    """They are still waiting outside of the queue, fifteen minutes before."""
    scheduled(bob_device, number, seconds=14 * 60)
    scheduled(bob_device, number, seconds=20 * 60)
    assert warn_in_time()["no_instance"] == 1
    assert open_warnings() == [("no_instance", 1)]
    assert set(WarningMail.objects.values_list("recipient__name", flat=True)) == {"Alice", "Bob"}


@pytest.mark.parametrize(("state", "warned"), [("running", 1), ("paused", 0), ("draft", 0)])
def test_warns_of_running_broadcasts(acme, number, bob, put, state, warned):
    broadcast = Broadcast.objects.create(
        workspace=acme, whatsapp_account=number, name="News", state=state, created_by=bob
    )
    put(1, broadcast=broadcast, source="broadcast")
    assert warn_in_time()["no_instance"] == warned
    assert WarningMail.objects.filter(recipient=bob).count() == warned


def test_stays_silent_of_what_is_held_back_or_gone(put, clock):
    put(1, not_before=clock() + timedelta(hours=2), held_by="quiet_hours")
    put(-120, lateness=60)
    for state in ("sent", "cancelled", "failed", "skipped"):
        put(1, state=state)
    assert warn_in_time() == NOTHING


def test_warns_of_each_number(acme, second_number, foreign_number, charlie, put):
    put()
    put(account=second_number)
    put(account=foreign_number, person=charlie)
    assert warn_in_time()["no_instance"] == 3
    assert DispatchWarning.objects.filter(workspace=acme).count() == 2
    foreign = WarningMail.objects.filter(warning__whatsapp_account=foreign_number)
    assert [row.recipient for row in foreign] == [charlie]


def test_warns_once_and_counts_on(put, clock):
    put()
    assert warn_in_time()["no_instance"] == 1
    put()
    clock.advance(30)
    assert warn_in_time() == NOTHING
    assert open_warnings() == [("no_instance", 2)]
    assert Event.objects.filter(kind="dispatch_warning.raised").count() == 1


def test_counts_up_to_a_bound(acme, number, put, clock):
    template = put()
    rows = [
        NewMessage(
            source=MessageSource.SCHEDULED,
            origin_id=uuid7(),
            whatsapp_account_id=number.pk,
            chat_jid=CHAT,
            due_at=template.due_at,
            expires_at=template.expires_at,
        )
        for _ in range(COUNTED + 10)
    ]
    queue_messages(workspace=acme, rows=rows)
    warn_in_time()
    assert open_warnings() == [("no_instance", COUNTED)]


def test_resolves_when_a_device_is_back(alice_device, number, put, clock):
    put()
    warn_in_time()
    clock.advance(30)
    note_presence(number.pk, alice_device.instance.pk, clock())
    assert warn_in_time() == NOTHING
    row = DispatchWarning.objects.get()
    assert row.resolved_at == clock()
    assert Event.objects.get(kind="dispatch_warning.resolved").object_id == row.pk


def test_resolves_when_nothing_is_due(put, clock):
    message = put()
    warn_in_time()
    QueuedMessage.objects.filter(pk=message.pk).update(state="cancelled")
    warn_in_time()
    assert open_warnings() == []
    put()
    assert warn_in_time()["no_instance"] == 1  # a new one
    assert DispatchWarning.objects.count() == 2


def test_tells_other_extensions_before_the_time(acme, bob_device, charlie_device, number, put, clock):
    due_at = put(14).due_at
    warn_in_time()
    url = f"/api/v1/dispatch/warnings/?open=true&whatsapp_account={number.pk}"
    [warning] = bob_device.client.get(url).json()["results"]
    assert (warning["kind"], warning["message_count"]) == ("no_instance", 1)
    assert parse_datetime(warning["first_due_at"]) == due_at > clock()
    assert charlie_device.client.get("/api/v1/dispatch/warnings/").json()["results"] == []


@pytest.mark.django_db(transaction=True)
def test_wakes_open_extensions_once(acme, put):
    """Every stream of the workspace hears of the event; a sweep that finds the same again wakes nobody."""
    with transaction.atomic():
        put()
    listener = connection.copy()
    try:
        with listener.cursor() as cursor:
            cursor.execute("LISTEN waplus_changes")
            warn_in_time()
            cursor.execute("SELECT 1")  # what was notified comes along
            assert [notice.payload.partition(":")[0] for notice in listener.connection.notifies] == [str(acme.pk)]
            listener.connection.notifies.clear()
            warn_in_time()
            cursor.execute("SELECT 1")
            assert listener.connection.notifies == []
    finally:
        listener.close()


# --- What waits for a person ---------------------------------------------------------------------------------------


def test_warns_of_late_messages(alice_device, number, put, clock):
    note_presence(number.pk, alice_device.instance.pk, clock())
    message = put(-90, state="late")
    assert warn_in_time() == NOTHING | {"late": 1}
    row = DispatchWarning.objects.get()
    assert (row.kind, row.first_due_at, row.message_count) == ("late", message.due_at, 1)
    QueuedMessage.objects.update(state="skipped")
    warn_in_time()
    assert open_warnings() == []


@pytest.mark.parametrize(("minutes", "warned"), [(59, 0), (60, 1)])
def test_warns_of_unknown_outcomes_after_an_hour(put, clock, minutes, warned):
    put(-minutes, state="outcome_unknown", sending_at=clock() - timedelta(minutes=minutes))
    assert warn_in_time() == NOTHING | {"outcome_unknown": warned}
    assert open_warnings() == [("outcome_unknown", 1)] * warned


def test_sweeps_with_a_fixed_count_of_statements(acme, number, second_number, put, django_assert_max_num_queries):
    for account in (number, second_number):
        put(account=account)
        put(-90, account=account, state="late")
        put(-90, account=account, state="outcome_unknown")
    with django_assert_max_num_queries(16):
        warn_in_time()
    assert len(open_warnings()) == 6


# --- Mails ---------------------------------------------------------------------------------------------------------


def test_mails_those_whose_messages_wait_and_the_owner(acme, number, put, bob, clock):
    dora = make_person("Dora")
    join(acme, dora)  # nothing of hers waits
    put(14)
    warn_in_time()
    assert send_warning_mails() == {"delivered": 2}
    assert mailed() == ["alice@example.com", "bob@example.com"]
    message = next(one for one in mail.outbox if one.to == [bob.email])
    row = WarningMail.objects.get(recipient=bob)
    assert message.subject == "No device is there to send from +5511911110001"
    assert message.extra_headers["Message-ID"].startswith(f"<warning.{row.pk}@")
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    assert "Messages: 1\n" in message.body
    assert "The first is due: June 1, 2026, 12:14 p.m. (UTC)" in message.body
    assert f"/messages/numbers/{number.pk}/" in message.body
    assert "secret" not in message.body
    assert CHAT.partition("@")[0] not in message.body
    assert (row.state, row.attempts, row.delivered_at) == ("delivered", 1, clock())


def test_tells_times_in_the_zone_of_who_reads(put, bob):
    User.objects.filter(pk=bob.pk).update(time_zone="Asia/Kathmandu")
    put(14)
    warn_in_time()
    send_warning_mails()
    message = next(one for one in mail.outbox if one.to == [bob.email])
    assert "June 1, 2026, 5:59 p.m. (Asia/Kathmandu)" in message.body


@pytest.mark.parametrize(("kind", "subject"), [("late", "are late"), ("outcome_unknown", "Nobody knows")])
def test_mails_of_what_waits_for_a_person(put, kind, subject):
    put(-90, state=kind)
    warn_in_time()
    assert send_warning_mails() == {"delivered": 2}
    assert all(subject in message.subject for message in mail.outbox)


def test_mails_once(put, clock):
    put()
    for _ in range(5):
        warn_in_time()
        send_warning_mails()
        clock.advance(30)
    assert mailed() == ["alice@example.com", "bob@example.com"]


def test_mails_who_joins_the_waiting(put, alice, bob):
    put(person=alice)
    warn_in_time()
    send_warning_mails()
    assert mailed() == ["alice@example.com"]
    put(person=bob)
    warn_in_time()
    send_warning_mails()
    assert mailed() == ["alice@example.com", "bob@example.com"]


def test_mails_not_again_while_a_device_comes_and_goes(alice_device, number, put, clock):
    for _ in range(4):
        put(10)
        warn_in_time()
        send_warning_mails()
        note_presence(number.pk, alice_device.instance.pk, clock.advance(60))
        warn_in_time()
        clock.advance(240)
    assert DispatchWarning.objects.count() == 4
    assert mailed() == ["alice@example.com", "bob@example.com"]
    clock.advance(3600)
    put(10)
    warn_in_time()
    send_warning_mails()
    assert len(mail.outbox) == 4


def test_mails_of_a_second_outage_that_lasts(alice_device, number, put, clock):
    """It began too soon behind the first one to be mailed at once."""
    put(10, lateness=600)
    warn_in_time()
    send_warning_mails()
    note_presence(number.pk, alice_device.instance.pk, clock.advance(60))
    warn_in_time()
    clock.advance(240)
    assert warn_in_time()["no_instance"] == 1
    assert send_warning_mails() == {}
    clock.advance(3300)  # an hour after the first mails
    warn_in_time()
    assert send_warning_mails() == {"delivered": 2}
    for _ in range(5):
        clock.advance(1800)
        warn_in_time()
        assert send_warning_mails() == {}
    assert mailed() == ["alice@example.com"] * 2 + ["bob@example.com"] * 2


@pytest.mark.parametrize(
    "end",
    [
        lambda bob: User.objects.filter(pk=bob.pk).update(warnings_by_email=False),
        lambda bob: User.objects.filter(pk=bob.pk).update(is_active=False),
        lambda bob: Membership.objects.filter(user=bob).delete(),
    ],
    ids=["switched off", "deactivated", "left"],
)
@pytest.mark.parametrize("when", ["before it is noted", "before it is sent"])
def test_mails_nobody_who_does_not_want_it(put, bob, end, when):
    put()
    if when == "before it is noted":
        end(bob)
    warn_in_time()
    if when == "before it is sent":
        end(bob)
    send_warning_mails()
    assert mailed() == ["alice@example.com"]


def test_mails_nothing_of_what_is_settled(alice_device, number, put, clock):
    put()
    warn_in_time()
    note_presence(number.pk, alice_device.instance.pk, clock())
    warn_in_time()
    assert send_warning_mails() == {"dropped": 2}
    assert mailed() == []


def test_hints_at_mails(put, hints, django_capture_on_commit_callbacks):
    put()
    with django_capture_on_commit_callbacks(execute=True):
        sweep_task()
    assert hints == ["messaging.tasks.send_warning_mails"]


def test_forgets_what_was_settled_long_ago(put, clock):
    put()
    warn_in_time()
    clock.advance(91 * 86400)
    warn_in_time()
    assert delete_old_warnings() == 0
    clock.advance(91 * 86400)
    assert delete_old_warnings() == 3  # with two mails


# --- The mail server ------------------------------------------------------------------------------------------------


@pytest.fixture
def server(settings):
    settings.EMAIL_BACKEND = "crm.tests.reminders.mailers.Answering"
    mailers.answers.clear()
    yield mailers.answers
    mailers.answers.clear()


@pytest.fixture
def noted(put, alice):
    """One mail that waits, to Alice."""
    put(person=alice)
    warn_in_time()
    return WarningMail.objects.get()


def test_tries_again_when_server_is_away(settings, noted, clock):
    backend, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "crm.tests.reminders.mailers.Unreachable"
    assert send_warning_mails() == {"waiting": 1}
    noted.refresh_from_db()
    assert (noted.state, noted.lease_until) == ("waiting", clock() + timedelta(minutes=2))
    settings.EMAIL_BACKEND = backend
    assert send_warning_mails() == {}
    clock.advance(120)
    assert send_warning_mails() == {"delivered": 1}


def test_gives_up_when_it_is_too_late(settings, noted, clock):
    settings.EMAIL_BACKEND = "crm.tests.reminders.mailers.Unreachable"
    for _ in range(12):
        send_warning_mails()
        clock.advance(20 * 60)
    noted.refresh_from_db()
    assert noted.state == "failed"
    assert noted.problem == "The mail server cannot be reached: ConnectionRefusedError."


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (smtplib.SMTPResponseException(451, b"later"), "waiting"),
        (smtplib.SMTPRecipientsRefused({"a": (450, b"later")}), "waiting"),
        (smtplib.SMTPRecipientsRefused({"a": (550, b"never")}), "failed"),
        (smtplib.SMTPDataError(554, b"never"), "failed"),
        (smtplib.SMTPServerDisconnected(), "unknown"),
        ((smtplib.SMTPServerDisconnected(),), "unknown"),
        (TimeoutError(), "unknown"),
    ],
)
def test_takes_the_servers_answer(server, noted, clock, answer, state):
    server.append(answer)
    assert send_warning_mails() == {state: 1}
    for _ in range(3):
        clock.advance(600)
        send_warning_mails()
    noted.refresh_from_db()
    assert noted.state == ("delivered" if state == "waiting" else state)
    assert len(mail.outbox) == (1 if state == "waiting" or isinstance(answer, tuple) else 0)
