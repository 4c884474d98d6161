"""What a file is by its first bytes; its name and its declared type say nothing."""

from typing import BinaryIO

from crm.services.imports.reading.source import Unreadable

HEAD = 4096
_AS_TABLE = "Save it as XLSX or CSV and upload that."

# Beginnings of files that are no lists of people, and what to say of them.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"This is an old Excel file (.xls) or one with a password. {_AS_TABLE}"),
    (b"%PDF", f"This is a PDF document. {_AS_TABLE}"),
    (b"{\\rtf", f"This is an RTF document. {_AS_TABLE}"),
    (b"\x89PNG", "This is a picture and not a list of contacts."),
    (b"\xff\xd8\xff", "This is a picture and not a list of contacts."),
    (b"GIF8", "This is a picture and not a list of contacts."),
    (b"RIFF", "This is a media file and not a list of contacts."),
    (b"\x1f\x8b", "This is a compressed file. Unpack it and upload what is in it."),
    (b"BZh", "This is a compressed file. Unpack it and upload what is in it."),
    (b"\xfd7zXZ", "This is a compressed file. Unpack it and upload what is in it."),
    (b"7z\xbc\xaf", "This is a compressed file. Unpack it and upload what is in it."),
    (b"Rar!", "This is a compressed file. Unpack it and upload what is in it."),
    (b"SQLite format 3", f"This is a database. {_AS_TABLE}"),
    (b"!BDN", "This is an Outlook data file (.pst). Export the contacts from Outlook as CSV and upload that."),
    (b"\x7fELF", "This is a program and not a list of contacts."),
    (b"MZ\x90", "This is a program and not a list of contacts."),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table", b"<head", b"<meta", b"<script", b"<style")


def kind_of(file: BinaryIO) -> str:
    """`csv`, `xlsx` or `vcard`; raises `Unreadable` with a sentence for what is known to be something else."""
    file.seek(0)
    head = file.read(HEAD)
    if not head:
        raise Unreadable("The file is empty.")
    for beginning, sentence in _FOREIGN:
        if head.startswith(beginning):
            raise Unreadable(sentence)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return "xlsx"
    text = _plain(head).lstrip().lower()
    if text.startswith(_MARKUP):
        raise Unreadable(f"This is a web page or an XML document, whatever its name says. {_AS_TABLE}")
    if text.startswith(b"begin:vcard"):
        return "vcard"
    if text.startswith((b"{\n", b"{\r", b'{"', b'[{"', b"[\n", b"[\r")):
        raise Unreadable(f"This is a JSON document. {_AS_TABLE}")
    return "csv"


def _plain(head: bytes) -> bytes:
    """The head as ASCII would be: without byte order mark, UTF-16 squeezed."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[2:].replace(b"\x00", b"")
    return head.removeprefix(b"\xef\xbb\xbf")
