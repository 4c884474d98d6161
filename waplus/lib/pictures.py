"""Pictures that people send: kept as they came if they are nothing but pictures, else written anew from their pixels.

A picture is clean if it is built as its format says from the first byte to the
last, decodes, and carries neither markup nor the place where it was taken. What
is not clean, and is not animated, is encoded again: whatever stood behind or
between the pixels does not survive that.
"""

import io
import re
import struct
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

from waplus.lib.images import BROKEN, UnreadableImage

# A JPEG is decoded at a half, a quarter or an eighth of its size if it is larger; the others are refused.
MAX_DECODED = 16_000_000
MAX_PIXELS = 64_000_000
MAX_FRAMES = 1_000
THUMBNAIL_SIDE = 320
_GPS = 0x8825
_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
_MARKUP = re.compile(rb"<\s*(?:script|html|svg|iframe|body|!doctype|\?php)", re.IGNORECASE)
_QUALITY = {"JPEG": {"quality": 92}, "WEBP": {"quality": 90}, "PNG": {}}
warnings.simplefilter("error", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Picture:
    """`data` is the picture as it is to be kept; width and height are pixels as it is shown; `thumbnail` is a WebP."""

    data: bytes
    width: int
    height: int
    thumbnail: bytes


def read_picture(data: bytes, kind: str) -> Picture:
    """Read a picture of a format of Pillow (JPEG, PNG, WEBP or GIF). Raises `UnreadableImage` with a sentence."""
    try:
        with Image.open(io.BytesIO(data), formats=[kind]) as image:
            _check_size(image, kind)
            frames = getattr(image, "n_frames", 1)
            if frames > MAX_FRAMES:
                raise UnreadableImage("The animation has too many pictures.")
            exif = image.getexif()
            width, height = image.size
            if exif.get(_ORIENTATION) in _TURNED:
                width, height = height, width
            is_clean = _ends(data, kind) == len(data) and not _MARKUP.search(data) and not exif.get_ifd(_GPS)
            if not is_clean and frames > 1:
                raise UnreadableImage("There is more in this animation than pictures. Save it anew and send that.")
            pixels = _decoded(image, kind)
            if not is_clean:
                data = _written(pixels, kind)
                width, height = pixels.size
            return Picture(data, width, height, _thumbnail(pixels))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableImage("The picture has too many pixels.") from error
    except UnreadableImage:
        raise
    except BROKEN as error:
        raise UnreadableImage("This picture is damaged.") from error


def _check_size(image: Image.Image, kind: str) -> None:
    if image.width * image.height > (MAX_PIXELS if kind == "JPEG" else MAX_DECODED):
        raise UnreadableImage("The picture has too many pixels.")


def _decoded(image: Image.Image, kind: str) -> Image.Image:
    """All pixels of the (first) picture, the right way up, without anything that the file said beside them."""
    if kind == "JPEG" and image.width * image.height > MAX_DECODED:
        scale = (MAX_DECODED / (image.width * image.height)) ** 0.5
        image.draft(None, (int(image.width * scale / 2), int(image.height * scale / 2)))
    image.load()
    upright = ImageOps.exif_transpose(image)
    transparent = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    converted = upright.convert("RGBA" if transparent else "RGB")
    pixels = Image.new(converted.mode, converted.size)
    pixels.paste(converted)
    return pixels


def _written(pixels: Image.Image, kind: str) -> bytes:
    written = io.BytesIO()
    if kind == "GIF":
        pixels.convert("RGBA").quantize(method=Image.Quantize.FASTOCTREE).save(written, kind)
    else:
        (pixels.convert("RGB") if kind == "JPEG" else pixels).save(written, kind, **_QUALITY[kind])
    return written.getvalue()


def _thumbnail(pixels: Image.Image) -> bytes:
    small = pixels.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    small.save(written, "WEBP", quality=80)
    return written.getvalue()


def _ends(data: bytes, kind: str) -> int:
    """The position behind the end of the picture, by the pieces that it is made of; -1 if they do not fit together."""
    try:
        return {"JPEG": _jpeg_ends, "PNG": _png_ends, "WEBP": _webp_ends, "GIF": _gif_ends}[kind](data)
    except (IndexError, struct.error):
        return -1


_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)


def _jpeg_ends(data: bytes) -> int:
    position = 2
    while True:
        while data[position] == 0xFF and data[position + 1] == 0xFF:
            position += 1
        if data[position] != 0xFF:
            return -1
        marker = data[position + 1]
        if marker == 0xD9:
            return position + 2
        position += 2 + struct.unpack(">H", data[position + 2 : position + 4])[0]
        if marker == 0xDA:  # the compressed pixels, up to the next marker
            found = _NEXT_MARKER.search(data, position)
            if found is None:
                return -1
            position = found.start()


def _png_ends(data: bytes) -> int:
    position = 8
    while True:
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        position += 12 + length
        if kind == b"IEND":
            return position


def _webp_ends(data: bytes) -> int:
    length = struct.unpack("<I", data[4:8])[0] + 8
    position = 12
    while position < length:
        position += 8 + struct.unpack("<I", data[position + 4 : position + 8])[0]
        position += position % 2
    return length if position == length else -1


def _gif_ends(data: bytes) -> int:
    position = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while True:
        introducer = data[position]
        if introducer == 0x3B:
            return position + 1
        if introducer == 0x21:
            position += 2
        elif introducer == 0x2C:
            packed = data[position + 9]
            position += 11 + (3 << (packed & 7) + 1 if packed & 0x80 else 0)
        else:
            return -1
        while data[position]:
            position += 1 + data[position]
        position += 1
