"""Recording what happened."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Event, Workspace
from waplus.lib.ids import uuid7
from waplus.lib.prepared import PreparedStatement
from waplus.lib.request_id import current_request_id

EVENT_COLUMNS = (
    *("id", "workspace_id", "kind", "actor_kind", "actor_user_id", "actor_instance_id", "object_type", "object_id"),
    *("changed", "count", "request_id", "happened_at"),
)
_INSERT = PreparedStatement(
    f"INSERT INTO accounts_event ({', '.join(EVENT_COLUMNS)}) VALUES (%s{', %s' * 11}) RETURNING id"  # noqa: S608
)


def record_event(
    *, kind: str, actor: Actor, workspace: Workspace | None, obj=None, changed: Iterable[str] = (), count: int = 1
) -> Event:
    """Write one event in the transaction of the change that it tells of.

    `kind` is dotted and in the past tense (`contact.created`); `changed` names
    fields and never carries values. Outside of a transaction the event could
    exist without its change, so that is refused.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{kind} was recorded outside of a transaction")
    values = event_values(
        kind=kind,
        actor=actor,
        workspace_id=workspace and workspace.pk,
        object_id=obj.pk if obj is not None else None,
        changed=changed,
        count=count,
    )
    _INSERT.fetch(values)
    return Event.from_db(connection.alias, EVENT_COLUMNS, values)


def event_values(
    *,
    kind: str,
    actor: Actor,
    workspace_id: UUID | None,
    object_id: UUID | None,
    changed: Iterable[str] = (),
    count: int = 1,
) -> tuple:
    """An event as values for `EVENT_COLUMNS`, for the one statement that writes a change together with its event."""
    return (
        *(uuid7(), workspace_id, kind, actor.kind, actor.user_id, actor.instance_id, kind.partition(".")[0], object_id),
        *(sorted(changed), count, current_request_id(), timezone.now()),
    )


def hint_at_changes(workspace: Workspace) -> None:
    """Wake who listens for changes of a workspace at commit, as an event does, where a change is no news for people.

    Counters and times of chats change with every message; an event for each would bury all others.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify('waplus_changes', %s || ':' || pg_current_xact_id()::text)", [str(workspace.pk)]
        )


def hint_at_changes_of(workspace_ids: Iterable[UUID]) -> None:
    """Wake who listens for changes of many workspaces, in one statement (see `hint_at_changes`)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify('waplus_changes', id || ':' || pg_current_xact_id()::text) FROM unnest(%s::text[]) AS t (id)",
            [sorted(map(str, workspace_ids))],
        )
