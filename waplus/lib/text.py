"""Folding of text for search and comparison, and numbers and places that forms name."""

import re
import unicodedata
from collections.abc import Sized
from functools import lru_cache

# Letters with a stroke and ligatures, which no normal form splits.
_STROKES = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})


def fold(text: str) -> str:
    """Fold case, accents and compatibility forms: `José` and `JOSE` become `jose`; scripts stay apart.

    NFKD splits letters from their marks and full-width forms from their width;
    combining marks (category Mn) go, except in Indic and South-East Asian
    scripts, where they are vowels and not accents.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(filter(None, map(_fold_word, text.split())))


@lru_cache(1 << 14)
def _fold_word(word: str) -> str:
    """Names repeat: an import of a million people has some thousand words."""
    decomposed = unicodedata.normalize("NFKD", word)
    kept = "".join(c for c in decomposed if unicodedata.category(c) != "Mn" or "\u0900" <= c <= "\u109f")
    return " ".join(unicodedata.normalize("NFC", kept).casefold().translate(_STROKES).split())


def strip_invisible(text: str) -> str:
    """Drop what cannot be seen and only makes equal texts differ: direction marks, zero-width spaces, BOM, NUL, soft hyphens.

    The zero-width joiners stay: emoji and several scripts are spelled with them.
    """
    if text.isprintable():
        return text
    joiners = "\u200c\u200d"
    return "".join(c for c in text if c in joiners + "\n\t" or unicodedata.category(c) not in ("Cf", "Cc"))


def plain_file_name(name: str | None, otherwise: str) -> str:
    """What a file was called on somebody's computer, as it can be shown."""
    return "".join(character for character in name or "" if character.isprintable())[:200] or otherwise


# Scripts without spaces between words: Thai and its neighbours, Japanese, Chinese, Korean.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
_UNSPACED_RUN = re.compile(f"[{UNSPACED}]+")


def searchable(*folded: str) -> str:
    """Folded texts as search looks into them: each behind one space, and behind two the pairs of unspaced scripts.

    Trigrams find three letters anywhere and fewer where a word begins. Where
    words are not spaced, two letters say as much as a word: every pair of
    neighbours (and the last letter) is added as a word of its own.
    """
    text = "".join(f" {each}" for each in folded if each)
    runs = _UNSPACED_RUN.findall(text)
    pairs = dict.fromkeys(run[i : i + 2] for run in runs for i in range(len(run)))
    return text + (" " + "".join(f" {pair}" for pair in pairs) if pairs else "")


def whole_number(text: str, least: int, most: int) -> int | None:
    """The whole number that a form was sent, between two bounds from 0 on; None for all else, however long it is.

    It is written in the digits 0 to 9; leading zeros make no difference.
    """
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    return int(digits) if len(digits) <= len(str(most)) and least <= int(digits) <= most else None


def place_in(rows: Sized, text: str) -> int | None:
    """Which of the rows (from 0) a form names; None for everything that names none."""
    return whole_number(text, 0, len(rows) - 1)
