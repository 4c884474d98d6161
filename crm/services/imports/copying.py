"""Rows as COPY reads them: text format, written by hand because a million rows pass through it."""

import itertools
import json
from collections.abc import Iterable, Iterator

import uuid_utils
from django.db import connection

from waplus.lib.errors import Refused

# Lines that are made and sent together.
AT_ONCE = 200

NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def fresh_id() -> str:
    """A new UUIDv7 as text, without the detour over an object."""
    return str(uuid_utils.uuid7())


def text(value: str) -> str:
    """A text column."""
    return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPES)


def document(value) -> str:
    """A jsonb column; None is NULL."""
    return NULL if value is None else json.dumps(value, ensure_ascii=False).translate(_ESCAPES)


def array(values: Iterable[str]) -> str:
    """An array of texts without special characters, such as numbers and ids."""
    return f"{{{','.join(values)}}}"


def quoted_array(values: Iterable[str]) -> str:
    """An array of any texts."""
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return text("{" + ",".join(f'"{value}"' for value in quoted) + "}")


class _Feed:
    """Lines as a file that the driver reads: what comes next is made while the server writes what came before."""

    def __init__(self, first: str, lines: Iterator[str]):
        self._lines = itertools.chain([first], lines)
        self.refusal: Refused | None = None

    def read(self, _size: int) -> bytes:
        try:
            block = list(itertools.islice(self._lines, AT_ONCE))
        except Refused as refusal:
            # The driver would make a database error of it.
            self.refusal = refusal
            return b""
        return "".join(f"{line}\n" for line in block).encode()


def copy(cursor, table: str, columns: str, lines: Iterable[str]) -> None:
    """COPY lines into a table; names are constants of the calling modules.

    A refusal that is raised while lines are made comes through; the caller's
    transaction has to be rolled back then.
    """
    lines = iter(lines)
    first = next(lines, None)
    if first is None:
        return
    feed = _Feed(first, lines)
    with connection.wrap_database_errors:
        cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", feed)
    if feed.refusal is not None:
        raise feed.refusal
