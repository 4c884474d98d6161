"""Imports of contact files: the batch, its rows while they wait, and what became of them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel, WorkspaceQuerySet
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class ImportState(models.TextChoices):
    """Where a batch is. Somebody waits in `uploaded` and `previewed`, the worker acts in the four open ones."""

    UPLOADED = "uploaded", _("Uploaded")
    PREVIEWING = "previewing", _("Preview in the making")
    PREVIEWED = "previewed", _("Preview ready")
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")


OPEN_STATES = ("previewing", "waiting", "running", "undoing")
# The file is there and has not been imported yet.
PENDING_STATES = ("uploaded", "previewing", "previewed")
# Nothing more happens by itself.
CLOSED_STATES = ("finished", "failed", "cancelled", "undone")


class DuplicatePolicy(models.TextChoices):
    """What becomes of a contact that a row leads to."""

    SKIP = "skip", _("Leave the contact as it is")
    UPDATE = "update", _("The file wins where it says something")
    MERGE = "merge", _("Fill what is empty, add numbers and tags")


def import_file_path(batch: "ImportBatch", filename: str) -> str:
    """Where an uploaded file is kept: by id, so that no name of a person's computer becomes a path."""
    return f"imports/{batch.workspace_id}/{batch.id}"


class ImportBatch(WorkspaceModel):
    """One uploaded file on its way to contacts.

    `columns` are `[{title, samples, target}]` in the order of the file. The
    counts advance in the transactions that write what they count; `preview`
    holds the counts that a run would come to.
    """

    file = models.FileField(upload_to=import_file_path, max_length=200)
    file_name = models.CharField(_("file"), max_length=200)
    format = models.CharField(_("format"), max_length=10, default="csv", help_text=_("csv, xlsx or vcard."))
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    delimiter = models.CharField(_("delimiter"), max_length=1, blank=True)
    has_header = models.BooleanField(_("first row is titles"), default=True)
    columns = models.JSONField(_("columns"), default=list)
    default_country = models.CharField(_("default country"), max_length=2, blank=True)
    duplicates = models.CharField(_("duplicates"), max_length=6, choices=DuplicatePolicy, default=DuplicatePolicy.MERGE)
    tags = models.JSONField(_("tags"), default=list, help_text=_("Ids of tags that every contact of the file gets."))
    new_tags = models.JSONField(default=dict, help_text=_("Tags that the file names and nobody made yet: id to name."))
    remarks = models.JSONField(_("remarks"), default=list, help_text=_("Sentences on how the file was read."))
    state = models.CharField(_("state"), max_length=10, choices=ImportState, default=ImportState.UPLOADED)
    problem = models.TextField(_("problem"), blank=True, help_text=_("Why it failed, in a sentence."))
    preview = models.JSONField(_("preview"), null=True)
    revision = models.PositiveIntegerField(default=0, help_text=_("Counts the changes of what is wanted."))
    is_staged = models.BooleanField(default=False, help_text=_("Whether all rows have been read as they are wanted."))
    rows_staged = models.PositiveIntegerField(default=0, help_text=_("Rows that lie between reading and writing."))
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    rows_created = models.PositiveIntegerField(default=0)
    rows_merged = models.PositiveIntegerField(default=0)
    rows_unchanged = models.PositiveIntegerField(default=0)
    rows_skipped = models.PositiveIntegerField(default=0)
    rows_refused = models.PositiveIntegerField(default=0)
    undo_position = models.PositiveIntegerField(
        default=0, help_text=_("How far undoing is: first the rows that made contacts, upwards; then the others, down.")
    )
    contacts_deleted = models.PositiveIntegerField(default=0, help_text=_("By undoing."))
    rows_restored = models.PositiveIntegerField(default=0, help_text=_("Whose changes undoing took back."))
    rows_kept = models.PositiveIntegerField(default=0, help_text=_("Which undoing left alone."))
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta(WorkspaceModel.Meta):
        verbose_name = _("import")
        indexes = [
            models.Index(fields=["created_at"], condition=models.Q(state__in=OPEN_STATES), name="import_to_do"),
            models.Index(fields=["created_at"], condition=models.Q(rows_staged__gt=0), name="import_staged"),
            models.Index(fields=["created_at"], condition=models.Q(state__in=PENDING_STATES), name="import_pending"),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def ignored_columns(self) -> list[str]:
        """Titles of columns that hold something and have no place; the labels beside numbers and addresses are none."""
        return [
            column["title"]
            for column in self.columns
            if column["target"] == "ignore" and not column["title"].endswith((" - Label", " - Type"))
        ]


class RowOutcome(models.TextChoices):
    CREATED = "created", _("New contact")
    MERGED = "merged", _("Added to a contact")
    UNCHANGED = "unchanged", _("Nothing new")
    SKIPPED = "skipped", _("Known and left as it is")
    REFUSED = "refused", _("Refused")


class UndoOutcome(models.TextChoices):
    DELETED = "deleted", _("Contact deleted")
    RESTORED = "restored", _("Change taken back")
    KEPT = "kept", _("Left as it is")


class ImportRow(WorkspaceModel):
    """What became of one row of a file that changed something, was refused, or had something left out.

    `journal` says what was written, for undoing; `cells` are the cells of a
    refused row. All other rows are counted and leave no row.
    """

    batch = ScopedForeignKey(ImportBatch, models.CASCADE, related_name="rows", db_index=False)
    row_number = models.PositiveIntegerField(_("row"), help_text=_("1 is the first row below the header."))
    outcome = models.CharField(_("outcome"), max_length=10, choices=RowOutcome)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    contact_id = models.UUIDField(null=True)
    journal = models.JSONField(null=True)
    cells = models.JSONField(null=True)
    undone = models.CharField(_("undone"), max_length=10, choices=UndoOutcome, blank=True)
    kept_because = models.CharField(_("kept because"), max_length=200, blank=True)

    class Meta(WorkspaceModel.Meta):
        # Nothing points here, so the scoped id of other tenant rows would be an index for nobody.
        constraints = [
            CompositeForeignKey(field="batch", name="import_row_batch"),
            models.UniqueConstraint(fields=["batch", "row_number"], name="import_row_once"),
        ]
        indexes = [
            models.Index(
                fields=["batch", "row_number"], condition=models.Q(outcome="refused"), name="import_row_refused"
            ),
            models.Index(
                fields=["contact_id", "batch"],
                condition=models.Q(outcome__in=("created", "merged")),
                name="import_row_of_contact",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.row_number}: {self.outcome}"


class StagedRow(models.Model):
    """A row of a file as it was read, between reading and writing.

    The table is not logged: after a crash of the database it is empty, and the
    file is read again. It is written by COPY and read by statements over ranges
    of rows; nothing points here, nothing is checked.
    """

    pk = models.CompositePrimaryKey("batch_id", "row_number")
    workspace = models.ForeignKey(
        "accounts.Workspace", models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    batch_id = models.UUIDField()
    row_number = models.PositiveIntegerField()
    leader = models.PositiveIntegerField(
        null=True, help_text=_("The first row of the same person, for rows of a person who has several.")
    )
    name = models.TextField(blank=True)
    company = models.TextField(blank=True)
    email = models.TextField(blank=True)
    kinds = ArrayField(models.TextField(), default=list)
    values = ArrayField(models.TextField(), default=list)
    keys = ArrayField(models.TextField(), default=list)
    tags = ArrayField(models.UUIDField(), default=list)
    note = models.TextField(blank=True)
    stage_id = models.UUIDField(null=True)
    fields = models.JSONField(null=True)
    notes = models.TextField(blank=True, help_text=_("What was left out, in sentences."))
    refused = models.BooleanField(default=False)
    cells = models.JSONField(null=True)
    outcome = models.CharField(max_length=10, blank=True)
    contact_id = models.UUIDField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["batch_id", "leader", "row_number"],
                condition=models.Q(leader__isnull=False),
                name="staged_row_group",
            ),
        ]

    def __str__(self) -> str:
        return str(self.row_number)
