"""vCards 2.1, 3.0 and 4.0, many in a file, one property at a time.

The readers that exist build a whole card as a tree, photo included, and stop
at the first that is broken. Exports of telephones are full of broken ones.
"""

import codecs
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from crm.services.imports.reading.encodings import ENCODINGS, encoding_of
from crm.services.imports.reading.source import MAX_CELL, Layout, Source, Unreadable

# The columns that a card has; several values of one stand behind each other, as Google writes them.
TITLES = [
    *("Name", "First Name", "Middle Name", "Last Name", "Nickname", "Organization", "Job Title"),
    *("Phone", "E-mail", "WhatsApp", "Categories", "Notes", "Birthday", "Website", "Address"),
]
SEPARATOR = " ::: "
MAX_PIECE = 65_536  # bytes of one line; photos come in lines of 75 or in one of megabytes
_PLACE = {title: place for place, title in enumerate(TITLES)}
_PROPERTIES = {
    "FN": "Name",
    "N": "N",
    "NICKNAME": "Nickname",
    "ORG": "Organization",
    "TITLE": "Job Title",
    "TEL": "Phone",
    "EMAIL": "E-mail",
    "X-WHATSAPP": "WhatsApp",
    "CATEGORIES": "Categories",
    "NOTE": "Notes",
    "BDAY": "Birthday",
    "URL": "Website",
    "ADR": "Address",
}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass
class _Property:
    """One property as it was written: name, parameters, value in bytes; folded lines joined."""

    name: str
    parameters: dict[str, str]
    value: bytearray = field(default_factory=bytearray)
    wanted: bool = True


class Cards(Source):
    """A file of vCards. Each card is a record of the columns in `TITLES`."""

    def __init__(self, file: BinaryIO, layout: Layout):
        super().__init__(file)
        encoding = layout.encoding or encoding_of(file, layout.country)
        if encoding not in ENCODINGS:
            raise Unreadable(f"“{encoding[:40]}” is not an encoding that is known here.")
        self.layout = Layout("vcard", encoding, header=True)
        self._charset = "utf-8" if _is_wide(encoding) else encoding
        self.titles = list(TITLES)

    def records(self) -> Iterator[list[str]]:
        cells, is_open, depth = {}, False, 0
        for prop in self._properties():
            if prop.name == "BEGIN":
                depth += is_open
                if not depth:
                    # A card that was never ended is as good as one that was.
                    if is_open and cells:
                        yield _record(cells)
                    cells, is_open = {}, True
            elif prop.name == "END" and is_open:
                if depth:
                    depth -= 1
                    continue
                yield _record(cells)
                cells, is_open = {}, False
            elif is_open and not depth and prop.wanted:
                self._take(cells, prop)
        if is_open and cells:
            yield _record(cells)

    def _take(self, cells: dict[str, list[str]], prop: _Property) -> None:
        text = self._decoded(prop)
        column = _PROPERTIES[prop.name]
        if column == "N":
            parts = [*_split(text, ";"), *[""] * 5]
            for title, part in zip(("Last Name", "First Name", "Middle Name"), parts[:3], strict=True):
                if part:
                    cells[title] = [" ".join(_split(part, ","))]
            return
        if column in ("Organization", "Address"):
            text = (" " if column == "Organization" else ", ").join(
                part for part in map(str.strip, _split(text, ";")) if part
            )
        elif column == "Categories":
            text = SEPARATOR.join(part.strip() for part in _split(text, ",") if part.strip())
        else:
            text = _unescaped(text)
        if column in ("Phone", "E-mail") and (waid := prop.parameters.get("WAID", "")):
            text = f"+{waid}" if waid.isdecimal() else text
        if column == "Phone":
            text = re.sub(r"(?i)^tel:", "", text).partition(";ext=")[0]
        elif column == "E-mail":
            text = re.sub(r"(?i)^mailto:", "", text)
        if text.strip() and len(cells.setdefault(column, [])) < 100:
            preferred = "PREF" in prop.parameters or prop.parameters.get("TYPE", "").upper().find("PREF") >= 0
            cells[column].insert(0 if preferred else len(cells[column]), text.strip())

    def _decoded(self, prop: _Property) -> str:
        value = bytes(prop.value)
        charset = prop.parameters.get("CHARSET", "").strip('"').lower() or self._charset
        if prop.parameters.get("ENCODING", "").upper() in ("QUOTED-PRINTABLE", "Q"):
            value = quopri.decodestring(value)
        try:
            return value.decode(charset)
        except (LookupError, UnicodeError):
            return value.decode("utf-8", "replace")

    def _properties(self) -> Iterator[_Property]:
        """Properties with folded lines joined. Of a property that is not wanted no more than its name is kept."""
        prop: _Property | None = None
        soft = False
        for line, continues in _pieces(self.file, self.layout.encoding):
            if prop is not None and (continues or soft or line[:1] in (b" ", b"\t")):
                piece = line if continues or soft else line[1:]
            else:
                if prop is not None:
                    yield prop
                prop, piece = _started(line)
                if prop is None:
                    continue
            if prop.wanted:
                soft = prop.parameters.get("ENCODING", "").upper() in ("QUOTED-PRINTABLE", "Q") and piece.endswith(b"=")
                prop.value += piece[:-1] if soft else piece
                if len(prop.value) > MAX_CELL:
                    raise Unreadable(f"A card has a value of more than {MAX_CELL:,} bytes.")
            else:
                soft = False
        if prop is not None:
            yield prop


def _pieces(file: BinaryIO, encoding: str) -> Iterator[tuple[bytes, bool]]:
    """Lines without their ends, long ones in pieces: `(piece, whether it goes on with the line before)`."""
    file.seek(0)
    source = _Narrowed(file, encoding) if _is_wide(encoding) else file
    rest, continues, is_first = b"", False, True
    while block := source.read(MAX_PIECE):
        if is_first:
            block, is_first = block.removeprefix(b"\xef\xbb\xbf"), False
        if b"\x00" in block:
            raise Unreadable("The file has a NUL character: this is not a text file.")
        lines = (rest + block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).split(b"\n")
        for line in lines[:-1]:
            if line or continues:
                yield line, continues
            continues = False
        rest = lines[-1]
        if len(rest) > MAX_PIECE:
            yield rest, continues
            rest, continues = b"", True
    if rest:
        yield rest, continues


def _is_wide(encoding: str) -> bool:
    return encoding.startswith(("utf-16", "utf-32"))


class _Narrowed:
    """A file in wide characters as UTF-8."""

    def __init__(self, file: BinaryIO, encoding: str):
        self._reader = codecs.getreader(encoding)(file)

    def read(self, size: int) -> bytes:
        try:
            return self._reader.read(size, size).encode("utf-8", "replace")
        except UnicodeError as error:
            raise Unreadable("The file is not text in the encoding that it begins with.") from error


def _started(line: bytes) -> tuple[_Property | None, bytes]:
    """The property that a line begins, and the first piece of its value; none if the line is no property."""
    head, colon, value = line.partition(b":")
    # A quoted parameter may hold a colon.
    while colon and head.count(b'"') % 2:
        more, colon, value = value.partition(b":")
        head += b":" + more
    if not colon or len(head) > 1000:
        return None, b""
    name, *parameters = head.decode("ascii", "replace").split(";")
    name = name.strip().rpartition(".")[2].upper()
    known = _PROPERTIES.get(name)
    parsed: dict[str, str] = {}
    for parameter in parameters if known else ():
        key, equals, content = parameter.partition("=")
        key = key.strip().upper()
        if not equals:
            # Version 2.1 writes values without their names.
            key, content = ("ENCODING", key) if key in ("QUOTED-PRINTABLE", "BASE64") else ("TYPE", key)
        parsed[key] = f"{parsed[key]},{content}" if key in parsed else content
    wanted = known is not None and parsed.get("ENCODING", "").upper() not in ("BASE64", "B")
    return _Property(name, parsed, wanted=wanted), value


def _split(text: str, at: str) -> list[str]:
    """Parts of a structured value, unescaped."""
    parts, start = [], 0
    position = 0
    while position < len(text):
        if text[position] == "\\":
            position += 2
            continue
        if text[position] == at:
            parts.append(_unescaped(text[start:position]))
            start = position + 1
        position += 1
    return [*parts, _unescaped(text[start:])]


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], text) if "\\" in text else text


def _record(cells: dict[str, list[str]]) -> list[str]:
    record = [""] * len(TITLES)
    for title, values in cells.items():
        record[_PLACE[title]] = SEPARATOR.join(values)
    return record
