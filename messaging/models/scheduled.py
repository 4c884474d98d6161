"""Messages that a person wants to be sent at a wall-clock time."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import Contact, WhatsAppAccount
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey
from waplus.lib.fields import WallClockField
from waplus.lib.walltime import validate_zone

MAX_BODY = 65_536


class ScheduleState(models.TextChoices):
    WAITING = "waiting", _("Waiting for its time")
    QUEUED = "queued", _("In the queue")
    CANCELLED = "cancelled", _("Cancelled")


class ScheduledMessage(WorkspaceModel):
    """The wish: what to send, from which number, to which chat, at which wall-clock time, how late is too late.

    `wall_time` and `time_zone` are what was meant, `due_at` is the moment that
    follows from them (`waplus.lib.walltime` has the rules for gap and overlap).
    """

    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+")
    contact = ScopedForeignKey(Contact, models.CASCADE, null=True, related_name="+")
    chat_jid = models.CharField(_("chat"), max_length=64)
    body = models.TextField(_("text"), max_length=MAX_BODY)
    wall_time = WallClockField(_("local time"))
    time_zone = models.CharField(_("time zone"), max_length=64, validators=[validate_zone])
    due_at = models.DateTimeField(_("due"))
    lateness_minutes = models.PositiveIntegerField(
        _("how late is still fine"),
        default=60,
        help_text=_("Minutes after the time in which it may still be sent; later it is skipped."),
    )
    state = models.CharField(_("state"), max_length=10, choices=ScheduleState, default=ScheduleState.WAITING)
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="whatsapp_account", name="scheduled_message_account"),
            CompositeForeignKey(field="contact", name="scheduled_message_contact"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="waiting"), name="scheduled_message_due"),
            models.Index(fields=["workspace", "due_at", "id"], name="scheduled_message_calendar"),
        ]

    def __str__(self) -> str:
        return f"{self.wall_time:%Y-%m-%d %H:%M} {self.time_zone} to {self.chat_jid}"
