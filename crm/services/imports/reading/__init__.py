"""Reading files of people: one interface over CSV, XLSX and vCard, in bounded memory, every fault a sentence."""

from typing import BinaryIO

from crm.services.imports.reading import delimited, sniffing, vcard, workbook
from crm.services.imports.reading.source import Layout, Source, Unreadable

__all__ = ["Layout", "Source", "Unreadable", "open_source"]

_READERS = {"csv": delimited.DelimitedText, "xlsx": workbook.Workbook, "vcard": vcard.Cards}


def open_source(file: BinaryIO, layout: Layout | None = None) -> Source:
    """A file, open for reading from its start as often as wanted.

    `file` is seekable. What `layout` leaves open is detected; the source's own
    `layout` tells everything. Raises `Unreadable`.
    """
    layout = layout or Layout()
    kind = sniffing.kind_of(file)
    return _READERS[kind](file, layout)
