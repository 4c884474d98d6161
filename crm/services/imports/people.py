"""The contacts that a chunk of rows leads to, as they are now."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection

from crm.models import ImportBatch
from crm.services.imports.judging import Staged, group_owners
from waplus.lib.phones import match_key


@dataclass(slots=True)
class Known:
    """A contact: what it has, in the order in which it got it. `version` is the database's.

    Ids are texts here and in plans: a million of them are only passed on.
    """

    id: str
    is_new: bool = False
    name: str = ""
    profile_name: str = ""
    company: str = ""
    email: str = ""
    stage_id: str | None = None
    version: int = 1
    identities: list[tuple[str, str]] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    fields: dict[str, object] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)
    is_changed: bool = False


@dataclass(slots=True)
class Neighbourhood:
    """`contacts` by id, `holders` of match keys, `groups`: whom a person's rows lead to by its first row.

    `gone` are ids that cannot be taken again: contacts in the bin, or merged.
    """

    contacts: dict[str, Known]
    holders: dict[str, str]
    groups: dict[int, str]
    gone: set[str]

    @staticmethod
    def key_of(kind: str, value: str) -> str:
        """The match key of a canonical identity."""
        user = value.lstrip("+").partition("@")[0]
        return f"lid:{user}" if kind == "lid" else match_key(user)


def load(batch: ImportBatch, rows: list[Staged], *, lock: bool, id_of: Callable[[int], str]) -> Neighbourhood:
    """Look up everybody whom the rows lead to; locked, they stay as they are until the chunk is written."""
    workspace = batch.workspace_id
    # No key of a row that leads to nobody is held by anybody.
    keys = [key for row in rows if row.kinds and (row.owner or row.leader) for key in row.keys]
    holders = dict(
        _fetch(
            "SELECT match_key, contact_id::text FROM crm_contactidentity "
            "WHERE workspace_id = %s AND holds_key AND match_key = ANY (%s)",
            [workspace, keys],
        )
        if keys
        else ()
    )
    leaders = {row.leader for row in rows if row.leader}
    homeless = sorted({row.leader for row in rows if row.leader and row.owner is None})
    groups = group_owners(batch, homeless)
    ids = {row.owner for row in rows if row.owner} | set(holders.values()) | set(groups.values())
    made = {id_of(leader) for leader in leaders}
    contacts, gone = _contacts(workspace, ids, made, lock)
    if contacts:
        _hang(workspace, contacts, rows)
    return Neighbourhood(contacts, {key: owner for key, owner in holders.items() if owner in contacts}, groups, gone)


def _fetch(statement: str, params: list) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def _contacts(workspace: UUID, ids: set[str], made: set[str], lock: bool) -> tuple[dict[str, Known], set[str]]:
    if not ids and not made:
        return {}, set()
    rows = _fetch(
        "SELECT id::text, name, profile_name, company, email, stage_id::text, version, "
        "deleted_at IS NULL AND merged_into_id IS NULL FROM crm_contact "
        "WHERE workspace_id = %s AND id = ANY (%s::uuid[]) ORDER BY id" + (" FOR NO KEY UPDATE" if lock else ""),
        [workspace, [*ids, *made]],
    )
    contacts = {row[0]: Known(row[0], False, *row[1:7]) for row in rows if row[7]}
    return contacts, {row[0] for row in rows if not row[7]}


def _hang(workspace: UUID, contacts: dict[str, Known], rows: list[Staged]) -> None:
    """What hangs on the contacts, as far as the rows could add to it."""
    ids = list(contacts)
    of_contacts = "WHERE workspace_id = %s AND contact_id = ANY (%s::uuid[])"
    for contact, kind, value in _fetch(
        f"SELECT contact_id::text, kind, value FROM crm_contactidentity {of_contacts} ORDER BY id", [workspace, ids]
    ):
        contacts[contact].identities.append((kind, value))
    if any(row.tags for row in rows):
        for contact, tag in _fetch(
            f"SELECT contact_id::text, tag_id::text FROM crm_contacttag {of_contacts}", [workspace, ids]
        ):
            contacts[contact].tags.add(tag)
    if any(row.fields for row in rows):
        for contact, field_id, value in _fetch(
            f"SELECT contact_id::text, field_id::text, value FROM crm_fieldvalue {of_contacts}", [workspace, ids]
        ):
            contacts[contact].fields[field_id] = json.loads(value)
    texts = [row.note for row in rows if row.note]
    if texts:
        for contact, text in _fetch(
            f"SELECT contact_id::text, text FROM crm_note {of_contacts} AND text = ANY (%s)", [workspace, ids, texts]
        ):
            contacts[contact].notes.add(text)
