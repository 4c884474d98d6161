"""Tabs: saved filters over contacts or chats."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models.synced import SyncedModel
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


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


class TabCount(WorkspaceModel):
    """How many rows a tab had when somebody last looked, kept so that showing a number costs nothing.

    `viewer` is empty where everybody sees the same rows.
    """

    tab = ScopedForeignKey(Tab, models.CASCADE, related_name="counts", db_index=False)
    viewer = models.ForeignKey("accounts.User", models.CASCADE, null=True, related_name="+", db_index=False)
    count = models.PositiveIntegerField(_("count"), help_text=_("At most one more than is counted exactly."))
    exact = models.BooleanField(_("exact"), help_text=_("False: there are at least so many."))
    last_event = models.UUIDField(null=True, help_text=_("The workspace's latest event when it was counted."))
    tab_version = models.PositiveIntegerField(help_text=_("Of the tab whose filter was counted."))
    counted_at = models.DateTimeField(_("counted"))

    class Meta(WorkspaceModel.Meta):
        constraints = [
            CompositeForeignKey(field="tab", name="tab_count_tab"),
            models.UniqueConstraint(fields=["workspace", "tab", "viewer"], nulls_distinct=False, name="tab_count_once"),
        ]

    def __str__(self) -> str:
        return f"{self.tab_id}: {self.count}"
