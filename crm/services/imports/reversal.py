"""Taking back changes of contacts that were there before the import."""

import json
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.utils import timezone

from crm.models import (
    Contact,
    ContactIdentity,
    ContactTag,
    CustomField,
    FieldValue,
    ImportBatch,
    ImportRow,
    Note,
    Stage,
)
from crm.models.imports import UndoOutcome
from crm.services.chat_links import unlink_chats
from crm.services.contacts import DERIVED, derive_search
from crm.services.imports.mapping.values import indexed
from waplus.lib.locks import Hold, held

CHANGED_SINCE = "What the import wrote was changed since."
PARTLY = "Some of what the import wrote was changed since, and stays."


@dataclass
class _Chunk:
    """What some rows wrote, as far as it is still there. `doomed` are ids to delete, by model."""

    contacts: dict[UUID, Contact]
    identities: dict[str, ContactIdentity]
    tags: dict[str, ContactTag]
    notes: dict[str, Note]
    values: dict[tuple[UUID, str], FieldValue]
    stages: set[str]
    changed: dict[UUID, set[str]] = field(default_factory=dict)
    doomed: dict[type, list] = field(default_factory=dict)

    def doom(self, row) -> None:
        self.doomed.setdefault(type(row), []).append(row.pk)


def take_back(batch: ImportBatch, rows: list[ImportRow]) -> None:
    """Take back what rows wrote where it is as they left it; sets `undone` and `kept_because` of each, unsaved."""
    chunk = _load(batch, rows)
    for row in rows:
        taken, left = _take_back_row(chunk, row)
        row.undone = UndoOutcome.RESTORED if taken else UndoOutcome.KEPT
        row.kept_because = (PARTLY if taken else CHANGED_SINCE) if left or not taken else ""
    _write(batch, chunk)


def _load(batch: ImportBatch, rows: list[ImportRow]) -> _Chunk:
    workspace = batch.workspace_id
    contact_ids = {row.contact_id for row in rows}
    contacts = Contact.objects.for_workspace(workspace).filter(pk__in=contact_ids).order_by("pk")

    def listed(key: str) -> list[str]:
        return [id for row in rows for id in row.journal.get(key, ())]

    values = FieldValue.objects.for_workspace(workspace).filter(contact__in=contact_ids).select_for_update()
    return _Chunk(
        {contact.pk: contact for contact in contacts.select_for_update()},
        {
            str(one.pk): one
            for one in ContactIdentity.objects.for_workspace(workspace).filter(pk__in=listed("identities"))
        },
        {str(one.pk): one for one in ContactTag.objects.for_workspace(workspace).filter(pk__in=listed("tags"))},
        {
            str(one.pk): one
            for one in Note.objects.for_workspace(workspace).filter(
                pk__in=[row.journal["note"] for row in rows if "note" in row.journal]
            )
        },
        {(one.contact_id, str(one.field_id)): one for one in values}
        if any("fields" in row.journal for row in rows)
        else {},
        _hold_stages(batch, rows),
    )


def _hold_stages(batch: ImportBatch, rows: list[ImportRow]) -> set[str]:
    """The stages at which contacts stood before and that are still there, none of which is deleted meanwhile."""
    before = {changes["stage_id"][0] for row in rows if "stage_id" in (changes := row.journal.get("set", {}))} - {None}
    stages = Stage.objects.for_workspace(batch.workspace_id).filter(pk__in=before).order_by("pk")
    return {str(stage.pk) for stage in held(stages, Hold.FROM_DELETION)}


def _take_back_row(chunk: _Chunk, row: ImportRow) -> tuple[int, int]:
    """How many things were taken back, and how many had to stay."""
    taken = left = 0
    contact = chunk.contacts.get(row.contact_id)
    if contact is None or contact.deleted_at is not None or contact.merged_into_id is not None:
        return 0, 1
    for column, (before, after) in row.journal.get("set", {}).items():
        present = getattr(contact, column)
        if (str(present) if column == "stage_id" and present else present) == after:
            setattr(contact, column, before if column != "stage_id" or before in chunk.stages else None)
            chunk.changed.setdefault(contact.pk, set()).add(column.removesuffix("_id"))
            taken += 1
        else:
            left += 1
    for key, there in (("identities", chunk.identities), ("tags", chunk.tags)):
        for id in row.journal.get(key, ()):
            thing = there.get(id)
            if thing is not None and thing.contact_id == contact.pk:
                chunk.doom(thing)
                if key == "identities":
                    chunk.changed.setdefault(contact.pk, set())
                taken += 1
            else:
                left += 1
    note = chunk.notes.get(row.journal.get("note", ""))
    if note is not None and note.version == 1 and note.contact_id == contact.pk:
        chunk.doom(note)
        taken += 1
    elif "note" in row.journal:
        left += 1
    for field_id, (before, after) in row.journal.get("fields", {}).items():
        value = chunk.values.get((contact.pk, field_id))
        if value is None or value.value != after:
            left += 1
            continue
        value.value = before
        taken += 1
    return taken, left


def _write(batch: ImportBatch, chunk: _Chunk) -> None:
    identities = [chunk.identities[str(id)] for id in chunk.doomed.get(ContactIdentity, ())]
    for model, ids in chunk.doomed.items():
        _delete(batch, model, ids)
    _pass_keys_on(batch, [(one.contact_id, one.match_key) for one in identities if one.holds_key])
    _write_values(batch, chunk)
    now = timezone.now()
    for contact_id, columns in chunk.changed.items():
        contact = chunk.contacts[contact_id]
        derive_search(contact)
        contact.updated_at = now
        contact.save(update_fields=[*columns, *DERIVED, "updated_at"])


def _delete(batch: ImportBatch, model: type, ids: list) -> None:
    """By one statement, for everything that these rows have hangs on the contact and not on them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {model._meta.db_table} WHERE workspace_id = %s AND id = ANY (%s)", [batch.workspace_id, ids]
        )


def _pass_keys_on(batch: ImportBatch, held: list[tuple[UUID, str]]) -> None:
    """If another spelling of a number stays on the contact, it holds the number's key now; else its chats are nobody's."""
    if not held:
        return
    contacts, keys = zip(*held, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE crm_contactidentity SET holds_key = true WHERE id IN (
                   SELECT DISTINCT ON (i.match_key) i.id FROM crm_contactidentity i
                   JOIN unnest(%s::uuid[], %s::text[]) AS f (contact_id, match_key)
                     ON f.contact_id = i.contact_id AND f.match_key = i.match_key
                   WHERE i.workspace_id = %s AND NOT i.holds_key ORDER BY i.match_key, i.id
               ) RETURNING match_key""",
            [list(contacts), list(keys), batch.workspace_id],
        )
        passed_on = {row[0] for row in cursor.fetchall()}
    unlink_chats(workspace=batch.workspace, lost=[pair for pair in held if pair[1] not in passed_on])


def _write_values(batch: ImportBatch, chunk: _Chunk) -> None:
    fields = {str(one.pk): one for one in CustomField.objects.for_workspace(batch.workspace_id)}
    for (_, field_id), value in chunk.values.items():
        if value.value is None:
            _delete(batch, FieldValue, [value.pk])
            continue
        text, number = indexed(fields[field_id], value.value)
        if text != value.text or json.dumps(number) != json.dumps(value.number and str(value.number)):
            value.text, value.number = text, number
            value.save(update_fields=["value", "text", "number"])
