"""Taking back what an import wrote, but for what people changed since.

First the rows that made contacts, in ascending order: a contact that nobody
has touched or used since is deleted for good, for it holds nothing but what
the file said. Then the rows that changed contacts, in descending order: a
column goes back if it still holds what the file said, and what the file added
goes if it is as it was added. A chunk is a transaction, so that a worker that
is killed leaves whole chunks behind.
"""

import time
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Resource
from accounts.services import plans
from accounts.services.events import record_event
from crm.models import Contact, ImportBatch, ImportRow, ImportState, RowOutcome, Tag
from crm.models.imports import UndoOutcome
from crm.services.imports import reversal
from crm.services.imports.staging import Stopped

CHUNK = 2_000
IN_BIN = "The contact is in the bin."
MERGED = "The contact was merged with another one since."
EDITED = "The contact was changed since."
USED = "The contact is in use: something was added to it since."
# What an import itself hangs on a contact, and how it is counted in the journal.
# The condition tells of a row that somebody has touched since.
_HANGING = {
    "crm_contactidentity": "false",
    "crm_contacttag": "h.added_at > %(finished)s",
    "crm_fieldvalue": "h.version > 1",
    "crm_note": "h.version > 1",
}
_TOUCHED = 1_000_000
# Rows that are about a contact without anybody having used it.
_ABOUT = ("crm_mergesuggestion",)
# Rows that are its only as long as it has its number: WhatsApp brought them, and they stay.
_LINKED = ("crm_chat", "crm_groupmember")


def undo(batch: ImportBatch, end: float, actor: Actor) -> None:
    """Go on with taking back until the end of time (of the monotonic clock) or of the batch."""
    while time.monotonic() < end:
        with transaction.atomic():
            locked = ImportBatch.objects.select_for_update().get(pk=batch.pk)
            if locked.state != ImportState.UNDOING:
                raise Stopped
            if locked.undo_position <= locked.rows_total:
                _next_created(locked)
            elif locked.undo_position <= 2 * locked.rows_total:
                _next_merged(locked)
            else:
                _finish(locked, actor)
                return
            locked.attempts = 0
            locked.save()


def _finish(batch: ImportBatch, actor: Actor) -> None:
    unused = Tag.objects.for_workspace(batch.workspace_id).filter(
        pk__in=list(batch.new_tags), version=1, contact_tags=None
    )
    unused.delete()
    batch.state, batch.finished_at = ImportState.UNDONE, timezone.now()
    batch.save()
    record_event(kind="import.undone", actor=actor, workspace=batch.workspace, obj=batch, count=batch.contacts_deleted)


def _next_created(batch: ImportBatch) -> None:
    rows = list(
        ImportRow.objects.for_workspace(batch.workspace_id)
        .filter(batch=batch, outcome=RowOutcome.CREATED, row_number__gt=batch.undo_position)
        .order_by("row_number")[:CHUNK]
    )
    batch.undo_position = rows[-1].row_number if len(rows) == CHUNK else batch.rows_total + 1
    if not rows:
        return
    ids = [row.contact_id for row in rows]
    further = ImportRow.objects.for_workspace(batch.workspace_id).filter(
        batch=batch, outcome=RowOutcome.MERGED, contact_id__in=ids
    )
    journals: dict[UUID, list[ImportRow]] = {row.contact_id: [row] for row in rows}
    for row in further:
        journals[row.contact_id].append(row)
    there, kept = _reasons_to_stay(batch, journals)
    gone = [contact for contact in there if contact not in kept]
    _delete(batch, gone)
    batch.contacts_deleted += len(gone)
    decided = [row for several in journals.values() for row in several]
    for row in decided:
        row.kept_because = kept.get(row.contact_id, "")
        row.undone = UndoOutcome.KEPT if row.kept_because else UndoOutcome.DELETED
    batch.rows_kept += sum(row.undone == UndoOutcome.KEPT for row in decided)
    mark(decided)


def mark(rows: list[ImportRow]) -> None:
    """Write down what undoing did with rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE crm_importrow r SET undone = m.undone, kept_because = m.because
               FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS m (id, undone, because) WHERE r.id = m.id""",
            [[row.pk for row in rows], [str(row.undone) for row in rows], [row.kept_because for row in rows]],
        )


def _reasons_to_stay(batch: ImportBatch, journals: dict[UUID, list[ImportRow]]) -> tuple[list[UUID], dict[UUID, str]]:
    """The contacts that are still there, locked from now on; and those of them that stay, with a sentence why."""
    uses = " OR ".join(
        f"EXISTS (SELECT FROM {table} u WHERE u.workspace_id = c.workspace_id AND u.{column} = c.id)"
        for table, column in _references(about=False)
    )
    hanging = ", ".join(
        f"(SELECT count(*) + {_TOUCHED} * count(*) FILTER (WHERE {touched}) FROM {table} h "
        "WHERE h.workspace_id = c.workspace_id AND h.contact_id = c.id)"
        for table, touched in _HANGING.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT c.id, c.version, c.deleted_at IS NOT NULL, c.merged_into_id IS NOT NULL, {uses or "false"}, {hanging}
                FROM crm_contact c WHERE c.workspace_id = %(workspace)s AND c.id = ANY (%(ids)s) ORDER BY c.id FOR UPDATE OF c""",
            {"workspace": batch.workspace_id, "ids": list(journals), "finished": batch.finished_at},
        )
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    reasons = {}
    for contact, (version, in_bin, merged, used, *counts) in found.items():
        rows = journals[contact]
        expected = [sum(numbers) for numbers in zip(*map(_added, rows), strict=True)]
        if merged:
            reasons[contact] = MERGED
        elif in_bin:
            reasons[contact] = IN_BIN
        elif version != max(row.journal["version"] for row in rows):
            reasons[contact] = EDITED
        elif used or counts != expected:
            reasons[contact] = USED
    return list(found), reasons


def _added(row: ImportRow) -> list[int]:
    """How many identities, tags, field values and notes a row hung on its contact."""
    journal = row.journal
    if "made" in journal:
        return journal["made"]
    new_values = [before for before, _ in journal.get("fields", {}).values() if before is None]
    return [len(journal.get("identities", ())), len(journal.get("tags", ())), len(new_values), int("note" in journal)]


def _references(about: bool) -> list[tuple[str, str]]:
    """Tables and columns, of whatever app, that point to contacts beyond what an import hangs on them.

    `about`: those of rows that do not mean that anybody uses the contact; else all others.
    """
    pointing = (
        (field.related_model._meta.db_table, field.field.column)
        for field in Contact._meta.get_fields(include_hidden=True)
        if field.auto_created and not field.concrete and (field.one_to_many or field.one_to_one)
    )
    beyond = [pair for pair in pointing if pair[0] not in (*_HANGING, *_LINKED)]
    return [(table, column) for table, column in beyond if (table in _ABOUT) == about]


def _delete(batch: ImportBatch, ids: list[UUID]) -> None:
    """Delete locked contacts with what the import hung on them."""
    if not ids:
        return
    # Before any number: whoever makes contacts takes the usage first.
    plans.release(workspace=batch.workspace, resource=Resource.CONTACTS, amount=len(ids))
    with connection.cursor() as cursor:
        for table in _LINKED:
            cursor.execute(
                f"UPDATE {table} SET contact_id = NULL WHERE workspace_id = %s AND contact_id = ANY (%s)",
                [batch.workspace_id, ids],
            )
        for table, column in [
            *((table, "contact_id") for table in _HANGING),
            *_references(about=True),
            ("crm_contact", "id"),
        ]:
            cursor.execute(
                f"DELETE FROM {table} WHERE workspace_id = %s AND {column} = ANY (%s)", [batch.workspace_id, ids]
            )


def _next_merged(batch: ImportBatch) -> None:
    """The next rows that changed contacts, from the last one up; the position goes on behind the file's length."""
    below = 2 * batch.rows_total + 1 - batch.undo_position
    rows = list(
        ImportRow.objects.for_workspace(batch.workspace_id)
        .filter(batch=batch, outcome=RowOutcome.MERGED, undone="", row_number__lte=below)
        .order_by("-row_number")[:CHUNK]
    )
    if len(rows) == CHUNK:
        batch.undo_position = 2 * batch.rows_total + 2 - rows[-1].row_number
    else:
        batch.undo_position = 2 * batch.rows_total + 1
    reversal.take_back(batch, rows)
    batch.rows_restored += sum(row.undone == UndoOutcome.RESTORED for row in rows)
    batch.rows_kept += sum(row.undone == UndoOutcome.KEPT for row in rows)
    mark(rows)
