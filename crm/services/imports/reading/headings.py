"""Whether a file's first record is titles or already somebody."""

import re

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_NUMBER = re.compile(r"[+(]?\d[\d\s().\-/+]{6,}")


def looks_like_data(record: list[str]) -> bool:
    """An address or a number in it: titles have neither."""
    return any(_EMAIL.fullmatch(cell.strip()) or _NUMBER.fullmatch(cell.strip()) for cell in record)
