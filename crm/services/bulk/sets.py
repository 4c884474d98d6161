"""The set of a bulk action: counted before, frozen at its beginning."""

from uuid import UUID

from django.db import connection

from accounts.models import User
from crm.filters import Filter
from crm.filters.sql import Sql, of_a_whole_set
from crm.models import BulkAction, BulkKind
from crm.search.lists import page_of_contacts

CHUNK = 5_000
# Restoring takes numbers back one by one.
CHUNK_ONE_BY_ONE = 100


def matching(found: Filter, viewer: User | None, action: str) -> Sql:
    """Ids of the contacts that an action is for: living ones, or for `restore` those in the bin."""
    state = "deleted_at IS NOT NULL" if action == BulkKind.RESTORE else "deleted_at IS NULL"
    select = Sql(
        f"SELECT crm_contact.id FROM crm_contact WHERE crm_contact.workspace_id = %s AND crm_contact.{state} "
        "AND crm_contact.merged_into_id IS NULL AND ",
        (found.workspace.pk,),
    )
    # In the bin are few, and what looks contacts up may know of living ones alone.
    if action != BulkKind.RESTORE and (exact := found.exact(viewer)) is not None:
        return select + "crm_contact.id IN (" + exact + ")"
    condition = found.condition(viewer)
    drivers = found.drivers(viewer) if action != BulkKind.RESTORE else []
    if not drivers:
        # Everybody is tested: joining is some twenty times quicker than looking up for each.
        return select + "(" + of_a_whole_set(condition) + ")"
    return select + "(" + condition + ") AND crm_contact.id IN (SELECT id FROM (" + drivers[0].select + ") driver)"


def count_matching(found: Filter, viewer: User | None, action: str) -> int:
    """How many contacts an action would be for, exactly."""
    with connection.cursor() as cursor:
        ids = matching(found, viewer, action)
        cursor.execute(f"SELECT count(*) FROM ({ids.text}) matching", ids.params)
        return cursor.fetchone()[0]


def few_matching(found: Filter, viewer: User | None, most: int) -> list[UUID] | None:
    """All living contacts that match if they are few and found at once; None if not."""
    ids, more = page_of_contacts(
        workspace=found.workspace,
        condition=found.condition(viewer),
        drivers=found.drivers(viewer),
        sort="-created",
        limit=most,
    )
    return None if more else ids


def freeze(row: BulkAction, found: Filter, viewer: User | None) -> int:
    """Write down the ids of the set, in chunks; answers how many there are. The caller's transaction holds the row."""
    size = CHUNK_ONE_BY_ONE if row.action == BulkKind.RESTORE else CHUNK
    ids = matching(found, viewer, row.action)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH numbered AS (
                SELECT id, (row_number() OVER (ORDER BY id) - 1) / {size} AS number FROM ({ids.text}) matching
            ), written AS (
                INSERT INTO crm_bulkchunk (id, workspace_id, bulk_action_id, number, contact_ids)
                SELECT gen_random_uuid(), %s, %s, number, array_agg(id ORDER BY id) FROM numbered GROUP BY number
                RETURNING cardinality(contact_ids) AS size
            )
            SELECT coalesce(sum(size), 0) FROM written
            """,
            [*ids.params, row.workspace_id, row.pk],
        )
        return cursor.fetchone()[0]
