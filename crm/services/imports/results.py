"""The result file: every refused row with its number, the reason, and its cells as they were."""

from collections.abc import Iterator

from django.db.models import F
from django.utils.translation import gettext as _

from crm.models import ImportBatch, ImportRow, RowOutcome, StagedRow
from crm.services.tables import csv_pieces

BLOCK = 2_000


def refused_rows(batch: ImportBatch) -> Iterator[ImportRow]:
    """Refused rows in order; memory stays bounded."""
    number = 0
    while True:
        rows = list(
            ImportRow.objects.for_workspace(batch.workspace_id)
            .filter(batch=batch, outcome=RowOutcome.REFUSED, row_number__gt=number)
            .order_by("row_number")[:BLOCK]
        )
        yield from rows
        if len(rows) < BLOCK:
            return
        number = rows[-1].row_number


def result_file(batch: ImportBatch) -> Iterator[bytes]:
    """The file, in pieces."""
    return csv_pieces(_table(batch))


def _table(batch: ImportBatch) -> Iterator[list[str]]:
    yield [_("Row"), _("Reason"), *(column["title"] for column in batch.columns)]
    for row in refused_rows(batch):
        yield [str(row.row_number), row.reason, *(row.cells or ())]


def preview_rows(batch: ImportBatch):
    """The rows of a preview that is ready, as a queryset to page through by `row_number`.

    Lists break ties by `id`. No two rows of a batch have one number, so that any id will do.
    """
    return StagedRow.objects.for_workspace(batch.workspace_id).filter(batch_id=batch.pk).annotate(id=F("batch_id"))
