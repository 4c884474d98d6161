"""Finding the keywords and patterns of many rules in one text.

Words are looked up in dictionaries, so a text costs the same with ten rules
and with two hundred; only keywords that may stand anywhere within others, and
patterns, are tried one after the other.
"""

import re
from collections.abc import Sequence

from messaging.services.auto_replies.conditions import compiled_pattern
from waplus.lib.text import UNSPACED, fold, strip_invisible

# Nobody hides a keyword behind four pages, and what is longer is not read to its end.
MAX_TEXT = 4_096
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(f"[{UNSPACED}]")


def readable(text: str) -> str:
    """A text as it is searched: of bounded length, and in UTF-8 whatever came in."""
    return text[:MAX_TEXT].encode("utf-8", "replace").decode()


def folded(text: str) -> str:
    """A text as keywords are compared: case, accents and what cannot be seen make no difference."""
    return fold(strip_invisible(readable(text)))


class TextConditions:
    """The text conditions of a set of rules, each under a number of its own (its slot)."""

    def __init__(self):
        self._exact: dict[tuple[str, ...], list[tuple[int, int, str]]] = {}
        self._words: dict[str, list[tuple[tuple[str, ...], int, int, str]]] = {}
        self._starts: list[tuple[str, int, int, str]] = []
        self._within: list[tuple[str, int, int, str]] = []
        self._patterns: list[tuple[int, object]] = []

    def add_keywords(self, slot: int, words: Sequence[str], match: str) -> None:
        for place, word in enumerate(words):
            key = fold(word)
            tokens = tuple(_WORD.findall(key))
            if match == "starts":
                self._starts.append((key, slot, place, word))
            elif match == "exact":
                self._exact.setdefault(tokens or (key,), []).append((slot, place, word))
            elif match == "contains" or not tokens or _UNSPACED.search(key):
                # What is no word by itself, or stands where words have no spaces around them, may be anywhere.
                self._within.append((key, slot, place, word))
            else:
                self._words.setdefault(tokens[0], []).append((tokens, slot, place, word))

    def add_pattern(self, slot: int, pattern: str) -> None:
        self._patterns.append((slot, compiled_pattern(pattern)))

    def found_in(self, text: str) -> dict[int, str]:
        """The slots whose condition a text meets, with the first keyword of each that stands in it ('' for patterns)."""
        plain = folded(text)
        tokens = _WORD.findall(plain)
        hits: list[tuple[int, int, str]] = [*self._exact.get(tuple(tokens) or (plain,), ())]
        for at, token in enumerate(tokens):
            for wanted, slot, place, word in self._words.get(token, ()):
                if tuple(tokens[at : at + len(wanted)]) == wanted:
                    hits.append((slot, place, word))
        hits += [(slot, place, word) for key, slot, place, word in self._starts if plain.startswith(key)]
        hits += [(slot, place, word) for key, slot, place, word in self._within if key in plain]
        raw = readable(text) if self._patterns else ""
        found = {slot: "" for slot, pattern in self._patterns if pattern.search(raw)}
        for slot, _, word in sorted(hits, reverse=True):
            found[slot] = word
        return found
