"""Notes on contacts.

A note is the team's: every member may change, pin and delete it, and its history
says who wrote which text. Deleting puts it into the bin.
"""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from crm.models import Contact, Note, NoteEdit
from crm.models.notes import MAX_NOTE
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.locks import Hold, held
from waplus.lib.text import fold, searchable, strip_invisible


def clean_text(text: str) -> str:
    """A note as it is kept: 1 to `MAX_NOTE` characters, lines included, without what cannot be seen."""
    text = strip_invisible(text).strip()
    if not text:
        raise Invalid("text", "required", "A note has at least one visible character.")
    if len(text) > MAX_NOTE:
        raise Invalid("text", "max_length", f"A note has at most {MAX_NOTE:,} characters.")
    return text


def search_text_of_note(text: str) -> str:
    """What search looks into: the text, folded, behind one space."""
    return searchable(fold(text))


def note_of(*, workspace: Workspace, note_id: UUID, lock: bool = False, in_bin: bool = False) -> Note:
    """A note by id, within the workspace, on a contact that lists show; `in_bin` chooses deleted ones."""
    notes = Note.objects.for_workspace(workspace).filter(deleted_at__isnull=not in_bin)
    notes = notes.filter(contact__deleted_at=None, contact__merged_into=None)
    note = (notes.select_for_update(of=("self",)) if lock else notes).filter(pk=note_id).first()
    if note is None:
        raise NotFound
    return note


@transaction.atomic
def write_note(
    *, workspace: Workspace, contact_id: UUID, actor: Actor, text: str, pinned: bool = False, id: UUID | None = None
) -> tuple[Note, bool]:
    """A note on a contact, and whether it is new: a repeat with the same id answers the note as it is now."""
    text = clean_text(text)
    # Until the note is there to move along, the contact neither goes into another one nor into the bin.
    if not held(Contact.objects.for_workspace(workspace).alive().filter(pk=contact_id), Hold.FROM_CHANGE):
        raise NotFound
    if id is not None and (existing := Note.objects.filter(pk=id).first()):
        return _own(existing, workspace, contact_id), False
    note = Note(id=id or uuid7(), workspace=workspace, contact_id=contact_id, text=text, pinned=pinned)
    note.search_text, note.author_id, note.created_at = search_text_of_note(text), actor.user_id, timezone.now()
    try:
        with transaction.atomic():
            note.save(force_insert=True)
    except IntegrityError:
        # Two requests with one id raced.
        return _own(Note.objects.get(pk=id), workspace, contact_id), False
    record_event(kind="note.written", actor=actor, workspace=workspace, obj=note)
    return note, True


def _own(note: Note, workspace: Workspace, contact_id: UUID) -> Note:
    if (note.workspace_id, note.contact_id) != (workspace.pk, contact_id):
        raise Refused("id_taken", field="id")
    return note


@transaction.atomic
def edit_note(
    *,
    workspace: Workspace,
    note_id: UUID,
    actor: Actor,
    precondition=lambda note: None,
    text: str | None = None,
    pinned: bool | None = None,
) -> Note:
    """Change a note's text, which keeps what it said before, or pin it. `precondition` may refuse the locked row."""
    note = note_of(workspace=workspace, note_id=note_id, lock=True)
    precondition(note)
    changed = []
    if text is not None and (text := clean_text(text)) != note.text:
        NoteEdit.objects.create(
            workspace=workspace,
            note=note,
            text=note.text,
            author_id=note.edited_by_id if note.edited_at else note.author_id,
            written_at=note.edited_at or note.created_at,
        )
        note.text, note.search_text = text, search_text_of_note(text)
        note.edited_at, note.edited_by_id = timezone.now(), actor.user_id
        changed += ["text"]
    if pinned is not None and pinned != note.pinned:
        note.pinned = pinned
        changed += ["pinned"]
    if changed:
        note.save(update_fields=["text", "search_text", "edited_at", "edited_by", "pinned"])
        record_event(kind="note.edited", actor=actor, workspace=workspace, obj=note, changed=changed)
        note.refresh_from_db()
    return note


@transaction.atomic
def delete_note(*, workspace: Workspace, note_id: UUID, actor: Actor) -> None:
    """Put a note into the bin, where it stays for `BIN_DAYS` days."""
    note = note_of(workspace=workspace, note_id=note_id, lock=True)
    note.deleted_at = timezone.now()
    note.save(update_fields=["deleted_at"])
    record_event(kind="note.deleted", actor=actor, workspace=workspace, obj=note, changed=["deleted_at"])


@transaction.atomic
def restore_note(*, workspace: Workspace, note_id: UUID, actor: Actor) -> Note:
    """Take a note out of the bin."""
    note = note_of(workspace=workspace, note_id=note_id, lock=True, in_bin=True)
    note.deleted_at = None
    note.save(update_fields=["deleted_at"])
    record_event(kind="note.restored", actor=actor, workspace=workspace, obj=note, changed=["deleted_at"])
    note.refresh_from_db()
    return note
