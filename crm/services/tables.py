"""Cells of files that people open in spreadsheet programs."""

import csv
import io
import re
from collections.abc import Iterable, Iterator

_PIECE = 1 << 16
# What begins a formula or a command there, full-width forms included; a tab or a line end hides one from the eye.
_DANGEROUS = re.compile(r"[\s\ufeff\u200b]*[=+\-@|%\uff1d\uff0b\uff0d\uff20\uff5c\uff05]|[\t\r\n]")
# Numbers with their countries' codes are what they look like: `+` before digits alone is no formula that does anything.
_PHONE = re.compile(r"\+[0-9]{5,20}( ::: \+[0-9]{5,20})*")


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet program runs: behind an apostrophe if it could be taken for a formula."""
    if _DANGEROUS.match(text) and not _PHONE.fullmatch(text):
        return f"'{text}"
    return text


def csv_pieces(rows: Iterable[Iterable[str]]) -> Iterator[bytes]:
    """A CSV in pieces, in UTF-8 with a byte order mark, by which Excel knows it; cells that could be formulas are defused."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow(map(safe_cell, row))
        if buffer.tell() > _PIECE:
            yield buffer.getvalue().encode("utf-8", "replace")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode("utf-8", "replace")
