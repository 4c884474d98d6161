"""What a file is, its bytes say; what could run in a browser or on a computer is not taken."""

import io
import struct
import zipfile
import zlib

import pytest
from PIL import Image

from messaging.services.media import documents
from messaging.services.media import file_types as t
from messaging.services.media.refusals import NotTaken
from messaging.services.media.sniffing import sniff
from messaging.tests.files import REFUSED, SCRIPT, TAKEN, animation, archive_of, picture
from waplus.lib import pictures
from waplus.lib.images import UnreadableImage
from waplus.lib.pictures import read_picture


def taken(data: bytes, name: str = "") -> t.FileType:
    """As an upload is looked at: the type, and for pictures whether they are any."""
    found = sniff(io.BytesIO(data), len(data), name)
    if found in t.PICTURES:
        read_picture(data, found.media_type.removeprefix("image/").upper())
    return found


@pytest.mark.parametrize("name", TAKEN)
def test_takes_each_kind_of_file(name):
    data, media_type = TAKEN[name]
    assert taken(data, name).media_type == media_type


def test_every_type_of_the_list_is_tried():
    assert {media_type for _, media_type in TAKEN.values()} >= {
        one.media_type for one in t.TYPES if one not in (t.ODS, t.ODP)
    }


@pytest.mark.parametrize("what", REFUSED)
def test_refuses_what_could_run_or_is_two_files_at_once(what):
    data, why = REFUSED[what]
    with pytest.raises((NotTaken, UnreadableImage)) as refusal:
        taken(data, "innocent.txt")
    assert why in str(refusal.value)


@pytest.mark.parametrize("name", TAKEN)
def test_name_does_not_make_the_type(name):
    data, media_type = TAKEN[name]
    found = taken(data, "virus.exe")
    assert found.media_type == ("text/plain" if media_type == "text/csv" else media_type)


NAMES = {
    ("photo.jpg", t.JPEG): "photo.jpg",
    ("photo.JPEG", t.JPEG): "photo.JPEG",
    ("photo.png", t.JPEG): "photo.jpg",
    ("invoice.pdf.exe", t.PDF): "invoice.pdf",
    ("invoice", t.PDF): "invoice.pdf",
    ("evil.html", t.TEXT): "evil.txt",
    ("../../etc/passwd", t.TEXT): "passwd.txt",
    ("C:\\Users\\Ana\\a.txt", t.TEXT): "a.txt",
    ("photo\u202egpj.exe", t.PNG): "photogpj.png",
    ("a\r\nSet-Cookie: x.txt", t.TEXT): "aSet-Cookie_ x.txt",
    ('na"me<>.txt', t.TEXT): "na_me__.txt",
    ("", t.PDF): "file.pdf",
    (".htaccess", t.TEXT): "htaccess.txt",
    ("version 2.0 final", t.TEXT): "version 2.0 final.txt",
    ("x" * 500 + ".pdf", t.PDF): "x" * 200 + ".pdf",
    ("報告.pdf", t.PDF): "報告.pdf",
}


@pytest.mark.parametrize(("given", "file_type"), NAMES)
def test_names_are_made_safe_and_end_as_the_type_does(given, file_type):
    assert t.proper_name(given, file_type) == NAMES[given, file_type]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_clean_picture_stays_as_it_is_to_the_byte(kind):
    data = picture(kind, (400, 300))
    read = read_picture(data, kind)
    assert (read.data, read.width, read.height) == (data, 400, 300)
    small = Image.open(io.BytesIO(read.thumbnail))
    assert (small.format, small.size) == ("WEBP", (320, 240))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_picture_with_something_else_in_it_is_written_anew(kind):
    dirty = [picture(kind, comment=SCRIPT)] if kind in ("JPEG", "GIF") else []
    for data in (*dirty, picture(kind) + SCRIPT, picture(kind) + archive_of({"a": "b"}), picture(kind) + b"\0"):
        read = read_picture(data, kind)
        assert read.data != data
        assert b"script" not in read.data and b"PK\x03\x04" not in read.data
        assert Image.open(io.BytesIO(read.data)).format == kind
        assert read_picture(read.data, kind).data == read.data


def test_place_where_a_photo_was_taken_does_not_go_along():
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    data = picture(exif=exif)
    read = read_picture(data, "JPEG")
    assert dict(Image.open(io.BytesIO(data)).getexif().get_ifd(0x8825))
    assert not dict(Image.open(io.BytesIO(read.data)).getexif())


def test_turned_photo_tells_its_size_as_it_is_shown():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = picture(size=(40, 20), exif=exif)
    read = read_picture(data, "JPEG")
    assert (read.data, read.width, read.height) == (data, 20, 40)
    assert Image.open(io.BytesIO(read.thumbnail)).size == (20, 40)


def test_large_photo_is_taken_without_decoding_all_of_it():
    data = picture(size=(8000, 6000))
    read = read_picture(data, "JPEG")
    assert (read.data, read.width, read.height) == (data, 8000, 6000)


def test_decompression_bombs_are_refused(monkeypatch):
    bomb = bytearray(picture("PNG"))
    bomb[16:24] = (50_000).to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    many = picture("PNG", (5000, 4000))
    for data in (bytes(bomb), many):
        with pytest.raises(UnreadableImage, match="too many pixels"):
            read_picture(data, "PNG")
    monkeypatch.setattr(pictures, "MAX_FRAMES", 2)
    with pytest.raises(UnreadableImage, match="too many pictures"):
        read_picture(animation(3), "GIF")


def test_archive_bombs_are_refused_by_what_they_declare(monkeypatch):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("zeros", bytes(3_000_000))
    monkeypatch.setattr(documents, "MAX_UNPACKED", 2_000_000)
    with pytest.raises(NotTaken, match="too large"):
        taken(written.getvalue())
    many = bytearray(archive_of({"a": "b"}))
    at = many.rindex(b"PK\x05\x06")
    many[at + 10 : at + 12] = struct.pack("<H", 20_001)
    with pytest.raises(NotTaken, match="too many files"):
        taken(bytes(many))
