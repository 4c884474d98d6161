"""A text for a set of contacts: the same rules as an expression in SQL, for as many rows as there are."""

import json
import re
from dataclasses import dataclass
from datetime import date

from accounts.models import User, Workspace
from crm.models import CustomField, FieldKind
from messaging.models.scheduled import MAX_BODY
from messaging.services.templating.parsing import Literal, Place
from messaging.services.templating.variables import (
    BLANK,
    EMPTY,
    JOINT,
    OF_CONTACT,
    TOO_LONG,
    Fields,
    labels_of,
    our_values,
    pieces_of,
)

_NAMED = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class SqlTemplate:
    """A template over rows `c` of `crm_contact`.

    `expression` is the rendered text, `missing` the name of the first variable
    that is missing (or `EMPTY` or `TOO_LONG`), or NULL if the text can be sent.
    `row` is a select of both, as columns `body` and `missing`, for
    `CROSS JOIN LATERAL (row) AS t`: who needs both reads fields once. All share
    `params`, named parameters that begin with the prefix.
    """

    expression: str
    params: dict[str, object]
    missing: str
    row: str

    def positional(self) -> tuple[str, list]:
        """`row` with `%s` for its parameters, and these, for a statement whose others have no names."""
        return _NAMED.sub("%s", self.row), [self.params[name] for name in _NAMED.findall(self.row)]


class _Params:
    """Parameters by name, each value once."""

    def __init__(self, prefix: str):
        self._prefix = prefix
        self.values: dict[str, object] = {}

    def text(self, value: str) -> str:
        """A placeholder for a text."""
        return f"{self.add(value)}::text"

    def add(self, value) -> str:
        name = next((name for name, known in self.values.items() if known == value), None)
        if name is None:
            name = f"{self._prefix}_{len(self.values)}"
            self.values[name] = value
        return f"%({name})s"


def as_sql(
    workspace: Workspace,
    text: str,
    *,
    sender: User | None = None,
    on: date | None = None,
    prefix: str = "text",
    may_be_empty: bool = False,
) -> SqlTemplate:
    """The text as SQL, to be rendered exactly as `render_for` would for each contact.

    Several texts in one statement have each a `prefix` of their own.
    """
    params, pieces, ours = _Params(prefix), pieces_of(text), our_values(workspace, sender, on)
    fields = Fields(workspace) if any(isinstance(piece, Place) for piece in pieces) else None
    columns: dict[str, str] = {}
    written: list[str] = []
    missing: list[str] = []
    for piece in pieces:
        if isinstance(piece, Literal):
            written.append(params.text(piece.text))
            continue
        value = ours.get(piece.key) or None
        if value is None and (source := _source(piece.key, workspace, fields, params)):
            columns.setdefault(source, f"v{len(columns)}")
            value = f"v.{columns[source]}"
        elif value is not None:
            value = params.text(value)
        if piece.fallback is not None:
            written.append(f"coalesce({value or 'NULL'}, {params.text(piece.fallback)})")
        else:
            written.append(value or "NULL::text")
            missing.append(f"WHEN {value or 'NULL::text'} IS NULL THEN {params.text(piece.name)}")
    return _template(params, columns, written, missing, may_be_empty)


def _template(params, columns, written, missing, may_be_empty) -> SqlTemplate:
    blank = params.text(BLANK)
    # OFFSET 0 keeps the planner from computing a value anew wherever it is mentioned.
    values = ", ".join(f"{source} AS {name}" for source, name in columns.items())
    values = f"(SELECT {values} OFFSET 0) v" if columns else "(SELECT) v"
    body = f"btrim({' || '.join(written) or params.text('')}, {blank})"
    ends = [f"WHEN char_length(r.body) > {MAX_BODY} THEN {params.text(TOO_LONG)}"]
    if not may_be_empty:
        ends.append(f"WHEN r.body = '' THEN {params.text(EMPTY)}")
    first = f"(CASE {' '.join(missing)} END)" if missing else "NULL::text"
    row = (
        f"SELECT r.body, coalesce(r.missing, CASE {' '.join(ends)} END) AS missing "
        f"FROM (SELECT {body} AS body, {first} AS missing FROM {values} OFFSET 0) r"
    )
    return SqlTemplate(
        expression=f"(SELECT t.body FROM ({row}) t)",
        params=params.values,
        missing=f"(SELECT t.missing FROM ({row}) t)",
        row=row,
    )


def _source(key: str, workspace: Workspace, fields: Fields, params: _Params) -> str | None:
    """The value of a variable of contacts, NULL where it is missing; None where there is no such variable."""
    if key in OF_CONTACT:
        return _of_contact(key, params)
    field = fields.living(key)
    if field is None:
        return None
    return (
        f"(SELECT nullif({_field_text(field, params)}, '') FROM crm_fieldvalue f WHERE f.workspace_id = c.workspace_id"
        f" AND f.contact_id = c.id AND f.field_id = {params.add(field.pk)})"
    )


def _of_contact(key: str, params: _Params) -> str:
    blank = params.text(BLANK)
    name = f"coalesce(nullif(btrim(c.name, {blank}), ''), nullif(btrim(c.profile_name, {blank}), ''))"
    if key == "name":
        return name
    if key == "first_name":
        return f"split_part(translate({name}, {blank}, {params.text(' ' * len(BLANK))}), ' ', 1)"
    if key == "phone":
        # The first that is no leaked LID, as `numbers_of` has it.
        return (
            "(SELECT '+' || split_part(ltrim(i.value, '+'), '@', 1) FROM crm_contactidentity i"
            " WHERE i.workspace_id = c.workspace_id AND i.contact_id = c.id AND i.kind IN ('phone', 'c_us')"
            " AND NOT (i.kind = 'c_us' AND EXISTS (SELECT FROM crm_contactidentity l"
            " WHERE l.workspace_id = c.workspace_id AND l.contact_id = c.id AND l.kind = 'lid'"
            " AND replace(l.value, '@lid', '@c.us') = i.value)) ORDER BY i.id LIMIT 1)"
        )
    return f"nullif(btrim(c.{key}, {blank}), '')"


def _field_text(field: CustomField, params: _Params) -> str:
    """What `variables.field_text` makes of a value, over `f`, a row of `crm_fieldvalue`."""
    plain = f"btrim(f.value #>> '{{}}', {params.text(BLANK)})"
    if field.kind == FieldKind.BOOLEAN:
        return "CASE f.value #>> '{}' WHEN 'true' THEN 'yes' ELSE 'no' END"
    if field.kind in (FieldKind.CHOICE, FieldKind.MULTIPLE):
        labels = f"{params.text(json.dumps(labels_of(field)))}::jsonb"
        ids = "CASE jsonb_typeof(f.value) WHEN 'array' THEN f.value ELSE jsonb_build_array(f.value) END"
        return (
            f"(SELECT coalesce(string_agg({labels} ->> o.id, {params.text(JOINT)} ORDER BY o.place), '')"
            f" FROM jsonb_array_elements_text({ids}) WITH ORDINALITY AS o (id, place))"
        )
    if field.kind == FieldKind.MONEY:
        return f"nullif({plain}, '') || {params.text(' ' + field.currency)}"
    return plain
