"""Which staged rows need a closer look: one statement over a range of rows, by indexes alone.

Whoever imports the same file again has a million rows about which there is
nothing to do. The database finds that out without sending them back; all other
rows are handed to `planning`, which decides about each.
"""

import json
from dataclasses import dataclass

from django.db import connection

from crm.models import DuplicatePolicy, ImportBatch


@dataclass(slots=True)
class Staged:
    """A staged row that needs work. `owner` is the contact that its own numbers, or its name and address, lead to."""

    row_number: int
    leader: int | None
    name: str
    company: str
    email: str
    kinds: list[str]
    values: list[str]
    keys: list[str]
    tags: list[str]
    note: str
    stage_id: str | None
    fields: dict | None
    notes: str
    refused: bool
    cells: list[str] | None
    owner: str | None


# Whom a row leads to by itself: the holder of its first known number; without any number, whoever has the same
# address and no other name; without an address, whoever has the same whole text.
OWN = """
LEFT JOIN LATERAL (
    SELECT i.contact_id, i.kind, i.value
    FROM unnest(s.keys) WITH ORDINALITY AS k (key, place)
    JOIN crm_contactidentity i ON i.workspace_id = %(workspace)s AND i.match_key = k.key AND i.holds_key
    WHERE cardinality(s.kinds) > 0
    ORDER BY k.place LIMIT 1
) held ON true
LEFT JOIN LATERAL (
    SELECT c.id FROM crm_contact c
    WHERE cardinality(s.kinds) = 0 AND s.email <> '' AND c.workspace_id = %(workspace)s
      AND lower(c.email) = lower(s.email) AND c.email <> '' AND c.deleted_at IS NULL AND c.merged_into_id IS NULL
      AND (s.name = '' OR c.name = '' OR c.sort_name = left(split_part(substr(s.keys[1], 7), E'\\n', 1), 300) COLLATE "C")
    ORDER BY c.id LIMIT 1
) addressed ON true
LEFT JOIN LATERAL (
    SELECT c.id FROM crm_contact c
    WHERE cardinality(s.kinds) = 0 AND s.email = '' AND c.workspace_id = %(workspace)s
      AND c.sort_name = split_part(substr(s.keys[1], 7), E'\\n', 1) COLLATE "C"
      AND c.search_text = split_part(s.keys[1], E'\\n', 3)
      AND c.deleted_at IS NULL AND c.merged_into_id IS NULL
    ORDER BY c.id LIMIT 1
) named ON true
"""
OWNER = "coalesce(held.contact_id, addressed.id, named.id)"

_FILLED = """
(s.name = '' OR c.name <> '') AND (s.company = '' OR c.company <> '') AND (s.email = '' OR c.email <> '')
AND (s.stage_id IS NULL OR c.stage_id IS NOT NULL)
"""
_EQUAL = """
(s.name = '' OR c.name = s.name) AND (s.company = '' OR c.company = s.company) AND (s.email = '' OR c.email = s.email)
AND (s.stage_id IS NULL OR c.stage_id IS NOT DISTINCT FROM s.stage_id)
"""
_HANGING = """
AND (
    cardinality(s.kinds) = 0
    OR (cardinality(s.kinds) = 1 AND held.kind = s.kinds[1] AND held.value = s.values[1])
    OR NOT EXISTS (
        SELECT FROM unnest(s.kinds, s.values) AS v (kind, value) WHERE NOT EXISTS (
            SELECT FROM crm_contactidentity i
            WHERE i.workspace_id = c.workspace_id AND i.contact_id = c.id AND i.kind = v.kind AND i.value = v.value
        )
    )
)
AND (
    s.tags = '{}' OR cardinality(s.tags) = (
        SELECT count(*) FROM crm_contacttag t
        WHERE t.workspace_id = c.workspace_id AND t.contact_id = c.id AND t.tag_id = ANY (s.tags)
    )
)
AND (
    s.note = '' OR EXISTS (
        SELECT FROM crm_note n WHERE n.workspace_id = c.workspace_id AND n.contact_id = c.id AND n.text = s.note
    )
)
AND (
    s.fields IS NULL OR NOT EXISTS (
        SELECT FROM jsonb_each(s.fields) AS f (id, value) WHERE NOT EXISTS (
            SELECT FROM crm_fieldvalue v
            WHERE v.workspace_id = c.workspace_id AND v.contact_id = c.id AND v.field_id = f.id::uuid {same_value}
        )
    )
)
"""


def _nothing_to_do(policy: str) -> str:
    """The condition under which a row changes nothing, by policy."""
    if policy == DuplicatePolicy.SKIP:
        return "s.leader IS NULL"
    hanging = _HANGING.replace("{same_value}", "AND v.value = f.value" if policy == DuplicatePolicy.UPDATE else "")
    if policy == DuplicatePolicy.UPDATE:
        # Of the rows of one person the first speaks; the others only fill gaps.
        return f"CASE WHEN coalesce(s.leader, s.row_number) = s.row_number THEN {_EQUAL} ELSE {_FILLED} END {hanging}"
    return f"{_FILLED} {hanging}"


def judge(batch: ImportBatch, first: int, last: int) -> tuple[int, list[Staged]]:
    """How many staged rows lie from `first` to `last`, and those that need work, in order."""
    condition = _nothing_to_do(batch.duplicates)
    params = {"workspace": batch.workspace_id, "batch": batch.pk, "first": first, "last": last}
    within = "s.batch_id = %(batch)s AND s.row_number BETWEEN %(first)s AND %(last)s"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM crm_stagedrow s WHERE {within}", params)
        count = cursor.fetchone()[0]
        cursor.execute(
            f"""SELECT s.row_number, s.leader, s.name, s.company, s.email, s.kinds, s.values, s.keys, s.tags::text[],
                       s.note, s.stage_id::text, s.fields, s.notes, s.refused, s.cells, c.id::text
                FROM crm_stagedrow s {OWN} LEFT JOIN crm_contact c ON c.id = {OWNER}
                WHERE {within} AND (s.refused OR s.notes <> '' OR c.id IS NULL OR NOT ({condition})) ORDER BY s.row_number""",
            params,
        )
        return count, [_staged(row) for row in cursor.fetchall()]


def _staged(row: tuple) -> Staged:
    """The driver hands documents over as text."""
    staged = Staged(*row)
    staged.fields = staged.fields and json.loads(staged.fields)
    staged.cells = staged.cells and json.loads(staged.cells)
    return staged


def group_owners(batch: ImportBatch, leaders: list[int]) -> dict[int, str]:
    """For persons with several rows: the contact that the first of their rows leads to which leads to any.

    Only the first fifty rows of a person are asked.
    """
    if not leaders:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT g.leader, found.owner::text FROM unnest(%(leaders)s::int[]) AS g (leader)
                CROSS JOIN LATERAL (
                    SELECT {OWNER} AS owner
                    FROM (
                        SELECT * FROM crm_stagedrow r WHERE r.batch_id = %(batch)s AND r.leader = g.leader
                        ORDER BY r.row_number LIMIT 50
                    ) s {OWN}
                    WHERE {OWNER} IS NOT NULL ORDER BY s.row_number LIMIT 1
                ) found""",
            {"workspace": batch.workspace_id, "batch": batch.pk, "leaders": leaders},
        )
        return dict(cursor.fetchall())


def count_new(batch: ImportBatch) -> int:
    """How many contacts the staged rows would make: people none of whose rows leads to a contact."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT count(*) FROM (
                    SELECT coalesce(s.leader, s.row_number) FROM crm_stagedrow s {OWN}
                    WHERE s.batch_id = %(batch)s AND NOT s.refused
                    GROUP BY 1 HAVING count({OWNER}) = 0
                ) people""",
            {"workspace": batch.workspace_id, "batch": batch.pk},
        )
        return cursor.fetchone()[0]


def count_people(batch: ImportBatch) -> int:
    """How many people the staged rows are, whether they are known or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM crm_stagedrow
               WHERE batch_id = %s AND NOT refused AND (leader IS NULL OR leader = row_number)""",
            [batch.pk],
        )
        return cursor.fetchone()[0]


def earlier_rows(batch: ImportBatch, leaders: list[int], before: int) -> list[Staged]:
    """Rows of some persons from before a row, up to fifty each: what a preview has to have seen."""
    if not leaders:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT s.row_number, s.leader, s.name, s.company, s.email, s.kinds, s.values, s.keys, s.tags::text[],
                       s.note, s.stage_id::text, s.fields, s.notes, s.refused, s.cells, ({OWNER})::text
                FROM unnest(%(leaders)s::int[]) AS g (leader)
                CROSS JOIN LATERAL (
                    SELECT * FROM crm_stagedrow r
                    WHERE r.batch_id = %(batch)s AND r.leader = g.leader AND r.row_number < %(before)s
                    ORDER BY r.row_number LIMIT 50
                ) s {OWN} ORDER BY s.row_number""",
            {"workspace": batch.workspace_id, "batch": batch.pk, "leaders": leaders, "before": before},
        )
        return [_staged(row) for row in cursor.fetchall()]
