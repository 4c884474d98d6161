"""Merges of contacts, journalled so that they can be undone to the row, and suggestions of more."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models.contacts import Contact
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class Merge(WorkspaceModel):
    """One contact went into another. `before` is what the staying one's own columns were, `after` what they became."""

    kept = ScopedForeignKey(Contact, models.CASCADE, related_name="merges_kept", db_index=False)
    absorbed = ScopedForeignKey(Contact, models.CASCADE, related_name="merges_absorbed", db_index=False)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    merged_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    merged_at = models.DateTimeField(_("merged"), auto_now_add=True)
    undone_at = models.DateTimeField(_("undone"), null=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="kept", name="merge_kept"),
            CompositeForeignKey(field="absorbed", name="merge_absorbed"),
        ]
        indexes = [
            models.Index(fields=["workspace", "kept"], name="merge_by_kept"),
            models.Index(fields=["workspace", "absorbed"], name="merge_by_absorbed"),
        ]

    def __str__(self) -> str:
        return f"{self.absorbed_id} into {self.kept_id}"


class MergeMove(WorkspaceModel):
    """A row that a merge took from the absorbed contact to the kept one."""

    merge = ScopedForeignKey(Merge, models.CASCADE, related_name="moves", db_index=False)
    model = models.CharField(max_length=60, help_text=_("app_label.model"))
    column = models.CharField(max_length=60)
    row_id = models.UUIDField()

    class Meta(WorkspaceModel.Meta):
        constraints = [
            CompositeForeignKey(field="merge", name="merge_move_merge"),
            models.UniqueConstraint(fields=["merge", "model", "column", "row_id"], name="merge_move_once"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.row_id}"


class SuggestionReason(models.TextChoices):
    SAME_PERSON = "same_person", _("WhatsApp showed both as one person")
    SAME_EMAIL = "same_email", _("The e-mail address is the same")
    SAME_NAME = "same_name", _("The name is the same")
    SIMILAR_NUMBER = "similar_number", _("The numbers differ in their spelling only")


class MergeSuggestion(WorkspaceModel):
    """Two contacts that may be one person, with the reason; `one` has the smaller id."""

    one = ScopedForeignKey(Contact, models.CASCADE, related_name="+", db_index=False)
    other = ScopedForeignKey(Contact, models.CASCADE, related_name="+", db_index=False)
    reason = models.CharField(_("reason"), max_length=20, choices=SuggestionReason)
    detail = models.CharField(_("what is the same"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("found"), auto_now_add=True)
    dismissed_at = models.DateTimeField(_("dismissed"), null=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="one", name="merge_suggestion_one"),
            CompositeForeignKey(field="other", name="merge_suggestion_other"),
            models.UniqueConstraint(fields=["workspace", "one", "other"], name="merge_suggestion_once"),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "id"], condition=models.Q(dismissed_at=None), name="merge_suggestion_open"
            ),
            models.Index(fields=["workspace", "other"], name="merge_suggestion_by_other"),
        ]

    def __str__(self) -> str:
        return f"{self.one_id}, {self.other_id}: {self.reason}"


class SuggestionScan(WorkspaceModel):
    """How far the search for merge suggestions has come: contacts up to this stamp and id were looked at."""

    seen_xid = models.BigIntegerField(default=0)
    seen_id = models.UUIDField(null=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["workspace"], name="suggestion_scan_once")]

    def __str__(self) -> str:
        return str(self.seen_xid)
