"""Telling people of what is due, once: by e-mail, and on one of their open extensions.

A row a due time and channel (unique) is what makes it once. A mail is handed
over at most once (`waplus.lib.mail_once`): where nobody can know whether it was,
the reminder is overdue on every page and in the extension all the same, while a
message that comes twice would be believed the second time less.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import SYSTEM, Actor
from accounts.models import ExtensionInstance, Membership, User, Workspace
from accounts.services.events import record_event
from crm.models import DeliveryChannel, DeliveryState, Reminder, ReminderDelivery, ReminderState
from crm.services.reminders.changes import reminder_of
from crm.services.reminders.mail import reminder_message
from waplus.lib.errors import Refused
from waplus.lib.mail_once import MailOnce

# A mail later than this is noise: the reminder has long been overdue where people look.
LATEST = timedelta(days=1)

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


class ReminderMails(MailOnce):
    """The mails of reminders."""

    model = ReminderDelivery

    def latest(self, row: ReminderDelivery) -> datetime:
        return row.due_at + LATEST

    def hold(self, row_id: UUID) -> None:
        """The reminder, so that "done" comes either before, and nothing is sent, or after."""
        Reminder.objects.select_for_update(no_key=True, of=("self",)).filter(deliveries=row_id).first()

    def message(self, row: ReminderDelivery, now: datetime) -> EmailMessage | None:
        """To whom it is assigned now, if it is still due then."""
        reminder = Reminder.objects.select_related("workspace", "contact", "chat").get(pk=row.reminder_id)
        recipient = _recipient(row, reminder)
        if recipient is None:
            return None
        row.recipient = recipient
        row.save(update_fields=["recipient"])
        return reminder_message(delivery=row, reminder=reminder, recipient=recipient)

    def note_delivered(self, row_id: UUID) -> None:
        delivery = ReminderDelivery.objects.select_related("workspace", "reminder").get(pk=row_id)
        record_event(kind="reminder.delivered", actor=SYSTEM, workspace=delivery.workspace, obj=delivery.reminder)


def deliver_due_reminders() -> dict[str, int]:
    """Send what is due; answers how many deliveries ended how.

    Any number of sweeps may run at once, and each may be killed anywhere.
    """
    _note_due()
    return ReminderMails().send_waiting()


@transaction.atomic
def _note_due() -> None:
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"now": now, "earliest": now - LATEST})


def _recipient(delivery: ReminderDelivery, reminder: Reminder) -> User | None:
    """Who is told of a reminder at this moment: its assignee, if it is still due then, and they are a member and want mail."""
    wanted = reminder.state == ReminderState.OPEN and reminder.due_at == delivery.due_at
    resting = reminder.contact is not None and reminder.contact.deleted_at is not None
    if not wanted or resting or reminder.assignee_id is None:
        return None
    members = Membership.objects.for_workspace(reminder.workspace).select_related("user")
    membership = members.filter(user=reminder.assignee_id, user__is_active=True, user__reminders_by_email=True).first()
    return membership and membership.user


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
