"""What would become of each row, if the import were started now. Contacts are only read."""

from django.db import connection, transaction

from crm.models import ImportBatch, ImportState, RowOutcome
from crm.services.imports import judging, staging
from crm.services.imports.planning import Plan
from crm.services.imports.staging import Stopped

CHUNK = 5_000


def make(batch: ImportBatch) -> None:
    """Read the file if needed, decide about every row, keep the outcomes beside the staged rows."""
    if not batch.is_staged:
        staging.stage(batch)
    counts = dict.fromkeys(RowOutcome.values, 0)
    idle = RowOutcome.SKIPPED if batch.duplicates == "skip" else RowOutcome.UNCHANGED
    for first in range(1, batch.rows_total + 1, CHUNK):
        last = min(first + CHUNK - 1, batch.rows_total)
        count, rows = judging.judge(batch, first, last)
        if count != last - first + 1:
            staging.advance(batch, is_staged=False)
            return
        leaders = sorted({row.leader for row in rows if row.leader and row.leader < first})
        plan = Plan(batch, rows, earlier=judging.earlier_rows(batch, leaders, first), lock=False)
        _keep(batch, plan, first, last, idle)
        for one in plan.outcomes:
            counts[one.outcome.value] += 1
        counts[idle.value] += count - len(rows)
    _finish(batch, counts)


def _keep(batch: ImportBatch, plan: Plan, first: int, last: int, idle: RowOutcome) -> None:
    decided = [(one.row.row_number, one.outcome.value, one.reason, _shown(one)) for one in plan.outcomes]
    columns = [list(column) for column in zip(*decided, strict=True)] if decided else [[], [], [], []]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """UPDATE crm_stagedrow s SET outcome = coalesce(d.outcome, %s), contact_id = d.contact_id,
                      notes = coalesce(nullif(d.reason, ''), s.notes)
               FROM crm_stagedrow r
               LEFT JOIN unnest(%s::int[], %s::text[], %s::text[], %s::uuid[])
                 AS d (row_number, outcome, reason, contact_id) ON d.row_number = r.row_number
               WHERE s.batch_id = %s AND s.row_number BETWEEN %s AND %s
                 AND r.batch_id = s.batch_id AND r.row_number = s.row_number""",
            [idle.value, *columns, batch.pk, first, last],
        )


def _shown(one) -> str | None:
    """The contact that a row would change; one that it would make has no id yet."""
    return one.contact_id if one.outcome != RowOutcome.CREATED else None


def _finish(batch: ImportBatch, counts: dict[str, int]) -> None:
    preview = {"total": batch.rows_total, **counts}
    ready = ImportBatch.objects.filter(pk=batch.pk, state=ImportState.PREVIEWING, revision=batch.revision)
    if not ready.update(state=ImportState.PREVIEWED, preview=preview, attempts=0):
        raise Stopped
    batch.refresh_from_db()
