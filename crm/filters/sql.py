"""Pieces of SQL with their parameters, put together without ever putting a value into the text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Sql:
    """A text with `%s` for each of its parameters."""

    text: str
    params: tuple = ()

    def __add__(self, other: "Sql | str") -> "Sql":
        if isinstance(other, str):
            return Sql(self.text + other, self.params)
        return Sql(self.text + other.text, self.params + other.params)

    def __radd__(self, other: str) -> "Sql":
        return Sql(other + self.text, self.params)


@dataclass(frozen=True)
class Driver:
    """A select of ids that holds all contacts for which a condition is true.

    The lower the rank, the fewer it likely brings. It `stops` if it costs what
    it brings, so that a LIMIT bounds it: a range of an index does, trigrams
    collect everything first. `sample` is what tells on some contacts, without
    that price, that it would bring many. With `is_exact` the select holds no
    other living contacts of the workspace either.
    """

    rank: int
    select: Sql
    stops: bool = True
    sample: Sql | None = None
    is_exact: bool = False


@dataclass(frozen=True)
class Along:
    """What all chats that match are, and an index in the order of their list knows.

    A range (`is_range`) is of that order itself, so every such index knows it;
    anything else has one of its own.
    """

    condition: Sql
    is_range: bool = False


TRUE = Sql("true")
FALSE = Sql("false")
EXISTS = "EXISTS (SELECT"


def all_of(conditions: Iterable[Sql]) -> Sql:
    """True where every one of some conditions is."""
    return _joined(" AND ", [each for each in conditions if each != TRUE], TRUE)


def any_of(conditions: Iterable[Sql]) -> Sql:
    """True where one of some conditions is."""
    return _joined(" OR ", [each for each in conditions if each != FALSE], FALSE)


def _joined(word: str, conditions: Sequence[Sql], empty: Sql) -> Sql:
    if not conditions:
        return empty
    if len(conditions) == 1:
        return conditions[0]
    text = word.join(f"({each.text})" for each in conditions)
    return Sql(text, tuple(param for each in conditions for param in each.params))


def union(selects: Iterable[Sql]) -> Sql:
    """The rows of several selects, one after the other: a LIMIT behind them ends the reading, as it would not if each came once."""
    selects = list(selects)
    if len(selects) == 1:
        return selects[0]
    joined = " UNION ALL ".join(f"({each.text})" for each in selects)
    return Sql(joined, tuple(param for each in selects for param in each.params))


def none_of(condition: Sql) -> Sql:
    """True where a condition is false; conditions of filters are never unknown."""
    return "NOT (" + condition + ")"


def exists(source: Sql) -> Sql:
    """Whether `FROM …` has a row, looked up for each row by itself.

    OFFSET 0 keeps the planner from turning it into a join over everything,
    which it would do for a page of fifty on a wrong guess.
    """
    return f"{EXISTS} " + source + " OFFSET 0)"


def beside(table: str, alias: str, test: Sql = TRUE) -> Sql:
    """Whether a contact has a row in a table beside it that passes a test.

    The test stands outside of the look-up: an index that has a column of the
    test, but not the contact in front, looks cheaper to the planner than it is
    (10 ms a contact instead of 2 µs, for a number among 200,000).
    """
    rows = f"(SELECT * FROM {table} WHERE workspace_id = crm_contact.workspace_id AND contact_id = crm_contact.id OFFSET 0) {alias}"
    return exists(f"FROM {rows} WHERE " + test)


def of_a_whole_set(condition: Sql) -> Sql:
    """A condition for a statement over everybody, where joining everything is what the planner should do."""
    return Sql(condition.text.replace(" OFFSET 0)", ")"), condition.params)


def containing(text: str) -> str:
    """A LIKE pattern for texts that contain `text`."""
    return f"%{escaped(text)}%"


def beginning(text: str) -> str:
    """A LIKE pattern for texts that begin with `text`."""
    return f"{escaped(text)}%"


def escaped(text: str) -> str:
    """`text` without what means something in a LIKE pattern."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def wearing(workspace_id: UUID, tags: Sequence[UUID]) -> Sql:
    """Ids of contacts that wear one of some tags, tag after tag: who needs only the first thousand reads no more."""
    return Sql(
        "SELECT worn.contact_id AS id FROM unnest(%s::uuid[]) AS tag (id) CROSS JOIN LATERAL "
        "(SELECT contact_id FROM crm_contacttag WHERE workspace_id = %s AND tag_id = tag.id OFFSET 0) worn",
        (list(tags), workspace_id),
    )
