"""Benchmarks of writing leave the database as they found it, so that the next one finds the same."""

import contextlib
from collections.abc import Iterator

# Synced tables that benchmarks insert into, those that point to others first.
_SYNCED = ("crm_contacttag", "crm_contactidentity", "crm_contact", "crm_tag")


@contextlib.contextmanager
def taken_away(workspace) -> Iterator[None]:
    """Delete for good what was inserted meanwhile into a workspace: contacts, their tags and numbers, imports, bulk actions, events.

    Without tombstones, and without a look at who points where: the role must be
    a superuser. Rows that were changed meanwhile stay changed.
    """
    from django.db import connection, transaction

    from accounts.models import Event, Resource
    from accounts.services import plans
    from crm.models import BulkAction, ImportBatch
    from waplus.lib.ids import uuid7

    first = uuid7()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        (xid,) = cursor.fetchone()
    try:
        yield
    finally:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = 'replica'")
            for table in _SYNCED:
                inserted = " AND version = 1" if table in ("crm_contact", "crm_tag") else ""
                cursor.execute(
                    f"DELETE FROM {table} WHERE workspace_id = %s AND changed_xid >= %s::xid8{inserted}",
                    [workspace.pk, xid],
                )
        for model in (ImportBatch, BulkAction, Event):
            model.objects.filter(workspace=workspace, pk__gte=first).delete()
        plans.recount(workspace, Resource.CONTACTS)
        with connection.cursor() as cursor:
            # PostgreSQL leaves the indexes alone where little was deleted, and these deletions left no tombstones.
            tables = ", ".join((*_SYNCED, "crm_tombstone", "accounts_event"))
            cursor.execute(f"VACUUM (ANALYZE, INDEX_CLEANUP ON) {tables}")
