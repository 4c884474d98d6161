"""The lines of a list that were refused, to be looked at and to be taken away as a file."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from crm.services.tables import csv_pieces
from messaging.models import NumberList, NumberListRefusal

BLOCK = 2_000


def refusals_of(row: NumberList):
    """A queryset, to be paged through by `line`."""
    return NumberListRefusal.objects.for_workspace(row.workspace_id).filter(number_list=row)


def refusal_file(row: NumberList) -> Iterator[bytes]:
    """A CSV in pieces: the number of each refused line, and why."""
    return csv_pieces(_table(row))


def _table(row: NumberList) -> Iterator[list[str]]:
    yield [_("Line"), _("Reason")]
    last = 0
    while block := list(refusals_of(row).filter(line__gt=last).order_by("line")[:BLOCK]):
        yield from ([str(one.line), one.detail] for one in block)
        last = block[-1].line
