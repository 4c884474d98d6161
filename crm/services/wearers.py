"""How many contacts wear a tag or stand at a stage, counted only so far as people read numbers exactly."""

from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from crm.models import Contact, ContactTag

CEILING = 10_000

_COUNT = """
SELECT wanted.id, (
    SELECT count(*) FROM (
        SELECT 1 FROM {table} t WHERE t.workspace_id = %(workspace)s AND t.{column} = wanted.id {alive} LIMIT %(limit)s
    ) counted
) FROM unnest(%(ids)s::uuid[]) AS wanted (id)
"""


def _counts(table: str, column: str, alive: str, workspace: Workspace, ids: list[UUID]) -> dict[UUID, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT.format(table=table, column=column, alive=alive),
            {"workspace": workspace.pk, "ids": ids, "limit": CEILING + 1},
        )
        return dict(cursor.fetchall())


def count_wearers(*, workspace: Workspace, tag_ids: list[UUID]) -> dict[UUID, int]:
    """Contacts by tag, those in the bin included; more than `CEILING` are `CEILING` + 1. One query, index only."""
    return _counts(ContactTag._meta.db_table, "tag_id", "", workspace, tag_ids)


def count_standing(*, workspace: Workspace, stage_ids: list[UUID]) -> dict[UUID, int]:
    """Contacts by stage that lists show; more than `CEILING` are `CEILING` + 1. One query, index only."""
    alive = "AND t.deleted_at IS NULL AND t.merged_into_id IS NULL"
    return _counts(Contact._meta.db_table, "stage_id", alive, workspace, stage_ids)
