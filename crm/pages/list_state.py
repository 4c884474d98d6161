"""What a person asked a list for, as it stands in the address: it can be kept, shared and gone back to."""

from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from crm.filters import Filter
from crm.models import Tab, TabTarget
from crm.pages.filter_language import Said, said_by
from crm.pages.filter_rows import Row, Subject, is_finished, rows_of
from crm.services.tabs import filter_of

MAX_QUERY = 200
PAGES = {TabTarget.CONTACTS: "contacts", TabTarget.CHATS: "chats"}


def query_of(params: QueryDict) -> str:
    """What was typed into the search box, as far as it can mean something."""
    return " ".join(params.get("q", "").replace("\x00", " ").split())[:MAX_QUERY]


@dataclass(frozen=True)
class OpenTab:
    """A tab that is looked at. Its filter stands in the form if that has words for it, and behind the form if not."""

    tab: Tab
    found: Filter
    said: Said | None
    sort: str

    @classmethod
    def of(cls, tab: Tab, known: dict[str, Subject], sorts) -> "OpenTab":
        found = filter_of(tab)
        said = said_by(found.data, known, searchable=tab.target == TabTarget.CONTACTS)
        # An order by a field that is gone is none.
        return cls(tab, found, said, tab.sort if tab.sort.removeprefix("-") in sorts else "")


@dataclass(frozen=True)
class ListState:
    """Search, filter and order; `match` says whether `all` or `any` of the rows must hold.

    With a tab open they begin as the tab has them. What is changed afterwards
    is the person's own until it is kept in the tab.
    """

    known: dict[str, Subject]
    query: str = ""
    sort: str = ""
    rows: tuple[Row, ...] = ()
    match: str = "all"
    target: str = TabTarget.CONTACTS
    opened: OpenTab | None = None

    @classmethod
    def of(
        cls,
        params: QueryDict,
        known: dict[str, Subject],
        target: str = TabTarget.CONTACTS,
        opened: OpenTab | None = None,
    ) -> "ListState":
        """Read the address; what cannot mean anything is left out."""
        if opened and not params.get("changed"):
            return cls(known, target=target, opened=opened).as_in_tab()
        match = "any" if params.get("match") == "any" else "all"
        return cls(
            known, query_of(params), params.get("sort", ""), tuple(rows_of(params, known)), match, target, opened
        )

    def as_in_tab(self) -> "ListState":
        """As the open tab has it."""
        said = self.opened.said or Said()
        return replace(self, query=said.query, sort=self.opened.sort, rows=said.rows, match=said.match)

    @cached_property
    def filters(self) -> list[Row]:
        """The rows that are finished."""
        return [row for row in self.rows if is_finished(row, self.known)]

    @property
    def kept_query(self) -> str:
        """What of the search a tab can keep: filters have no words for the names of chats."""
        return self.query if self.target == TabTarget.CONTACTS else ""

    @property
    def is_worth_keeping(self) -> bool:
        """Whether there is something that a new tab would keep."""
        return bool(self.kept_query or self.filters or self.sort)

    @property
    def narrows(self) -> bool:
        """Whether anything is searched or filtered, a tab apart."""
        return bool(self.query or self.filters)

    @cached_property
    def is_changed(self) -> bool:
        """Whether a tab is open, and something else is asked for than it says."""
        if not self.opened:
            return False
        tab = self.as_in_tab()
        return (self.kept_query, self.sort, self.filters) != (tab.query, tab.sort, tab.filters) or (
            self.match != tab.match and len(self.filters) > 1
        )

    @property
    def base(self) -> Filter | None:
        """What holds beside the form: the filter of an open tab that the form has no words for."""
        return self.opened.found if self.opened and self.opened.said is None else None

    @property
    def path(self) -> str:
        """The page of the list."""
        return reverse(PAGES[self.target])

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
        asked = [*((name, value) for name, value in single if value), *rows]
        if not self.opened:
            return asked
        tab = [("tab", str(self.opened.tab.pk))]
        return tab if self == self.as_in_tab() else [*tab, ("changed", "1"), *asked]

    def pairs_in_full(self) -> list[tuple[str, str]]:
        """The same for forms that change a part of it: what an open tab says stands there, too."""
        changed = [("tab", str(self.opened.tab.pk)), ("changed", "1")] if self.opened else []
        return [*changed, *replace(self, opened=None).pairs()]

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
