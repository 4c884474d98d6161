"""Notes."""

from crm.models import Note
from crm.services import notes
from crm.services.sync.handlers.registry import UNCHANGED, Applied, Change, created, handles, locked, update_row


@handles("note", "create")
def write_note(change: Change) -> Applied:
    values = dict(change.values)
    contact_id = values.pop("contact")
    row, is_new = notes.write_note(**change.who, id=change.row_id, contact_id=contact_id, **values)
    return created(row, is_new, change)


@handles("note", "update")
def edit_note(change: Change) -> Applied:
    return update_row(
        locked(Note, change), change, lambda **values: notes.edit_note(**change.who, note_id=change.row_id, **values)
    )


@handles("note", "delete")
def delete_note(change: Change) -> Applied:
    row = Note.objects.for_workspace(change.workspace).filter(pk=change.row_id).first()
    if row is None or row.deleted_at is not None:
        return Applied(change.row_id, UNCHANGED)
    notes.delete_note(**change.who, note_id=change.row_id)
    return Applied(change.row_id)


@handles("note", "restore")
def restore_note(change: Change) -> Applied:
    if locked(Note, change).deleted_at is None:
        return Applied(change.row_id, UNCHANGED)
    notes.restore_note(**change.who, note_id=change.row_id)
    return Applied(change.row_id)
