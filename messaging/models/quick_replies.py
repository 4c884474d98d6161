"""Quick replies: texts that members keep for what they write often."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models.synced import SyncedModel
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class Visibility(models.TextChoices):
    """Who sees a quick reply."""

    TEAM = "team", _("The whole team")
    PRIVATE = "private", _("Only you")


class QuickReplyFolder(SyncedModel):
    """A folder of quick replies, seen by the whole team. Folders hold no folders."""

    versioned = ("name", "position")

    name = models.CharField(_("name"), max_length=80)
    folded = models.CharField(max_length=200, editable=False)
    position = models.PositiveIntegerField(_("position"), default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta(SyncedModel.Meta):
        constraints = [
            *SyncedModel.Meta.constraints,
            models.UniqueConstraint(fields=["workspace", "folded"], name="quick_reply_folder_once"),
        ]

    def __str__(self) -> str:
        return self.name


class QuickReply(SyncedModel):
    """A quick reply in one or several languages. With an owner it is theirs alone, without one the team's.

    `contents` is derived from its texts and their parts, so that a device
    pulls the whole reply as one row: `[{language, parts: [{body, media}]}]`, the
    default language first.
    """

    versioned = ("name", "shortcut", "folder_id", "owner_id", "position", "default_language", "contents")

    name = models.CharField(_("name"), max_length=80)
    shortcut = models.CharField(
        _("shortcut"), max_length=33, blank=True, help_text=_("What is typed to find it, with its slash.")
    )
    shortcut_key = models.CharField(max_length=100, blank=True, editable=False, help_text=_("Folded, without slash."))
    folder = ScopedForeignKey(QuickReplyFolder, models.SET_NULL, null=True, related_name="replies", db_index=False)
    owner = models.ForeignKey(
        "accounts.User", models.CASCADE, null=True, related_name="+", help_text=_("Of a private one.")
    )
    default_language = models.CharField(_("default language"), max_length=16)
    contents = models.JSONField(_("texts"), default=list, editable=False)
    search_text = models.TextField(editable=False, help_text=_("Shortcut and name, folded."))
    position = models.PositiveIntegerField(_("position"), default=0)
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta(SyncedModel.Meta):
        verbose_name_plural = _("quick replies")
        constraints = [
            *SyncedModel.Meta.constraints,
            CompositeForeignKey(field="folder", name="quick_reply_in_folder"),
            models.UniqueConstraint(
                fields=["workspace", "owner", "shortcut_key"],
                condition=~Q(shortcut_key=""),
                nulls_distinct=False,
                name="quick_reply_shortcut_once",
            ),
        ]
        indexes = [
            *SyncedModel.Meta.indexes,
            models.Index(fields=["workspace", "position", "id"], name="quick_reply_order"),
            models.Index(fields=["workspace", "folder"], condition=Q(folder__isnull=False), name="quick_reply_folder_"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def visibility(self) -> Visibility:
        return Visibility.TEAM if self.owner_id is None else Visibility.PRIVATE


class QuickReplyText(WorkspaceModel):
    """A quick reply in one language; what it says are its parts."""

    reply = ScopedForeignKey(QuickReply, models.CASCADE, related_name="texts", db_index=False)
    language = models.CharField(_("language"), max_length=16, help_text=_("BCP 47, such as pt-BR."))

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="reply", name="quick_reply_text_reply"),
            models.UniqueConstraint(fields=["reply", "language"], name="quick_reply_text_once"),
        ]

    def __str__(self) -> str:
        return self.language


class QuickReplyUse(WorkspaceModel):
    """That a member used a quick reply; the id is the device's, so that one use counts once. Kept for 90 days."""

    reply = ScopedForeignKey(QuickReply, models.CASCADE, related_name="uses", db_index=False)
    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="+")
    used_at = models.DateTimeField(_("used"))

    class Meta(WorkspaceModel.Meta):
        constraints = [CompositeForeignKey(field="reply", name="quick_reply_use_reply")]
        indexes = [
            models.Index(fields=["reply", "used_at"], name="quick_reply_use_of"),
            models.Index(fields=["used_at"], name="quick_reply_use_age"),
        ]

    def __str__(self) -> str:
        return f"{self.used_at:%Y-%m-%d %H:%M}"
