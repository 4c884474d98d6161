"""Tabs: saved filters over contacts or chats."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.synced import SyncedModel


class TabTarget(models.TextChoices):
    CONTACTS = "contacts", _("Contacts")
    CHATS = "chats", _("Chats")


class Tab(SyncedModel):
    """A saved filter. A private one is its owner's alone; a shared one is the team's."""

    versioned = ("name", "filter", "sort", "position", "shared")

    name = models.CharField(_("name"), max_length=80)
    target = models.CharField(_("lists"), max_length=8, choices=TabTarget, default=TabTarget.CONTACTS)
    filter = models.JSONField(_("filter"), default=dict, blank=True)
    sort = models.CharField(_("order"), max_length=60, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    shared = models.BooleanField(_("shared with the team"), default=False)
    owner = models.ForeignKey("accounts.User", models.CASCADE, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(SyncedModel.Meta):
        indexes = [
            *SyncedModel.Meta.indexes,
            models.Index(fields=["workspace", "position", "id"], name="tab_order"),
        ]

    def __str__(self) -> str:
        return self.name
