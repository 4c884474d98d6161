"""The form of a note, and the notes of a contact made ready to be shown."""

from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.models import Contact, Note
from crm.models.notes import MAX_NOTE
from waplus.lib.ids import uuid7

SHOWN = 50


class NoteForm(forms.Form):
    """A note. A new one's id is made with the form, so that sending it twice makes one."""

    id = forms.UUIDField(widget=forms.HiddenInput, required=False)
    text = forms.CharField(
        label=_("Note"),
        max_length=MAX_NOTE,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": _("What should your team know?")}),
    )

    def clean_id(self) -> UUID:
        return self.cleaned_data["id"] or uuid7()


def new_note_form() -> NoteForm:
    return NoteForm(initial={"id": uuid7()}, auto_id="note-%s")


def notes_of(contact: Contact, refused: tuple[NoteForm, UUID] | None = None) -> list[Note]:
    """The notes that are not in the bin, pinned ones first, then the newest; each with its form and its history."""
    found = contact.notes.filter(deleted_at=None).select_related("author").prefetch_related("edits__author")
    rows = list(found.order_by("-pinned", "-created_at", "-id")[:SHOWN])
    form, note_id = refused or (None, None)
    for note in rows:
        fresh = NoteForm(initial={"text": note.text}, auto_id=f"note-{note.pk}-%s")
        note.form = form if note.pk == note_id else fresh
    return rows
