"""Which instances ask for messages of a number, and what people are warned of before it is too late."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import WhatsAppAccount
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class NumberPresence(WorkspaceModel):
    """When an instance last asked for messages of a number. Within seconds it is not written again."""

    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+", db_index=False)
    instance = models.ForeignKey("accounts.ExtensionInstance", models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(_("last seen"))
    may_dispatch = models.BooleanField(_("may send"), default=True)

    class Meta(WorkspaceModel.Meta):
        # Nothing points here. What is written with every other claim has no index that is not needed to find it.
        constraints = [
            CompositeForeignKey(field="whatsapp_account", name="number_presence_account"),
            models.UniqueConstraint(fields=["whatsapp_account", "instance"], name="number_presence_once"),
        ]

    def __str__(self) -> str:
        return f"seen {self.seen_at:%Y-%m-%d %H:%M}"


class WarningKind(models.TextChoices):
    """What is wrong."""

    NO_INSTANCE = "no_instance", _("No device is there to send")
    LATE = "late", _("Messages are too late and wait for a decision")
    OUTCOME_UNKNOWN = "outcome_unknown", _("Nobody knows whether messages were sent")


class DispatchWarning(WorkspaceModel):
    """Something about a number that people should see to. One of a kind is open at a time.

    `first_due_at` is the time of the first message that it is about,
    `message_count` how many they are, counted no further than a bound.
    """

    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(_("kind"), max_length=16, choices=WarningKind)
    first_due_at = models.DateTimeField(_("first message due"))
    message_count = models.PositiveIntegerField(_("messages"))
    raised_at = models.DateTimeField(_("raised"))
    resolved_at = models.DateTimeField(_("resolved"), null=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="whatsapp_account", name="dispatch_warning_account"),
            models.UniqueConstraint(
                fields=["whatsapp_account", "kind"], condition=Q(resolved_at=None), name="dispatch_warning_open"
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-id"], name="dispatch_warning_list"),
            models.Index(fields=["whatsapp_account", "-id"], name="dispatch_warning_of_number"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class WarningMailState(models.TextChoices):
    """Where a message about a warning is. Nothing leads out of the last four but a fact that comes late."""

    WAITING = "waiting", _("Waiting to be sent")
    SENDING = "sending", _("Being handed to the mail server")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Outcome unknown")
    DROPPED = "dropped", _("No longer wanted")


class WarningMail(WorkspaceModel):
    """An e-mail about a warning to one person: handed over at most once.

    `lease_until` is until when a worker holds it, or before when nobody tries
    again; `attempts` is the fence of that lease.
    """

    warning = ScopedForeignKey(DispatchWarning, models.CASCADE, related_name="mails", db_index=False)
    recipient = models.ForeignKey("accounts.User", models.CASCADE, related_name="+")
    state = models.CharField(_("state"), max_length=10, choices=WarningMailState, default=WarningMailState.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(null=True)
    noted_at = models.DateTimeField(_("noted"))
    delivered_at = models.DateTimeField(_("delivered"), null=True)
    problem = models.CharField(_("problem"), max_length=300, blank=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            CompositeForeignKey(field="warning", name="warning_mail_warning"),
            models.UniqueConstraint(fields=["warning", "recipient"], name="warning_mail_once"),
        ]
        indexes = [
            models.Index(
                fields=["lease_until"], condition=Q(state__in=["waiting", "sending"]), name="warning_mail_pending"
            )
        ]

    def __str__(self) -> str:
        return self.get_state_display()
