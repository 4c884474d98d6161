"""Cells as values of custom fields: what people write in spreadsheets, made canonical or refused with a sentence."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from crm.models import CustomField, FieldKind
from crm.services.imports.mapping.rows import InvalidValue
from waplus.lib.text import fold

MAX_TEXT = 2000
_YES = frozenset(
    ["1", "true", "yes", "y", "x", "sim", "s", "si", "ja", "j", "oui", "o", "wahr", "verdadeiro", "verdadero"]
)
_NO = frozenset(["0", "false", "no", "n", "nao", "nein", "non", "falsch", "falso"])
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d")
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class FieldReader:
    """Reads cells for one custom field. Calling it answers the canonical value, or raises `InvalidValue`."""

    field: CustomField

    def __call__(self, cell: str) -> object:
        return getattr(self, f"_{self.field.kind}")(cell)

    def _text(self, cell: str) -> str:
        return cell[:MAX_TEXT]

    def _url(self, cell: str) -> str:
        text = cell if "://" in cell else f"https://{cell}"
        try:
            parts = urlsplit(text)
            known = parts.scheme in ("http", "https") and "." in (parts.hostname or "")
        except ValueError:
            known = False
        if not known or len(text) > MAX_TEXT or " " in text:
            raise InvalidValue("This is no web address.")
        return text

    def _number(self, cell: str) -> str:
        text = re.sub(r"[\s'’]|[^\d.,+\-]", "", cell)
        # The last sign is the decimal one if both occur, or if no three digits stand behind it.
        comma, point = text.rfind(","), text.rfind(".")
        if comma >= 0 and (comma > point) and (point >= 0 or len(text) - comma != 4 or text.count(",") == 1):
            text = text.replace(".", "").replace(",", ".", 1) if text.count(",") == 1 else text.replace(",", "")
        else:
            text = text.replace(",", "")
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise InvalidValue("This is no number.") from None
        if not number.is_finite() or abs(number) >= Decimal(10) ** 20:
            raise InvalidValue("This number is too large.")
        return format(round(number, 8).normalize(), "f")

    _money = _number

    def _date(self, cell: str) -> str:
        text = cell.partition(" ")[0].partition("T")[0]
        for form in _DATES:
            try:
                # A day, whose time nobody asks for.
                return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007
            except ValueError:
                continue
        raise InvalidValue("This is no date such as 2026-12-31.")

    def _boolean(self, cell: str) -> bool:
        word = fold(cell)
        if word not in _YES and word not in _NO:
            raise InvalidValue("This is neither yes nor no.")
        return word in _YES

    def _choice(self, cell: str) -> str:
        folded = fold(cell)
        for option in self.field.options:
            if not option.get("retired") and fold(option["label"]) == folded:
                return option["id"]
        raise InvalidValue(f"“{cell[:80]}” is none of the choices.")

    def _multiple(self, cell: str) -> list[str]:
        parts = [part.strip() for part in re.split(r":::|[,;|]", cell) if part.strip()]
        chosen = {self._choice(part) for part in parts}
        return [option["id"] for option in self.field.options if option["id"] in chosen]


def indexed(field: CustomField, value) -> tuple[str, str | None]:
    """What a canonical value is filtered and sorted by: folded text, and a number in digits or None."""
    if field.kind in (FieldKind.CHOICE, FieldKind.MULTIPLE):
        chosen = value if isinstance(value, list) else [value]
        labels = [option["label"] for option in field.options if option["id"] in chosen]
        return fold(" ".join(labels))[:500], None
    if field.kind in (FieldKind.NUMBER, FieldKind.MONEY):
        return value, value
    if field.kind == FieldKind.DATE:
        return value, str((date.fromisoformat(value) - _EPOCH).days)
    if field.kind == FieldKind.BOOLEAN:
        return "", str(int(value))
    return fold(value)[:500], None
