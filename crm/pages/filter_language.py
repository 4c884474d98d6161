"""Rows of conditions in the language of filters (`crm.filters`), and back."""

from collections.abc import Sequence

from crm.models import FieldKind
from crm.pages.filter_rows import NOBODY, Row, Subject

SPANS = {"within": "last_days", "longer": "older_than_days"}


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
        return {"tag": {"any": [row.value]}}
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
