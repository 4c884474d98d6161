"""Reminders in a person's wall clock, and their deliveries."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel, WorkspaceQuerySet
from crm.models.chats import Chat
from crm.models.contacts import Contact
from crm.models.synced import SyncedModel
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey
from waplus.lib.fields import WallClockField
from waplus.lib.walltime import validate_zone

MAX_REMINDER = 2_000


class ReminderState(models.TextChoices):
    OPEN = "open", _("Open")
    DONE = "done", _("Done")


class ReminderQuerySet(WorkspaceQuerySet):
    def visible(self):
        """Reminders that count: those of a contact in the bin rest until it is back."""
        return self.filter(Q(contact=None) | Q(contact__deleted_at=None))

    def overdue(self, now):
        """Open ones whose time has come."""
        return self.filter(state=ReminderState.OPEN, due_at__lte=now)


class Reminder(SyncedModel):
    """What somebody wants to be reminded of, at a wall-clock time in a zone.

    `wall_time` and `rrule` are what was meant; `occurrence_wall` is the
    occurrence that is due next, `due_at` the moment that follows from it, or
    from a snooze (`snoozed_until`), which moves this occurrence alone.
    """

    versioned = (
        *("text", "wall_time", "time_zone", "rrule", "occurrence_wall", "due_at", "snoozed_until"),
        *("state", "assignee_id", "contact_id", "chat_id"),
    )

    contact = ScopedForeignKey(Contact, models.CASCADE, null=True, related_name="reminders", db_index=False)
    chat = ScopedForeignKey(Chat, models.CASCADE, null=True, related_name="reminders", db_index=False)
    text = models.TextField(_("text"), max_length=MAX_REMINDER)
    wall_time = WallClockField(_("local time"))
    time_zone = models.CharField(_("time zone"), max_length=64, validators=[validate_zone])
    rrule = models.CharField(_("recurrence"), max_length=300, blank=True, help_text=_("RFC 5545, without DTSTART."))
    occurrence_wall = WallClockField(_("local time of this occurrence"))
    due_at = models.DateTimeField(_("due"))
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True)
    state = models.CharField(_("state"), max_length=6, choices=ReminderState, default=ReminderState.OPEN)
    assignee = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(_("done"), null=True)

    objects = ReminderQuerySet.as_manager()

    class Meta(SyncedModel.Meta):
        constraints = [
            *SyncedModel.Meta.constraints,
            CompositeForeignKey(field="contact", name="reminder_contact"),
            CompositeForeignKey(field="chat", name="reminder_chat"),
        ]
        indexes = [
            *SyncedModel.Meta.indexes,
            models.Index(fields=["due_at"], condition=Q(state="open"), name="reminder_due"),
            models.Index(fields=["workspace", "due_at", "id"], name="reminder_calendar"),
            models.Index(
                fields=["workspace", "contact"], condition=Q(contact__isnull=False), name="reminder_of_contact"
            ),
            models.Index(fields=["workspace", "chat"], condition=Q(chat__isnull=False), name="reminder_of_chat"),
        ]

    def __str__(self) -> str:
        return self.text[:60]

    def is_overdue(self, now) -> bool:
        """Whether its time has come and nobody has done it."""
        return self.state == ReminderState.OPEN and self.due_at <= now


class DeliveryChannel(models.TextChoices):
    EXTENSION = "extension", _("Extension")
    EMAIL = "email", _("E-mail")


class DeliveryState(models.TextChoices):
    """Where a delivery is. Nothing leads out of the last four but a fact that comes late: unknown to delivered."""

    WAITING = "waiting", _("Waiting to be sent")
    SENDING = "sending", _("Being handed to the mail server")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Outcome unknown")
    DROPPED = "dropped", _("No longer wanted")


class ReminderDelivery(WorkspaceModel):
    """One time at which a reminder was due, told of on one channel: once.

    `lease_until` is until when a worker holds a waiting or sending delivery, or
    before when nobody tries again; `attempts` is the fence of that lease.
    """

    reminder = ScopedForeignKey(Reminder, models.CASCADE, related_name="deliveries", db_index=False)
    due_at = models.DateTimeField(_("was due"))
    channel = models.CharField(_("channel"), max_length=10, choices=DeliveryChannel)
    recipient = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    instance = models.ForeignKey(
        "accounts.ExtensionInstance", models.SET_NULL, null=True, related_name="+", db_index=False
    )
    state = models.CharField(_("state"), max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(_("claimed"), auto_now_add=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True)
    problem = models.CharField(_("problem"), max_length=300, blank=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="reminder", name="reminder_delivery_reminder"),
            models.UniqueConstraint(
                fields=["workspace", "reminder", "due_at", "channel"], name="reminder_delivery_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease_until"], condition=Q(state__in=["waiting", "sending"]), name="reminder_delivery_pending"
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.due_at:%Y-%m-%d %H:%M}"
