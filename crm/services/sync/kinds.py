"""The kinds of rows that devices keep a copy of, and the documents in which they travel.

PostgreSQL makes the documents. Their members are the columns of the model, so
that a new column is there without anybody thinking of it, but for those that
the kind keeps on the server. Apps of higher floors register their kinds at
start.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from uuid import UUID

from django.db import models

from crm.models.synced import StampedModel, SyncedModel
from waplus.lib.api.sql_moments import moment
from waplus.lib.fields import WallClockField
from waplus.lib.prepared import PreparedStatement

# What no document shows: whose it is, its stamp, and what is derived for lists and search.
ALWAYS_HIDDEN = ("workspace", "changed_xid")
# Without an offset.
_WALL_TIME = """to_char(%s, 'YYYY-MM-DD"T"HH24:MI:SS')"""
# Versions by the names that the document's members have; most rows have none.
_FIELD_VERSIONS = """
CASE WHEN %(column)s = '{}' THEN %(column)s
ELSE (SELECT jsonb_object_agg(regexp_replace(key, '_id$', ''), value) FROM jsonb_each(%(column)s)) END
"""


@dataclass(frozen=True, eq=False)  # there is one of a name; statements are kept by it
class Kind:
    """A kind of synced row.

    `name` is what tombstones call it; `rank` orders kinds, parents before
    children, and never changes, because tokens carry it; `hidden` are the
    model's fields that stay on the server; `visible` is a condition over the
    columns of `row` with one `%s` for the person's id, where not every member
    may see every row.
    """

    name: str
    model: type[StampedModel]
    rank: int
    hidden: tuple[str, ...] = ()
    visible: str = ""

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @cached_property
    def members(self) -> dict[str, models.Field]:
        """The fields of the document by the names of its members: those of the model's fields."""
        hidden = {*ALWAYS_HIDDEN, *self.hidden}
        return {field.name: field for field in self.model._meta.concrete_fields if field.name not in hidden}

    @cached_property
    def select(self) -> str:
        """The columns of a document, as SQL over the alias `row`."""
        return ", ".join(f'{_expression(field)} AS "{name}"' for name, field in self.members.items())

    @property
    def is_versioned(self) -> bool:
        return issubclass(self.model, SyncedModel)


def _expression(field: models.Field) -> str:
    column = f'row."{field.column}"'
    if isinstance(field, models.DateTimeField):
        return moment(column)
    if isinstance(field, WallClockField):
        return _WALL_TIME % column
    if field.name == "field_versions":
        return _FIELD_VERSIONS % {"column": column}
    return column


_kinds: dict[str, Kind] = {}


def register_kind(kind: Kind) -> None:
    """Let devices pull a kind of rows. The table has its stamps by `waplus.lib.change_stamps.StampChanges`."""
    taken = next((other for other in _kinds.values() if other.rank == kind.rank and other.name != kind.name), None)
    if taken is not None:
        raise ValueError(f"{kind.name} and {taken.name} have the same rank")
    _kinds[kind.name] = kind
    kinds.cache_clear()


@cache
def kinds() -> tuple[Kind, ...]:
    """All kinds, parents before children."""
    return tuple(sorted(_kinds.values(), key=lambda kind: kind.rank))


def kind_named(name: str) -> Kind | None:
    return _kinds.get(name)


def change_sql(kind: Kind) -> str:
    """A change as JSON text, over the alias `document` of a row of `kind.select`."""
    return f"""'{{"kind":"{kind.name}","id":"' || document.id || '","document":' || row_to_json(document) || '}}'"""


def deletion(kind: str, row_id: str) -> str:
    """The change that says that a row is gone, or not for this person to see."""
    return json.dumps({"kind": kind, "id": row_id, "deleted": True}, separators=(",", ":"))


@cache
def _by_ids(kind: Kind) -> PreparedStatement:
    visible = f"AND {kind.visible}" if kind.visible else ""
    return PreparedStatement(
        f"SELECT document.id::text, {change_sql(kind)} FROM (SELECT {kind.select} FROM {kind.table} row "
        f"WHERE row.workspace_id = %s AND row.id = ANY(%s::uuid[]) {visible}) document"
    )


def present_changes(*, kind: Kind, workspace_id: UUID, user_id: UUID, ids: Iterable[str]) -> dict[str, str]:
    """What is there of some rows, by id, each as the JSON text of a change; what this person may not see is not there."""
    person = [user_id] if kind.visible else []
    return dict(_by_ids(kind).fetch([workspace_id, "{" + ",".join(ids) + "}", *person]))
