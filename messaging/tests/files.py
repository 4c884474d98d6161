"""Small files of every kind, made here, so that tests own what is in them."""

import io
import struct
import zipfile

from PIL import Image

SCRIPT = b"<script>alert(1)</script>"
_OFFICE = "application/vnd.openxmlformats-officedocument"


def picture(kind: str = "JPEG", size=(40, 30), colour="red", **options) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, kind, **options)
    return written.getvalue()


def animation(count: int = 3) -> bytes:
    written = io.BytesIO()
    first, *others = [Image.new("RGB", (20, 20), (60 * n, 0, 0)) for n in range(count)]
    first.save(written, "GIF", save_all=True, append_images=others)
    return written.getvalue()


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def film(brand: bytes = b"isom") -> bytes:
    return box(b"ftyp", brand + b"\0\0\2\0isom") + box(b"moov", b"\0" * 20) + box(b"mdat", b"pixels")


def ogg(codec: bytes = b"OpusHead") -> bytes:
    def page(content: bytes) -> bytes:
        return b"OggS\0\2" + bytes(20) + bytes([1, len(content)]) + content

    return page(codec + bytes(11)) + page(b"sound" * 8)


def mp3(frames: int = 6) -> bytes:
    return (b"\xff\xfb\x90\x00" + bytes(413)) * frames


def aac(frames: int = 4) -> bytes:
    length = 100
    header = bytes([0xFF, 0xF1, 0x50, 0x80 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC])
    return (header + bytes(length - 7)) * frames


def amr(frames: int = 5) -> bytes:
    return b"#!AMR\n" + (b"\x3c" + bytes(31)) * frames


def pdf(body: bytes = b"1 0 obj\nendobj\n") -> bytes:
    return b"%PDF-1.4\n" + body + b"trailer\n%%EOF\n"


def archive(**files: str) -> bytes:
    """A ZIP; in names, `__` stands for a dot and `_in_` for a slash."""
    return archive_of({name.replace("__", ".").replace("_in_", "/"): text for name, text in files.items()})


def archive_of(files: dict[str, str]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(name, text)
    return written.getvalue()


def office(part: str = "wordprocessingml.document", **more: str) -> bytes:
    listed = f'<Types><Override ContentType="{_OFFICE}.{part}.main+xml"/></Types>'
    return archive_of({"[Content_Types].xml": listed, "main.xml": "text", **more})


def old_office(stream: str = "WordDocument", more: bytes = b"") -> bytes:
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + stream.encode("utf-16-le") + bytes(80) + more


TAKEN = {
    "photo.jpg": (picture(), "image/jpeg"),
    "photo.png": (picture("PNG"), "image/png"),
    "photo.webp": (picture("WEBP"), "image/webp"),
    "photo.gif": (animation(), "image/gif"),
    "film.mp4": (film(), "video/mp4"),
    "film.3gp": (film(b"3gp4"), "video/3gpp"),
    "voice.ogg": (ogg(), "audio/ogg"),
    "song.ogg": (ogg(b"\x01vorbis"), "audio/ogg"),
    "song.mp3": (mp3(), "audio/mpeg"),
    "tagged.mp3": (b"ID3\3\0\0\0\0\0\x0a" + bytes(10) + mp3(), "audio/mpeg"),
    "song.aac": (aac(), "audio/aac"),
    "song.m4a": (film(b"M4A "), "audio/mp4"),
    "voice.amr": (amr(), "audio/amr"),
    "letter.pdf": (pdf(), "application/pdf"),
    "letter.doc": (old_office(), "application/msword"),
    "sheet.xls": (old_office("Workbook"), "application/vnd.ms-excel"),
    "talk.ppt": (old_office("PowerPoint Document"), "application/vnd.ms-powerpoint"),
    "letter.docx": (office(), f"{_OFFICE}.wordprocessingml.document"),
    "sheet.xlsx": (office("spreadsheetml.sheet"), f"{_OFFICE}.spreadsheetml.sheet"),
    "talk.pptx": (office("presentationml.presentation"), f"{_OFFICE}.presentationml.presentation"),
    "letter.odt": (
        archive_of({"mimetype": "application/vnd.oasis.opendocument.text"}),
        "application/vnd.oasis.opendocument.text",
    ),
    "note.txt": ("Grüße, <wie> geht’s?\n".encode(), "text/plain"),
    "latin.txt": ("Grüße\n".encode("latin-1"), "text/plain"),
    "wide.txt": ("Grüße\n".encode("utf-16"), "text/plain"),
    "table.csv": (b"name;number\nAna;1\n", "text/csv"),
    "ana.vcf": (b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ana\r\nEND:VCARD\r\n", "text/vcard"),
    "files.zip": (archive(a__txt="text", b_in_c__csv="1;2"), "application/zip"),
}

# What is refused, and a word of why.
REFUSED = {
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>", "browsers run"),
    "SVG behind XML": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "browsers run"),
    "HTML": (b"<!DOCTYPE html><html><body>" + SCRIPT, "browsers run"),
    "HTML behind text": (b"Hello\n" + SCRIPT, "browsers run"),
    "HTML in UTF-16": ("<html><script>".encode("utf-16"), "browsers run"),
    "HTML with a byte order mark": (b"\xef\xbb\xbf<script>", "browsers run"),
    "Windows program": (b"MZ" + bytes(300), "program"),
    "Linux program": (b"\x7fELF\2\1\1" + bytes(60), "program"),
    "shell script": (b"#!/bin/sh\nrm -rf /\n", "program"),
    "Java program": (archive_of({"META-INF/MANIFEST.MF": "x", "A.class": "x"}), "program"),
    "Android program": (archive_of({"AndroidManifest.xml": "x"}), "program"),
    "program in a ZIP": (archive(invoice__exe="MZ"), "program"),
    "macros": (office(**{"word/vbaProject.bin": "x"}), "macros"),
    "old macros": (old_office(more="_VBA_PROJECT".encode("utf-16-le")), "macros"),
    "GIF of script": (b"GIF89a" + SCRIPT, "damaged"),
    "JPEG of script": (b"\xff\xd8\xff\xe0" + SCRIPT, "damaged"),
    "half a PNG": (picture("PNG", (300, 300))[:200], "damaged"),
    "animation and script": (animation() + SCRIPT, "more in this animation"),
    "PDF and ZIP": (pdf() + archive(a__txt="x"), ""),
    "ZIP in a PDF": (pdf(archive(a__txt="x")) + b"", "ZIP"),
    "PDF and page": (b"%PDF-1.4\n" + SCRIPT + pdf(), "web page"),
    "PDF cut off": (pdf()[:-8], "not uploaded whole"),
    "film and ZIP": (film() + archive(a__txt="x"), ""),
    "film and page": (film() + SCRIPT, "not uploaded whole"),
    "film cut off": (film()[:-3], "not uploaded whole"),
    "film without pictures": (box(b"ftyp", b"isom\0\0\2\0"), "not uploaded whole"),
    "sound and ZIP": (mp3() + archive(a__txt="x"), "ZIP"),
    "sound and page": (ogg() + SCRIPT, "not uploaded whole"),
    "AMR and page": (amr() + SCRIPT, "not uploaded whole"),
    "something before a ZIP": (b"PK\x03\x04" + bytes(30) + archive(a__txt="x"), "in front"),
    "something behind a ZIP": (archive(a__txt="x") + b"x", "behind"),
    "HEIC": (film(b"heic"), "HEIC"),
    "QuickTime": (film(b"qt  "), "QuickTime"),
    "Ogg film": (ogg(b"\x80theora"), "Opus or Vorbis"),
    "rich text": (b"\x00\x01\x02\x03" * 40, "none of the files"),
    "RAR": (b"Rar!\x1a\x07\x00" + bytes(60), "among the files"),
}
