"""Chats that a number cannot write to."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import WhatsAppAccount
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class UnreachableReason(models.TextChoices):
    """Why a chat cannot be written to. The chat stays marked until somebody is heard of or a person clears it."""

    NOT_ON_WHATSAPP = "not_on_whatsapp", _("This number is not on WhatsApp")
    BLOCKED = "blocked", _("They have blocked this number")
    LEFT_GROUP = "left_group", _("This number is not in the group any more")
    CHAT_GONE = "chat_gone", _("The chat is gone")


class UnreachableChat(WorkspaceModel):
    """A chat to which a number could not send. Nothing is sent there while the row is there."""

    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+", db_index=False)
    chat_jid = models.CharField(_("chat"), max_length=64)
    code = models.CharField(_("reason"), max_length=32, choices=UnreachableReason)
    since = models.DateTimeField(_("since"))
    instance = models.ForeignKey(
        "accounts.ExtensionInstance", models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="whatsapp_account", name="unreachable_chat_account"),
            models.UniqueConstraint(fields=["workspace", "whatsapp_account", "chat_jid"], name="unreachable_chat_once"),
        ]

    def __str__(self) -> str:
        return self.get_code_display()
