"""Delimited text: CSV as Excel, Google, Outlook and databases write it."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from crm.services.imports.reading.encodings import ENCODINGS, encoding_of
from crm.services.imports.reading.headings import looks_like_data
from crm.services.imports.reading.source import MAX_CELL, MAX_LINE, Layout, Source, Unreadable, check_titles, named
from waplus.lib.text import strip_invisible

DELIMITERS = (",", ";", "\t", "|")
# Records that are looked at to find the delimiter.
TRIED = 50


class DelimitedText(Source):
    """A text file with a delimiter between cells; line ends may be LF, CR LF or CR."""

    def __init__(self, file: BinaryIO, layout: Layout):
        super().__init__(file)
        encoding = layout.encoding or encoding_of(file, layout.country)
        if encoding not in ENCODINGS:
            raise Unreadable(f"“{encoding[:40]}” is not an encoding that is known here.")
        self._encoding = encoding
        # Excel's own line `sep=;` names the delimiter and is no record.
        self._skipped, declared = self._declared_delimiter()
        delimiter = layout.delimiter or declared or self._best_delimiter()
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise Unreadable("A delimiter is one character, such as a comma or a semicolon.")
        self._delimiter = delimiter
        first = next(self._all_records(), [])
        header = layout.header if layout.header is not None else not looks_like_data(first)
        self.layout = Layout("csv", encoding, delimiter, header)
        titles = [" ".join(strip_invisible(cell).split()) for cell in first]
        check_titles(titles)
        self.titles = named(titles if header else [""] * len(titles))

    def records(self) -> Iterator[list[str]]:
        return itertools.islice(self._all_records(), 1 if self.layout.header else 0, None)

    def _all_records(self) -> Iterator[list[str]]:
        lines = _Lines(self.file, self._encoding, self._skipped)
        csv.field_size_limit(MAX_CELL)
        for record in _parsed(lines, self._delimiter):
            if any(record):
                yield record

    def _declared_delimiter(self) -> tuple[int, str]:
        line = next(iter(_Lines(self.file, self._encoding, 0)), "").strip("\r\n").strip('"')
        if line[:4].lower() == "sep=" and len(line) <= 5:
            return 1, line[4:]
        return 0, ""

    def _best_delimiter(self) -> str:
        """The delimiter by which most records have as many cells as the first; a file without any has one column."""
        best, most = ",", (0.0, 0)
        for delimiter in DELIMITERS:
            records = itertools.islice(_parsed(_Lines(self.file, self._encoding, self._skipped), delimiter), TRIED)
            widths = [len(record) for record in _readable(records) if record]
            if widths and widths[0] > 1:
                share = sum(width == widths[0] for width in widths) / len(widths)
                most, best = max((most, best), ((round(share, 1), widths[0]), delimiter), key=lambda one: one[0])
        return best


class _Lines:
    """Lines of a text file with their ends, each of bounded length; `exhausted` once there are no more."""

    def __init__(self, file: BinaryIO, encoding: str, skip: int):
        file.seek(0)
        self._text = io.TextIOWrapper(_Unclosed(file), encoding=encoding, newline="")
        self._skip = skip
        self.number = 0
        self.exhausted = False

    def __iter__(self) -> Iterator[str]:
        readline = self._text.readline
        try:
            while line := readline(MAX_LINE):
                self.number += 1
                if len(line) >= MAX_LINE:
                    raise Unreadable(
                        f"Line {self.number} has more than {MAX_LINE:,} characters: this is no list of contacts."
                    )
                if "\x00" in line:
                    raise Unreadable(f"Line {self.number} has a NUL character: this is not a text file.")
                if self.number > self._skip:
                    yield line
        except UnicodeError as error:
            raise Unreadable(
                f"Behind line {self.number} the file is not {self._text.encoding.upper()} text. Save it as CSV in UTF-8."
            ) from error
        self.exhausted = True


class _Unclosed(io.BufferedIOBase):
    """A file that outlives the text layer over it."""

    def __init__(self, file: BinaryIO):
        self._file = file

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        return self._file.read(size)

    read1 = read


def _parsed(lines: _Lines, delimiter: str) -> Iterator[list[str]]:
    try:
        for record in csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != "\t"):
            if lines.exhausted:
                # A record that goes on to the end of the file has lost its closing quote.
                raise Unreadable(f"Line {lines.number} cannot be read: a quoted cell is never closed.")
            yield record
    except csv.Error as error:
        raise Unreadable(f"Line {lines.number} cannot be read: {error}.") from error


def _readable(records: Iterable[list[str]]) -> Iterator[list[str]]:
    """Records until the first that this delimiter cannot read."""
    try:
        yield from records
    except Unreadable:
        return
