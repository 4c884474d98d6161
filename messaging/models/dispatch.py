"""The queue of everything that is to be sent, and every attempt at it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import Contact, WhatsAppAccount
from messaging.models.broadcasts import Broadcast
from messaging.models.media import MediaFile
from messaging.models.scheduled import ScheduledMessage
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class DispatchState(models.TextChoices):
    """Where a message is. Who may move it where is drawn in docs/dispatch.md."""

    QUEUED = "queued", _("Waiting for a device")
    LATE = "late", _("Too late; somebody decides")
    LEASED = "leased", _("Handed to a device")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    READ = "read", _("Read")
    PLAYED = "played", _("Played")
    FAILED = "failed", _("Failed")
    OUTCOME_UNKNOWN = "outcome_unknown", _("Outcome unknown")
    SKIPPED = "skipped", _("Skipped")
    CANCELLED = "cancelled", _("Cancelled")


OPEN = [DispatchState.LEASED, DispatchState.SENDING]
# WhatsApp has it. What recipients do with it only raises it further.
GONE_OUT = [DispatchState.SENT, DispatchState.DELIVERED, DispatchState.READ, DispatchState.PLAYED]
# While a message is in one of these, what is later in its chat waits.
BEFORE_OTHERS = [DispatchState.QUEUED, *OPEN, DispatchState.OUTCOME_UNKNOWN]
# Few among many, which people look for: what is under way, and what wants a decision. What is of unknown outcome has an
# index of its own: every claim asks for it, and would go through all that is under way if the planner took this one.
TO_SEE_TO = [*OPEN, DispatchState.LATE, DispatchState.FAILED]


class MessageSource(models.TextChoices):
    """What wanted a message to be sent."""

    DIRECT = "direct", _("A member, at once")
    SCHEDULED = "scheduled", _("A scheduled message")
    BROADCAST = "broadcast", _("A broadcast")
    AUTO_REPLY = "auto_reply", _("An automatic reply")


# Somebody waits for these in front of a screen.
AT_ONCE = [MessageSource.DIRECT, MessageSource.AUTO_REPLY]


class LatePolicy(models.TextChoices):
    """What becomes of a message that nobody could send in time."""

    SKIP = "skip", _("Skip it")
    ASK = "ask", _("Ask")


def chat_key_field() -> models.GeneratedField:
    """What is the same for all addresses of one person, made by the database of `contact` and `chat_jid`."""
    return models.GeneratedField(
        expression=Coalesce(Cast("contact", models.TextField()), "chat_jid", output_field=models.TextField()),
        output_field=models.TextField(),
        db_persist=True,
        help_text=_("The contact's id, or the chat's address without one."),
    )


class QueuedMessage(WorkspaceModel):
    """One message to be sent once.

    `origin_id` is the schedule, broadcast or decision that it comes from (of a
    direct one its own id), `occurrence_at` which time of it, `position` which
    of its parts. In a chat, messages go in the order of (`due_at`, `origin_id`,
    `position`); `chat_key` is the same for all addresses of one person.
    `not_before` is `due_at`, or later while something holds the message back.

    `fence` rises with every claim: a report with an older fence comes from an
    instance that has lost the lease. `message_id` is the bare WhatsApp id that
    was reserved for it, the same in every attempt, so that an instance can look
    into the chat before it would send again.
    """

    source = models.CharField(_("source"), max_length=10, choices=MessageSource)
    origin_id = models.UUIDField()
    scheduled_message = ScopedForeignKey(
        ScheduledMessage, models.CASCADE, null=True, related_name="occurrences", db_index=False
    )
    broadcast = ScopedForeignKey(Broadcast, models.CASCADE, null=True, related_name="messages", db_index=False)
    occurrence_at = models.DateTimeField(_("occurrence"))
    position = models.PositiveSmallIntegerField(default=0)
    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+", db_index=False)
    contact = ScopedForeignKey(Contact, models.CASCADE, null=True, related_name="+", db_index=False)
    chat_jid = models.CharField(_("chat"), max_length=64)
    chat_key = chat_key_field()
    body = models.TextField(_("text"), blank=True)
    media = ScopedForeignKey(MediaFile, models.SET_NULL, null=True, related_name="+", db_index=False)
    message_id = models.CharField(_("reserved message id"), max_length=40)
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    due_at = models.DateTimeField(_("due"))
    not_before = models.DateTimeField(_("not before"))
    held_by = models.CharField(_("held back by"), max_length=24, blank=True, help_text=_("Code of what holds it back."))
    expires_at = models.DateTimeField(_("too late from"))
    on_late = models.CharField(_("if it is too late"), max_length=4, choices=LatePolicy, default=LatePolicy.SKIP)
    recipient_zone = models.CharField(
        _("recipient's time zone"), max_length=64, blank=True, help_text=_("Where it is known; for quiet hours.")
    )
    state = models.CharField(_("state"), max_length=16, choices=DispatchState, default=DispatchState.QUEUED)
    fence = models.PositiveIntegerField(default=0)
    claim_id = models.UUIDField(null=True)
    instance = models.ForeignKey(
        "accounts.ExtensionInstance", models.SET_NULL, null=True, related_name="+", db_index=False
    )
    claimed_at = models.DateTimeField(_("last handed out"), null=True)
    lease_until = models.DateTimeField(null=True)
    is_new_contact = models.BooleanField(
        _("to a new contact"), default=False, help_text=_("Nobody had written in this chat before; set at hand-out.")
    )
    sending_at = models.DateTimeField(_("last allowed to send"), null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True)
    read_at = models.DateTimeField(_("read"), null=True)
    played_at = models.DateTimeField(_("played"), null=True)
    replied_at = models.DateTimeField(_("answered"), null=True)
    reason_code = models.CharField(_("code of the reason"), max_length=32, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True, help_text=_("Why it failed or was skipped."))
    queued_at = models.DateTimeField(_("queued"))

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="scheduled_message", name="queued_message_schedule"),
            CompositeForeignKey(field="broadcast", name="queued_message_broadcast"),
            CompositeForeignKey(field="whatsapp_account", name="queued_message_account"),
            CompositeForeignKey(field="contact", name="queued_message_contact"),
            CompositeForeignKey(field="media", name="queued_message_media"),
            models.UniqueConstraint(
                fields=["origin_id", "occurrence_at", "chat_jid", "position"], name="queued_message_once"
            ),
            models.UniqueConstraint(fields=["whatsapp_account", "message_id"], name="queued_message_reserved"),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, lease_until__isnull=False, fence__gte=1) | ~Q(state__in=OPEN),
                name="queued_message_lease",
            ),
            models.CheckConstraint(condition=Q(fence=0) | Q(claimed_at__isnull=False), name="queued_message_claimed"),
        ]
        indexes = [
            models.Index(
                fields=["whatsapp_account", "not_before", "due_at", "origin_id", "position"],
                condition=Q(state="queued", broadcast=None),
                name="queued_message_claim",
            ),
            models.Index(
                fields=["whatsapp_account", "not_before", "due_at", "origin_id", "position"],
                condition=Q(state="queued", source__in=AT_ONCE),
                name="queued_message_urgent",
            ),
            models.Index(
                fields=["broadcast", "not_before", "id"],
                condition=Q(state="queued", broadcast__isnull=False),
                name="queued_message_of_broadcast",
            ),
            models.Index(
                fields=["broadcast", "id"],
                include=["state"],
                condition=Q(broadcast__isnull=False),
                name="queued_message_recipients",
            ),
            models.Index(fields=["lease_until"], condition=Q(state__in=OPEN), name="queued_message_leases"),
            models.Index(fields=["expires_at"], condition=Q(state="queued"), name="queued_message_expiry"),
            models.Index(
                fields=["workspace", "whatsapp_account", "due_at"],
                condition=Q(state="outcome_unknown"),
                name="queued_message_unknown",
            ),
            models.Index(
                fields=["whatsapp_account", "chat_key"],
                condition=Q(state__in=BEFORE_OTHERS),
                name="queued_message_chat",
            ),
            models.Index(
                fields=["whatsapp_account", "sending_at"],
                condition=Q(sending_at__isnull=False),
                name="queued_message_budget",
            ),
            models.Index(
                fields=["whatsapp_account", "sending_at"], condition=Q(is_new_contact=True), name="queued_message_new"
            ),
            models.Index(fields=["workspace", "-due_at", "-id"], name="queued_message_list"),
            models.Index(fields=["workspace", "due_at", "id"], condition=Q(state="queued"), name="queued_message_next"),
            models.Index(
                fields=["workspace", "-due_at", "-id"],
                condition=Q(state__in=TO_SEE_TO),
                name="queued_message_to_see_to",
            ),
            # Entered seldom: it costs a hand-out nothing that could be measured.
            models.Index(
                fields=["workspace", "-due_at", "-id"], condition=Q(state="skipped"), name="queued_message_skipped"
            ),
            models.Index(fields=["whatsapp_account"], condition=Q(state="late"), name="queued_message_late"),
            models.Index(
                fields=["scheduled_message"],
                condition=Q(scheduled_message__isnull=False),
                name="queued_message_schedule_",
            ),
            models.Index(
                fields=["workspace", "contact", "sent_at"],
                condition=Q(contact__isnull=False),
                name="queued_message_to_contact",
            ),
            models.Index(fields=["workspace", "media"], condition=Q(media__isnull=False), name="queued_message_file"),
            # What members write themselves is little: it silences automatic replies.
            models.Index(
                fields=["whatsapp_account", "chat_key", "queued_at"],
                condition=Q(source="direct"),
                name="queued_message_direct",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.state}"


class DispatchAttempt(WorkspaceModel):
    """One hand-out of a message to an instance, and what came of it: written when it ends.

    The one that is under way stands in the message's row alone.
    """

    # The message's composite key stands for it, too: one check less for every message that is handed out.
    workspace = models.ForeignKey(
        "accounts.Workspace", models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    message = ScopedForeignKey(QueuedMessage, models.CASCADE, related_name="attempts", db_index=False)
    fence = models.PositiveIntegerField()
    instance = models.ForeignKey("accounts.ExtensionInstance", models.SET_NULL, null=True, related_name="+")
    claimed_at = models.DateTimeField(_("handed out"))
    outcome = models.CharField(_("outcome"), max_length=16)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    ended_at = models.DateTimeField(_("ended"))

    class Meta(WorkspaceModel.Meta):
        constraints = [
            # Nothing points here, so the scoped id of other tenant rows would be an index for nobody.
            CompositeForeignKey(field="message", name="dispatch_attempt_message"),
            models.UniqueConstraint(fields=["message", "fence"], name="dispatch_attempt_once"),
            models.CheckConstraint(condition=~Q(outcome=""), name="dispatch_attempt_outcome"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.fence}"
