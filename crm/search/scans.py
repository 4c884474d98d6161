"""Finding a page of contacts for any condition and any order, at a bounded cost.

For each tier of a list, in this order:

1. What an index names at the price of what it names (a tag, a value of a
   field) and names seldom is looked up, tested and sorted.
2. A short walk along the order's index tests row by row. Frequent terms, plain
   lists and small workspaces are done here. How many rows passed tells whether
   walking on fills the page.
3. If it does not: the condition's other indexes (trigrams) are asked, and tags
   and fields that name many contacts become a sieve: the order's index is
   walked again, but only what the sieve holds is fetched and tested.
4. If nothing can name them, or names too many, the walk goes on to the end of
   the request's allowance. What was found is a short page, and its cursor says
   how far the walk came.

Nothing depends on the planner's guess of how many rows a word matches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from crm.filters.sql import EXISTS, TRUE, Driver, Sql, all_of
from crm.search.orders import ALIVE, CONTACTS, Segment

# Costs are counted in rows of the table of contacts that are read one after the other: about half a microsecond each.
ALLOWANCE = 60_000
FIRST_WALK = 1_500
# As far as walking on is better than looking up.
WORTH = 25_000
LOOK_UP, SIEVE = 5_000, 10_000
# A statement that finds nothing: there may be hundreds of members to order by.
TIER = 600
# Contacts: so few that all are fetched at once; as many as trigrams may name; as many as a sieve holds.
FEW = 1_000
NAMED = 2_500
SIEVED = 20_000
SIEVED_WALK, MOST_SIEVES = 50_000, 3
SAMPLE, FREQUENT = 500, 2


@dataclass(frozen=True)
class Tier:
    """Contacts of one rank: a segment of an order, a condition, and selects of ids that surely hold all that match."""

    segment: Segment
    condition: Sql = TRUE
    drivers: Sequence[Driver] = ()
    # What stands in fields and notes is rare, and looked up before anything is walked.
    drivers_first: bool = False


@dataclass(frozen=True)
class Place:
    """Where a page goes on: a tier, and behind which key in it (None: at its beginning)."""

    tier: int
    key: tuple | None = None


@dataclass(frozen=True)
class Found:
    """A contact of a page with its key."""

    id: UUID
    value: object
    key_id: UUID

    @property
    def key(self) -> tuple:
        return self.value, self.key_id


@dataclass(frozen=True)
class Rows:
    """What a way of searching a tier brought, and whether there may be more behind `stopped`, a key."""

    found: list[Found]
    more: bool = False
    stopped: tuple | None = None

    def __add__(self, rest: "Rows") -> "Rows":
        return Rows(self.found + rest.found, rest.more, rest.stopped)


@dataclass
class Scan:
    """One request's search through the tiers of a list."""

    workspace_id: UUID
    tiers: Sequence[Tier]
    allowance: int = ALLOWANCE
    alive: Sql = ALIVE

    def page(self, limit: int, place: Place | None = None) -> tuple[list[UUID], Place | None]:
        """Up to `limit` ids in order, and where the next page begins (None at the end).

        A page may be short and still have a next one: then the search came to
        the end of its allowance.
        """
        place = place or Place(0)
        found: list[tuple[int, Found]] = []
        for index in range(place.tier, len(self.tiers)):
            key = place.key if index == place.tier else None
            rows = self._tier(self.tiers[index], key, limit + 1 - len(found))
            found += [(index, row) for row in rows.found]
            if len(found) > limit:
                tier, last = found[limit - 1]
                return [row.id for _, row in found[:limit]], Place(tier, last.key)
            if rows.more:
                return [row.id for _, row in found], Place(index, rows.stopped)
        return [row.id for _, row in found], None

    def _tier(self, tier: Tier, key: tuple | None, need: int) -> Rows:
        """The first `need` rows of a tier behind a key."""
        if self.allowance <= 0:
            return Rows([], more=True, stopped=key)
        self.allowance -= TIER
        stopping = [driver for driver in tier.drivers if driver.stops][:MOST_SIEVES]
        collecting = [driver for driver in tier.drivers if not driver.stops]
        for drivers in [stopping, *([driver] for driver in collecting if tier.drivers_first)]:
            rows = self._looked_up(tier, drivers, key, need, FEW) if drivers else None
            if rows is not None:
                return rows
        cost = row_cost(tier)
        walked = self._walk(tier, key, need, max(FIRST_WALK // cost, 1))
        if not walked.more:
            return walked
        rest = need - len(walked.found)
        if FIRST_WALK * rest > WORTH * len(walked.found):
            for driver in collecting:
                if not tier.drivers_first and not self._is_frequent(driver):
                    rows = self._looked_up(tier, [driver], walked.stopped, rest, NAMED)
                    if rows is not None:
                        return walked + rows
            rows = self._sieved(tier, stopping, walked.stopped, rest) if stopping else None
            if rows is not None:
                return walked + rows
        return walked + self._walk(tier, walked.stopped, rest, self.allowance // cost)

    def _is_frequent(self, driver: Driver) -> bool:
        """Whether so many of the newest contacts are what a driver looks for that it would name too many."""
        if driver.sample is None:
            return False
        newest = Segment(descending=True)
        statement = (
            "SELECT count(*) FROM (SELECT * FROM crm_contact WHERE "
            + newest.between(self.workspace_id, None)
            + f" ORDER BY {newest.order()} LIMIT {SAMPLE}) crm_contact WHERE "
            + driver.sample
        )
        self.allowance -= SAMPLE
        return fetched(statement)[0][0] >= FREQUENT

    # --- Walking ------------------------------------------------------------------------------------

    def _walk(self, tier: Tier, key: tuple | None, need: int, cap: int) -> Rows:
        """Test up to `cap` rows of the tier's order."""
        if cap <= 0:
            return Rows([], more=True, stopped=key)
        if tier.segment.table == CONTACTS:
            source, contact = self._numbered(tier.segment, "crm_contact.*", key, cap) + " crm_contact", "id"
            belongs = tier.segment.member
        else:
            source, contact = self._numbered(tier.segment, "ordering.*", key, cap) + " ordering", "contact_id"
            source += self._contact("ordering.contact_id")
            belongs = tier.segment.once
        rows = self._passing(fetched(self._tested(tier, contact, source, f"nth = {cap}", need, belongs)), need)
        self.allowance -= row_cost(tier) * cap if rows.more else 0
        return rows

    def _numbered(self, segment: Segment, columns: str, key: tuple | None, cap: int, when: str = "") -> Sql:
        """The first rows of a segment, numbered in its order."""
        table = CONTACTS if segment.table == CONTACTS else f"{segment.table} ordering"
        within = all_of([Sql(when) if when else TRUE, segment.within, segment.between(self.workspace_id, key)])
        return (
            f"(SELECT *, row_number() OVER () AS nth FROM (SELECT {columns}, {segment.key or 'NULL'} AS sort_key, "
            f"{segment.id} AS key_id FROM {table} WHERE " + within + f" ORDER BY {segment.order()} LIMIT {cap}) walked)"
        )

    def _contact(self, id: str) -> Sql:
        """The contact beside a row that names it, fetched for each row by itself."""
        return Sql(
            " LEFT JOIN LATERAL (SELECT * FROM crm_contact WHERE crm_contact.workspace_id = %s "
            f"AND crm_contact.id = {id} OFFSET 0) crm_contact ON true",
            (self.workspace_id,),
        )

    def _tested(self, tier: Tier, contact: str, source: Sql, last: str, need: int, belongs: Sql) -> Sql:
        """Those of a source's rows that pass, and its last one in any case, because the next walk begins behind it.

        Rows come as they are numbered: an ORDER BY here would test all of them before the first is shown.
        """
        passes = "crm_contact.id IS NOT NULL AND " + all_of([self.alive, belongs, tier.condition])
        return (
            f"SELECT {contact}, sort_key, key_id, {last} AS is_last, CASE WHEN {last} THEN "
            + passes
            + " ELSE true END AS passes FROM "
            + source
            + f" WHERE {last} OR ("
            + passes
            + f") LIMIT {need}"
        )

    @staticmethod
    def _passing(rows: list[tuple], need: int) -> Rows:
        found = [Found(*row[:3]) for row in rows if row[4]]
        if len(found) < need and rows and rows[-1][3]:
            return Rows(found, more=True, stopped=tuple(rows[-1][1:3]))
        return Rows(found)

    # --- Looking up ---------------------------------------------------------------------------------

    def _looked_up(self, tier: Tier, drivers: Sequence[Driver], key: tuple | None, need: int, most: int) -> Rows | None:
        """The tier's rows among the contacts that some drivers name together; None if each names more than `most`."""
        self.allowance -= LOOK_UP
        named, fits = _common(drivers, most)
        return self._answer(named, fits, self._fetched(tier, key, need, fits), need)

    def _answer(self, named: Sql, fits: str, page: Sql, need: int) -> Rows | None:
        """What a page among some named contacts brings, None where they do not fit."""
        rows = fetched(named + f" SELECT {fits}, page.* FROM (SELECT) one LEFT JOIN (" + page + ") page ON true")
        return self._passing([row[1:] for row in rows if row[1] is not None], need) if rows[0][0] else None

    def _fetched(self, tier: Tier, key: tuple | None, need: int, when: str) -> Sql:
        """All that are named, tested and sorted."""
        segment = tier.segment
        named, beside, order = Sql(f"SELECT id FROM named WHERE {when}"), Sql(""), ""
        if segment.key:
            columns = f"crm_contact.id AS contact_id, {segment.key} AS sort_key, {segment.id} AS key_id"
            tests = [segment.between(self.workspace_id, key), segment.once]
            order = f" ORDER BY {segment.key} {segment.direction}, {segment.id} {segment.direction}"
            if segment.table == CONTACTS:
                tests.append(segment.within)
            else:
                beside = self._ordering(segment)
        else:
            # In order before they are fetched: no more are than the page needs.
            columns = "crm_contact.id AS contact_id, NULL AS sort_key, crm_contact.id AS key_id"
            tests = [segment.member]
            named = named + " AND " + _behind(segment, key, "id") + f" ORDER BY id {segment.direction}"
        return (
            f"SELECT {columns}, false AS is_last, true AS passes FROM ("
            + named
            + " OFFSET 0) named"
            + self._contact("named.id")
            + beside
            + " WHERE crm_contact.id IS NOT NULL AND "
            + all_of([*tests, self.alive, tier.condition])
            + f"{order} LIMIT {need}"
        )

    @staticmethod
    def _ordering(segment: Segment) -> Sql:
        """The rows of an order beside a contact that is already at hand."""
        of_contact = Sql("ordering.workspace_id = crm_contact.workspace_id AND ordering.contact_id = crm_contact.id")
        where = all_of([of_contact, segment.within])
        return f", LATERAL (SELECT * FROM {segment.table} ordering WHERE " + where + " OFFSET 0) ordering"

    def _sieved(self, tier: Tier, drivers: Sequence[Driver], key: tuple | None, need: int) -> Rows | None:
        """A walk that fetches only what some drivers name together; None if each of them names too many.

        Of the order it reads the index alone, and where the order is that of the ids not even that.
        """
        self.allowance -= SIEVE
        named, fits = _common(drivers, SIEVED)
        few = f"(SELECT count(*) FROM named) <= {FEW}"
        page = (
            "SELECT * FROM ("
            + self._fetched(tier, key, need, few)
            + ") few UNION ALL SELECT * FROM ("
            + self._sifted(tier, key, need, f"NOT ({few})")
            + ") many"
        )
        return self._answer(named, fits, page, need)

    def _sifted(self, tier: Tier, key: tuple | None, need: int, when: str) -> Sql:
        """Those of an order that are named, tested in order."""
        segment = tier.segment
        if segment.key:
            columns = "crm_contact.id AS contact_id" if segment.table == CONTACTS else "ordering.contact_id"
            columns = columns if segment.once == TRUE else "ordering.*"
            source = self._numbered(segment, columns, key, SIEVED_WALK, when)
            source += f" walked WHERE nth = {SIEVED_WALK} OR contact_id IN (SELECT id FROM named)"
            belongs = segment.once
        else:
            source = (
                f"(SELECT id AS contact_id, NULL AS sort_key, id AS key_id, 0 AS nth FROM named WHERE {when} AND "
                + _behind(segment, key, "id")
                + f" ORDER BY id {segment.direction}) walked"
            )
            belongs = segment.member
        source = (
            "(SELECT *, row_number() OVER () AS sifted FROM (SELECT * FROM "
            + source
            + f" LIMIT {NAMED}) sieved) ordering"
            + self._contact("ordering.contact_id")
        )
        last = f"(nth = {SIEVED_WALK} OR sifted = {NAMED})"
        return self._tested(tier, "contact_id", source, last, need, belongs)


def row_cost(tier: Tier) -> int:
    """What it costs to walk over one row of a tier, in rows of the table of contacts."""
    segment = tier.segment
    belongs = segment.member if segment.table == CONTACTS else segment.once
    return segment.cost + sum(each.text.count(EXISTS) for each in (segment.within, belongs, tier.condition))


def _behind(segment: Segment, key: tuple | None, column: str) -> Sql:
    """Ids behind a key in a segment that is ordered by them."""
    return Sql(f"{column} {'<' if segment.descending else '>'} %s", (key[1],)) if key else TRUE


def _common(drivers: Sequence[Driver], most: int) -> tuple[Sql, str]:
    """`named`, the ids that those drivers have in common that name no more than `most`, and SQL whether there is one."""
    lists, fits = [], []
    for index, driver in enumerate(drivers):
        lists.append(f"named{index} AS MATERIALIZED (SELECT id FROM (" + driver.select + f" LIMIT {most + 1}) driver)")
        fits.append(f"(SELECT count(*) FROM named{index}) <= {most}")
    first_that_fits = [
        f"SELECT id FROM named{index} WHERE "
        + " AND ".join(
            [
                *(f"NOT ({earlier})" for earlier in fits[:index]),
                fit,
                *(
                    f"(NOT ({later}) OR id IN (SELECT id FROM named{number}))"
                    for number, later in enumerate(fits[index + 1 :], index + 1)
                ),
            ]
        )
        for index, fit in enumerate(fits)
    ]
    distinct = f"named AS MATERIALIZED (SELECT DISTINCT id FROM ({' UNION ALL '.join(first_that_fits)}) fitting)"
    text = ", ".join(each.text for each in lists)
    return (
        Sql(f"WITH {text}, {distinct}", tuple(param for each in lists for param in each.params)),
        f"({' OR '.join(fits)})",
    )


# The planner would read a whole table for a word that it takes for frequent, because of the LIMIT behind it, and
# sort a whole workspace for an order that an index has, because of the LIMIT in it. Other processes cost more to
# start than they would help with.
_SETTINGS = {
    "enable_seqscan": "off",
    "enable_sort": "off",
    "enable_incremental_sort": "off",
    "max_parallel_workers_per_gather": "0",
}
FORBIDDING = "".join(f"SET LOCAL {name} = {value}; " for name, value in _SETTINGS.items())
ALLOWING = "; ".join(f"SET LOCAL {name} TO DEFAULT" for name in _SETTINGS)


def fetched(statement: Sql) -> list[tuple]:
    """Rows of a statement that goes along indexes."""
    with connection.cursor() as cursor:
        # In one message they are one transaction, without its journeys to the server.
        cursor.execute(FORBIDDING + statement.text, statement.params)
        rows = cursor.fetchall()
        if connection.in_atomic_block:
            cursor.execute(ALLOWING)
        return rows
