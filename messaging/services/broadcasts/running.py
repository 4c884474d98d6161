"""A broadcast from its start to its end: pause, resume, cancel, and the sweep that settles what follows from them.

Whether anything is handed out depends on the state of the broadcast's row
alone. A claim holds that row while it picks, so whoever pauses or cancels waits
for the claims that are under way, and none picks afterwards.
"""

import logging
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts import actors
from accounts.actors import Actor
from accounts.models import Membership, Resource, Workspace
from accounts.services import plans
from accounts.services.events import hint_at_changes, record_event
from messaging.models import Broadcast, BroadcastState
from messaging.services.broadcasts import hours
from messaging.services.broadcasts.drafting import locked
from messaging.services.broadcasts.starting import may_start
from waplus.lib.errors import Refused
from waplus.lib.hints import hint_after_commit

logger = logging.getLogger(__name__)
SETTLE = "messaging.tasks.settle_broadcasts"
CHUNK = 5_000
CAN_BE_CANCELLED = (BroadcastState.SCHEDULED, BroadcastState.STARTING, BroadcastState.RUNNING, BroadcastState.PAUSED)
BY_CANCEL = "The broadcast was cancelled."

# The places of a chunk that nobody has. What was never tried counts for the plan: a person once, by their first part.
_CANCEL = """
WITH chunk AS (
    SELECT id FROM messaging_queuedmessage WHERE broadcast_id = %(broadcast)s AND state IN ('queued', 'late')
    ORDER BY id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
), cancelled AS (
    UPDATE messaging_queuedmessage q SET state = 'cancelled', reason_code = 'broadcast_cancelled', reason = %(reason)s, held_by = ''
    FROM chunk WHERE q.id = chunk.id RETURNING q.position
)
SELECT count(*), count(*) FILTER (WHERE position = 0) FROM cancelled
"""
_IS_OPEN = """
SELECT EXISTS (
    SELECT FROM messaging_queuedmessage
    WHERE broadcast_id = %s AND state IN ('queued', 'leased', 'sending', 'outcome_unknown', 'late')
)
"""
# What could have gone, but not any more today: it goes on at the next opening of its zone.
_PUT_OFF = """
WITH chunk AS (
    SELECT q.id, closed.opens FROM messaging_queuedmessage q
    JOIN unnest(%(zones)s::text[], %(opens)s::timestamptz[]) AS closed (zone, opens) ON closed.zone = q.recipient_zone
    WHERE q.broadcast_id = %(broadcast)s AND q.state = 'queued' AND q.not_before <= %(now)s
    LIMIT %(limit)s FOR NO KEY UPDATE OF q SKIP LOCKED
)
UPDATE messaging_queuedmessage q SET not_before = chunk.opens, held_by = 'broadcast_hours' FROM chunk WHERE q.id = chunk.id
"""


def _move(broadcast: Broadcast, state: BroadcastState, actor: Actor, kind: str) -> Broadcast:
    broadcast.state = state
    broadcast.save(update_fields=["state", "updated_at"])
    record_event(kind=kind, actor=actor, workspace=broadcast.workspace, obj=broadcast, changed=["state"])
    return broadcast


def _refuse(broadcast: Broadcast, sentence: str) -> Refused:
    return Refused("wrong_state", sentence, extra={"state": broadcast.state})


@transaction.atomic
def pause_broadcast(*, workspace: Workspace, broadcast_id: UUID, actor: Actor) -> Broadcast:
    """Hand nothing out any more until it is resumed. What a device has already may still go. Pausing again changes nothing."""
    broadcast = locked(workspace, broadcast_id)
    if broadcast.state == BroadcastState.PAUSED:
        return broadcast
    if broadcast.state != BroadcastState.RUNNING:
        raise _refuse(broadcast, "Only what is running can be paused.")
    return _move(broadcast, BroadcastState.PAUSED, actor, "broadcast.paused")


@transaction.atomic
def resume_broadcast(*, workspace: Workspace, broadcast_id: UUID, membership: Membership, actor: Actor) -> Broadcast:
    """Go on where it was paused; whoever may start may resume."""
    broadcast = locked(workspace, broadcast_id)
    if not may_start(membership):
        raise Refused("forbidden", "Ask an admin of the workspace to let it go on.")
    if broadcast.state == BroadcastState.RUNNING:
        return broadcast
    if broadcast.state != BroadcastState.PAUSED:
        raise _refuse(broadcast, "Only what is paused can be resumed.")
    _move(broadcast, BroadcastState.RUNNING, actor, "broadcast.resumed")
    hint_at_changes(workspace)
    return broadcast


@transaction.atomic
def cancel_broadcast(*, workspace: Workspace, broadcast_id: UUID, actor: Actor) -> Broadcast:
    """Send nothing more of it, ever. What a device has already may still go; the rest is cancelled by the sweep."""
    broadcast = locked(workspace, broadcast_id)
    if broadcast.state == BroadcastState.CANCELLED:
        return broadcast
    if broadcast.state not in CAN_BE_CANCELLED:
        raise _refuse(broadcast, "It is over, or has not begun.")
    if broadcast.started_at is None:
        broadcast.finished_at = timezone.now()
        broadcast.save(update_fields=["finished_at"])
    _move(broadcast, BroadcastState.CANCELLED, actor, "broadcast.cancelled")
    hint_after_commit(SETTLE)
    return broadcast


@transaction.atomic
def unschedule_broadcast(*, workspace: Workspace, broadcast_id: UUID, actor: Actor) -> Broadcast:
    """Make what waits for its time a draft again."""
    broadcast = locked(workspace, broadcast_id)
    if broadcast.state == BroadcastState.DRAFT:
        return broadcast
    if broadcast.state != BroadcastState.SCHEDULED:
        raise _refuse(broadcast, "It has begun already.")
    return _move(broadcast, BroadcastState.DRAFT, actor, "broadcast.unscheduled")


def settle_broadcasts() -> dict[str, int]:
    """Cancel what is left of cancelled ones, put off what is out of hours, end what is through; answers how many of each."""
    counts = {"cancelled": 0, "put_off": 0, "ended": 0}
    started = Broadcast.objects.filter(finished_at=None, started_at__isnull=False)
    for broadcast_id, state in list(started.order_by("id").values_list("pk", "state")):
        try:
            if state == BroadcastState.CANCELLED:
                while cancelled := _cancel_chunk(broadcast_id):
                    counts["cancelled"] += cancelled
            elif state == BroadcastState.RUNNING:
                counts["put_off"] += put_off(broadcast_id, timezone.now())
            counts["ended"] += _end(broadcast_id)
        except Broadcast.DoesNotExist:
            continue
        except Exception:
            # Whatever it is: the broadcasts behind it, other people's, go on all the same.
            logger.exception("broadcast %s could not be settled", broadcast_id)
    return counts


@transaction.atomic
def _cancel_chunk(broadcast_id: UUID) -> int:
    broadcast = Broadcast.objects.select_related("workspace").get(pk=broadcast_id)
    with connection.cursor() as cursor:
        cursor.execute(_CANCEL, {"broadcast": broadcast_id, "limit": CHUNK, "reason": BY_CANCEL})
        cancelled, people = cursor.fetchone()
    now = timezone.now()
    # What another month paid for cannot be given back to this one.
    if people and (broadcast.started_at.year, broadcast.started_at.month) == (now.year, now.month):
        plans.release(workspace=broadcast.workspace, resource=Resource.BROADCAST_RECIPIENTS, amount=people)
    return cancelled


def put_off(broadcast_id: UUID, now: datetime) -> int:
    """Let what may not be sent at this hour go on at the next opening; answers how much that was."""
    broadcast = Broadcast.objects.get(pk=broadcast_id)
    if not broadcast.has_hours:
        return 0
    opens = {}
    for zone in ("", *broadcast.zones):
        clock = hours.zone_of(broadcast, zone)
        # Without an opening before the end it is too late for it then.
        opens[zone] = hours.next_opening(broadcast, clock, now) or hours.end_of(broadcast, broadcast.started_at)
    closed = {zone: at for zone, at in opens.items() if at > now}
    if not closed:
        return 0
    params = {
        "broadcast": broadcast_id,
        "now": now,
        "limit": CHUNK,
        "zones": list(closed),
        "opens": list(closed.values()),
    }
    total = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_PUT_OFF, params)
            moved = cursor.rowcount
        total += moved
        if moved < CHUNK:
            return total


@transaction.atomic
def _end(broadcast_id: UUID) -> int:
    """End a broadcast of which nothing is left to be sent or found out."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_OPEN, [broadcast_id])
        if cursor.fetchone()[0]:
            return 0
    rows = Broadcast.objects.select_related("workspace").select_for_update(of=("self",), no_key=True, skip_locked=True)
    broadcast = rows.filter(pk=broadcast_id, finished_at=None).first()
    if broadcast is None:
        return 0
    broadcast.finished_at = timezone.now()
    if broadcast.state == BroadcastState.CANCELLED:
        broadcast.save(update_fields=["finished_at", "updated_at"])
        return 1
    broadcast.state = BroadcastState.DONE
    broadcast.save(update_fields=["state", "finished_at", "updated_at"])
    record_event(
        kind="broadcast.finished",
        actor=actors.SYSTEM,
        workspace=broadcast.workspace,
        obj=broadcast,
        count=max(broadcast.recipients, 1),
    )
    return 1
