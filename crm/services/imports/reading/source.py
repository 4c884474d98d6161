"""What every kind of file is to those who read it: titles of columns, and records of cells."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from waplus.lib.errors import Refused

MAX_COLUMNS = 500
MAX_CELL = 100_000  # characters
MAX_LINE = 1_000_000  # characters


class Unreadable(Refused):
    """The file as a whole cannot be read; the sentence says why."""

    def __init__(self, sentence: str):
        super().__init__("file_unreadable", sentence, field="file")


@dataclass(frozen=True)
class Layout:
    """How a file is laid out. An empty value or None stands for "detect it".

    `encoding` is a Python codec's name, `delimiter` one character (both of
    delimited text only); `header` tells whether the first record is titles;
    `country` (ISO 3166) decides between encodings that are equally likely.
    """

    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    header: bool | None = None
    country: str = ""


class Source(ABC):
    """A file that was understood. `layout` is complete, `titles` names each column, `remarks` are sentences."""

    layout: Layout
    titles: list[str]

    def __init__(self, file: BinaryIO):
        self.file = file
        self.remarks: list[str] = []

    @abstractmethod
    def records(self) -> Iterator[list[str]]:
        """Every record below the titles, from the start of the file, as cells; blank ones are left out.

        A record may have fewer or more cells than there are titles. Raises `Unreadable`.
        """


def check_titles(titles: list[str]) -> None:
    """Refuse a row of titles that no file of people has."""
    if not any(titles):
        raise Unreadable("The file is empty.")
    if len(titles) > MAX_COLUMNS:
        raise Unreadable(f"The file has more than {MAX_COLUMNS} columns.")


def named(titles: list[str]) -> list[str]:
    """Titles of which none is empty: a column without one is called by its place."""
    return [title[:200] or f"Column {place}" for place, title in enumerate(titles, 1)]
