"""Lists of chats, the ones with the latest messages first: found at a bounded cost, like contacts (`crm.search.scans`).

Walk along the order and test row by row; for what few chats are an index has
that order with those alone. If so few pass that the page is not full, look up
what an index names; else walk on to the end of the allowance. The page is then
short and has a next one.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from accounts.models import Workspace
from crm.filters.sql import EXISTS, TRUE, Sql, all_of, containing
from crm.models.chats import LISTED_AT_SQL
from crm.search.scans import fetched

FIRST_WALK = 1_000
# In chats that are read one after the other; a contact that is looked up for one is elsewhere in its table.
ALLOWANCE, LOOKED_UP = 20_000, 8
NAMED = 1_000
LISTED_AT = LISTED_AT_SQL.format(alias="crm_chat")
Key = tuple[datetime, UUID]


def named_so(words: Sequence[str]) -> Sql:
    """Whether folded words stand in a chat's names."""
    return all_of(Sql("crm_chat.search_text LIKE %s", (containing(word),)) for word in words)


def driver_of(words: Sequence[str]) -> Sql | None:
    """What of that an index knows: words of three characters and more; None without any."""
    known = [word for word in words if len(word) > 2]
    return named_so(known) if known else None


def page_of_chats(
    *,
    workspace: Workspace,
    condition: Sql = TRUE,
    driver: Sql | None = None,
    along: Sql = TRUE,
    limit: int,
    behind: Key | None = None,
    patience: int = 1,
) -> tuple[list[UUID], Key | None]:
    """The ids of a page in order, and behind which key the next one begins (None at the end).

    `condition` speaks of `crm_chat`; `driver` is another one that all matching
    chats fulfil and an index knows; `along` a third one, that an index in the
    order of the list knows (`Filter.along`). `patience` is how many times as far as
    usual the walk may go.
    """
    need = limit + 1
    cap = max(patience * ALLOWANCE // (1 + LOOKED_UP * condition.text.count(EXISTS)), 1)
    found, stopped = _walk(workspace.pk, condition, all_of([along, _behind(behind)]), need, min(FIRST_WALK, cap))
    if stopped and driver is not None:
        looked_up = _looked_up(workspace.pk, condition, driver, behind, need)
        if looked_up is not None:
            found, stopped = looked_up, None
    if stopped:
        more, stopped = _walk(workspace.pk, condition, all_of([along, _behind(stopped)]), need - len(found), cap)
        found += more
    if len(found) > limit:
        return [id for _, id in found[:limit]], found[limit - 1]
    return [id for _, id in found], stopped


def _behind(key: Key | None) -> Sql:
    return Sql(f"({LISTED_AT}, crm_chat.id) < (%s, %s)", key) if key else TRUE


def _walk(workspace_id: UUID, condition: Sql, within: Sql, need: int, cap: int) -> tuple[list[Key], Key | None]:
    """The first that pass among the first chats within a condition that an index knows, and where the walk stopped before its end or its need."""
    statement = (
        f"SELECT listed_at, id, nth = {cap}, CASE WHEN nth = {cap} THEN "
        + condition
        + " ELSE true END FROM (SELECT *, row_number() OVER () AS nth FROM "
        + Sql(f"(SELECT *, {LISTED_AT} AS listed_at FROM crm_chat WHERE workspace_id = %s AND ", (workspace_id,))
        + within
        + f" ORDER BY {LISTED_AT} DESC, crm_chat.id DESC LIMIT {cap}) walked) crm_chat WHERE nth = {cap} OR ("
        + condition
        + f") LIMIT {need}"
    )
    rows = fetched(statement)
    found = [(row[0], row[1]) for row in rows if row[3]]
    stopped = len(found) < need and rows and rows[-1][2]
    return found, (rows[-1][0], rows[-1][1]) if stopped else None


def _looked_up(workspace_id: UUID, condition: Sql, driver: Sql, key: Key | None, need: int) -> list[Key] | None:
    """All that a driver names, tested and sorted; None if they are too many."""
    tests = all_of([condition, _behind(key)])
    statement = (
        Sql("WITH named AS MATERIALIZED (SELECT * FROM crm_chat WHERE workspace_id = %s AND ", (workspace_id,))
        + driver
        + f" LIMIT {NAMED + 1}) SELECT (SELECT count(*) FROM named) <= {NAMED}, page.* FROM (SELECT) one LEFT JOIN "
        f"(SELECT {LISTED_AT}, crm_chat.id FROM named crm_chat WHERE (SELECT count(*) FROM named) <= {NAMED} AND "
        + tests
        + f" ORDER BY {LISTED_AT} DESC, crm_chat.id DESC LIMIT {need}) page ON true"
    )
    rows = fetched(statement)
    return [(row[1], row[2]) for row in rows if row[2] is not None] if rows[0][0] else None
