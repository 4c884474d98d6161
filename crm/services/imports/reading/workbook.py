"""XLSX workbooks, row by row. Formulas are never evaluated: a cell is what Excel saved in it."""

import itertools
import os
import struct
import tempfile
import warnings
import weakref
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from openpyxl.reader.excel import SHARED_STRINGS, ExcelReader, apply_stylesheet
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet._reader import DATA_TAG, INLINE_STRING, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from crm.services.imports.reading.headings import looks_like_data
from crm.services.imports.reading.source import (
    MAX_CELL,
    MAX_COLUMNS,
    Layout,
    Source,
    Unreadable,
    check_titles,
    named,
)
from waplus.lib.text import strip_invisible

MAX_ENTRIES = 2_000
MAX_UNPACKED = 4 << 30  # bytes of the sheet and its texts; read as a stream
MAX_PART = 8 << 20  # bytes of every other part; read as a whole
MAX_UNIT = 4 << 20  # bytes of XML between two rows, or between two texts
_STRING_TAG = f"{{{SHEET_MAIN_NS}}}si"
_TEXT_TAG = f"{{{SHEET_MAIN_NS}}}t"
_SAID = (_TEXT_TAG, f"{{{SHEET_MAIN_NS}}}r")

# All that the libraries raise over a file that is not what it says.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, ParseError, DefusedXmlException, InvalidFileException),
    *(KeyError, IndexError, ValueError, TypeError, AttributeError, EOFError, OSError, OverflowError),
    *(NotImplementedError, RuntimeError, AssertionError, RecursionError),
)


class Workbook(Source):
    """The first sheet of a workbook that people can see."""

    def __init__(self, file: BinaryIO, layout: Layout):
        super().__init__(file)
        with _faults_as_sentence():
            _check_archive(file)
            reader = _Reader(file)
            sheets = [sheet for sheet in reader.read_sheets() if sheet.sheet_state == "visible"]
        if not sheets:
            raise Unreadable("The workbook has no sheet that can be seen.")
        self._sheet, self._workbook = sheets[0], reader.wb
        if len(sheets) > 1:
            self.remarks.append(f"Only the first sheet, “{self._sheet.title[:100]}”, is read.")
        first = next(self._all_records(), [])
        header = layout.header if layout.header is not None else not looks_like_data(first)
        self.layout = Layout("xlsx", header=header)
        titles = [" ".join(strip_invisible(cell).split()) for cell in first]
        check_titles(titles)
        self.titles = named(titles if header else [""] * len(titles))

    def records(self) -> Iterator[list[str]]:
        return itertools.islice(self._all_records(), 1 if self.layout.header else 0, None)

    def _all_records(self) -> Iterator[list[str]]:
        with _faults_as_sentence(), self._sheet._get_source() as source:
            parser = _Rows(
                _Metered(source),
                self._sheet._shared_strings,
                data_only=True,
                epoch=self._workbook.epoch,
                date_formats=self._workbook._date_formats,
                timedelta_formats=self._workbook._timedelta_formats,
            )
            for number, cells in parser.parse():
                record = _record(number, cells)
                if any(record):
                    yield record


class _faults_as_sentence:
    """Whatever the libraries raise over a broken file becomes one sentence."""

    def __enter__(self):
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, kind, error, traceback):
        self._warnings.__exit__(kind, error, traceback)
        if isinstance(error, _BROKEN) and not isinstance(error, Unreadable):
            raise Unreadable("The workbook is damaged or was not made by a spreadsheet program.") from error


def _check_archive(file: BinaryIO) -> None:
    """What the archive declares, before anything is unpacked; the zip module never unpacks more than was declared."""
    file.seek(0)
    entries = zipfile.ZipFile(file).infolist()
    names = {entry.filename for entry in entries}
    if len(entries) > MAX_ENTRIES:
        raise Unreadable("The workbook has too many parts.")
    if "[Content_Types].xml" not in names:
        kind = "an OpenDocument file" if "content.xml" in names else "a ZIP archive"
        raise Unreadable(f"This is {kind} and not an Excel workbook. Save it as XLSX or CSV and upload that.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable("The workbook is protected by a password. Save it without one.")
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise Unreadable("The workbook is too large once unpacked. Save it as CSV and upload that.")
    for entry in entries:
        is_stream = "/worksheets/" in entry.filename or entry.filename.endswith("sharedStrings.xml")
        if entry.file_size > MAX_PART and entry.filename.endswith((".xml", ".rels")) and not is_stream:
            raise Unreadable("A part of the workbook is too large to be true.")


class _Metered:
    """A part of the archive, which may not go on for long without a row or a text coming to its end."""

    def __init__(self, part):
        self._part = part
        self.since = 0

    def read(self, size: int = -1) -> bytes:
        data = self._part.read(size if 0 < size < 1 << 16 else 1 << 16)
        self.since += len(data)
        if self.since > MAX_UNIT:
            raise Unreadable("A cell of the workbook is too large to be true.")
        return data


class _Reader(ExcelReader):
    """The library's reader, with the shared texts kept on disk, and without what is not needed."""

    def __init__(self, file: BinaryIO):
        file.seek(0)
        super().__init__(file, read_only=True, data_only=True, keep_links=False)

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        if part is not None:
            self.shared_strings = _Texts(self.archive.open(part.PartName[1:]))

    def read_sheets(self) -> list[ReadOnlyWorksheet]:
        self.read_manifest()
        self.read_strings()
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)
        self.read_worksheets()
        return self.wb._sheets

    def read_worksheets(self) -> None:
        for sheet, part in self.parser.find_sheets():
            if part.target in self.valid_files and "chartsheet" not in part.Type:
                worksheet = _Sheet(self.wb, sheet.name, part.target, self.shared_strings)
                worksheet.sheet_state = sheet.state
                self.wb._sheets.append(worksheet)


class _Sheet(ReadOnlyWorksheet):
    """A sheet of which nothing is read before somebody asks for its rows."""

    def _get_size(self) -> None:
        """The library reads the whole of a sheet that does not state its size."""


class _Texts:
    """The workbook's table of texts in a file of its own: a million names would be hundreds of megabytes of objects.

    It is read as far as it is asked for: programs write texts in the order of
    their cells, so whoever looks at the first rows reads little of it.
    """

    def __init__(self, source: BinaryIO):
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        weakref.finalize(self, self._file.close)
        self._ends = array("Q")
        self._following = self._texts(source)
        self._at = lru_cache(4096)(self._read)

    @staticmethod
    def _texts(source: BinaryIO) -> Iterator[bytes]:
        with source:
            metered, root = _Metered(source), None
            for event, node in iterparse(metered, events=("start", "end")):
                if root is None:
                    root = node
                if event == "end" and node.tag == _STRING_TAG:
                    yield _content(node).replace("x005F_", "").encode("utf-8", "replace")
                    root.clear()
                    metered.since = 0

    def __getitem__(self, index: int) -> str:
        if index < 0:
            raise IndexError(index)
        if index >= len(self._ends):
            self._read_on(index)
        return self._at(index)

    def _read_on(self, index: int) -> None:
        end = self._ends[-1] if self._ends else 0
        for text in itertools.islice(self._following, index + 1 - len(self._ends)):
            self._file.write(text)
            end += len(text)
            self._ends.append(end)
        if index >= len(self._ends):
            raise IndexError(index)
        self._file.flush()

    def _read(self, index: int) -> str:
        start = self._ends[index - 1] if index else 0
        return os.pread(self._file.fileno(), self._ends[index] - start, start).decode()


def _content(node) -> str:
    """The text of a string item: plain or in runs, without what only says how it is pronounced."""
    texts = (
        child.text if child.tag == _TEXT_TAG else child.findtext(_TEXT_TAG) for child in node if child.tag in _SAID
    )
    return "".join(filter(None, texts))


class _Rows(WorkSheetParser):
    """The library's parser of a sheet, forgetting each row once it was read."""

    def parse_cell(self, element) -> dict:
        """Texts within cells are read here: the library makes a dozen objects of each."""
        return self._inline(element) if element.get("t") == "inlineStr" else super().parse_cell(element)

    def _inline(self, element) -> dict:
        if coordinate := element.get("r"):
            _, self.col_counter = coordinate_to_tuple(coordinate)
        else:
            self.col_counter += 1
        item = element.find(INLINE_STRING)
        value = None if item is None else _content(item)
        return {"row": self.row_counter, "column": self.col_counter, "value": value, "data_type": "s", "style_id": 0}

    def parse(self) -> Iterator[tuple[int, list[dict]]]:
        data = None
        for event, element in iterparse(self.source, events=("start", "end")):
            if event == "start":
                if element.tag == DATA_TAG:
                    data = element
            elif element.tag == ROW_TAG:
                if data is None:
                    raise ValueError("a row outside of the sheet")
                self.source.since = 0
                yield self.parse_row(element)
                data.clear()
                self.row_dimensions.clear()
            elif element.tag == DATA_TAG:
                return


def _record(number: int, cells: list[dict]) -> list[str]:
    record: list[str] = []
    for cell in cells:
        column = cell["column"]
        if column > MAX_COLUMNS:
            if cell["value"] is not None:
                raise Unreadable(f"The file has more than {MAX_COLUMNS} columns.")
            continue
        if column > len(record):
            record.extend([""] * (column - len(record)))
        record[column - 1] = _text(number, cell)
    return record


def _text(number: int, cell: dict) -> str:
    """A cell as a person reads it: whole numbers without an exponent or `.0`, dates in ISO, faults of formulas empty."""
    value = cell["value"]
    if value is None or cell["data_type"] == "e":
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    text = str(value)
    if len(text) > MAX_CELL:
        raise Unreadable(f"Row {number} of the sheet has a cell of more than {MAX_CELL:,} characters.")
    return text.replace("\x00", "")
