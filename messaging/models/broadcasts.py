"""Messages to many, from one number."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import WhatsAppAccount
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class BroadcastState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class Broadcast(WorkspaceModel):
    """A message to an audience. What is handed out are its places in the queue, while it is running."""

    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=100)
    state = models.CharField(_("state"), max_length=10, choices=BroadcastState, default=BroadcastState.DRAFT)
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="whatsapp_account", name="broadcast_account"),
        ]
        indexes = [
            models.Index(fields=["whatsapp_account"], condition=models.Q(state="running"), name="broadcast_running"),
            models.Index(fields=["workspace", "-id"], name="broadcast_list"),
        ]

    def __str__(self) -> str:
        return self.name
