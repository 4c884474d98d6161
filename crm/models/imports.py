"""Imports of contact files: the batch and what became of each row."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class ImportState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Failed")


def import_file_path(batch: "ImportBatch", filename: str) -> str:
    """Where an uploaded file is kept: by id, so that no name of a person's computer becomes a path."""
    return f"imports/{batch.workspace_id}/{batch.id}.csv"


class ImportBatch(WorkspaceModel):
    """One uploaded file on its way to contacts. The counts are those of its rows in the database."""

    file = models.FileField(upload_to=import_file_path, max_length=200)
    file_name = models.CharField(_("file"), max_length=200)
    default_country = models.CharField(_("default country"), max_length=2, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=ImportState, default=ImportState.WAITING)
    problem = models.TextField(_("problem"), blank=True, help_text=_("Why it failed, in a sentence."))
    rows_total = models.PositiveIntegerField(default=0)
    rows_created = models.PositiveIntegerField(default=0)
    rows_merged = models.PositiveIntegerField(default=0)
    rows_unchanged = models.PositiveIntegerField(default=0)
    rows_refused = models.PositiveIntegerField(default=0)
    ignored_columns = models.JSONField(default=list, help_text=_("Columns of the file that have no place yet."))
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta(WorkspaceModel.Meta):
        verbose_name = _("import")
        indexes = [
            models.Index(
                fields=["created_at"], condition=models.Q(state__in=["waiting", "running"]), name="import_open"
            )
        ]

    def __str__(self) -> str:
        return self.file_name


class RowOutcome(models.TextChoices):
    CREATED = "created", _("New contact")
    MERGED = "merged", _("Added to a contact")
    UNCHANGED = "unchanged", _("Nothing new")
    REFUSED = "refused", _("Refused")


class ImportRow(WorkspaceModel):
    """What became of one row of a file. It keeps the row's number, not the row."""

    batch = ScopedForeignKey(ImportBatch, models.CASCADE, related_name="rows", db_index=False)
    row_number = models.PositiveIntegerField(_("row"), help_text=_("1 is the first row below the header."))
    outcome = models.CharField(_("outcome"), max_length=10, choices=RowOutcome)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    contact_id = models.UUIDField(null=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="batch", name="import_row_batch"),
            models.UniqueConstraint(fields=["batch", "row_number"], name="import_row_once"),
        ]

    def __str__(self) -> str:
        return f"{self.row_number}: {self.outcome}"
