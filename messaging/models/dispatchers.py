"""Which instance sends from a WhatsApp number."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import WhatsAppAccount
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class Dispatcher(WorkspaceModel):
    """The lease on a number: one instance at a time is handed messages of it.

    The lease is renewed by every claim and every "sending". `epoch` rises with
    every change of the holder. Claims of a number take turns on this row.
    """

    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+", db_index=False)
    instance = models.ForeignKey("accounts.ExtensionInstance", models.SET_NULL, null=True, related_name="+")
    epoch = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(_("held until"), null=True)
    held_since = models.DateTimeField(_("held since"), null=True)
    chosen_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    paused_at = models.DateTimeField(_("paused"), null=True)
    paused_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    last_claim_id = models.UUIDField(null=True, help_text=_("The last claim that was handed messages."))
    next_send_at = models.DateTimeField(
        _("next send"), null=True, help_text=_("Before it nothing is sent that keeps the distance between messages.")
    )

    class Meta(WorkspaceModel.Meta):
        constraints = [
            CompositeForeignKey(field="whatsapp_account", name="dispatcher_account"),
            models.UniqueConstraint(fields=["workspace", "whatsapp_account"], name="dispatcher_once"),
        ]

    def __str__(self) -> str:
        return f"dispatcher of {self.whatsapp_account_id}"
