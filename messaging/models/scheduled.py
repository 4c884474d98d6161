"""Messages that a person wants to be sent at a wall-clock time, once or again and again."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import Contact, WhatsAppAccount
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey
from waplus.lib.fields import WallClockField
from waplus.lib.walltime import validate_zone

MAX_BODY = 65_536
MAX_RECIPIENTS = 100
# Times of a series that are left out.
MAX_EXCLUDED = 500


class ScheduleState(models.TextChoices):
    WAITING = "waiting", _("Waiting for its time")
    PAUSED = "paused", _("Paused")
    QUEUED = "queued", _("Handed to the queue")
    CANCELLED = "cancelled", _("Cancelled")


class RecipientState(models.TextChoices):
    """Where a schedule is with one of its recipients. Waiting and paused ones count against the plan."""

    WAITING = "waiting", _("Waiting for its time")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Handed to the queue")
    CANCELLED = "cancelled", _("Cancelled")


class ScheduleClock(models.TextChoices):
    """By whose clock a wall-clock time is meant."""

    SENDER = "sender", _("By the sender’s clock")
    RECIPIENT = "recipient", _("By the recipient’s clock")


# What takes a place of the plan.
COUNTED = [RecipientState.WAITING, RecipientState.PAUSED]


class ScheduledMessage(WorkspaceModel):
    """The wish: what to send (its `parts`), from which number, to whom (its `recipients`), when, how late is too late.

    `wall_time`, `time_zone`, `clock` and `rrule` are what was meant
    (`waplus.lib.walltime` and `waplus.lib.recurrence` have the rules). `excluded`
    are wall-clock times of a series that do not occur. `due_at` is the earliest
    moment at which anything of it is to be sent next, or was last. It is `queued`
    when nothing of it is to come.
    """

    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+")
    wall_time = WallClockField(_("local time"))
    time_zone = models.CharField(_("time zone"), max_length=64, validators=[validate_zone])
    clock = models.CharField(_("whose clock"), max_length=9, choices=ScheduleClock, default=ScheduleClock.SENDER)
    rrule = models.CharField(_("recurrence"), max_length=300, blank=True, help_text=_("RFC 5545, without DTSTART."))
    excluded = ArrayField(WallClockField(), verbose_name=_("left out"), default=list, blank=True)
    due_at = models.DateTimeField(_("due"))
    lateness_minutes = models.PositiveIntegerField(
        _("how late is still fine"),
        default=60,
        help_text=_("Minutes after the time in which it may still be sent."),
    )
    # Of the queue's `LatePolicy`, which knows this module and not the other way round.
    on_late = models.CharField(
        _("if it is too late"), max_length=4, choices=[("skip", _("Skip it")), ("ask", _("Ask"))], default="skip"
    )
    state = models.CharField(_("state"), max_length=10, choices=ScheduleState, default=ScheduleState.WAITING)
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="whatsapp_account", name="scheduled_message_account"),
        ]
        indexes = [models.Index(fields=["workspace", "due_at", "id"], name="scheduled_message_calendar")]

    def __str__(self) -> str:
        return f"{self.wall_time:%Y-%m-%d %H:%M} {self.time_zone}"


class ScheduledRecipient(WorkspaceModel):
    """Whom a scheduled message goes to, and when next.

    `chat_jid` is the address: where a person named it (`keeps_address`), it stays;
    otherwise it is the contact's as it was last looked up, and is looked up again
    when a message is queued. `time_zone` is the zone of the clock that counts,
    `recipient_zone` the recipient's own, '' where it is not known. `next_wall` is
    the occurrence that comes next, `next_at` the moment that follows from it;
    both are empty where none comes. `last_at` is the one that was queued last.
    """

    scheduled_message = ScopedForeignKey(ScheduledMessage, models.CASCADE, related_name="recipients", db_index=False)
    contact = ScopedForeignKey(Contact, models.CASCADE, null=True, related_name="+", db_index=False)
    chat_jid = models.CharField(_("chat"), max_length=64)
    keeps_address = models.BooleanField(_("a person named the chat"), default=False)
    time_zone = models.CharField(_("time zone"), max_length=64)
    recipient_zone = models.CharField(_("recipient’s time zone"), max_length=64, blank=True)
    next_wall = WallClockField(_("next local time"), null=True)
    next_at = models.DateTimeField(_("next"), null=True)
    last_at = models.DateTimeField(_("last"), null=True)
    state = models.CharField(_("state"), max_length=9, choices=RecipientState, default=RecipientState.WAITING)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="scheduled_message", name="scheduled_recipient_message"),
            CompositeForeignKey(field="contact", name="scheduled_recipient_contact"),
            models.UniqueConstraint(fields=["scheduled_message", "contact"], name="scheduled_recipient_once"),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(next_at__isnull=False, next_wall__isnull=False),
                name="scheduled_recipient_waits_for_something",
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state="waiting"), name="scheduled_recipient_due"),
            models.Index(
                fields=["workspace", "next_at"], condition=Q(state="waiting"), name="scheduled_recipient_calendar"
            ),
            models.Index(
                fields=["workspace", "contact"], condition=Q(contact__isnull=False), name="scheduled_recipient_to"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.next_wall:%Y-%m-%d %H:%M} {self.time_zone}" if self.next_wall else str(self.state)
