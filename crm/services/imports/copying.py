"""Rows as COPY reads them: text format, written by hand because a million rows pass through it."""

import io
import json
from collections.abc import Iterable

NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


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


def copy(cursor, table: str, columns: str, lines: list[str]) -> None:
    """COPY lines into a table; names are constants of the calling modules."""
    if lines:
        cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", io.StringIO("\n".join(lines) + "\n"))
