"""The result file: every refused row with its number, the reason, and its cells as they were."""

import csv
import io
from collections.abc import Iterator

from django.db.models import F
from django.utils.translation import gettext as _

from crm.models import ImportBatch, ImportRow, RowOutcome, StagedRow
from crm.services.tables import safe_cell

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
    """A CSV in UTF-8 with a byte order mark, in pieces. Cells that a spreadsheet would take for formulas are defused."""
    titles = [column["title"] for column in batch.columns]
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([_("Row"), _("Reason"), *map(safe_cell, titles)])
    for row in refused_rows(batch):
        writer.writerow([row.row_number, safe_cell(row.reason), *map(safe_cell, row.cells or ())])
        if buffer.tell() > 1 << 16:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    data = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return data


def preview_rows(batch: ImportBatch):
    """The rows of a preview that is ready, as a queryset to page through by `row_number`.

    Lists break ties by `id`. No two rows of a batch have one number, so that any id will do.
    """
    return StagedRow.objects.for_workspace(batch.workspace_id).filter(batch_id=batch.pk).annotate(id=F("batch_id"))
