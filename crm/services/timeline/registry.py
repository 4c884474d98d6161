"""Where the entries of a contact's timeline come from: each floor registers its own sources at start."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Source:
    """One source: its name, the kinds of its entries, and the statement that brings them.

    `sql` is a constant SELECT without parameters over the contact of the alias
    `person` (`workspace_id`, `id`), with these columns:

    - `at`: when it happened (timestamptz). A source with `timed_by_id` leaves it
      out: its rows have a UUIDv7 made when it happened, which orders them, too.
    - `id`: of the row; one row gives at most one entry to a source.
    - `kind`: text, one of `kinds`.
    - `actor`: user id of whoever did it (uuid), or null.
    - `detail`: jsonb, what the entry says, ids in place of names:
      `text` (a string), `changed` (names of fields as events have them), and
      `tag`, `contact`, `batch`, `chat` (an id).

    A person stands for each contact that went into the one asked for, too; all
    of them are the rows of `people`. Whoever has many rows of one contact needs
    an index that ends in the time (or the id).

    `sentences` say in words what happened, by kind (`%(who)s` did it, `%(what)s`
    it was about), and `icon` stands beside; floors above the CRM give theirs here.
    """

    name: str
    kinds: tuple[str, ...]
    sql: str
    timed_by_id: bool = False
    sentences: Mapping[str, str] = field(default_factory=dict, compare=False)
    icon: str = ""


_sources: dict[str, Source] = {}


def register_timeline_source(
    name: str,
    *,
    kinds: Iterable[str],
    sql: str,
    timed_by_id: bool = False,
    sentences: Mapping[str, str] | None = None,
    icon: str = "",
) -> None:
    """Add a source (see `Source`), to be called from `AppConfig.ready`; the same name again replaces it."""
    _sources[name] = Source(name, tuple(kinds), sql, timed_by_id, sentences or {}, icon)


def timeline_sources() -> tuple[Source, ...]:
    """All sources, by name."""
    return tuple(_sources[name] for name in sorted(_sources))


def timeline_kinds() -> list[str]:
    """The kinds of entries that there are, sorted."""
    return sorted({kind for source in _sources.values() for kind in source.kinds})
