"""Sound that is made of frames alone: MP3, AAC, AMR."""

from typing import BinaryIO

from messaging.services.media import file_types as t
from messaging.services.media.refusals import TRUNCATED, NotTaken

_KBIT_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBIT_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_HERTZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
# Frames that an MP3 must show one behind the other before it is believed.
_PROOF = 4
_AMR_MAGIC = b"#!AMR\n"
# Bytes of a frame of AMR by its type, the one of the type included.
_AMR_FRAMES = {0: 13, 1: 14, 2: 16, 3: 18, 4: 20, 5: 21, 6: 27, 7: 32, 8: 6, 15: 1}
_ID3_AT_END = 128


def read_sound(file: BinaryIO, size: int, head: bytes) -> t.FileType | None:
    """The type of a file of sound, or None if it is none."""
    if head.startswith(_AMR_MAGIC):
        return _read_amr(file, size)
    start = _behind_tag(head)
    if start:
        file.seek(start)
        head = file.read(4)
    if len(head) < 2 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        if start:
            raise NotTaken(TRUNCATED)
        return None
    if head[1] & 0xF6 == 0xF0:
        return _read_aac(file, size, start)
    return _read_mp3(file, size, start)


def _behind_tag(head: bytes) -> int:
    """Where the sound begins: behind an ID3 tag, whose length is written in four bytes of seven bits."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    length = 0
    for byte in head[6:10]:
        length = length << 7 | byte & 0x7F
    return 10 + length + (10 if head[5] & 0x10 else 0)


def _mp3_frame(header: bytes) -> int:
    """Bytes of a frame of MPEG layer III, or 0 if this is no header of one."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    rate, hertz, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer != 1 or not 0 < rate < 15 or hertz == 3:
        return 0
    kbit = (_KBIT_MPEG1 if version == 3 else _KBIT_MPEG2)[rate]
    return (144 if version == 3 else 72) * kbit * 1000 // _HERTZ[version][hertz] + padding


def _read_mp3(file: BinaryIO, size: int, position: int) -> t.FileType | None:
    begin = position
    for _ in range(_PROOF):
        file.seek(position)
        length = _mp3_frame(file.read(4))
        if not length:
            return _wrong(begin)
        position += length
        if position >= size:
            break
    return t.MP3


def _read_aac(file: BinaryIO, size: int, position: int) -> t.FileType | None:
    begin = position
    while position < size:
        file.seek(position)
        header = file.read(7)
        if header[:3] == b"TAG" and size - position == _ID3_AT_END:
            break
        if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
            return _wrong(begin)
        length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
        if length < 7 or position + length > size:
            return _wrong(begin)
        position += length
    return t.AAC


def _wrong(begin: int) -> None:
    """Behind a tag it was meant as sound; without one the first bytes looked so by chance."""
    if begin:
        raise NotTaken(TRUNCATED)


def _read_amr(file: BinaryIO, size: int) -> t.FileType:
    position = len(_AMR_MAGIC)
    while position < size:
        file.seek(position)
        length = _AMR_FRAMES.get(file.read(1)[0] >> 3 & 15)
        if length is None or position + length > size:
            raise NotTaken(TRUNCATED)
        position += length
    return t.AMR
