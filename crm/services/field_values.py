"""Values of custom fields: what a member, a file or a device gives becomes canonical, or is refused with a sentence."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Context, Decimal, InvalidOperation
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from iso4217 import Currency

from accounts.models import Workspace
from crm.models import Contact, CustomField, FieldKind, FieldValue
from waplus.lib.errors import UNKNOWN_ID, FieldError, Refused
from waplus.lib.locks import Hold, held
from waplus.lib.text import fold, strip_invisible

MAX_TEXT = 2_000
MAX_URL = 2_000
MAX_SORTED = 500
# numeric(30, 8) of the sort column: 22 digits before the point, 8 behind.
MAX_WHOLE_DIGITS = 22
MAX_DECIMALS = 8

_WIDE = Context(prec=2 * MAX_WHOLE_DIGITS)
_EPOCH = dt.date(1970, 1, 1)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_is_url = URLValidator(schemes=["http", "https"])


class InvalidValue(ValueError):
    """A value that a field does not take: a stable code and a sentence."""

    def __init__(self, code: str, sentence: str):
        self.code = code
        super().__init__(sentence)


class Canonical(NamedTuple):
    """A value as it is kept (`FieldValue.value`), and the two columns by which it is found and sorted."""

    value: str | bool | list[str]
    text: str = ""
    number: Decimal | None = None


def canonical_value(field: CustomField, raw, present=None) -> Canonical | None:
    """What is stored for `raw` in a field, or None if `raw` says that there is nothing (null, an empty text or list).

    `raw` may come from JSON or from a spreadsheet's cell: text, number, boolean,
    date, list. Choices are named by id or by label; retired ones are taken only
    if they stand in `present`, the value that is there. Canonical values are
    their own canonical form. Raises `InvalidValue`.
    """
    if isinstance(raw, str):
        raw = _clean(raw)
    if raw is None or (isinstance(raw, str | list | tuple) and not raw):
        return None
    if field.kind == FieldKind.CHOICE:
        return _choice(field, raw, [present])
    if field.kind == FieldKind.MULTIPLE:
        return _multiple(field, raw, present or [])
    return _KINDS[FieldKind(field.kind)](field, raw)


def _clean(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidValue("invalid", "There is a character in it that no text has.") from None
    return strip_invisible(text).strip()


def _text(field: CustomField, raw) -> Canonical:
    if not isinstance(raw, str):
        raise InvalidValue("not_a_text", "This field takes a text.")
    if len(raw) > MAX_TEXT:
        raise InvalidValue("max_length", f"A text has at most {MAX_TEXT:,} characters.")
    return Canonical(raw, fold(raw)[:MAX_SORTED])


def _decimal(raw) -> Decimal:
    """A number as people and JSON write it, with a point; never through binary fractions."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal):
        raise InvalidValue("not_a_number", "This field takes a number.")
    try:
        text = raw if isinstance(raw, str) else str(raw)
        number = Decimal(text) if len(text) <= 100 and _NUMBER.fullmatch(text) else None
    except (InvalidOperation, ValueError):
        number = None
    if number is None:
        raise InvalidValue("not_a_number", "This is no number; write it like 1234.5.")
    if number and number.adjusted() >= MAX_WHOLE_DIGITS:
        raise InvalidValue("too_large", f"A number has at most {MAX_WHOLE_DIGITS} digits before the point.")
    return number


def _within(number: Decimal, decimals: int, sentence: str) -> Decimal:
    """The number with exactly so many decimals; refuses to round."""
    exact = number.quantize(Decimal(1).scaleb(-decimals), context=_WIDE)
    if exact != number:
        raise InvalidValue("too_precise", sentence)
    return exact or exact.copy_abs()


def _number(field: CustomField, raw) -> Canonical:
    number = _within(_decimal(raw), MAX_DECIMALS, f"A number has at most {MAX_DECIMALS} decimals.")
    text = format(number, "f").rstrip("0").rstrip(".")
    return Canonical(text, number=number)


def _money(field: CustomField, raw) -> Canonical:
    digits = minor_digits(field.currency)
    amount = _within(_decimal(raw), digits, f"An amount in {field.currency} has {digits} decimals.")
    return Canonical(format(amount, "f"), number=amount)


def minor_digits(currency: str) -> int:
    """How many decimals amounts of a currency have (ISO 4217); raises `ValueError` for what is no currency."""
    return Currency(currency).exponent or 0


def _date(field: CustomField, raw) -> Canonical:
    if isinstance(raw, dt.datetime):
        raw = raw.date()
    try:
        day = raw if isinstance(raw, dt.date) else _DATE.fullmatch(raw) and dt.date.fromisoformat(raw)
    except (ValueError, TypeError):
        day = None
    if not day:
        raise InvalidValue("not_a_date", "This is no date; write it like 2026-12-31.")
    return Canonical(day.isoformat(), number=Decimal((day - _EPOCH).days))


def _boolean(field: CustomField, raw) -> Canonical:
    word = raw if isinstance(raw, bool) else _WORDS.get(fold(raw)) if isinstance(raw, str) else None
    if word is None:
        raise InvalidValue("not_a_boolean", "This field takes true or false.")
    return Canonical(word, number=Decimal(word))


def _url(field: CustomField, raw) -> Canonical:
    if not isinstance(raw, str):
        raise InvalidValue("not_a_url", "This field takes a web address.")
    text = raw if _SCHEME.match(raw) else f"https://{raw}"
    try:
        parts = urlsplit(text)
        address = urlunsplit(parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()))
        _is_url(address)
    except (ValidationError, ValueError):
        raise InvalidValue("not_a_url", "This is no web address; it begins with http:// or https://.") from None
    if parts.username is not None or parts.password is not None:
        raise InvalidValue("not_a_url", "A web address is kept without a user's name or password.")
    if len(address) > MAX_URL:
        raise InvalidValue("max_length", f"A web address has at most {MAX_URL:,} characters.")
    return Canonical(address, fold(address)[:MAX_SORTED])


def _option(field: CustomField, raw, kept) -> str:
    """The id of an option that is named by its id or its label."""
    if not isinstance(raw, str):
        raise InvalidValue("not_an_option", "Name an option by its id or its label.")
    label = fold(raw)
    named = [o for o in field.options if o["id"] == raw] or [o for o in field.options if fold(o["label"]) == label]
    for option in sorted(named, key=lambda option: option["retired"]):
        if option["retired"] and option["id"] not in kept:
            raise InvalidValue("retired", f"“{option['label']}” can no longer be chosen.")
        return option["id"]
    raise InvalidValue("not_an_option", f"“{raw[:60]}” is none of the options of “{field.name}”.")


def _choice(field: CustomField, raw, kept) -> Canonical:
    id = _option(field, raw, kept)
    return Canonical(id, option_text(field, [id]))


def _multiple(field: CustomField, raw, kept) -> Canonical:
    if isinstance(raw, str):
        raw = [raw]
    if not isinstance(raw, list | tuple) or len(raw) > len(field.options):
        raise InvalidValue("not_a_list", "This field takes a list of options, each once.")
    chosen = {_option(field, _clean(item) if isinstance(item, str) else item, kept) for item in raw}
    ids = [option["id"] for option in field.options if option["id"] in chosen]
    return Canonical(ids, option_text(field, ids))


def option_text(field: CustomField, ids: list[str]) -> str:
    """What chosen options are found and sorted by: their labels, folded, in the order of the ids."""
    labels = {option["id"]: fold(option["label"]) for option in field.options}
    return " ".join(labels.get(id, "") for id in ids)[:MAX_SORTED]


_KINDS: dict[FieldKind, Callable[[CustomField, object], Canonical]] = {
    FieldKind.TEXT: _text,
    FieldKind.NUMBER: _number,
    FieldKind.DATE: _date,
    FieldKind.URL: _url,
    FieldKind.BOOLEAN: _boolean,
    FieldKind.MONEY: _money,
}


def hold_fields(*, workspace: Workspace, ids) -> dict[UUID, CustomField]:
    """The workspace's fields of some ids; until this transaction has ended nobody renames options or retires them."""
    fields = CustomField.objects.for_workspace(workspace).filter(pk__in=list(ids)).order_by("pk")
    return {field.pk: field for field in held(fields, Hold.FROM_CHANGE)}


def set_values(*, workspace: Workspace, contact: Contact, values: dict[str, object]) -> list[str]:
    """Set or clear values of a contact, `{field id: raw}`; answers what changed as `fields.<id>`.

    The caller has the contact's row locked and records the event. Nothing is
    written unless everything is fine.
    """
    wanted, errors = {}, []
    ids = {name: _as_id(name) for name in values}
    fields = hold_fields(workspace=workspace, ids=filter(None, ids.values()))
    present = {
        row.field_id: row
        for row in FieldValue.objects.for_workspace(workspace).filter(contact=contact, field__in=fields)
    }
    for name, raw in values.items():
        field = fields.get(ids[name])
        try:
            if field is None:
                raise InvalidValue("does_not_exist", UNKNOWN_ID)
            if field.retired_at is not None:
                raise InvalidValue("retired", f"The field “{field.name}” is retired.")
            there = present[field.pk].value if field.pk in present else None
            wanted[field.pk] = canonical_value(field, raw, there)
        except InvalidValue as error:
            errors.append(FieldError(f"fields.{name}", error.code, str(error)))
    if errors:
        refusal = Refused("invalid")
        refusal.fields = errors
        raise refusal
    return _write(workspace, contact, present, wanted)


def _as_id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


def _write(workspace: Workspace, contact: Contact, present: dict, wanted: dict[UUID, Canonical | None]) -> list[str]:
    gone = [id for id, value in wanted.items() if value is None and id in present]
    rows = [
        FieldValue(workspace=workspace, contact=contact, field_id=id, **value._asdict())
        for id, value in wanted.items()
        if value is not None and (id not in present or not _same(present[id].value, value.value))
    ]
    if gone:
        FieldValue.objects.for_workspace(workspace).filter(contact=contact, field__in=gone).delete()
    if rows:
        FieldValue.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["workspace", "contact", "field"],
            update_fields=["value", "text", "number"],
        )
    return sorted(f"fields.{id}" for id in (*gone, *(row.field_id for row in rows)))


def _same(one, other) -> bool:
    """Equal as JSON: in Python, true equals 1."""
    return type(one) is type(other) and one == other
