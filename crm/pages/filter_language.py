"""Rows of conditions in the language of filters (`crm.filters`), and back."""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from crm.models import FieldKind
from crm.pages.filter_rows import NOBODY, Row, Subject, is_finished

SPANS = {"within": "last_days", "longer": "older_than_days"}
# What a leaf over a span may say besides the days themselves.
_BESIDE = {"zone"}


def filter_of(rows: Sequence[Row], match: str, known: dict[str, Subject], zone: str) -> dict:
    """The filter that finished rows mean; none means everything. `zone` (IANA) says when days begin."""
    conditions = [_condition(row, known[row.field], zone) for row in rows]
    return {"or" if match == "any" else "and": conditions} if conditions else {}


def _condition(row: Row, subject: Subject, zone: str) -> dict:
    if subject.field is not None:
        return _of_field(row, subject, zone)
    leaf = _leaf(row, zone)
    return {"not": leaf} if row.op == "not" else leaf


def _leaf(row: Row, zone: str) -> dict:
    if row.op in SPANS:
        return {row.field: {SPANS[row.op]: int(row.value), "zone": zone}}
    if row.field in ("number", "email"):
        return {row.field: {"contains": row.value} if row.op == "contains" else {"has": row.op == "yes"}}
    if row.op in ("yes", "no"):
        return {row.field: row.op == "yes"}
    if row.field == "tag":
        return {"tag": {"none": True} if row.value == NOBODY else {"any": [row.value]}}
    return {row.field: None if row.value == NOBODY else row.value}


def _of_field(row: Row, subject: Subject, zone: str) -> dict:
    id = {"id": row.field}
    if row.op in ("set", "empty"):
        return {"field": {**id, row.op: True}}
    if row.op in ("within", "next"):
        return {"field": {**id, "last_days" if row.op == "within" else "next_days": int(row.value), "zone": zone}}
    value = row.value == "true" if subject.field.kind == FieldKind.BOOLEAN else row.value
    if row.op == "not":
        return {"not": {"field": {**id, "is": value}}}
    return {"field": {**id, row.op: value}}


class Said(NamedTuple):
    """A filter as the form says it: what is in the search box, the rows, and how they go together."""

    query: str = ""
    rows: tuple[Row, ...] = ()
    match: str = "all"

    def words(self, known: dict[str, Subject]) -> str:
        """The same in one line, for people; nothing for everybody."""
        query = _("“%(query)s”") % {"query": self.query} if self.query else ""
        either = _(" or ") if self.match == "any" else ", "
        rows = either.join(known[row.field].words(row) for row in self.rows)
        return ", ".join(filter(None, (query, rows)))


def said_by(tree: dict, known: dict[str, Subject], *, searchable: bool = True) -> Said | None:
    """The form's words for a filter in normal form; None if it says what the form has no words for.

    The time zone of spans is not among them: rows mean days where their reader is.
    """
    parts = tree.get("and", [tree] if tree else [])
    queries = [part["q"] for part in parts if "q" in part] if searchable else []
    rest = [part for part in parts if not (searchable and "q" in part)]
    match = "all"
    if len(rest) == 1 and "or" in rest[0]:
        rest, match = rest[0]["or"], "any"
    rows = tuple(_row(part, known) for part in rest)
    if len(queries) > 1 or not all(row and is_finished(row, known) for row in rows):
        return None
    return Said("".join(queries), rows, match)


def _row(part: dict, known: dict[str, Subject]) -> Row | None:
    negated = "not" in part
    name, value = next(iter((part["not"] if negated else part).items()))
    if name == "field":
        key, (op, text) = value["id"], _said_of_field(value)
    else:
        key, (op, text) = name, _said_of(name, value)
    if negated:
        op = "not" if op == "is" else None
    subject = known.get(key)
    return Row(key, op, text) if subject and op in dict(subject.ops) else None


def _said_of(name: str, value) -> tuple[str | None, str]:
    """How a leaf compares and with what; None where the form cannot say it."""
    if isinstance(value, bool):
        return "yes" if value else "no", ""
    if value is None or isinstance(value, str):
        return "is", value or NOBODY
    if not isinstance(value, dict) or name == "awaiting_reply":
        return None, ""
    for op, days in SPANS.items():
        if set(value) - _BESIDE == {days}:
            return op, str(value[days])
    if len(value) != 1:
        return None, ""
    how, held = next(iter(value.items()))
    if name == "tag":
        if how == "none":
            return "is", NOBODY
        return ("is", held[0]) if len(held) == 1 else (None, "")
    if how == "has":
        return "yes" if held else "no", ""
    return ("contains", held) if how == "contains" else (None, "")


def _said_of_field(value: dict) -> tuple[str | None, str]:
    how, held = next((name, value[name]) for name in value if name not in ("id", "zone"))
    if how in ("set", "empty"):
        return how, ""
    if how in ("last_days", "next_days"):
        return "within" if how == "last_days" else "next", str(held)
    if isinstance(held, list):
        return None, ""
    return how, str(held).lower() if isinstance(held, bool) else str(held)
