"""PDF, office documents and ZIP archives."""

import struct
import zipfile
from typing import BinaryIO

from messaging.services.media import file_types as t
from messaging.services.media.containers import CHUNK
from messaging.services.media.refusals import TRUNCATED, NotTaken

OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
MAX_ENTRIES = 20_000
MAX_UNPACKED = 1024**3
_MAX_CONTENT_TYPES = 1024 * 1024
MACROS = "There are macros in this document. Save it without them and send that."
PROGRAMS = "There are programs in this archive. Programs are not taken."
_PROGRAM_ENDINGS = frozenset(
    [
        "exe",
        "dll",
        "scr",
        "com",
        "bat",
        "cmd",
        "msi",
        "msp",
        "ps1",
        "vbs",
        "vbe",
        "jse",
        "wsf",
        "wsh",
        "hta",
        "cpl",
        "jar",
        "apk",
        "lnk",
        "deb",
        "rpm",
        "dmg",
        "pkg",
    ]
)
_OFFICE = {
    "wordprocessingml.document.main+xml": t.DOCX,
    "spreadsheetml.sheet.main+xml": t.XLSX,
    "presentationml.presentation.main+xml": t.PPTX,
}
_OPEN_DOCUMENTS = {one.media_type.encode(): one for one in (t.ODT, t.ODS, t.ODP)}
ZIPPED = (t.DOCX, t.XLSX, t.PPTX, t.ODT, t.ODS, t.ODP)
# Names of streams in the old formats, as they are written there.
_OLE_STREAMS = {"WordDocument": t.DOC, "Workbook": t.XLS, "Book": t.XLS, "PowerPoint Document": t.PPT}


def read_pdf(file: BinaryIO, size: int) -> t.FileType:
    """A PDF begins with its version and ends, but for white space, with %%EOF."""
    file.seek(max(size - CHUNK, 0))
    if not file.read().rstrip(b"\r\n\t \0").endswith(b"%%EOF"):
        raise NotTaken(TRUNCATED)
    return t.PDF


def _count_entries(file: BinaryIO) -> int:
    """How many entries the archive says it has, before anything is made of them."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(max(size - 65_557, 0))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise NotTaken(TRUNCATED)
    if at + 22 + struct.unpack("<H", tail[at + 20 : at + 22])[0] != len(tail):
        raise NotTaken("There is something else behind the end of this archive.")
    return struct.unpack("<H", tail[at + 10 : at + 12])[0]


def read_zip(file: BinaryIO) -> t.FileType:
    """An archive, or the document that it is. Only its list of contents is read, and one small entry of documents."""
    if _count_entries(file) > MAX_ENTRIES:
        raise NotTaken("There are too many files in this archive.")
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if not entries or min(entry.header_offset for entry in entries):
                raise NotTaken("There is something else in front of this archive.")
            if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise NotTaken("Unpacked, this archive would be too large.")
            return _type_of_archive(archive, {entry.filename for entry in entries})
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        struct.error,
        OSError,
        RuntimeError,
    ) as error:
        raise NotTaken(TRUNCATED) from error


def _type_of_archive(archive: zipfile.ZipFile, names: set[str]) -> t.FileType:
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise NotTaken(MACROS)
    if "[Content_Types].xml" in names:
        listed = _small(archive, "[Content_Types].xml")
        if b"macroEnabled" in listed:
            raise NotTaken(MACROS)
        found = [one for mark, one in _OFFICE.items() if mark.encode() in listed]
        if len(found) == 1:
            return found[0]
        raise NotTaken("This is a kind of office document that cannot be sent. Save it as a PDF and send that.")
    if "mimetype" in names and (document := _OPEN_DOCUMENTS.get(_small(archive, "mimetype").strip())):
        if any(name.startswith("Basic/") for name in names):
            raise NotTaken(MACROS)
        return document
    if names & {"META-INF/MANIFEST.MF", "AndroidManifest.xml"}:
        raise NotTaken("This is a program. Programs are not taken.")
    if any(t.ending(name) in _PROGRAM_ENDINGS for name in names):
        raise NotTaken(PROGRAMS)
    return t.ZIP


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as entry:
        content = entry.read(_MAX_CONTENT_TYPES + 1)
    if len(content) > _MAX_CONTENT_TYPES:
        raise NotTaken(TRUNCATED)
    return content


def read_ole(file: BinaryIO, name: str) -> t.FileType:
    """A document of the old kind: which one, the names of its streams tell, and the file's where one holds another."""
    streams = {name.encode("utf-16-le") + b"\0\0": one for name, one in _OLE_STREAMS.items()}
    macros = "_VBA_PROJECT".encode("utf-16-le")
    found, end = set(), b""
    file.seek(0)
    while chunk := file.read(CHUNK):
        window = end + chunk
        if macros in window:
            raise NotTaken(MACROS)
        found |= {one for name, one in streams.items() if b"\0" + name in window}
        end = window[-128:]
    if not found:
        raise NotTaken("This is a kind of office document that cannot be sent. Save it as a PDF and send that.")
    named = [one for one in found if t.ending(name) in one.extensions]
    return (named or [one for one in _OLE_STREAMS.values() if one in found])[0]
