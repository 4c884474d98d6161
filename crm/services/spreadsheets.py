"""XLSX files written row by row into a stream.

The writers that exist need a file to go back in and are done before the first
byte can be sent. A sheet of texts is little XML; the zip module writes into a
stream that only goes forward. Every cell is a text (`inlineStr`), which no
spreadsheet program ever evaluates, whatever it begins with.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

MAX_ROWS = 1_048_576  # of a sheet, by the format
MAX_CELL = 32_767  # characters, by the format
_BLOCK = 1 << 16
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Text that looks like one of the format's own escapes.
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


class _Stream(io.RawIOBase):
    """What is written into it waits to be taken."""

    def __init__(self):
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        data, self._parts = b"".join(self._parts), []
        return data


def workbook(rows: Iterable[Iterable[str]]) -> Iterator[bytes]:
    """A workbook of rows of texts, in pieces; further sheets follow where one is full."""
    stream, rows, number = _Stream(), iter(rows), 0
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        more = True
        while more:
            number += 1
            more = yield from _sheet(stream, archive, number, rows)
        for name, content in _frame(number).items():
            archive.writestr(name, content)
    yield stream.take()


def _sheet(stream: _Stream, archive: zipfile.ZipFile, number: int, rows: Iterator[Iterable[str]]):
    """Write one sheet; answers whether there may be rows for another."""
    with archive.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as sheet:
        parts, size = [f'{_HEAD}<worksheet xmlns="{_SHEETS}"><sheetData>'], 0
        full = False
        for count, row in enumerate(rows, 1):
            parts.append(_row(row))
            size += len(parts[-1])
            if size > _BLOCK:
                sheet.write("".join(parts).encode())
                parts, size = [], 0
                if data := stream.take():
                    yield data
            if count == MAX_ROWS:
                full = True
                break
        parts.append("</sheetData></worksheet>")
        sheet.write("".join(parts).encode())
    return full


def _row(row: Iterable[str]) -> str:
    return f"<row>{''.join(map(_cell, row))}</row>"


def _cell(text: str) -> str:
    if not text:
        return "<c/>"
    cleaned = _ESCAPE.sub("_x005F_", _ILLEGAL.sub("", text[:MAX_CELL]))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(cleaned)}</t></is></c>'


def _frame(sheets: int) -> dict[str, str]:
    """The other parts of a workbook with so many sheets."""
    numbers = range(1, sheets + 1)
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n in numbers
    )
    listed = "".join(f'<sheet name="Contacts {n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    return {
        "[Content_Types].xml": (
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{overrides}</Types>'
        ),
        "_rels/.rels": (
            f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
            f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'{_HEAD}<workbook xmlns="{_SHEETS}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>',
    }
