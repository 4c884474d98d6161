"""Reading a contact file: columns by name, cells cleaned, every fault a sentence."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from django.conf import settings

from crm.models import IdentityKind
from crm.services.identities import Identity, identity_of
from waplus.lib.errors import Refused
from waplus.lib.phones import InvalidPhone
from waplus.lib.text import strip_invisible

MAX_CELL = 100_000
MAX_COLUMNS = 500
# Google joins several values of one cell with this.
SEPARATOR = " ::: "

NAME_PARTS = (("First Name", "Given Name"), ("Middle Name", "Additional Name"), ("Last Name", "Family Name"))
WHOLE_NAME = ("Name", "File As", "Nickname")
COMPANY = ("Organization Name", "Organization 1 - Name")
EMAIL = re.compile(r"E-mail \d+ - Value")
PHONE = re.compile(r"Phone \d+ - Value")


@dataclass
class Row:
    """A row of the file as a person: `number` counts from 1 below the header; `notes` say what was left out."""

    number: int
    name: str = ""
    company: str = ""
    email: str = ""
    identities: list[Identity] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.name or self.company or self.email or self.identities)


class Unreadable(Refused):
    """The file as a whole cannot be read; the sentence says why."""

    def __init__(self, sentence: str):
        super().__init__("file_unreadable", sentence, field="file")


class ContactFile:
    """A Google Contacts CSV export, of the present format (2024 on) or the one before."""

    def __init__(self, stream: IO[str], default_country: str):
        self.default_country = default_country or None
        self._rows = csv.reader(stream, strict=True)
        csv.field_size_limit(MAX_CELL)
        self.header = self._read_header()
        self._phones = [i for i, name in enumerate(self.header) if PHONE.fullmatch(name)]
        self._emails = [i for i, name in enumerate(self.header) if EMAIL.fullmatch(name)]
        self._name_parts = [self._column(names) for names in NAME_PARTS]
        self._whole_names = [self.header.index(name) for name in WHOLE_NAME if name in self.header]
        self._company = self._column(COMPANY)
        if not (self._phones or self._emails) or not (
            self._whole_names or any(i is not None for i in self._name_parts)
        ):
            raise Unreadable(
                "This is not a Google Contacts export: it lacks columns such as “First Name” and “Phone 1 - Value”."
            )

    def _read_header(self) -> list[str]:
        header = [strip_invisible(cell).strip() for cell in next(self._records(), [])]
        if not any(header):
            raise Unreadable("The file is empty.")
        if len(header) > MAX_COLUMNS:
            raise Unreadable(f"The file has more than {MAX_COLUMNS} columns.")
        return header

    def _records(self) -> Iterator[list[str]]:
        try:
            yield from self._rows
        except UnicodeDecodeError as error:
            raise Unreadable(
                "The file is not UTF-8 text. Export it again from Google Contacts as “Google CSV”."
            ) from error
        except csv.Error as error:
            raise Unreadable(f"Line {self._rows.line_num} cannot be read: {error}.") from error

    def _column(self, names: tuple[str, ...]) -> int | None:
        return next((self.header.index(name) for name in names if name in self.header), None)

    def ignored_columns(self) -> list[str]:
        """Columns that hold something in exports and have no place in a contact yet."""
        used = {*self._phones, *self._emails, *self._whole_names, self._company, *self._name_parts}
        return [
            name for i, name in enumerate(self.header) if i not in used and not name.endswith((" - Label", " - Type"))
        ]

    def rows(self) -> Iterator[Row]:
        """Rows of the file in order; a blank line is no row."""
        number = 0
        for record in self._records():
            if not record:
                continue
            number += 1
            if number > settings.MAX_IMPORT_ROWS:
                raise Unreadable(f"The file has more than {settings.MAX_IMPORT_ROWS:,} rows. Split it.")
            if "\x00" in "".join(record):
                raise Unreadable(f"Row {number} has a NUL character: this is not a text file.")
            yield self._row(number, record)

    def _row(self, number: int, record: list[str]) -> Row:
        def cell(index: int | None) -> str:
            raw = record[index] if index is not None and index < len(record) else ""
            return " ".join(strip_invisible(raw).split())

        parts = " ".join(filter(None, map(cell, self._name_parts)))
        row = Row(
            number, name=parts or next(filter(None, map(cell, self._whole_names)), ""), company=cell(self._company)
        )
        if len(record) > len(self.header) and any(record[len(self.header) :]):
            row.notes.append("The row has more cells than the header; the surplus was left out.")
        self._shorten(row, "name", "company")
        emails = [value for index in self._emails for value in cell(index).split(SEPARATOR.strip()) if value.strip()]
        row.email = next((email.strip() for email in emails if _looks_like_email(email.strip())), "")
        if emails and not row.email:
            row.notes.append("E-mail: no address in it.")
        for index in self._phones:
            for value in filter(None, (part.strip() for part in cell(index).split(SEPARATOR.strip()))):
                self._read_phone(row, self.header[index].removesuffix(" - Value"), value)
        return row

    def _shorten(self, row: Row, *names: str) -> None:
        for name in names:
            if len(getattr(row, name)) > 300:
                setattr(row, name, getattr(row, name)[:300])
                row.notes.append(f"The {name} was cut to 300 characters.")

    def _read_phone(self, row: Row, label: str, value: str) -> None:
        try:
            identity = identity_of(IdentityKind.PHONE, value, self.default_country)
        except InvalidPhone as error:
            row.notes.append(f"{label}: {error}")
            return
        if identity not in row.identities:
            row.identities.append(identity)


def _looks_like_email(text: str) -> bool:
    user, at, domain = text.rpartition("@")
    return bool(at and user and "." in domain and len(text) <= 254 and not re.search(r"\s", text))
