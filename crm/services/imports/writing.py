"""Writing a plan: COPY into staging tables, then set-based statements whose counts must agree with the plan."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from crm.models import Contact, ContactIdentity, ImportBatch
from crm.models.contacts import numbers_of, search_text_of, sort_name_of
from crm.models.identities import IdentitySource
from crm.services.imports.planning import Plan, Target
from waplus.lib.ids import uuid7


class Overtaken(Exception):
    """Somebody wrote the same numbers meanwhile: plan anew."""


def _copy(cursor, table: str, columns: str, rows: Iterable[Iterable], texts: str) -> None:
    """COPY rows; of the `texts` columns an empty one is empty and not NULL."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    buffer.seek(0)
    cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv, FORCE_NOT_NULL ({texts}))", buffer)


_CONTACT_COLUMNS = (
    "id, workspace_id, name, profile_name, company, email, sort_name, search_text, created_at, updated_at"
)
_CONTACT_TEXTS = "name, profile_name, company, email, sort_name, search_text"
_IDENTITY_COLUMNS = "id, workspace_id, contact_id, kind, value, match_key, holds_key, source, observed_at"
_ROW_COLUMNS = "id, workspace_id, batch_id, row_number, outcome, reason, contact_id"


def _derived(target: Target) -> tuple[str, str]:
    """Sort name and search text of a contact with all its numbers, the ones in the database first."""
    numbers = numbers_of([*sorted(target.known), *target.identities])
    return sort_name_of(**target.fields, numbers=numbers), search_text_of(**target.fields, numbers=numbers)


def write_plan(batch: ImportBatch, plan: Plan, now: datetime) -> None:
    """Write contacts, identities and outcomes; raises `Overtaken` if the database has moved since the plan."""
    contacts, identities = Contact._meta.db_table, ContactIdentity._meta.db_table
    # Table and column names below are constants of this module; values travel as parameters.
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE staged_contact (LIKE {contacts} INCLUDING DEFAULTS) ON COMMIT DROP")
        cursor.execute(f"CREATE TEMP TABLE staged_identity (LIKE {identities} INCLUDING DEFAULTS) ON COMMIT DROP")
        _copy(
            cursor, "staged_contact", _CONTACT_COLUMNS, _contact_rows(batch, plan.new + plan.grown, now), _CONTACT_TEXTS
        )
        staged = list(_identity_rows(batch, plan, now))
        _copy(cursor, "staged_identity", _IDENTITY_COLUMNS, staged, "value")
        new_ids = [target.id for target in plan.new]
        cursor.execute(
            f"INSERT INTO {contacts} ({_CONTACT_COLUMNS}) SELECT {_CONTACT_COLUMNS} FROM staged_contact WHERE id = ANY(%s)",
            [new_ids],
        )
        cursor.execute(
            f"""UPDATE {contacts} c SET name = s.name, company = s.company, email = s.email,
                       sort_name = s.sort_name, search_text = s.search_text, updated_at = s.updated_at
                FROM staged_contact s WHERE c.id = s.id AND c.workspace_id = s.workspace_id AND NOT s.id = ANY(%s)""",
            [new_ids],
        )
        if cursor.rowcount != len(plan.grown):
            raise Overtaken("a contact has gone")
        cursor.execute(
            f"INSERT INTO {identities} ({_IDENTITY_COLUMNS}) SELECT {_IDENTITY_COLUMNS} FROM staged_identity ON CONFLICT DO NOTHING"
        )
        if cursor.rowcount != len(staged):
            raise Overtaken("a number was taken")
        outcomes = (
            [
                uuid7(),
                batch.workspace_id,
                batch.pk,
                one.row.number,
                one.outcome.value,
                one.reason[:300],
                one.contact_id or "",
            ]
            for one in plan.outcomes
        )
        _copy(cursor, "crm_importrow", _ROW_COLUMNS, outcomes, "reason")
        cursor.execute("DROP TABLE staged_contact, staged_identity")


def _contact_rows(batch: ImportBatch, targets: list[Target], now: datetime) -> Iterable[list]:
    for target in targets:
        fields = target.fields
        yield [
            target.id,
            batch.workspace_id,
            fields["name"],
            fields["profile_name"],
            fields["company"],
            fields["email"],
            *_derived(target),
            now,
            now,
        ]


def _identity_rows(batch: ImportBatch, plan: Plan, now: datetime) -> Iterable[list]:
    held = set(plan.owners)
    for target in plan.new + plan.grown:
        for identity in target.identities.values():
            # A key's owner is this very contact, or the row would have left the number out.
            holds = identity.match_key not in held
            held.add(identity.match_key)
            yield [
                uuid7(), batch.workspace_id, target.id, identity.kind.value, identity.value,
                identity.match_key, holds, IdentitySource.IMPORT.value, now,
            ]  # fmt: skip
