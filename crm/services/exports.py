"""Contacts as a table: CSV and XLSX, in pieces, whatever their number.

Titles are those of a Google export where Google has one, so that both Google
and our own import read the file again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from crm.models import CustomField, FieldKind
from crm.services.spreadsheets import workbook
from crm.services.tables import csv_pieces

BLOCK = 2_000
SEPARATOR = " ::: "
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
TITLES = (
    *("Name", "Organization Name", "E-mail 1 - Value", "Phone 1 - Value", "WhatsApp ID", "Labels", "Stage"),
    *("Owner", "Notes", "WhatsApp name", "Added", "Changed"),
)


@dataclass
class _Hanging:
    """What hangs on one contact, each kind in order."""

    phones: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    values: dict[UUID, object] = field(default_factory=dict)


def export_contacts(*, workspace: Workspace, actor: Actor, contacts: QuerySet, format: str) -> Iterator[bytes]:
    """A file of contacts in pieces. `contacts` is a queryset of the workspace; `format` a key of `FORMATS`.

    That they were exported, and how many, is recorded at once; the contacts are
    read while the file is taken.
    """
    contacts = contacts.for_workspace(workspace)
    with transaction.atomic():
        record_event(kind="contact.exported", actor=actor, workspace=workspace, count=contacts.count())
    rows = contact_rows(workspace, contacts)
    return workbook(rows) if format == "xlsx" else csv_pieces(rows)


def contact_rows(workspace: Workspace, contacts: QuerySet) -> Iterator[list[str]]:
    """The titles, then a row for each contact, in the order of the queryset. Memory stays bounded."""
    fields = list(CustomField.objects.for_workspace(workspace).filter(retired_at=None).order_by("position", "id"))
    yield [*TITLES, *(each.name for each in fields)]
    columns = (
        "id",
        "name",
        "company",
        "email",
        "stage__name",
        "owner__email",
        "profile_name",
        "created_at",
        "updated_at",
    )
    found = contacts.values_list(*columns).iterator(chunk_size=BLOCK)
    while block := list(islice(found, BLOCK)):
        hanging = _hanging(workspace, [row[0] for row in block])
        for id, name, company, email, stage, owner, profile_name, added, changed in block:
            own = hanging[id]
            yield [
                *(name, company, email, SEPARATOR.join(own.phones), SEPARATOR.join(own.ids)),
                *(SEPARATOR.join(own.tags), stage or "", owner or "", "\n".join(own.notes), profile_name),
                *(added.isoformat(" ", "seconds"), changed.isoformat(" ", "seconds")),
                *(_value(each, own.values.get(each.pk)) for each in fields),
            ]


def _hanging(workspace: Workspace, ids: list[UUID]) -> dict[UUID, _Hanging]:
    hanging = {id: _Hanging() for id in ids}
    for contact, kind, value in _fetch("SELECT contact_id, kind, value FROM crm_contactidentity h", workspace, ids):
        (hanging[contact].phones if kind == "phone" else hanging[contact].ids).append(value)
    for contact, name in _fetch(
        "SELECT h.contact_id, t.name FROM crm_contacttag h JOIN crm_tag t ON t.id = h.tag_id", workspace, ids
    ):
        hanging[contact].tags.append(name)
    for contact, text in _fetch("SELECT contact_id, text FROM crm_note h", workspace, ids, "AND h.deleted_at IS NULL"):
        hanging[contact].notes.append(text)
    for contact, field_id, value in _fetch(
        "SELECT contact_id, field_id, value #>> '{}' FROM crm_fieldvalue h", workspace, ids
    ):
        hanging[contact].values[field_id] = value
    return hanging


def _fetch(select: str, workspace: Workspace, ids: list[UUID], further: str = "") -> list[tuple]:
    """Rows that hang on contacts, oldest first. `select` and `further` are constants of this module."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{select} WHERE h.workspace_id = %s AND h.contact_id = ANY (%s) {further} ORDER BY h.id",
            [workspace.pk, ids],
        )
        return cursor.fetchall()


def _value(custom: CustomField, value: str | None) -> str:
    """A field's value as people read it: labels instead of the ids of options."""
    if value is None or custom.kind not in (FieldKind.CHOICE, FieldKind.MULTIPLE):
        return value or ""
    labels = [option["label"] for option in custom.options if f'"{option["id"]}"' in value or option["id"] == value]
    return SEPARATOR.join(labels)
