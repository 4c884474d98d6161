"""What WhatsApp tells of a message after it was sent, recipient by recipient."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from messaging.models.dispatch import QueuedMessage
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class MessageAck(WorkspaceModel):
    """How far a message is with one participant of a group; without a participant, that WhatsApp refused it.

    `ack` and `failure` are WhatsApp Web's numbers: 1 sent, 2 delivered, 3 read,
    4 played; −1 to −7 for failures. A recipient's times are the earliest that
    anybody told. Of failures the earliest is kept, beside whatever else was told.
    """

    message = ScopedForeignKey(QueuedMessage, models.CASCADE, related_name="acks", db_index=False)
    participant = models.CharField(
        _("participant"), max_length=64, blank=True, help_text=_("Somebody in a group; empty for the chat as a whole.")
    )
    ack = models.SmallIntegerField(_("acknowledgement"), default=0)
    delivered_at = models.DateTimeField(_("delivered"), null=True)
    read_at = models.DateTimeField(_("read"), null=True)
    played_at = models.DateTimeField(_("played"), null=True)
    failure = models.SmallIntegerField(_("failure"), null=True)
    failure_code = models.CharField(_("code of the failure"), max_length=32, blank=True)
    failed_at = models.DateTimeField(_("failed"), null=True)

    class Meta(WorkspaceModel.Meta):
        # Nothing points here, so the scoped id of other tenant rows would be an index for nobody.
        constraints = [
            CompositeForeignKey(field="message", name="message_ack_message"),
            models.UniqueConstraint(fields=["message", "participant"], name="message_ack_once"),
            models.CheckConstraint(condition=Q(ack__gte=0, ack__lte=4), name="message_ack_rises"),
            models.CheckConstraint(condition=Q(failure=None) | Q(failure__lt=0), name="message_ack_failure"),
        ]

    def __str__(self) -> str:
        return f"acknowledgement {self.ack if self.failure is None else self.failure}"
