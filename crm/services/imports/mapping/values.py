"""Cells as values of custom fields: what people write in spreadsheets, in the form that the fields take."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from crm.models import CustomField, FieldKind
from crm.services import field_values
from crm.services.imports.mapping.rows import InvalidValue
from waplus.lib.text import fold

_YES = frozenset(
    ["x", "y", "j", "s", "o", "yes", "ja", "sim", "si", "oui", "true", "wahr", "verdadeiro", "verdadero", "1"]
)
_NO = frozenset(["n", "no", "nein", "nao", "non", "false", "falsch", "falso", "0"])
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d")


@dataclass(frozen=True)
class FieldReader:
    """Reads cells for one custom field. Calling it answers the canonical value, or raises `InvalidValue`."""

    field: CustomField

    def __call__(self, cell: str) -> object:
        prepare = _PREPARED.get(self.field.kind)
        try:
            canonical = field_values.canonical_value(self.field, prepare(cell) if prepare else cell)
        except field_values.InvalidValue as error:
            raise InvalidValue(str(error)) from error
        if canonical is None:
            raise InvalidValue("There is nothing in it that can be kept.")
        return canonical.value


def _number(cell: str) -> str:
    """A number with a decimal point, however its country writes it."""
    text = re.sub(r"[\s'’]|[^\d.,+\-]", "", cell)
    comma, point = text.rfind(","), text.rfind(".")
    if comma > point and text.count(",") == 1:
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", "")


def _date(cell: str) -> str:
    text = cell.partition(" ")[0].partition("T")[0]
    for form in _DATES:
        with suppress(ValueError):
            # A day, whose time nobody asks for.
            return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007
    return cell


def _boolean(cell: str) -> str | bool:
    word = fold(cell)
    return True if word in _YES else False if word in _NO else cell


def _several(cell: str) -> list[str]:
    return [part.strip() for part in re.split(r":::|[,;|]", cell) if part.strip()]


_PREPARED = {
    FieldKind.NUMBER: _number,
    FieldKind.MONEY: _number,
    FieldKind.DATE: _date,
    FieldKind.BOOLEAN: _boolean,
    FieldKind.MULTIPLE: _several,
}


def indexed(field: CustomField, value) -> tuple[str, str | None]:
    """What a canonical value is filtered and sorted by: folded text, and a number in digits or None."""
    canonical = field_values.canonical_value(field, value, value)
    return canonical.text, None if canonical.number is None else str(canonical.number)
