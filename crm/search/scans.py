"""Finding a page of contacts for any condition and any order, at a bounded cost.

Three ways, tried in this order for each tier of a list:

1. Walk along the order's index and test row by row, up to a cap. Frequent
   terms, plain lists and small workspaces are done here within milliseconds.
2. If so few rows passed that a longer walk would not fill the page: ask the
   condition's own indexes (its drivers: trigrams, tags, field values) for all
   that can match, up to a cap, test and sort those. Rare terms are done here.
3. If there is no driver, or it finds too many: walk on, up to the end of the
   request's allowance. What was found is a short page, and its cursor says how
   far the walk came.

Nothing depends on the planner's guess of how many rows a word matches.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from crm.filters.sql import TRUE, Sql, all_of
from crm.search.orders import CONTACTS, Segment

FIRST_WALK = 10_000
# Rows of an order that does not follow the table cost several times as much to fetch.
FIRST_WALK_ACROSS = 2_000
FEW = 2_000
MANY = 20_000
ALLOWANCE = 60_000
# A key that nothing is behind: where a walk stopped that had not begun.
AT_ITS_BEGINNING = ()
ALIVE = "crm_contact.deleted_at IS NULL AND crm_contact.merged_into_id IS NULL"


@dataclass(frozen=True)
class Tier:
    """Contacts of one rank: a segment of an order, a condition, and selects of ids that surely hold all that match."""

    segment: Segment
    condition: Sql = TRUE
    drivers: Sequence[Sql] = ()
    # What stands in fields and notes is rare, and looked up before anything is walked.
    drivers_first: bool = False


@dataclass(frozen=True)
class Place:
    """Where a page goes on: a tier, and behind which key in it (None: at its beginning)."""

    tier: int
    key: tuple | None = None


@dataclass
class Found:
    """A contact of a page with its key."""

    id: UUID
    value: object
    key_id: UUID


@dataclass
class Scan:
    """One request's search through the tiers of a list."""

    workspace_id: UUID
    tiers: Sequence[Tier]
    allowance: int = ALLOWANCE
    alive: str = ALIVE

    def page(self, limit: int, place: Place | None = None) -> tuple[list[UUID], Place | None]:
        """Up to `limit` ids in order, and where the next page begins (None at the end).

        A page may be short and still have a next one: then the walk came to the
        end of its allowance.
        """
        place = place or Place(0)
        found: list[tuple[int, Found]] = []
        for index in range(place.tier, len(self.tiers)):
            key = place.key if index == place.tier else None
            rows, stopped = self._tier(self.tiers[index], key, limit + 1 - len(found))
            found += [(index, row) for row in rows]
            if len(found) > limit:
                tier, last = found[limit - 1]
                return [row.id for _, row in found[:limit]], Place(tier, (last.value, last.key_id))
            if stopped is not None:
                return [row.id for _, row in found], Place(index, stopped or None)
        return [row.id for _, row in found], None

    def _tier(self, tier: Tier, key: tuple | None, need: int) -> tuple[list[Found], tuple | None]:
        """The first `need` rows of a tier behind a key, and where its walk had to stop before its end."""
        if tier.drivers_first:
            rows = self._driven(tier, key, need, FEW)
            if rows is not None:
                return rows, None
        across = bool(tier.segment.key) or tier.drivers_first
        cap = min(FIRST_WALK_ACROSS if across else FIRST_WALK, self.allowance)
        rows, stopped = self._walk(tier, key, need, cap)
        if stopped is None:
            return rows, None
        likely = cap * (need / max(len(rows), 0.5)) <= self.allowance
        if not likely:
            driven = self._driven(tier, key, need, MANY)
            if driven is not None:
                return driven, None
        more, stopped = self._walk(tier, stopped, need - len(rows), self.allowance)
        if stopped is not None and likely:
            driven = self._driven(tier, key, need, MANY)
            if driven is not None:
                return driven, None
        return rows + more, stopped

    def _walk(self, tier: Tier, key: tuple | None, need: int, cap: int) -> tuple[list[Found], tuple | None]:
        """Test up to `cap` rows of the tier's order; where it stopped is None at the end of the order or of the need.

        The last row of the walk comes along whether it passes or not, because the next one begins behind it.
        """
        if cap <= 0:
            return [], key or AT_ITS_BEGINNING
        segment = tier.segment
        source = all_of([Sql(self.alive), segment.within, segment.between(self.workspace_id, key or None)])
        statement = (
            f"SELECT id, sort_key, key_id, nth = {cap}, CASE WHEN nth = {cap} THEN "
            + tier.condition
            + " ELSE true END FROM (SELECT *, row_number() OVER () AS nth FROM (SELECT crm_contact.*, "
            f"{segment.key or 'NULL'} AS sort_key, {segment.id} AS key_id FROM "
            + segment.join
            + " WHERE "
            + source
            + f" ORDER BY {segment.order()} LIMIT {cap}) walked) crm_contact WHERE nth = {cap} OR ("
            + tier.condition
            # Rows come as they are numbered: another ORDER BY here would test all of them before the first is shown.
            + f") LIMIT {need}"
        )
        walked = self._fetch(statement)
        rows = [Found(*row[:3]) for row in walked if row[4]]
        if len(rows) >= need:
            return rows, None
        self.allowance -= cap
        stopped = walked and walked[-1][3]
        return rows, tuple(walked[-1][1:3]) if stopped else None

    def _driven(self, tier: Tier, key: tuple | None, need: int, most: int) -> list[Found] | None:
        """The tier's rows by the first of its drivers that finds no more than `most`; None if none does."""
        for driver in tier.drivers:
            rows = self._candidates(tier, driver, key, need, most)
            if rows is not None:
                return rows
        return None

    def _candidates(self, tier: Tier, driver: Sql, key: tuple | None, need: int, most: int) -> list[Found] | None:
        segment, key = tier.segment, key or None
        value = segment.key or "NULL"
        order = ", ".join(
            f"{column} {segment.direction}" for column in (*(["sort_key"] if segment.key else []), "key_id")
        )
        contact = (
            f"(SELECT * FROM crm_contact WHERE crm_contact.workspace_id = %s AND crm_contact.id = named.id AND {self.alive}"
            " OFFSET 0) crm_contact"
        )
        tested = all_of([tier.condition, segment.within, segment.between(self.workspace_id, key)])
        statement = (
            "WITH named AS MATERIALIZED (SELECT DISTINCT id FROM ("
            + driver
            + f" LIMIT {most + 1}) driver), matched AS MATERIALIZED (SELECT crm_contact.id, {value} AS sort_key, "
            f"{segment.id} AS key_id FROM named, LATERAL "
            + Sql(contact, (self.workspace_id,))
            + self._ordering(segment)
            + Sql(f" WHERE (SELECT count(*) FROM named) <= {most} AND ")
            + tested
            + f") SELECT (SELECT count(*) FROM named) > {most}, page.* FROM (SELECT) one LEFT JOIN "
            f"(SELECT * FROM matched ORDER BY {order} LIMIT {need}) page ON true ORDER BY {order}"
        )
        with without_table_scans():
            rows = self._fetch(statement)
        if rows[0][0]:
            return None
        return [Found(*row[1:]) for row in rows if row[1] is not None]

    def _ordering(self, segment: Segment) -> Sql:
        """What an order needs beside a contact that is already at hand."""
        if segment.join == CONTACTS:
            return Sql("")
        table = segment.join.text.partition(" ")[0]
        inner = all_of(
            [
                Sql("ordering.workspace_id = crm_contact.workspace_id AND ordering.contact_id = crm_contact.id"),
                segment.within,
            ]
        )
        return f", LATERAL (SELECT * FROM {table} ordering WHERE " + inner + " OFFSET 0) ordering"

    def _fetch(self, statement: Sql) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(statement.text, statement.params)
            return cursor.fetchall()


@contextmanager
def without_table_scans():
    """Keep the planner from reading whole tables, for the statements of this block alone.

    It would for a word that it takes for frequent, because of the LIMIT behind it.
    """
    inside = connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('enable_seqscan', 'off', true)")
        yield
        if inside:
            cursor.execute("SELECT set_config('enable_seqscan', 'on', true)")
