"""Writing a planned chunk: COPY for what is new, one statement for what changes, a journal for undoing."""

import json
from collections.abc import Iterator
from datetime import datetime

from django.db import IntegrityError, connection

from crm.models import CustomField, ImportBatch, RowOutcome
from crm.models.contacts import numbers_of, search_text_of, sort_name_of
from crm.services.imports import copying
from crm.services.imports.mapping.values import indexed
from crm.services.imports.people import Known
from crm.services.imports.planning import Additions, Outcome, Plan
from waplus.lib.text import fold, searchable

_CONTACT = (
    "id, workspace_id, name, profile_name, company, email, stage_id, sort_name, search_text, created_at, updated_at"
)
_IDENTITY = "id, workspace_id, contact_id, kind, value, match_key, holds_key, source, observed_at"
_TAG = "id, workspace_id, contact_id, tag_id, added_at, added_by_id"
_VALUE = "id, workspace_id, contact_id, field_id, value, text, number"
_NOTE = "id, workspace_id, contact_id, text, search_text, author_id, pinned, created_at"
_ROW = "id, workspace_id, batch_id, row_number, outcome, reason, contact_id, journal, cells, undone, kept_because"

_CHANGE = """
UPDATE crm_contact c
SET name = n.name, company = n.company, email = n.email, stage_id = n.stage_id,
    sort_name = n.sort_name, search_text = n.search_text, updated_at = %(now)s
FROM unnest(%(id)s::uuid[], %(name)s::text[], %(company)s::text[], %(email)s::text[], %(stage_id)s::uuid[],
            %(sort_name)s::text[], %(search_text)s::text[])
  AS n (id, name, company, email, stage_id, sort_name, search_text)
WHERE c.id = n.id AND c.workspace_id = %(workspace)s
RETURNING c.id::text, c.version
"""
_CHANGE_VALUE = """
UPDATE crm_fieldvalue v SET value = n.value::jsonb, text = n.text, number = n.number
FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::numeric[]) AS n (contact_id, field_id, value, text, number)
WHERE v.workspace_id = %s AND v.contact_id = n.contact_id AND v.field_id = n.field_id
"""


class Overtaken(Exception):
    """Somebody wrote the same numbers meanwhile: plan anew."""


def write_plan(plan: Plan, now: datetime) -> None:
    """Write everything that a plan says; raises `Overtaken` if the database has moved since."""
    batch, at = plan.batch, now.isoformat()
    workspace = str(batch.workspace_id)
    ids = f"{workspace}\t{batch.pk}"
    fields = {str(field.pk): field for field in CustomField.objects.for_workspace(batch.workspace_id)}
    with connection.cursor() as cursor:
        try:
            copying.copy(cursor, "crm_contact", _CONTACT, (_contact_line(workspace, person, at) for person in plan.new))
            _change_contacts(cursor, plan, now)
            written = [one for one in plan.outcomes if one.additions]
            copying.copy(cursor, "crm_contactidentity", _IDENTITY, _identity_lines(batch, written, at))
            copying.copy(cursor, "crm_contacttag", _TAG, _tag_lines(batch, written, at))
            copying.copy(cursor, "crm_note", _NOTE, _note_lines(batch, written, at))
            _write_values(cursor, batch, written, fields)
        except IntegrityError as error:
            raise Overtaken(str(error)) from error
        copying.copy(
            cursor, "crm_importrow", _ROW, (_row_line(ids, plan, one) for one in plan.outcomes if _is_kept(one))
        )


def _is_kept(one: Outcome) -> bool:
    """Rows that changed nothing, and about which there is nothing to say, leave no row; they are counted."""
    return bool(one.reason) or one.outcome in (RowOutcome.CREATED, RowOutcome.MERGED, RowOutcome.REFUSED)


def derived(person: Known) -> tuple[str, str]:
    """What a contact is listed by, and what search looks into."""
    numbers = numbers_of(person.identities)
    texts = {name: getattr(person, name) for name in ("name", "profile_name", "company", "email")}
    return sort_name_of(**texts, numbers=numbers), search_text_of(**texts, numbers=numbers)


def _contact_line(workspace: str, person: Known, at: str) -> str:
    sort_name, search_text = derived(person)
    text = copying.text
    return (
        f"{person.id}\t{workspace}\t{text(person.name)}\t\t{text(person.company)}\t{text(person.email)}\t"
        f"{person.stage_id or copying.NULL}\t{text(sort_name)}\t{text(search_text)}\t{at}\t{at}"
    )


def _change_contacts(cursor, plan: Plan, now: datetime) -> None:
    """Set the columns of contacts that were there and change; their new versions go into the journal."""
    people = {person.id: person for person in plan.changed()}
    if not people:
        return
    columns = ("id", "name", "company", "email", "stage_id")
    values = {name: [getattr(person, name) for person in people.values()] for name in columns}
    pairs = [derived(person) for person in people.values()]
    values |= {"sort_name": [one for one, _ in pairs], "search_text": [other for _, other in pairs]}
    cursor.execute(_CHANGE, {**values, "now": now, "workspace": plan.batch.workspace_id})
    rows = cursor.fetchall()
    if len(rows) != len(people):
        raise Overtaken("a contact has gone")
    for contact_id, version in rows:
        people[contact_id].version = version


def _identity_lines(batch: ImportBatch, written: list[Outcome], at: str) -> Iterator[str]:
    """In the order of their keys, as everybody adds identities: who adds the same ones waits and blocks nobody."""
    workspace = str(batch.workspace_id)
    added = [(identity, one.contact_id) for one in written for identity in one.additions.identities]
    added.sort(key=lambda pair: pair[0][3])
    return (
        f"{id}\t{workspace}\t{contact}\t{kind}\t{value}\t{key}\t{'t' if holds else 'f'}\timport\t{at}"
        for (id, kind, value, key, holds), contact in added
    )


def _tag_lines(batch: ImportBatch, written: list[Outcome], at: str) -> Iterator[str]:
    workspace = str(batch.workspace_id)
    author = batch.created_by_id or copying.NULL
    return (
        f"{id}\t{workspace}\t{one.contact_id}\t{tag}\t{at}\t{author}"
        for one in written
        for id, tag in one.additions.tags
    )


def _note_lines(batch: ImportBatch, written: list[Outcome], at: str) -> Iterator[str]:
    workspace = str(batch.workspace_id)
    author = batch.created_by_id or copying.NULL
    return (
        f"{note[0]}\t{workspace}\t{one.contact_id}\t{copying.text(note[1])}\t"
        f"{copying.text(searchable(fold(note[1])))}\t{author}\tf\t{at}"
        for one in written
        if (note := one.additions.note)
    )


def _write_values(cursor, batch: ImportBatch, written: list[Outcome], fields: dict[str, CustomField]) -> None:
    new, changed, workspace = [], [], str(batch.workspace_id)
    for one in written:
        for field_id, (before, value) in one.additions.fields.items():
            text, number = indexed(fields[field_id], value)
            if before is None:
                new.append(
                    f"{copying.fresh_id()}\t{workspace}\t{one.contact_id}\t{field_id}\t{copying.document(value)}\t"
                    f"{copying.text(text)}\t{copying.NULL if number is None else number}"
                )
            else:
                changed.append((one.contact_id, field_id, json.dumps(value), text, number))
    copying.copy(cursor, "crm_fieldvalue", _VALUE, new)
    if changed:
        # Of several rows of one contact the first has set the value; a value changes once in a chunk.
        cursor.execute(_CHANGE_VALUE, [*map(list, zip(*changed, strict=True)), batch.workspace_id])


def _row_line(ids: str, plan: Plan, one: Outcome) -> str:
    """`ids`: workspace and batch, as they stand in every row."""
    added, row = one.additions, one.row
    if added is None:
        journal = copying.NULL
    elif one.outcome == RowOutcome.CREATED:
        # Of a contact that the row made, that and how much hung on it suffice.
        counts = f"{len(added.identities)}, {len(added.tags)}, {len(added.fields)}, {int(added.note is not None)}"
        journal = f'{{"version": {plan.version_of(one)}, "made": [{counts}]}}'
    else:
        journal = copying.document(journal_of(one, plan.version_of(one)))
    return (
        f"{copying.fresh_id()}\t{ids}\t{row.row_number}\t{one.outcome.value}\t{copying.text(one.reason[:300])}\t"
        f"{one.contact_id or copying.NULL}\t{journal}\t{copying.document(row.cells)}\t\t"
    )


def journal_of(one: Outcome, version: int) -> dict:
    """What undoing has to know of a row that changed a contact."""
    added: Additions = one.additions
    journal: dict = {"version": version}
    if added.set:
        journal["set"] = added.set
    if added.identities:
        journal["identities"] = [identity[0] for identity in added.identities]
    if added.tags:
        journal["tags"] = [id for id, _ in added.tags]
    if added.fields:
        journal["fields"] = {field_id: [before, after] for field_id, (before, after) in added.fields.items()}
    if added.note:
        journal["note"] = added.note[0]
    return journal
