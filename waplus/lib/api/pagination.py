"""Keyset pages: a page costs the same at row 50 and at row 900,000, and rows that arrive meanwhile neither repeat nor vanish.

A cursor is opaque: the sort and the key of the last row, in URL-safe base64.
It is not signed, because it only says where to go on within what the caller may
see anyway; whatever does not decode to a key of the asked sort is refused.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from waplus.lib.errors import Invalid, Refused

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True)
class Sort:
    """One order of a list: the column, its direction, and how its value travels in a cursor. The id breaks ties."""

    column: str
    descending: bool = False
    decode: Callable[[str], object] = str

    def keyset(self) -> list[str]:
        sign = "-" if self.descending else ""
        return [f"{sign}{self.column}"] if self.column == "id" else [f"{sign}{self.column}", f"{sign}id"]

    def after(self, key: Sequence) -> Q:
        """Rows behind `key`; PostgreSQL reads the first half through the index and the second only for ties."""
        compare = "lt" if self.descending else "gt"
        if self.column == "id":
            return Q(**{f"id__{compare}": key[-1]})
        value, row_id = key
        bound = Q(**{f"{self.column}__{compare}e": value})
        return bound & (Q(**{f"{self.column}__{compare}": value}) | Q(**{f"id__{compare}": row_id}))


def moment(text: str):
    """Decode a time of a cursor."""
    value = parse_datetime(text)
    if value is None or value.tzinfo is None:
        raise ValueError(text)
    return value


@dataclass(frozen=True)
class PageRequest:
    """What the caller asked for: how many rows, in which order, behind which key."""

    limit: int
    sort_name: str
    sort: Sort
    key: tuple | None

    @classmethod
    def of(cls, params, sorts: dict[str, Sort], default: str, max_limit: int = MAX_LIMIT) -> "PageRequest":
        """Read `limit`, `sort` and `cursor`; refuse what does not fit."""
        sort_name = params.get("sort") or default
        if sort_name not in sorts:
            raise Invalid("sort", "invalid_choice", f"Sort by one of: {', '.join(sorts)}.")
        try:
            limit = int(params.get("limit") or DEFAULT_LIMIT)
        except ValueError:
            limit = 0
        if not 1 <= limit <= max_limit:
            raise Invalid("limit", "invalid", f"A page has 1 to {max_limit} rows.")
        cursor = params.get("cursor")
        key = _decode(cursor, sort_name, sorts[sort_name]) if cursor else None
        return cls(limit, sort_name, sorts[sort_name], key)

    def rows(self, queryset: QuerySet) -> QuerySet:
        """The page's rows and one more, which tells whether there is another page."""
        if self.key is not None:
            queryset = queryset.filter(self.sort.after(self.key))
        return queryset.order_by(*self.sort.keyset())[: self.limit + 1]

    def cursor_behind(self, value, row_id: UUID) -> str:
        """The cursor that goes on behind a row."""
        value = value.isoformat() if hasattr(value, "isoformat") else str(value)
        text = json.dumps([self.sort_name, value, str(row_id)], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def page(self, rows: list) -> tuple[list, str | None]:
        """Split what `rows()` brought into the page and the cursor of the next one."""
        if len(rows) <= self.limit:
            return rows, None
        last = rows[self.limit - 1]
        return rows[: self.limit], self.cursor_behind(getattr(last, self.sort.column), last.id)


def _decode(cursor: str, sort_name: str, sort: Sort) -> tuple:
    try:
        name, value, row_id = json.loads(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        )
        if name != sort_name or "\x00" in value:
            raise ValueError(name)
        value.encode()  # an unpaired surrogate has no UTF-8
        return sort.decode(value), UUID(row_id)
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError) as error:
        raise Refused("invalid_cursor") from error
