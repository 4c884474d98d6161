"""The queue of what is to be sent now, and every attempt at it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import WhatsAppAccount
from messaging.models.scheduled import ScheduledMessage
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class DispatchState(models.TextChoices):
    """Where a message is. Who may move it where is drawn in docs/dispatch.md."""

    QUEUED = "queued", _("Waiting for a device")
    LEASED = "leased", _("Handed to a device")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    OUTCOME_UNKNOWN = "outcome_unknown", _("Outcome unknown")
    SKIPPED = "skipped", _("Skipped")
    CANCELLED = "cancelled", _("Cancelled")


OPEN = [DispatchState.LEASED, DispatchState.SENDING]


class QueuedMessage(WorkspaceModel):
    """One message to be sent once.

    `fence` rises with every claim: a report with an older fence comes from an
    instance that has lost the lease. `message_id` is the bare WhatsApp id that
    was reserved for it, the same in every attempt, so that an instance can look
    into the chat before it would send again.
    """

    scheduled_message = ScopedForeignKey(ScheduledMessage, models.CASCADE, related_name="occurrences", db_index=False)
    occurrence_at = models.DateTimeField(_("occurrence"))
    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+", db_index=False)
    chat_jid = models.CharField(_("chat"), max_length=64)
    body = models.TextField(_("text"))
    message_id = models.CharField(_("reserved message id"), max_length=40)
    due_at = models.DateTimeField(_("due"))
    expires_at = models.DateTimeField(_("too late from"))
    state = models.CharField(_("state"), max_length=16, choices=DispatchState, default=DispatchState.QUEUED)
    fence = models.PositiveIntegerField(default=0)
    claim_id = models.UUIDField(null=True)
    instance = models.ForeignKey("accounts.ExtensionInstance", models.SET_NULL, null=True, related_name="+")
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True, help_text=_("Why it failed or was skipped."))
    queued_at = models.DateTimeField(_("queued"))

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="scheduled_message", name="queued_message_schedule"),
            CompositeForeignKey(field="whatsapp_account", name="queued_message_account"),
            models.UniqueConstraint(fields=["scheduled_message", "occurrence_at"], name="queued_message_occurrence"),
            models.CheckConstraint(
                condition=models.Q(state__in=OPEN, lease_until__isnull=False, fence__gte=1) | ~models.Q(state__in=OPEN),
                name="queued_message_lease",
            ),
        ]
        indexes = [
            models.Index(
                fields=["whatsapp_account", "due_at", "scheduled_message"],
                condition=models.Q(state="queued"),
                name="queued_message_claim",
            ),
            models.Index(
                fields=["lease_until"],
                condition=models.Q(state__in=["leased", "sending"]),
                name="queued_message_leases",
            ),
            models.Index(fields=["expires_at"], condition=models.Q(state="queued"), name="queued_message_expiry"),
            models.Index(
                fields=["whatsapp_account", "chat_jid"],
                condition=models.Q(state__in=["leased", "sending", "outcome_unknown"]),
                name="queued_message_chat",
            ),
            models.Index(fields=["workspace", "-due_at", "-id"], name="queued_message_list"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.state}"


class DispatchAttempt(WorkspaceModel):
    """One hand-out of a message to an instance, and what came of it."""

    message = ScopedForeignKey(QueuedMessage, models.CASCADE, related_name="attempts", db_index=False)
    fence = models.PositiveIntegerField()
    instance = models.ForeignKey("accounts.ExtensionInstance", models.SET_NULL, null=True, related_name="+")
    claimed_at = models.DateTimeField(_("handed out"))
    outcome = models.CharField(_("outcome"), max_length=16, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="message", name="dispatch_attempt_message"),
            models.UniqueConstraint(fields=["message", "fence"], name="dispatch_attempt_once"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.fence}"
