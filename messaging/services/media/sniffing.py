"""What a file is, by its bytes alone. The name and the type that a client claims are no evidence.

A file is taken only if it is built as files of its type are, from the first
byte to the last where the format tells where it ends. What follows behind the
end, or stands in front of the beginning, is another file in the same bytes.
"""

import re
from typing import BinaryIO

import puremagic

from messaging.services.media import containers, documents, sound
from messaging.services.media import file_types as t
from messaging.services.media.refusals import NotTaken

HEAD = 1024
_END_OF_ZIP = b"PK\x05\x06"
# A ZIP may end with a comment of 65,535 bytes.
_TAIL = 22 + 65_535
_PAGE = re.compile(rb"<\s*(?:!doctype|script|\?php|(?:html|head|body|svg|iframe|object|embed)[\s>/])", re.IGNORECASE)
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"\xef\xbb\xbf": "utf-8"}
# Bytes that no text has, in any encoding that puts ASCII where it belongs.
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")

_PICTURES = ((b"\xff\xd8\xff", t.JPEG), (b"\x89PNG\r\n\x1a\n", t.PNG), (b"GIF87a", t.GIF), (b"GIF89a", t.GIF))


def sniff(file: BinaryIO, size: int, name: str = "") -> t.FileType:
    """The type of a file of `size` bytes. Raises `NotTaken` with a sentence for people.

    `name` only tells a table (.csv) from other text. Pictures are recognised by
    their first bytes here; whether they are pictures, decoding them will tell.
    """
    file.seek(0)
    head = file.read(HEAD)
    if picture := _picture(head):
        return picture
    found = _by_structure(file, size, head, name)
    if found is None:
        found = _text(file, head, name)
    if found not in (t.ZIP, *documents.ZIPPED) and _ends_as_zip(file, size):
        raise NotTaken("There is a ZIP archive behind the end of this file.")
    return found


def _picture(head: bytes) -> t.FileType | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return t.WEBP
    return next((file_type for magic, file_type in _PICTURES if head.startswith(magic)), None)


def _by_structure(file: BinaryIO, size: int, head: bytes, name: str) -> t.FileType | None:
    """The type of a file in a binary format that is taken, or None."""
    if head.startswith(b"PK\x03\x04"):
        return documents.read_zip(file)
    if head.startswith(documents.OLE_MAGIC):
        return documents.read_ole(file, name)
    if head[4:8] == b"ftyp":
        found = containers.read_boxes(file, size)
    elif head.startswith(b"%PDF-"):
        found = documents.read_pdf(file, size)
    elif head.startswith(b"OggS"):
        found = containers.read_ogg(file, size)
    else:
        found = sound.read_sound(file, size, head)
    if found and _PAGE.search(head):
        raise NotTaken("There is a web page in front of what this file seems to be.")
    return found


def _ends_as_zip(file: BinaryIO, size: int) -> bool:
    file.seek(max(size - _TAIL, 0))
    tail = file.read(_TAIL)
    at = tail.rfind(_END_OF_ZIP)
    return at >= 0 and len(tail) >= at + 22


def _text(file: BinaryIO, head: bytes, name: str) -> t.FileType:
    encoding = next((encoding for mark, encoding in _BYTE_ORDER_MARKS.items() if head.startswith(mark)), None)
    start = head.decode(encoding, "ignore").lstrip("\ufeff").encode() if encoding else head
    if not _is_text(file, encoding):
        raise NotTaken(_looks_like(head))
    if _PAGE.search(start) or start.startswith(b"#!") or _is_other_text(start):
        raise NotTaken(_looks_like(start))
    if start.lstrip()[:11].upper() == b"BEGIN:VCARD":
        return t.VCARD
    return t.CSV if t.ending(name) in t.CSV.extensions else t.TEXT


def _is_text(file: BinaryIO, encoding: str | None) -> bool:
    file.seek(0)
    odd = b""
    while chunk := file.read(containers.CHUNK):
        if encoding and encoding.startswith("utf-16"):
            chunk, odd = odd + chunk, b""
            if len(chunk) % 2:
                chunk, odd = chunk[:-1], chunk[-1:]
            chunk = chunk.decode(encoding, "replace").encode("utf-8", "replace")
        if _BINARY.search(chunk):
            return False
    return not odd


def _guesses(head: bytes) -> list:
    try:
        return puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return []


def _is_other_text(start: bytes) -> bool:
    """Whether text begins as a page or a program does that the library knows."""
    if start.lstrip().startswith(b"<?xml"):
        return True
    return any(guess.mime_type in ("text/html", "image/svg+xml", "application/xml") for guess in _guesses(start))


def _looks_like(head: bytes) -> str:
    """A sentence about what a refused file seems to be."""
    if _PAGE.search(head) or head.lstrip().startswith(b"<?xml"):
        return "This is a web page, a vector picture or another file that browsers run. Send it as a PDF or a photo."
    if head.startswith((b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe")):
        return "This is a program. Programs are not taken."
    guess = next((guess.name for guess in _guesses(head) if guess.name), "")
    return (
        f"This looks like “{guess}”, which is not among the files that can be sent."
        if guess
        else ("This is none of the files that can be sent.")
    )
