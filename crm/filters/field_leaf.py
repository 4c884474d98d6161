"""What a filter may say of a custom field."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from crm.filters.moments import today_in
from crm.filters.nodes import ContactLeaf, Scope
from crm.filters.reading import MAX_DAYS, Reading, Wrong, items, members, text, whole, zone
from crm.filters.sql import FALSE, TRUE, Driver, Sql, all_of, any_of, beside, containing, none_of
from crm.models import CustomField, FieldKind
from crm.services.field_values import Canonical, InvalidValue, canonical_value
from waplus.lib.text import fold

_ALWAYS = ("set", "empty")
_ORDERED = ("is", "is_not", "any", "less", "more", "between")
OPERATORS: dict[str, tuple[str, ...]] = {
    FieldKind.TEXT: ("is", "is_not", "any", "contains", *_ALWAYS),
    FieldKind.URL: ("is", "is_not", "any", "contains", *_ALWAYS),
    FieldKind.NUMBER: (*_ORDERED, *_ALWAYS),
    FieldKind.MONEY: (*_ORDERED, *_ALWAYS),
    FieldKind.DATE: (*_ORDERED, "last_days", "next_days", *_ALWAYS),
    FieldKind.CHOICE: ("is", "is_not", "any", *_ALWAYS),
    FieldKind.MULTIPLE: ("contains", "any", "all", *_ALWAYS),
    FieldKind.BOOLEAN: ("is", "is_not", *_ALWAYS),
}
EVERY = tuple(dict.fromkeys(name for names in OPERATORS.values() for name in names))
NUMBERED = {FieldKind.NUMBER, FieldKind.MONEY, FieldKind.DATE, FieldKind.BOOLEAN}
CHOSEN = {FieldKind.CHOICE, FieldKind.MULTIPLE}
_EPOCH = dt.date(1970, 1, 1)


def _canonical(field: CustomField, raw, path: str) -> Canonical:
    """A value of the field; options that were retired may still be asked for."""
    if isinstance(raw, str):
        text(raw, path, 2_000)
    kept = [raw] if field.kind == FieldKind.MULTIPLE else raw
    try:
        found = canonical_value(field, [raw] if field.kind == FieldKind.MULTIPLE else raw, kept)
    except InvalidValue as error:
        raise Wrong(path, error.code, str(error)) from None
    if found is None:
        raise Wrong(path, "invalid", "There is no value; `empty` asks for contacts without one.")
    return found._replace(value=tuple(found.value)) if isinstance(found.value, list) else found


@dataclass(frozen=True)
class Held(ContactLeaf):
    """Has a value in a custom field that is so. A field that is gone holds nothing."""

    name: ClassVar[str] = "field"
    field: UUID
    kind: str
    how: str
    values: tuple = ()
    zone: str = ""

    @classmethod
    def read(cls, value, path, reading: Reading):
        found = members(value, path, "id", "zone", *EVERY)
        if "id" not in found:
            raise Wrong(f"{path}.id", "required", "The id of a field has to stand here.")
        field_id = reading.id(found["id"], f"{path}.id", "field")
        named = [name for name in found if name not in ("id", "zone")]
        if len(named) != 1:
            raise Wrong(path, "invalid", f"Exactly one of these has to stand beside the id: {', '.join(EVERY)}.")
        how = named[0]
        field = reading.fields.get(field_id)
        if field is None:
            # Told of by the look-up of ids; a saved filter keeps what it says, and matches nothing.
            return cls(field_id, "", how, (json.dumps(found[how], sort_keys=True),), str(found.get("zone", "")))
        path = f"{path}.{how}"
        if how not in OPERATORS[field.kind]:
            raise Wrong(path, "invalid_choice", f"With this field: {', '.join(OPERATORS[field.kind])}.")
        if how in ("last_days", "next_days"):
            name = zone(found.get("zone", "UTC"), f"{path.rpartition('.')[0]}.zone")
            return cls(field_id, field.kind, how, (whole(found[how], path, MAX_DAYS),), name)
        if "zone" in found:
            raise Wrong(
                f"{path.rpartition('.')[0]}.zone", "unknown_field", "A time zone belongs to last_days and next_days."
            )
        return cls(field_id, field.kind, how, cls._values(field, how, found[how], path))

    @staticmethod
    def _values(field: CustomField, how: str, raw, path: str) -> tuple:
        if how in _ALWAYS:
            if raw is not True:
                raise Wrong(path, "invalid", "Only true can stand here.")
            return ()
        if how == "contains" and field.kind != FieldKind.MULTIPLE:
            folded = fold(text(raw, path))
            if not folded:
                raise Wrong(path, "invalid", "There is nothing to look for in it.")
            return (folded,)
        if how == "between":
            pair = items(raw, path, 2)
            if len(pair) != 2:
                raise Wrong(path, "invalid", "Two values have to stand here: from and to.")
            return tuple(_canonical(field, each, f"{path}.{index}") for index, each in enumerate(pair))
        if how in ("any", "all"):
            return tuple(_canonical(field, each, f"{path}.{index}") for index, each in enumerate(items(raw, path)))
        return (_canonical(field, raw, path),)

    def data(self):
        if not self.kind:
            held = json.loads(self.values[0])
        elif self.how in _ALWAYS:
            held = True
        else:
            plain = [self._plain(value) for value in self.values]
            held = plain if self.how in ("any", "all", "between") else plain[0]
        return {"field": {"id": str(self.field), self.how: held, **({"zone": self.zone} if self.zone else {})}}

    def _plain(self, value):
        if not isinstance(value, Canonical):
            return value
        return value.value[0] if self.kind == FieldKind.MULTIPLE else value.value

    def of_contact(self, scope):
        if not self.kind:
            return FALSE
        of_field = Sql("held.field_id = %s", (self.field,))
        test = TRUE if self.how in _ALWAYS else self._test(scope)
        found = beside("crm_fieldvalue", "held", all_of([of_field, test]))
        return none_of(found) if self.how in ("is_not", "empty") else found

    def drivers(self, scope):
        if (
            not self.kind
            or self.how in ("is_not", "empty")
            or (self.how == "contains" and len(str(self.values[0])) < 3)
        ):
            return []
        start = Sql(
            "SELECT held.contact_id AS id FROM crm_fieldvalue held WHERE held.workspace_id = %s AND held.field_id = %s",
            (scope.workspace_id, self.field),
        )
        # What is chosen and what is contained is in indexes that collect all before they bring the first.
        stops = self.how == "set" or (self.kind not in CHOSEN and self.how != "contains")
        return [
            Driver(2, start + ("" if self.how == "set" else " AND (" + self._test(scope) + ")"), stops, is_exact=True)
        ]

    def _test(self, scope: Scope) -> Sql:
        """Over `held`, a value of the field."""
        if self.how == "all":
            return Sql("held.value @> %s::jsonb", (json.dumps([value.value[0] for value in self.values]),))
        if self.how in ("is", "is_not", "any") or self.kind == FieldKind.MULTIPLE:
            return any_of(self._equals(value) for value in self.values)
        if self.how == "contains":
            return Sql("held.text <> '' AND held.text LIKE %s", (containing(self.values[0]),))
        low, high, edges = self._range(scope)
        signs = (">=", "<=") if edges else (">", "<")
        bounds = [(sign, bound) for sign, bound in zip(signs, (low, high), strict=True) if bound is not None]
        tests = [f"held.number {sign} %s" for sign, _ in bounds]
        return Sql(" AND ".join(["held.number IS NOT NULL", *tests]), tuple(bound for _, bound in bounds))

    def _equals(self, value: Canonical) -> Sql:
        if self.kind in NUMBERED:
            return Sql("held.number IS NOT NULL AND held.number = %s", (value.number,))
        if self.kind in CHOSEN:
            return Sql("held.value @> %s::jsonb", (json.dumps(value.value),))
        return Sql("held.text = %s", (value.text,))

    def _range(self, scope: Scope) -> tuple:
        """Lowest and highest number, and whether these themselves count."""
        if self.how == "between":
            return self.values[0].number, self.values[1].number, True
        if self.how == "less":
            return None, self.values[0].number, False
        if self.how == "more":
            return self.values[0].number, None, False
        today, days = (today_in(self.zone, scope.now) - _EPOCH).days, self.values[0]
        return (today - days, today, True) if self.how == "last_days" else (today, today + days, True)
