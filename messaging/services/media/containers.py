"""Files that are made of pieces, each with its length in front: they are walked from the first byte to the last."""

import struct
from typing import BinaryIO

from messaging.services.media import file_types as t
from messaging.services.media.refusals import TRUNCATED, NotTaken

CHUNK = 1024 * 1024
_MP4_BRANDS = (b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso8", b"iso9", b"mp41", b"mp42", b"avc1")
_MP4_BRANDS += (b"dash", b"mmp4", b"MSNV", b"M4V ")


def _type_of_brand(brand: bytes) -> t.FileType:
    if brand in (b"M4A ", b"M4B "):
        return t.M4A
    if brand[:3] in (b"3gp", b"3g2", b"3ge", b"3gg", b"3gr", b"3gs"):
        return t.THREE_GP
    if brand in _MP4_BRANDS:
        return t.MP4
    if brand in (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis"):
        raise NotTaken("WhatsApp does not take HEIC and AVIF pictures. Save it as a JPEG and send that.")
    if brand == b"qt  ":
        raise NotTaken("WhatsApp does not take QuickTime films. Save it as an MP4 and send that.")
    raise NotTaken("This is a kind of film or sound that cannot be sent. Save it as an MP4 or MP3 and send that.")


def read_boxes(file: BinaryIO, size: int) -> t.FileType:
    """MP4 and its kin (ISO/IEC 14496-12): boxes of four bytes of length and four of type, one behind the other."""
    position, types, found = 0, set(), None
    while position < size:
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            raise NotTaken(TRUNCATED)
        length, kind = struct.unpack(">I4s", header[:8])
        least = 8
        if length == 1 and len(header) == 16:
            length, least = struct.unpack(">Q", header[8:])[0], 16
        elif length == 0:
            length = size - position
        if length < least or position + length > size or not all(32 <= byte < 127 or byte == 0xA9 for byte in kind):
            raise NotTaken(TRUNCATED)
        if found is None:
            found = _type_of_brand(header[8:12])
        types.add(kind)
        position += length
    if found is None or b"moov" not in types:
        raise NotTaken(TRUNCATED)
    return found


def read_ogg(file: BinaryIO, size: int) -> t.FileType:
    """Opus and Vorbis in Ogg (RFC 3533): pages with a table of lengths, one behind the other."""
    position, first = 0, b""
    while position < size:
        file.seek(position)
        header = file.read(27)
        if len(header) < 27 or header[:5] != b"OggS\0":
            raise NotTaken(TRUNCATED)
        table = file.read(header[26])
        if not position:
            first = file.read(8)
        position += 27 + header[26] + sum(table)
    if position != size:
        raise NotTaken(TRUNCATED)
    if first == b"OpusHead" or first[:7] == b"\x01vorbis":
        return t.OGG
    raise NotTaken("Of Ogg files only sound in Opus or Vorbis can be sent.")
