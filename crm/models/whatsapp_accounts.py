"""The WhatsApp numbers that a workspace works with."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.synced import SyncedModel


class WhatsAppAccount(SyncedModel):
    """A WhatsApp number of the workspace: what its members are logged in with in WhatsApp Web."""

    versioned = ("lid", "name")

    jid = models.CharField(_("WhatsApp ID"), max_length=64, help_text=_("As WhatsApp writes it: …@c.us"))
    lid = models.CharField(_("LID"), max_length=64, blank=True, help_text=_("Linked id, …@lid, once observed."))
    name = models.CharField(_("name"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)

    class Meta(SyncedModel.Meta):
        verbose_name = _("WhatsApp number")
        constraints = [
            *SyncedModel.Meta.constraints,
            models.UniqueConstraint(fields=["workspace", "jid"], name="whatsapp_account_once"),
        ]

    def __str__(self) -> str:
        return self.name or self.phone

    @property
    def phone(self) -> str:
        """The number in E.164."""
        return "+" + self.jid.partition("@")[0]
