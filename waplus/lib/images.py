"""Photos that people upload: read with care, and written anew as JPEG.

What comes out has been decoded to pixels and encoded again: scripts behind a
picture, files that are two formats at once, comments, and the place where a
photo was taken (EXIF) do not survive.
"""

import io
import struct
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 16_000_000
MAX_SIDE = 640
_QUALITY = 85
# Pillow looks at the size in the header before it decodes anything; above the limit it only warns, up to twice of it.
# Pictures that are decoded at a part of their size may have more pixels than a photo here.
Image.MAX_IMAGE_PIXELS = 64_000_000
warnings.simplefilter("error", Image.DecompressionBombWarning)
# What decoders raise for broken or hostile files.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error)


class UnreadableImage(ValueError):
    """The bytes are no picture that is taken; the message is a sentence for people."""


@dataclass(frozen=True)
class Photo:
    """A JPEG; width and height are pixels."""

    jpeg: bytes
    width: int
    height: int


def read_photo(data: bytes) -> Photo:
    """Decode a JPEG, PNG or WebP and encode it as a JPEG of at most 640 × 640 pixels. Raises `UnreadableImage`.

    What the file is, its first bytes tell, whatever name or type came with it.
    Transparency becomes white; of an animation the first picture is taken.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableImage("The picture has too many pixels.")
            pixels = _on_white(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableImage("The picture has too many pixels.") from error
    except UnreadableImage:
        raise
    except BROKEN as error:
        raise UnreadableImage("This is not a JPEG, PNG or WebP picture, or it is damaged.") from error
    pixels.thumbnail((MAX_SIDE, MAX_SIDE))
    written = io.BytesIO()
    pixels.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return Photo(written.getvalue(), pixels.width, pixels.height)


def _on_white(image: Image.Image) -> Image.Image:
    """A fresh picture with the pixels alone: nothing that the file said about itself comes along."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        coloured = image.convert("RGBA")
        flat = Image.new("RGB", coloured.size, "white")
        flat.paste(coloured, mask=coloured.getchannel("A"))
    else:
        flat = Image.new("RGB", image.size)
        flat.paste(image.convert("RGB"))
    return flat
