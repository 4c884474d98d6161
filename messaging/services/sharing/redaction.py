"""Masking telephone numbers, wherever they stand: rather a date too many than a number too few."""

import re

# What people and programs put between the digits of a number, marks that cannot be seen included.
_BETWEEN = r"[\s.\-()/\u00a0\u00ad\u2000-\u200f\u2010-\u2015\u202a-\u202f\u2060-\u2064\u2066-\u206f\ufeff]"
_NUMBER = re.compile(rf"\+?\d(?:{_BETWEEN}{{0,3}}\d){{6,}}")
_KEPT = 2


def mask_numbers(text: str) -> str:
    """The text with all digits of every run of seven or more masked, but for the last two."""
    return _NUMBER.sub(_masked, text)


def _masked(found: re.Match) -> str:
    left = sum(character.isdigit() for character in found[0]) - _KEPT
    masked = []
    for character in found[0]:
        hides = character.isdigit() and left > 0
        left -= hides
        masked.append("•" if hides else character)
    return "".join(masked)
