"""Masking telephone numbers, wherever they stand: rather a date too many than a number too few."""

import re

# Whatever is no letter and no digit may stand between the digits of a number: spaces, signs, what cannot be seen, the
# marks that make a digit a key.
_NUMBER = re.compile(r"\+?\d(?:[\W_]{0,6}\d){6,}")
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
