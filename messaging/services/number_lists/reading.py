"""Reading a list: the lines of a file that say something, and the number or WhatsApp id that stands in one."""

import io
import re
from typing import BinaryIO

from crm.services.imports.reading import Unreadable
from crm.services.imports.reading.encodings import encoding_of
from crm.services.imports.reading.sniffing import kind_of
from messaging.services.suppression.keys import keys_of_jid
from waplus.lib.errors import Invalid
from waplus.lib.phones import InvalidPhone, match_key
from waplus.lib.plain_phones import read_phone

MAX_LINES = 100_000
_CELLS = re.compile(r"[,;\t|]")
_LONGEST = 1_000


class NoNumber(ValueError):
    """A line in which nobody is named; `code` is stable."""

    def __init__(self, code: str, sentence: str):
        super().__init__(sentence)
        self.code = code


def lines_of(content: bytes, country: str) -> list[tuple[int, str]]:
    """The lines of a file that say something, each with its number from 1.

    A first line without a digit is a heading. Refuses what is no text, what says
    nothing, and more than 100,000 lines.
    """
    file = io.BytesIO(content)
    text = content.decode(encoding_of(file, country), errors="replace") if _is_text(file) else "\0"
    if "\0" in text:
        raise Unreadable("This is no text file. Save the table as CSV and upload that.")
    lines = text.removeprefix("\ufeff").splitlines()
    if len(lines) > MAX_LINES:
        raise Invalid("file", "too_many", f"A list has at most {MAX_LINES:,} lines: send it in parts.")
    said = [(number, line[:_LONGEST]) for number, line in enumerate(lines, 1) if line.strip()]
    if said and said[0][0] == 1 and not any(character.isdigit() for character in lines[0]):
        del said[0]
    if not said:
        raise Invalid("file", "empty", "There is no number in the file: write one a line.")
    return said


def _is_text(file: BinaryIO) -> bool:
    try:
        return kind_of(file) == "csv"
    except Unreadable:
        return False


def key_in(line: str, country: str) -> str:
    """The match key of whoever a line names. It may have several cells, as in CSV: the first that is a number counts."""
    why: NoNumber | None = None
    for written in _CELLS.split(line):
        cell = written.strip(" \"'")
        if "@" in cell:
            if found := keys_of_jid(cell):
                return found[0]
            why = why or NoNumber("invalid_jid", "This is no WhatsApp id of a person.")
        elif any(character.isdigit() for character in cell):
            try:
                return match_key(_digits(cell, country or None))
            except InvalidPhone as error:
                why = why or NoNumber("invalid_phone", str(error))
    raise why or NoNumber("no_number", "There is no number.")


def _digits(cell: str, country: str | None) -> str:
    """A number of the workspace's country, or one with its country's code; programs leave the plus sign out."""
    try:
        return read_phone(cell, country)
    except InvalidPhone:
        if not cell.isdecimal():
            raise
        return read_phone(f"+{cell}")
