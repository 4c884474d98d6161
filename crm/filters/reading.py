"""Reading filters: JSON from outside becomes values, or a refusal that says where in the tree it is wrong."""

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

from accounts.models import Workspace
from crm.models import CustomField
from waplus.lib.errors import FieldError
from waplus.lib.walltime import zone_names

MAX_DEPTH = 8
MAX_LEAVES = 50
MAX_LIST = 200
MAX_IDS = 1_000
MAX_TEXT = 200
MAX_DAYS = 36_500


class Wrong(Exception):
    """One part of a filter that cannot be understood: its path, a stable code, a sentence."""

    def __init__(self, path: str, code: str, sentence: str):
        self.error = FieldError(path, code, sentence)
        super().__init__(sentence)


@dataclass
class Reading:
    """What is read, for whom, and what was met on the way.

    `asked` collects ids with the path they stand at, by the kind of thing that
    they name; they are looked up together when the tree is read.
    """

    workspace: Workspace
    target: str
    leaves: int = 0
    asked: list[tuple[str, UUID, str]] = field(default_factory=list)
    _fields: dict[UUID, CustomField] | None = None

    @property
    def fields(self) -> dict[UUID, CustomField]:
        """The workspace's custom fields, retired ones included."""
        if self._fields is None:
            self._fields = {each.pk: each for each in CustomField.objects.for_workspace(self.workspace)}
        return self._fields

    def id(self, value, path: str, kind: str) -> UUID:
        """An id of something of the workspace."""
        try:
            found = UUID(value) if isinstance(value, str) and len(value) <= 45 else None
        except ValueError:
            found = None
        if found is None:
            raise Wrong(path, "invalid", "This is no id.")
        self.asked.append((kind, found, path))
        return found

    def ids(self, value, path: str, kind: str, most: int = MAX_LIST) -> tuple[UUID, ...]:
        """Several ids, each once and sorted."""
        values = items(value, path, most)
        return tuple(sorted({self.id(each, f"{path}.{index}", kind) for index, each in enumerate(values)}))


def items(value, path: str, most: int = MAX_LIST) -> list:
    """A list that is not empty."""
    if not isinstance(value, list) or not value:
        raise Wrong(path, "invalid", "This has to be a list with something in it.")
    if len(value) > most:
        raise Wrong(path, "too_many", f"At most {most:,} can stand here.")
    return value


def members(value, path: str, *names: str) -> dict:
    """An object with none but known members."""
    if not isinstance(value, dict) or not value:
        raise Wrong(path, "invalid", f"This has to be an object with: {', '.join(names)}.")
    for name in value:
        if name not in names:
            raise Wrong(f"{path}.{_shown(name)}", "unknown_field", f"Known here: {', '.join(names)}.")
    return value


def only(value, path: str, *names: str) -> tuple[str, object]:
    """An object with exactly one of some members: its name and what it holds."""
    found = members(value, path, *names)
    if len(found) != 1:
        raise Wrong(path, "invalid", f"Exactly one of these has to stand here: {', '.join(names)}.")
    return next(iter(found.items()))


def _shown(name) -> str:
    """A member's name as it may stand in a path."""
    return str(name)[:60].encode("utf-8", "replace").decode().replace("\x00", "?")


def text(value, path: str, most: int = MAX_TEXT) -> str:
    """A text that is not empty, without NUL and lone surrogates."""
    if not isinstance(value, str) or not value.strip():
        raise Wrong(path, "invalid", "This has to be a text.")
    if len(value) > most:
        raise Wrong(path, "max_length", f"A text has at most {most:,} characters here.")
    if "\x00" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise Wrong(path, "invalid", "There is a character in it that no text has.")
    return value


def boolean(value, path: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Wrong(path, "invalid", "This has to be true or false.")
    return value


def whole(value, path: str, most: int = MAX_DAYS) -> int:
    """A whole number from nought."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise Wrong(path, "invalid", f"This has to be a whole number from 0 to {most:,}.")
    return value


def zone(value, path: str) -> str:
    """An IANA time zone."""
    if value not in zone_names() if isinstance(value, str) else True:
        raise Wrong(path, "invalid_time_zone", "This is not an IANA time zone such as America/Sao_Paulo.")
    return value


def moment(value, path: str) -> dt.datetime | dt.date:
    """A day (`2026-01-31`) or a moment with its offset (`2026-01-31T08:00:00Z`)."""
    found = None
    if isinstance(value, str) and 10 <= len(value) <= 40 and value.isascii():
        try:
            found = dt.date.fromisoformat(value) if len(value) == 10 else dt.datetime.fromisoformat(value)
        except ValueError:
            found = None
    if found is None or (isinstance(found, dt.datetime) and found.tzinfo is None):
        raise Wrong(
            path, "invalid", "Write a day like 2026-01-31, or a moment with its offset like 2026-01-31T08:00:00Z."
        )
    if not 1900 <= found.year <= 2200:
        raise Wrong(path, "invalid", "The year has to be between 1900 and 2200.")
    return found
