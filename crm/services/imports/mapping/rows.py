"""Records of a file as people: cells cleaned, numbers canonical, everything that was left out said."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from crm.models import IdentityKind
from crm.models.contacts import search_text_of, sort_name_of
from crm.services.identities import identity_of
from crm.services.imports.mapping import titles as t
from waplus.lib.jids import InvalidJid
from waplus.lib.phones import match_key
from waplus.lib.plain_phones import InvalidPhone, plain_digits
from waplus.lib.text import fold, strip_invisible

# Several values of one cell; Google writes the first of these.
SEPARATOR = ":::"
_SEVERAL = re.compile(r":::|[;\n]|, ?(?=[+(]?\d)|,(?=\S+@)")
_TAG_SEPARATOR = re.compile(r":::|[,;|\n]")
MAX_NAME = 300
MAX_NOTE = 20_000
MAX_TAG = 80
MAX_TAGS = 50
MAX_CELL_OF_TAGS = 10_000
MAX_NUMBERS = 50
_SPACE = re.compile(r"\s")

Canonical = Callable[[str], object]


@dataclass(slots=True)
class Row:
    """A row of the file as a person.

    `number` counts from 1 below the titles. `identities` are `(kind, value,
    match key)`; `tags` names; `fields` canonical values by the field's id;
    `notes` sentences about what was left out.
    """

    number: int
    name: str = ""
    company: str = ""
    email: str = ""
    identities: list[tuple[str, str, str]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    note: str = ""
    stage: str = ""
    fields: dict[str, object] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.name or self.company or self.email or self.identities)

    @property
    def keys(self) -> list[str]:
        """What makes two rows one person: a number in common, or, of rows without any, name and address."""
        return list(dict.fromkeys(key for _, _, key in self.identities)) or [plain_key(self)]


def plain_key(row: Row) -> str:
    """What stands for a row without a number: its folded name and address; without an address, what it is found by.

    `judging` takes it apart again.
    """
    if row.email:
        return f"plain:{fold(row.name)}\n{row.email.lower()}"
    texts = {"name": row.name, "profile_name": "", "company": row.company, "email": ""}
    return f"plain:{sort_name_of(**texts, numbers=[])}\n\n{search_text_of(**texts, numbers=[])}"


class InvalidValue(ValueError):
    """A cell that a custom field does not take; the message is a sentence."""


class RowReader:
    """Turns records into rows by a mapping.

    `targets` name what each column is (`mapping.titles`); `stages` are ids by
    folded name; `fields` turn text into a field's canonical value, or raise
    `InvalidValue`.
    """

    def __init__(
        self,
        titles: Sequence[str],
        targets: Sequence[str],
        country: str,
        stages: dict[str, str] | None = None,
        fields: dict[str, Canonical] | None = None,
    ):
        self._titles = list(titles)
        self._country = country or None
        self._stages = stages or {}
        self._canonical = fields or {}
        places = {target: [i for i, one in enumerate(targets) if one == target] for target in set(targets)}
        self._parts = [i for target in (t.FIRST, t.MIDDLE, t.LAST) for i in places.get(target, ())]
        self._names = places.get(t.NAME, []) + places.get(t.NICKNAME, [])
        self._companies = places.get(t.COMPANY, [])
        self._emails = places.get(t.EMAIL, [])
        self._numbers = [(i, False) for i in places.get(t.PHONE, ())] + [(i, True) for i in places.get(t.WHATSAPP, ())]
        self._rest = [
            (take, i)
            for target, take in ((t.TAGS, self._take_tags), (t.NOTE, self._take_note), (t.STAGE, self._take_stage))
            for i in places.get(target, ())
        ]
        self._fields = [(i, one.removeprefix(t.FIELD)) for i, one in enumerate(targets) if one.startswith(t.FIELD)]

    def read(self, number: int, record: list[str]) -> Row:
        """One record as a row. Never fails: what cannot be used is said in the row's notes."""
        width = len(self._titles)
        row = Row(number)
        if len(record) < width:
            record = record + [""] * (width - len(record))
        elif len(record) > width and any(record[width:]):
            row.notes.append("The row has more cells than there are columns; the surplus was left out.")
        row.name = self._limited(row, "name", self._name(record))
        row.company = self._limited(row, "company", self._first(record, self._companies))
        if self._emails:
            self._take_email(row, record)
        for index, is_whatsapp in self._numbers:
            if cell := record[index]:
                self._take_numbers(row, self._titles[index], cell, is_whatsapp)
        for take, index in self._rest:
            if record[index]:
                take(row, record[index])
        for index, field_id in self._fields:
            if cell := _clean(record[index]):
                self._take_field(row, self._titles[index], field_id, cell)
        return row

    def _name(self, record: list[str]) -> str:
        parts = [part for i in self._parts if (part := _clean(record[i]))]
        return " ".join(parts) if parts else self._first(record, self._names)

    @staticmethod
    def _first(record: list[str], indexes: list[int]) -> str:
        for index in indexes:
            if record[index] and (text := _clean(record[index])):
                return text
        return ""

    @staticmethod
    def _limited(row: Row, name: str, text: str) -> str:
        if len(text) <= MAX_NAME:
            return text
        row.notes.append(f"The {name} was cut to {MAX_NAME} characters.")
        return text[:MAX_NAME]

    def _take_email(self, row: Row, record: list[str]) -> None:
        found = False
        for index in self._emails:
            if not record[index]:
                continue
            whole = _clean(record[index])
            for part in (whole,) if looks_like_email(whole) else map(str.strip, _SEVERAL.split(whole)):
                found = found or bool(part)
                if looks_like_email(part):
                    row.email = part
                    return
        if found:
            row.notes.append("E-mail: no address in it.")

    def _take_numbers(self, row: Row, title: str, cell: str, is_whatsapp: bool) -> None:
        digits = plain_digits(cell, self._country) if not is_whatsapp else None
        if digits:
            self._add(row, ("phone", f"+{digits}", match_key(digits)))
            return
        for part in map(_spaced, _SEVERAL.split(strip_invisible(cell))):
            if part:
                self._take_number(row, title.removesuffix(" - Value"), part, is_whatsapp)

    def _take_number(self, row: Row, title: str, text: str, is_whatsapp: bool) -> None:
        try:
            if "@" in text:
                kind = IdentityKind.LID if text.lower().endswith("@lid") else IdentityKind.C_US
                identity = identity_of(kind, text)
            else:
                if is_whatsapp and text.isascii() and text.isdigit():
                    text = f"+{text}"
                identity = identity_of(IdentityKind.PHONE, text, self._country)
        except (InvalidPhone, InvalidJid) as error:
            row.notes.append(f"{title}: {error}")
            return
        self._add(row, (str(identity.kind.value), identity.value, identity.match_key))

    @staticmethod
    def _add(row: Row, identity: tuple[str, str, str]) -> None:
        if identity in row.identities:
            return
        if len(row.identities) >= MAX_NUMBERS:
            row.notes.append(f"A contact has at most {MAX_NUMBERS} numbers; the others were left out.")
            return
        row.identities.append(identity)

    def _take_tags(self, row: Row, cell: str) -> None:
        names, too_many = _tags_of(cell)
        if row.tags:
            row.tags += [name for name in names if name not in row.tags]
        else:
            row.tags = list(names)
        if too_many or len(row.tags) > MAX_TAGS:
            row.tags = row.tags[:MAX_TAGS]
            row.notes.append(f"A tag was left out: at most {MAX_TAGS}, of at most {MAX_TAG} characters.")

    @staticmethod
    def _take_note(row: Row, cell: str) -> None:
        text = strip_invisible(cell.replace("\r\n", "\n").replace("\r", "\n")).replace(f" {SEPARATOR} ", "\n").strip()
        if text:
            row.note = f"{row.note}\n{text}" if row.note else text
        if len(row.note) > MAX_NOTE:
            row.note = row.note[:MAX_NOTE]
            row.notes.append(f"The note was cut to {MAX_NOTE:,} characters.")

    def _take_stage(self, row: Row, cell: str) -> None:
        name = _clean(cell)
        if name and not (stage := self._stages.get(fold(name))):
            row.notes.append(f"There is no stage “{name[:80]}”.")
        elif name:
            row.stage = stage

    def _take_field(self, row: Row, title: str, field_id: str, cell: str) -> None:
        try:
            row.fields[field_id] = self._canonical[field_id](cell)
        except InvalidValue as error:
            row.notes.append(f"{title}: {error}")


@lru_cache(4096)
def _tags_of(cell: str) -> tuple[tuple[str, ...], bool]:
    """The names of tags in a cell, which many rows have in common, and whether any had to be left out."""
    parts = map(_spaced, _TAG_SEPARATOR.split(strip_invisible(cell)[:MAX_CELL_OF_TAGS]))
    # Google's own groups (`* myContacts`) say nothing.
    names = list(dict.fromkeys(name for name in parts if name and not name.startswith("* ")))
    fitting = [name for name in names if len(name) <= MAX_TAG][:MAX_TAGS]
    return tuple(fitting), len(fitting) < len(names)


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _clean(cell: str) -> str:
    return " ".join(strip_invisible(cell).split())


def looks_like_email(text: str) -> bool:
    """An address with something on both sides of the last @ and a dot behind it."""
    user, at, domain = text.rpartition("@")
    return bool(at and user and "." in domain and len(text) <= 254 and not _SPACE.search(text))
