"""Pulling: everything that changed behind a token, in the order of transactions.

A transaction's id is below the horizon (`pg_snapshot_xmin` of the snapshot that
reads) once it and every earlier one have ended. What is read below the horizon
is therefore complete for good: later changes, also of the same rows, carry ids
at or above it. The horizon and the keys are read in one statement, that is in
one snapshot; a horizon read after the rows would be the very mistake that
loses them.

The keys name what changed. Documents are read after them and show each row as
it is by then, or that it is gone: a newer state than the key's can only come
early, never get lost, because its own key comes again. So a change that is
applied twice, or a row deleted and made again, need no rule of their own.
"""

from dataclasses import dataclass
from functools import cache
from uuid import UUID

from accounts.models import User, Workspace
from accounts.services.tokens import Glance
from crm.services.sync.epoch import EPOCH, HORIZON, begin_epoch, running_history, standing_epoch, within_epoch
from crm.services.sync.kinds import Kind, change_sql, deletion, kinds, present_changes
from crm.services.sync.tokens import END, NIL, Token, decode, encode, scope_of, start_over, transaction_of
from waplus.lib.prepared import PreparedStatement

DEFAULT_LIMIT = 1_000
MAX_LIMIT = 5_000
# A page ends early behind so many characters, looked at every so many rows: a page of long notes is no larger than one of contacts.
MAX_LENGTH = 4_000_000
SLICE = 1_000
_LAST_ID = UUID(int=2**128 - 1)


@dataclass(frozen=True)
class Pulled:
    """A page of changes as JSON texts of one or several, where to go on, and whether there is more at once."""

    changes: list[str]
    next: str
    more: bool
    epoch: UUID


def pull(*, workspace: Workspace, user: User, token: str = "", limit: int = DEFAULT_LIMIT, seen: tuple = ()) -> Pulled:
    """The page behind a token; without one the beginning of a first pull. `seen` is what `glance_for` it found.

    Raises `sync_start_over` with a reason if the token no longer counts, and
    `invalid_cursor` if it never was one.
    """
    scope = scope_of(workspace.pk, user.pk)
    at = decode(token, scope) if token else None
    if at is None or at.first:
        changes, after, more = _first_page(workspace, user, at, limit)
    else:
        changes, after, more = _changes_page(workspace, user, at, limit, seen)
    return Pulled(changes, encode(after, scope), more, after.epoch)


# --- Changes --------------------------------------------------------------------------------------

_STANDING = """
FROM (SELECT 1) one LEFT JOIN crm_syncepoch epoch ON true
LEFT JOIN crm_syncfloor floor ON floor.workspace_id = $1
"""


def glance_for(token: str) -> Glance | None:
    """What tells, in the query that finds the caller, that nothing changed behind a token: most pulls end with it."""
    xid = transaction_of(token)
    return None if xid is None else Glance(*_glance(kinds()), str(xid))


@cache
def _glance(known: tuple[Kind, ...]) -> tuple[str, str]:
    """Columns and joins: the epoch, the horizon, the floor, and whether anything is there behind `$2`, readable already or not.

    Only the end of each table's index is looked at, from the transaction on:
    without an order the planner might look for one in the whole table, and
    before the transaction may lie what was deleted and not yet cleared away.
    """
    tables = [*(kind.table for kind in known), "crm_tombstone"]
    behind = "AND changed_xid > $2"
    anything = " OR ".join(f"{_newest(table, 'session.workspace_id', behind)} IS NOT NULL" for table in tables)
    return (
        f"{EPOCH}, ({HORIZON})::text, floor.xid::text, {anything}",
        "LEFT JOIN crm_syncepoch epoch ON true LEFT JOIN crm_syncfloor floor ON floor.workspace_id = session.workspace_id",
    )


def _newest(table: str, workspace: str = "$1", condition: str = "") -> str:
    """The newest transaction that a row of a workspace is of, as SQL."""
    return (
        f"(SELECT changed_xid FROM {table} WHERE workspace_id = {workspace} {condition} "
        "ORDER BY changed_xid DESC LIMIT 1)"
    )


@cache
def _changed_keys(known: tuple[Kind, ...]) -> PreparedStatement:
    """The epoch, the horizon, the floor, and the keys behind a position as `xid:rank:id,…`.

    Each table gives its first rows through its own index, so a page costs the
    same in a small workspace and in a large one. `$2` to `$4` are the position,
    `$5` the number of keys.
    """
    rows = " UNION ALL ".join(
        f"(SELECT changed_xid AS xid, {kind.rank} AS rank, id FROM {kind.table} WHERE workspace_id = $1 "
        f"AND (changed_xid, id) > ($2, CASE WHEN {kind.rank} < $3 THEN '{_LAST_ID}'::uuid WHEN {kind.rank} = $3 THEN $4 "
        f"ELSE '{NIL}'::uuid END) AND changed_xid < {HORIZON} ORDER BY changed_xid, id LIMIT $5)"
        for kind in known
    )
    rank = "CASE kind " + " ".join(f"WHEN '{kind.name}' THEN {kind.rank}" for kind in known) + " END"
    names = ", ".join(f"'{kind.name}'" for kind in known)
    buried = (
        f"(SELECT xid, rank, id FROM (SELECT changed_xid AS xid, {rank} AS rank, row_id AS id FROM crm_tombstone "
        f"WHERE workspace_id = $1 AND changed_xid >= $2 AND changed_xid < {HORIZON} AND kind IN ({names})) stone "
        "WHERE (xid, rank, id) > ($2, $3, $4) ORDER BY xid, rank, id LIMIT $5)"
    )
    return PreparedStatement(
        f"""
        SELECT {EPOCH}, ({HORIZON})::text, floor.xid::text, keys.found {_STANDING}
        LEFT JOIN LATERAL (
            SELECT string_agg(xid || ':' || rank || ':' || id, ',' ORDER BY xid, rank, id) AS found
            FROM (SELECT xid, rank, id FROM ({rows} UNION ALL {buried}) changed ORDER BY xid, rank, id LIMIT $5) page
        ) keys ON true
        """,
        planned_once=True,
    )


def _changes_page(
    workspace: Workspace, user: User, at: Token, limit: int, seen: tuple
) -> tuple[list[str], Token, bool]:
    known = kinds()
    if seen:
        *standing, is_anything = seen
        _check(at, *standing)
        if not is_anything:
            return [], at, False
    params = [workspace.pk, str(at.xid), at.rank, at.row_id, limit + 1]
    [(*standing, found)] = _changed_keys(known).fetch(params)
    _check(at, *standing)
    keys = [_key(text) for text in found.split(",")] if found else []
    if not keys:
        return [], at, False
    changes: list[str] = []
    length = taken = 0
    while taken < min(limit, len(keys)) and length < MAX_LENGTH:
        page = keys[taken : min(taken + SLICE, limit)]
        taken += len(page)
        texts = _present(workspace, user, page, known)
        changes += texts
        length += sum(map(len, texts))
    more = len(keys) > taken
    last = keys[taken - 1]
    return changes, at.at(*last) if more else at.at(last[0], END, NIL), more


def _check(at: Token, epoch: UUID | None, history: str | None, horizon: str, floor: str | None) -> None:
    """Refuse a position that does not count in the history that runs, or whose deletions are forgotten."""
    if history != running_history():
        begin_epoch(instead_of=epoch)
        raise start_over("other_database")
    if at.epoch != epoch:
        raise start_over("other_database")
    if at.xid >= int(horizon):
        begin_epoch(instead_of=epoch)
        raise start_over("set_back")
    if floor is not None and (at.xid, at.rank) < (int(floor), END):
        raise start_over("too_old")


def _key(text: str) -> tuple[int, int, UUID]:
    xid, rank, row_id = text.split(":")
    return int(xid), int(rank), UUID(row_id)


def _present(workspace: Workspace, user: User, page: list[tuple[int, int, UUID]], known: tuple[Kind, ...]) -> list[str]:
    """What is there of the rows that some keys name, in the order of the keys, each row once."""
    wanted: dict[int, list[str]] = {}
    order = dict.fromkeys((rank, str(row_id)) for _, rank, row_id in page)
    for rank, row_id in order:
        wanted.setdefault(rank, []).append(row_id)
    by_rank = {kind.rank: kind for kind in known}
    there = {
        rank: present_changes(kind=by_rank[rank], workspace_id=workspace.pk, user_id=user.pk, ids=ids)
        for rank, ids in wanted.items()
    }
    return [there[rank].get(row_id) or deletion(by_rank[rank].name, row_id) for rank, row_id in order]


# --- The first pull -------------------------------------------------------------------------------


@cache
def _start(known: tuple[Kind, ...]) -> PreparedStatement:
    """The epoch, the newest transaction below the horizon of which there is a row, and the newest of all.

    The first is where changes go on, the second bounds the pull: it is higher
    where rows came from another server's dump, whose transactions were ahead.
    """

    def newest(tables: list[str], condition: str = "") -> str:
        return f"greatest('0'::xid8, {', '.join(_newest(table, condition=condition) for table in tables)}"

    tables = [kind.table for kind in known]
    return PreparedStatement(
        f"""
        SELECT {EPOCH},
            {newest([*tables, "crm_tombstone"], f"AND changed_xid < {HORIZON}")},
                (SELECT xid FROM crm_syncfloor WHERE workspace_id = $1 AND xid < {HORIZON}))::text,
            {newest(tables)})::text
        FROM (SELECT 1) one LEFT JOIN crm_syncepoch epoch ON true
        """,
        planned_once=True,
    )


@cache
def _rows(kind: Kind) -> PreparedStatement:
    """Rows of a kind behind `(xid, id)` as one text of changes; how many they are, and the last one's key."""
    visible = f"AND {kind.visible}" if kind.visible else ""
    return PreparedStatement(
        f"SELECT string_agg(change, ','), count(*), (array_agg(xid))[count(*)]::text, (array_agg(id))[count(*)] FROM ("
        f"SELECT {change_sql(kind)} AS change, row.changed_xid AS xid, document.id FROM {kind.table} row, "
        f"LATERAL (SELECT {kind.select}) document WHERE row.workspace_id = %s "
        f"AND (row.changed_xid, row.id) > (%s, %s) AND row.changed_xid <= %s {visible} "
        f"ORDER BY row.changed_xid, row.id LIMIT %s) page"
    )


def _begin(workspace: Workspace) -> Token:
    """Where a first pull begins, in the epoch that stands or in one that begins with it."""
    epoch, since, bound = within_epoch(lambda: _start(kinds()).fetch([workspace.pk]))
    return Token(epoch, rank=0, first=True, since=int(since), bound=int(bound))


def _first_page(workspace: Workspace, user: User, at: Token | None, limit: int) -> tuple[list[str], Token, bool]:
    """Kind by kind, through the index by change: what changes meanwhile leaves for behind `since` and comes as a change."""
    if at is None:
        at = _begin(workspace)
    elif standing_epoch() != at.epoch:
        raise start_over("other_database")
    changes: list[str] = []
    length = 0
    for kind in kinds():
        if kind.rank < at.rank:
            continue
        xid, row_id = (str(at.xid), at.row_id) if kind.rank == at.rank else ("0", NIL)
        person = [user.pk] if kind.visible else []
        while True:
            wanted = min(limit, SLICE)
            params = [workspace.pk, xid, row_id, str(at.bound), *person, wanted]
            [(text, count, *last)] = _rows(kind).fetch(params)
            if count:
                changes.append(text)
                length += len(text)
                limit -= count
                xid, row_id = last
            if count < wanted:
                break
            if not limit or length >= MAX_LENGTH:
                return changes, at.at(int(xid), kind.rank, row_id), True
    # A device is up to date when a page of changes says so, and not before.
    return changes, Token(at.epoch, at.since), True
