"""Photos for the demo: drawn, so that nobody's face is needed."""

import io

from PIL import Image, ImageDraw

SIDE = 256
_BACKGROUNDS = ("#f4b183", "#9dc3e6", "#a9d18e", "#ffd966", "#c9a6e4", "#8ed1c6", "#f1a7b5", "#b4c7e7")
_SKINS = ("#f2d0b1", "#d9a27c", "#a86f4b", "#7a4a2e", "#e8b98f")
_HAIR = ("#2b1d14", "#5a3825", "#b5651d", "#8c8c8c", "#141414", "#d8b46a")
_CLOTHES = ("#33475b", "#7d2e46", "#2f6b4f", "#b0662b", "#4b4a8f")


def portrait(index: int) -> bytes:
    """A PNG of a head and shoulders; another index, another person."""
    picture = Image.new("RGB", (SIDE * 2, SIDE * 2), _BACKGROUNDS[index % len(_BACKGROUNDS)])
    draw = ImageDraw.Draw(picture)
    skin, hair = _SKINS[index * 3 % len(_SKINS)], _HAIR[index * 5 % len(_HAIR)]
    if index % 2:
        draw.ellipse((126, 70, 386, 400), fill=hair)
    draw.ellipse((56, 350, 456, 720), fill=_CLOTHES[index % len(_CLOTHES)])
    draw.rounded_rectangle((216, 290, 296, 400), 36, fill=skin)
    draw.ellipse((156, 110, 356, 340), fill=skin)
    draw.pieslice((146, 84, 366, 320), 180, 360, fill=hair)
    if index % 3 == 0:
        draw.rounded_rectangle((178, 196, 248, 240), 18, outline="#222222", width=7)
        draw.rounded_rectangle((264, 196, 334, 240), 18, outline="#222222", width=7)
        draw.line((248, 216, 264, 216), fill="#222222", width=7)
    draw.ellipse((204, 208, 220, 226), fill="#222222")
    draw.ellipse((292, 208, 308, 226), fill="#222222")
    draw.arc((222, 244, 290, 294), 20, 160, fill="#8a3b32", width=7)
    return _png(picture)


def emblem(index: int) -> bytes:
    """A PNG for a group."""
    picture = Image.new("RGB", (SIDE * 2, SIDE * 2), _CLOTHES[index % len(_CLOTHES)])
    draw = ImageDraw.Draw(picture)
    for place, colour in enumerate(_BACKGROUNDS[index : index + 3]):
        left = 70 + 120 * place
        draw.ellipse((left, 150, left + 130, 280), fill=colour)
        draw.ellipse((left - 30, 270, left + 160, 520), fill=colour)
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(written, "PNG")
    return written.getvalue()
