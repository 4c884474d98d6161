"""What a person asked the list of contacts for, as it stands in the address: it can be kept, shared and gone back to."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict

from crm.pages.filter_rows import Row, Subject, is_finished, rows_of

MAX_QUERY = 200


def query_of(params: QueryDict) -> str:
    """What was typed into the search box, as far as it can mean something."""
    return " ".join(params.get("q", "").replace("\x00", " ").split())[:MAX_QUERY]


@dataclass(frozen=True)
class ListState:
    """Search, filter and order; `match` says whether `all` or `any` of the rows must hold."""

    known: dict[str, Subject]
    query: str = ""
    sort: str = ""
    rows: tuple[Row, ...] = ()
    match: str = "all"

    @classmethod
    def of(cls, params: QueryDict, known: dict[str, Subject]) -> "ListState":
        """Read the address; what cannot mean anything is left out."""
        match = "any" if params.get("match") == "any" else "all"
        return cls(known, query_of(params), params.get("sort", ""), tuple(rows_of(params, known)), match)

    @property
    def filters(self) -> list[Row]:
        """The rows that are finished."""
        return [row for row in self.rows if is_finished(row, self.known)]

    def with_row(self, key: str) -> "ListState":
        """With one more row about a subject, to be filled in; an unknown subject adds nothing."""
        subject = self.known.get(key)
        return replace(self, rows=(*self.rows, Row(key, subject.ops[0][0]))) if subject else self

    def without_row(self, index: int) -> "ListState":
        """Without one of the rows."""
        return replace(self, rows=self.rows[:index] + self.rows[index + 1 :])

    def pairs(self) -> list[tuple[str, str]]:
        """Names and values of the address, without what is empty."""
        single = [("q", self.query), ("sort", self.sort), ("match", self.match if self.match == "any" else "")]
        rows = [pair for row in self.rows for pair in (("field", row.field), ("op", row.op), ("value", row.value))]
        return [*((name, value) for name, value in single if value), *rows]

    def address(self, cursor: str = "", **changes) -> str:
        """The query string of this state with some of it changed."""
        pairs = replace(self, **changes).pairs()
        pairs = [*pairs, *([("cursor", cursor)] if cursor else [])]
        return f"?{urlencode(pairs)}" if pairs else "?"

    def chips(self) -> list[dict]:
        """The finished rows in words, each with the address of the list without it."""
        return [
            {"words": self.known[row.field].words(row), "without": self.address(rows=self.without_row(index).rows)}
            for index, row in enumerate(self.rows)
            if is_finished(row, self.known)
        ]
