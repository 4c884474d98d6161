"""A page of a contact's timeline: one statement for its entries, one for all names in them."""

import json
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

from accounts.models import Workspace
from crm.services.contacts import contact_of
from crm.services.timeline.registry import Source, timeline_sources
from waplus.lib.api.pagination import PageRequest, Sort, moment
from waplus.lib.prepared import PreparedStatement


def _place(text: str) -> tuple[datetime, str]:
    """Decode the first part of a cursor: when, and from which source."""
    at, source = text.split(" ")
    return moment(at), source


SORTS = {"newest": Sort("at", descending=True, decode=_place)}
_BEGINNING = ("infinity", "", UUID(int=0))
_LAST_ID = UUID(int=2**128 - 1)

# The contact and all that went into it, those that went into them included.
_PEOPLE = """
WITH RECURSIVE people AS (
    SELECT workspace_id, id FROM crm_contact WHERE workspace_id = $1::uuid AND id = $2::uuid
    UNION
    SELECT c.workspace_id, c.id FROM crm_contact c JOIN people p ON c.merged_into_id = p.id AND c.workspace_id = p.workspace_id
)
"""
# The first 48 bits of a UUIDv7 are milliseconds since 1970.
_TIME_OF_ID = (
    """timestamptz 'epoch' + (('x' || left(replace(e.id::text, '-', ''), 12))::bit(48)::bigint) * interval '1 ms'"""
)


def _of_source(source: Source) -> str:
    """SQL: the newest entries of a source behind the key ($3 time, $4 source, $5 id; $6 the last id of that time)."""
    behind = (
        f"(e.at < $3::timestamptz OR '{source.name}' COLLATE \"C\" < $4 OR ('{source.name}' = $4 AND e.id < $5::uuid))"
    )
    if source.timed_by_id:
        entries, bound, order = (
            f"(SELECT e.*, {_TIME_OF_ID} AS at FROM ({source.sql}) e)",
            "e.id <= $6::uuid AND e.at <= $3::timestamptz",
            "e.id DESC",
        )
    else:
        entries, bound, order = f"({source.sql})", "e.at <= $3::timestamptz", "e.at DESC, e.id DESC"
    return f"""
SELECT entry.* FROM people person CROSS JOIN LATERAL (
    SELECT e.at, '{source.name}' AS source, e.id, e.kind, e.actor, e.detail FROM {entries} e
    WHERE {bound} AND {behind} ORDER BY {order} LIMIT $7::int
) entry
"""


@cache
def _statement(sources: tuple[Source, ...]) -> PreparedStatement:
    parts = "UNION ALL".join(_of_source(source) for source in sources)
    return PreparedStatement(
        f"{_PEOPLE} SELECT at, source, id, kind, actor, detail::text FROM ({parts}) entries "
        'ORDER BY at DESC, source COLLATE "C" DESC, id DESC LIMIT $7::int'
    )


_NAMES = PreparedStatement(
    """
SELECT 'user', id, CASE WHEN name = '' THEN email ELSE name END FROM accounts_user WHERE id = ANY ($2::uuid[])
UNION ALL SELECT 'stage', id, name FROM crm_stage WHERE workspace_id = $1::uuid AND id = ANY ($3::uuid[])
UNION ALL SELECT 'fields', id, name FROM crm_customfield WHERE workspace_id = $1 AND id = ANY ($4::uuid[])
UNION ALL SELECT 'tag', id, name FROM crm_tag WHERE workspace_id = $1 AND id = ANY ($5::uuid[])
UNION ALL SELECT 'contact', id,
    coalesce(nullif(name, ''), nullif(profile_name, ''), nullif(company, ''), nullif(email, ''), sort_name)
    FROM crm_contact WHERE workspace_id = $1 AND id = ANY ($6::uuid[])
UNION ALL SELECT 'batch', id, file_name FROM crm_importbatch WHERE workspace_id = $1 AND id = ANY ($7::uuid[])
UNION ALL SELECT 'chat', id, coalesce(nullif(own_name, ''), nullif(name, ''), jid)
    FROM crm_chat WHERE workspace_id = $1 AND id = ANY ($8::uuid[])
"""
)
_NAMED = ("user", "stage", "fields", "tag", "contact", "batch", "chat")
# Fields whose change names what it came to, or which one it was: `owner.<user id>`, `fields.<field id>`.
_POINTING = {"owner": "user", "stage": "stage", "fields": "fields"}


class _Names:
    """Collects ids while entries are read, and knows their names afterwards."""

    def __init__(self):
        self._ids: dict[str, set[UUID]] = {kind: set() for kind in _NAMED}
        self._names: dict[tuple[str, UUID], str] = {}

    def wanted(self, kind: str, id: str | UUID) -> tuple[str, UUID]:
        """Note that a name is needed; answers the key that finds it."""
        key = kind, UUID(str(id))
        self._ids[kind].add(key[1])
        return key

    def look_up(self, workspace: Workspace) -> None:
        ids = [sorted(self._ids[kind]) for kind in _NAMED]
        self._names = {(kind, id): name for kind, id, name in _NAMES.fetch([workspace.pk, *ids])}

    def named(self, key: tuple[str, UUID] | None) -> dict | None:
        """`{id, name}`; what is gone has no name."""
        return None if key is None else {"id": key[1], "name": self._names.get(key, "")}


def _changed_field(name: str, names: _Names) -> tuple[str, tuple | None]:
    field, _, id = name.partition(".")
    return field, names.wanted(_POINTING[field], id) if id and field in _POINTING else None


def _read(row: tuple, names: _Names):
    """An entry as a function that makes it once the names are known."""
    at, _source, id, kind, actor, detail = row
    detail = json.loads(detail)
    actor_key = actor and names.wanted("user", actor)
    fields = [_changed_field(name, names) for name in detail.pop("changed", ())]
    related = {name: names.wanted(name, detail.pop(name)) for name in list(detail) if name in _NAMED}

    def entry() -> dict:
        made = {"at": at.astimezone(UTC), "kind": kind, "id": id, "actor": names.named(actor_key), **detail}
        made |= {name: names.named(key) for name, key in related.items()}
        if kind == "contact.updated":
            made["fields"] = [{"field": field, "to": names.named(key)} for field, key in fields]
        return made

    return entry


def _last_id_of(at: datetime | str) -> UUID:
    """The greatest UUIDv7 of the millisecond of a time."""
    if at == _BEGINNING[0]:
        return _LAST_ID
    milliseconds = min(max(int(at.timestamp() * 1000) + 1, 0), 2**48 - 1)
    return UUID(int=(milliseconds << 80) | (2**80 - 1))


def timeline_page(*, workspace: Workspace, contact_id: UUID, page: PageRequest) -> tuple[list[dict], str | None]:
    """One page of what happened with a contact, newest first, and the cursor of the next one.

    What happened with contacts that went into it belongs to it. Entries are
    `{at, kind, id, actor: {id, name} | None, …}` (see `TimelineEntrySerializer`);
    `page` has the order of `SORTS`. Raises `NotFound` for a contact that is not
    there, in the bin or merged away.
    """
    contact_of(workspace=workspace, contact_id=contact_id)
    place, last_id = page.key or ((_BEGINNING[0], _BEGINNING[1]), _BEGINNING[2])
    params = [workspace.pk, contact_id, *place, last_id, _last_id_of(place[0]), page.limit + 1]
    rows = _statement(timeline_sources()).fetch(params)
    names = _Names()
    entries = [_read(row, names) for row in rows[: page.limit]]
    names.look_up(workspace)
    next_cursor = None
    if len(rows) > page.limit:
        at, source, id, *_ = rows[page.limit - 1]
        next_cursor = page.cursor_behind(f"{at.astimezone(UTC).isoformat()} {source}", id)
    return [entry() for entry in entries], next_cursor
