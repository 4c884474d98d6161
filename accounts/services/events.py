"""Recording what happened."""

from collections.abc import Iterable

from django.db import connection

from accounts.actors import Actor
from accounts.models import Event, Workspace
from waplus.lib.request_id import current_request_id


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
    return Event.objects.create(
        kind=kind,
        workspace=workspace,
        actor_kind=actor.kind,
        actor_user_id=actor.user_id,
        actor_instance_id=actor.instance_id,
        object_type=kind.partition(".")[0],
        object_id=obj.pk if obj is not None else None,
        changed=sorted(changed),
        count=count,
        request_id=current_request_id(),
    )


def hint_at_changes(workspace: Workspace) -> None:
    """Wake who listens for changes of a workspace at commit, as an event does, where a change is no news for people.

    Counters and times of chats change with every message; an event for each would bury all others.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify('waplus_changes', %s || ':' || pg_current_xact_id()::text)", [str(workspace.pk)]
        )
