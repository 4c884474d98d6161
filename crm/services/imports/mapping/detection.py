"""Which column is what: by its title, then by its values, then by its neighbours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from crm.services.imports.mapping import titles as t
from waplus.lib.jids import InvalidJid, parse_jid
from waplus.lib.plain_phones import InvalidPhone, read_phone
from waplus.lib.text import fold

# How much of a column has to look alike.
MOST = 0.8
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]{2,}")
_WORDS = re.compile(r"[^\W\d_][\w'’.\- ]+")
IDENTIFYING = frozenset({t.NAME, t.NICKNAME, t.FIRST, t.MIDDLE, t.LAST, t.COMPANY, t.EMAIL, t.PHONE, t.WHATSAPP})


@dataclass(frozen=True)
class Known:
    """What the workspace made itself: its fields by plain title as `field:<id>`, and its stages' folded names."""

    fields: dict[str, str] = field(default_factory=dict)
    stages: frozenset[str] = frozenset()


def detect(titles: Sequence[str], records: Sequence[Sequence[str]], country: str, known: Known) -> list[str]:
    """A target for each column."""
    columns = [
        [record[i].strip() for record in records if i < len(record) and record[i].strip()] for i in range(len(titles))
    ]
    found = [
        known.fields.get(t.plain_title(title)) or t.target_of(title) or _by_values(values, country)
        for title, values in zip(titles, columns, strict=True)
    ]
    found = [_checked(target, values, known) for target, values in zip(found, columns, strict=True)]
    return _settled(titles, found, columns)


def _by_values(values: list[str], country: str) -> str:
    """What a column without a telling title holds; "" if its values do not say either."""
    if not values:
        return ""
    # An id of WhatsApp looks like an address, too.
    if _share(values, _is_jid) >= MOST:
        return t.WHATSAPP
    if _share(values, _EMAIL.fullmatch) >= MOST:
        return t.EMAIL
    return t.PHONE if _share(values, lambda value: _is_phone(value, country)) >= MOST else ""


def _checked(target: str, values: list[str], known: Known) -> str:
    """A column called after numbers may hold ids of WhatsApp; one called after a stage may hold anything."""
    if target == t.STAGE and not (values and _share(values, lambda value: fold(value) in known.stages) >= MOST):
        return t.IGNORE
    if target == t.PHONE and values and _share(values, _is_jid) >= MOST:
        return t.WHATSAPP
    return target


def _share(values: list[str], test) -> float:
    return sum(1 for value in values if test(value)) / len(values)


def _is_jid(value: str) -> bool:
    if "@" not in value:
        return False
    try:
        return parse_jid(value).is_person
    except InvalidJid:
        return False


def _is_phone(value: str, country: str) -> bool:
    """A number by somebody's plan, and long enough not to be a year or a price."""
    if len(re.sub(r"\D", "", value)) < 8:
        return False
    try:
        return bool(read_phone(value, country or None))
    except InvalidPhone:
        return False


def _settled(titles: Sequence[str], found: list[str], columns: list[list[str]]) -> list[str]:
    """Settle names by what else there is, and let nothing unclear be imported."""
    has = set(found)
    for index, target in enumerate(found):
        is_bare = target == "name?" or t.plain_title(titles[index]) == "name"
        if is_bare and t.FIRST in has and t.LAST not in has:
            found[index] = t.LAST
        elif target == "name?":
            found[index] = t.FIRST if t.LAST in has and t.FIRST not in has else t.NAME
    if not {t.NAME, t.FIRST, t.LAST, t.NICKNAME} & set(found):
        for index, target in enumerate(found):
            values = columns[index]
            if not target and values and _share(values, _WORDS.fullmatch) >= MOST:
                found[index] = t.NAME
                break
    # A stage and a note are single: further columns of the kind wait for the person.
    seen: set[str] = set()
    for index, target in enumerate(found):
        if target == t.STAGE and target in seen:
            found[index] = t.IGNORE
        seen.add(found[index])
    return [target or t.IGNORE for target in found]
