"""The newest rows that pass a condition, found at a bounded cost whatever the condition is.

Walk along the order and test row by row. If so few pass that the page is not
full, look up what an index names; else walk on. The page is then short and has
a next one. Lists of contacts have more orders and more indexes (`crm.search.scans`).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm.filters.sql import TRUE, Sql, all_of
from crm.search.scans import fetched

Key = tuple[datetime, UUID]


@dataclass(frozen=True)
class Order:
    """Rows by a moment and their ids, the newest first, as an index has them.

    `source` is `FROM … WHERE …`, to which conditions are added that call a row
    `alias`; they know its `columns`, and `moment` is an expression of it.
    """

    alias: str
    columns: str
    moment: str
    source: Sql

    def behind(self, key: Key | None) -> Sql:
        return Sql(f"({self.moment}, {self.alias}.id) < (%s, %s)", key) if key else TRUE

    def selected(self, condition: Sql) -> Sql:
        """The rows that an index names, with their moment as `listed_at`."""
        return f"SELECT {self.columns}, {self.moment} AS listed_at " + self.source + " AND " + condition


@dataclass(frozen=True)
class Bounds:
    """How many rows the first and the last walk read at the most, and how many an index may name."""

    first_walk: int
    last_walk: int
    named: int


def page_of_newest(
    order: Order,
    *,
    condition: Sql,
    driver: Sql | None,
    along: Sql = TRUE,
    limit: int,
    behind: Key | None,
    bounds: Bounds,
) -> tuple[list[Key], Key | None]:
    """The keys of a page, and behind which one the next page begins (None at the end).

    `driver` is another condition that all matching rows fulfil and an index knows
    (None: there is none); `along` a third one, that an index in the order knows.
    """

    def walk(key: Key | None, need: int, cap: int) -> tuple[list[Key], Key | None]:
        return _walked(order, condition, all_of([along, order.behind(key)]), need, cap)

    need = limit + 1
    found, stopped = walk(behind, need, bounds.first_walk)
    if stopped and driver is not None:
        looked_up = _looked_up(order, condition, driver, behind, need, bounds.named)
        if looked_up is not None:
            found, stopped = looked_up, None
    if stopped:
        more, stopped = walk(stopped, need - len(found), bounds.last_walk)
        found += more
    if len(found) > limit:
        return found[:limit], found[limit - 1]
    return found, stopped


def _walked(order: Order, condition: Sql, within: Sql, need: int, cap: int) -> tuple[list[Key], Key | None]:
    """The first that pass among the first rows within a condition that an index knows, and where the walk stopped before its end or its need."""
    statement = (
        f"SELECT listed_at, id, nth = {cap}, CASE WHEN nth = {cap} THEN "
        + condition
        + " ELSE true END FROM (SELECT *, row_number() OVER () AS nth FROM ("
        + order.selected(within)
        + f" ORDER BY {order.moment} DESC, {order.alias}.id DESC LIMIT {cap}) walked) {order.alias} WHERE nth = {cap} OR ("
        + condition
        + f") LIMIT {need}"
    )
    rows = fetched(statement)
    found = [(row[0], row[1]) for row in rows if row[3]]
    stopped = len(found) < need and rows and rows[-1][2]
    return found, (rows[-1][0], rows[-1][1]) if stopped else None


def _looked_up(order: Order, condition: Sql, driver: Sql, key: Key | None, need: int, most: int) -> list[Key] | None:
    """All that a driver names, tested and sorted; None if they are too many."""
    few = f"(SELECT count(*) FROM named) <= {most}"
    behind = Sql(f"({order.alias}.listed_at, {order.alias}.id) < (%s, %s)", key) if key else TRUE
    statement = (
        "WITH named AS MATERIALIZED ("
        + order.selected(driver)
        + f" LIMIT {most + 1}) SELECT {few}, page.* FROM (SELECT) one "
        f"LEFT JOIN (SELECT listed_at, id FROM named {order.alias} WHERE {few} AND "
        # Nothing is tested twice where an index knows the whole condition.
        + all_of([TRUE if driver == condition else condition, behind])
        + f" ORDER BY listed_at DESC, id DESC LIMIT {need}) page ON true"
    )
    rows = fetched(statement)
    return [(row[1], row[2]) for row in rows if row[2] is not None] if rows[0][0] else None
