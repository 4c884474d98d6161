"""Notes on contacts, and what stood in them before."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models.contacts import Contact
from crm.models.synced import SyncedModel
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey

MAX_NOTE = 20_000


class Note(SyncedModel):
    """What a member wrote about a contact."""

    versioned = ("text", "pinned", "deleted_at")

    contact = ScopedForeignKey(Contact, models.CASCADE, related_name="notes", db_index=False)
    text = models.TextField(_("text"), max_length=MAX_NOTE)
    search_text = models.TextField(editable=False, help_text=_("The text, folded, behind one space."))
    author = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    pinned = models.BooleanField(_("pinned"), default=False)
    created_at = models.DateTimeField(_("written"))
    edited_at = models.DateTimeField(_("edited"), null=True)
    edited_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    deleted_at = models.DateTimeField(_("put into the bin"), null=True)

    class Meta(SyncedModel.Meta):
        constraints = [
            *SyncedModel.Meta.constraints,
            CompositeForeignKey(field="contact", name="note_contact"),
        ]
        indexes = [
            *SyncedModel.Meta.indexes,
            models.Index(fields=["workspace", "contact", "-created_at"], name="note_of_contact"),
            models.Index(fields=["deleted_at"], condition=models.Q(deleted_at__isnull=False), name="note_in_bin"),
            models.Index(
                fields=["workspace", "contact", "-edited_at"],
                condition=models.Q(edited_at__isnull=False),
                name="note_edited",
            ),
            GinIndex(
                F("workspace"),
                OpClass(F("search_text"), name="gin_trgm_ops"),
                condition=models.Q(deleted_at=None),
                name="note_search",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]


class NoteEdit(WorkspaceModel):
    """What a note said before an edit."""

    note = ScopedForeignKey(Note, models.CASCADE, related_name="edits", db_index=False)
    text = models.TextField(_("text"))
    author = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    written_at = models.DateTimeField(
        _("written"), help_text=_("When this text was written, not when it was replaced.")
    )

    class Meta(WorkspaceModel.Meta):
        constraints = [*WorkspaceModel.Meta.constraints, CompositeForeignKey(field="note", name="note_edit_note")]
        indexes = [models.Index(fields=["workspace", "note", "id"], name="note_edit_of_note")]

    def __str__(self) -> str:
        return self.text[:60]
