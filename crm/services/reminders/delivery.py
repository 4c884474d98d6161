"""Telling people of what is due, once: by e-mail, and on one of their open extensions.

A row a due time and channel (unique) is what makes it once. By mail, a worker
leases the row, looks again whether the reminder is still wanted, writes down
that it is about to hand the message over, hands it over, and writes down what
the mail server said:

- killed before "sending" is written: the lease runs out and another worker
  sends it;
- killed after: nobody can know whether the server took it. It is not sent
  again (at most once) and stays as "outcome unknown". The reminder is overdue
  on every page and in the extension all the same, while a message that comes
  twice would be believed the second time less.
"""

import logging
import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.core.mail import EmailMessage, get_connection
from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import SYSTEM, Actor
from accounts.models import ExtensionInstance, Membership, User, Workspace
from accounts.services.events import record_event
from crm.models import DeliveryChannel, DeliveryState, Reminder, ReminderDelivery, ReminderState
from crm.services.reminders.changes import reminder_of
from crm.services.reminders.mail import reminder_message
from waplus.lib.errors import Refused

logger = logging.getLogger(__name__)

# A mail later than this is noise: the reminder has long been overdue where people look.
LATEST = timedelta(days=1)
LEASE = timedelta(minutes=2)
# A sweep ends long before the worker's time limit; the next one goes on.
A_SWEEP = 200
UNKNOWN = "The worker fell silent while it handed the message to the mail server."

# Rows for what is due and has none. A reminder that is being changed or deleted is left to the next sweep.
_NOTE = """
INSERT INTO crm_reminderdelivery
    (id, workspace_id, reminder_id, due_at, channel, state, attempts, lease_until, claimed_at, problem)
SELECT gen_random_uuid(), r.workspace_id, r.id, r.due_at, 'email', 'waiting', 0, %(now)s, %(now)s, ''
FROM crm_reminder r
JOIN accounts_membership m ON m.workspace_id = r.workspace_id AND m.user_id = r.assignee_id
JOIN accounts_user u ON u.id = m.user_id AND u.is_active AND u.reminders_by_email
LEFT JOIN crm_contact c ON c.workspace_id = r.workspace_id AND c.id = r.contact_id
WHERE r.state = 'open' AND r.due_at <= %(now)s AND r.due_at > %(earliest)s AND c.deleted_at IS NULL
  AND NOT EXISTS (
      SELECT 1 FROM crm_reminderdelivery d
      WHERE d.workspace_id = r.workspace_id AND d.reminder_id = r.id AND d.due_at = r.due_at AND d.channel = 'email'
  )
ORDER BY r.due_at LIMIT 1000 FOR KEY SHARE OF r SKIP LOCKED
ON CONFLICT (workspace_id, reminder_id, due_at, channel) DO NOTHING
"""

_LEASE = """
UPDATE crm_reminderdelivery d SET attempts = d.attempts + 1, lease_until = %(until)s
FROM (
    SELECT id FROM crm_reminderdelivery WHERE state = 'waiting' AND lease_until <= %(now)s
    ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED
) free
WHERE d.id = free.id RETURNING d.id, d.attempts
"""


@dataclass(frozen=True)
class Lease:
    """A delivery in a worker's hands; `fence` is the attempt that the lease is for."""

    delivery_id: UUID
    fence: int

    def row(self, *states: DeliveryState):
        """The delivery, as long as nobody else has taken it over."""
        return ReminderDelivery.objects.filter(pk=self.delivery_id, attempts=self.fence, state__in=states)


def deliver_due_reminders() -> dict[str, int]:
    """Send what is due; answers how many deliveries ended how.

    Any number of sweeps may run at once, and each may be killed anywhere.
    """
    _settle()
    _note_due()
    counts: dict[str, int] = {}
    for lease in islice(iter(_lease, None), A_SWEEP):
        state = _deliver(lease)
        counts[state] = counts.get(state, 0) + 1
    return counts


def _settle() -> None:
    """What fell silent while it was sent will never be known."""
    ReminderDelivery.objects.filter(state=DeliveryState.SENDING, lease_until__lte=timezone.now()).update(
        state=DeliveryState.UNKNOWN, lease_until=None, problem=UNKNOWN
    )


@transaction.atomic
def _note_due() -> None:
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"now": now, "earliest": now - LATEST})


@transaction.atomic
def _lease() -> Lease | None:
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_LEASE, {"now": now, "until": now + LEASE})
        row = cursor.fetchone()
    return Lease(*row) if row else None


def _deliver(lease: Lease) -> str:
    """Send one delivery, on a connection of its own: a server that hung up on the one before takes none along."""
    mailer = get_connection()
    try:
        mailer.open()
    except (OSError, smtplib.SMTPException) as error:
        # Nothing was handed over for certain.
        return _put_off(lease, f"The mail server cannot be reached: {type(error).__name__}.")
    try:
        message = _begin_sending(lease)
        if message is None:
            return DeliveryState.DROPPED
        try:
            mailer.send_messages([message])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException, UnicodeError) as error:
            return _refused(lease, error)
        except (OSError, smtplib.SMTPException) as error:
            return _end(lease, DeliveryState.UNKNOWN, f"The mail server fell silent: {type(error).__name__}.")
        return _end(lease, DeliveryState.DELIVERED)
    finally:
        mailer.close()


@transaction.atomic
def _begin_sending(lease: Lease) -> EmailMessage | None:
    """The message, once it is written down that it is about to be handed over; None where it is wanted no longer.

    The reminder's row is locked meanwhile, so that "done" comes either before, and
    nothing is sent, or after. Whoever deletes it holds rows in another order, so
    the delivery's is not waited for.
    """
    now = timezone.now()
    delivery = ReminderDelivery.objects.filter(pk=lease.delivery_id).first()
    reminders = Reminder.objects.select_for_update(no_key=True, of=("self",)).filter(deliveries=lease.delivery_id)
    reminder = reminders.select_related("workspace", "contact", "chat").first()
    mine = lease.row(DeliveryState.WAITING).select_for_update(skip_locked=True)
    if reminder is None or not mine.exists():
        return None
    recipient = _recipient(delivery, reminder, now)
    if recipient is None:
        _end(lease, DeliveryState.DROPPED)
        return None
    ReminderDelivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.SENDING, lease_until=now + LEASE, recipient=recipient
    )
    return reminder_message(delivery=delivery, reminder=reminder, recipient=recipient)


def _recipient(delivery: ReminderDelivery, reminder: Reminder, now: datetime) -> User | None:
    """Who is told of a reminder at this moment: its assignee, if it is still due then, and they are a member and want mail."""
    wanted = reminder.state == ReminderState.OPEN and reminder.due_at == delivery.due_at > now - LATEST
    resting = reminder.contact is not None and reminder.contact.deleted_at is not None
    if not wanted or resting or reminder.assignee_id is None:
        return None
    members = Membership.objects.for_workspace(reminder.workspace).select_related("user")
    membership = members.filter(user=reminder.assignee_id, user__is_active=True, user__reminders_by_email=True).first()
    return membership and membership.user


def _refused(lease: Lease, error: Exception) -> str:
    """The server said no, so it has not sent it. What may pass is tried again, the rest is final."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
    elif isinstance(error, smtplib.SMTPResponseException):
        code = error.smtp_code
    else:
        return _end(lease, DeliveryState.FAILED, "The address or the message cannot be written for a mail server.")
    problem = f"The mail server refused it with code {code}."
    return _put_off(lease, problem) if 400 <= code < 500 else _end(lease, DeliveryState.FAILED, problem)


def _put_off(lease: Lease, problem: str) -> str:
    """Try again later, each time after twice as long (an hour at most), until it is too late for a mail."""
    logger.warning("reminder delivery %s: %s", lease.delivery_id, problem)
    now = timezone.now()
    mine = lease.row(DeliveryState.WAITING, DeliveryState.SENDING)
    if mine.filter(due_at__lte=now - LATEST).exists():
        return _end(lease, DeliveryState.FAILED, problem)
    pause = timedelta(minutes=min(2 ** min(lease.fence, 6), 60))
    mine.update(state=DeliveryState.WAITING, lease_until=now + pause, problem=problem)
    return DeliveryState.WAITING


@transaction.atomic
def _end(lease: Lease, state: DeliveryState, problem: str = "") -> str:
    """Write down how it ended. That it was delivered is a fact, also when it comes after the lease."""
    now = timezone.now()
    sources = [DeliveryState.SENDING, DeliveryState.WAITING]
    if state == DeliveryState.DELIVERED:
        sources.append(DeliveryState.UNKNOWN)
    ended = lease.row(*sources).update(
        state=state,
        lease_until=None,
        problem=problem,
        delivered_at=now if state == DeliveryState.DELIVERED else None,
    )
    if ended and state == DeliveryState.DELIVERED:
        delivery = ReminderDelivery.objects.select_related("workspace", "reminder").get(pk=lease.delivery_id)
        record_event(kind="reminder.delivered", actor=SYSTEM, workspace=delivery.workspace, obj=delivery.reminder)
    return state


@transaction.atomic
def deliver_to_extension(
    *, workspace: Workspace, reminder_id: UUID, user: User, instance: ExtensionInstance, actor: Actor
) -> Reminder:
    """Let one of the assignee's extensions show a due reminder: the first that asks gets it, the others are refused.

    The same instance may ask again, for a lost answer.
    """
    reminder = reminder_of(workspace=workspace, reminder_id=reminder_id, lock=True)
    if reminder.assignee_id != user.pk:
        raise Refused("forbidden", "A reminder is shown to the member whom it is assigned to.")
    now = timezone.now()
    if not reminder.is_overdue(now):
        raise Refused("wrong_state", "This reminder is not due.", extra={"state": reminder.state})
    delivery, is_new = ReminderDelivery.objects.get_or_create(
        workspace=workspace,
        reminder=reminder,
        due_at=reminder.due_at,
        channel=DeliveryChannel.EXTENSION,
        defaults={
            "state": DeliveryState.DELIVERED,
            "recipient": user,
            "instance": instance,
            "delivered_at": now,
        },
    )
    if is_new:
        record_event(kind="reminder.delivered", actor=actor, workspace=workspace, obj=reminder)
    elif delivery.instance_id != instance.pk:
        raise Refused("already_delivered", "Another of your devices shows this reminder.")
    return reminder
