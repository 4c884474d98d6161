"""Folding of text for search and comparison."""

import unicodedata
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
