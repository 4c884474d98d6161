"""The start of a broadcast: asked for by a member, done by the worker in one transaction.

That transaction decides on everybody, queues what is to be sent, writes down
who is left out, takes the plan's share and lets the broadcast run. A worker
that dies in it leaves a broadcast that is still to be started, and no row; the
attempt is counted before, in a transaction of its own, so that a start that
kills its worker is not tried for ever. The
broadcast's own row is touched last and only if it still waits for its start:
whoever cancels meanwhile does not wait, and undoes it all.
"""

import logging
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts import actors
from accounts.actors import Actor
from accounts.models import Membership, Resource, Role, User, Workspace
from accounts.services import plans
from accounts.services.events import hint_at_changes, record_event
from messaging.models import Broadcast, BroadcastState
from messaging.services import contents
from messaging.services.broadcasts import hours, preparing
from messaging.services.broadcasts.audience import GONE, is_empty, people_sql
from messaging.services.broadcasts.drafting import locked, members_may_start
from messaging.services.broadcasts.judging import Judged, judge
from messaging.services.queueing import INSERT_COLUMNS, RESERVED_ID
from waplus.lib.errors import Invalid, Refused
from waplus.lib.hints import hint_after_commit
from waplus.lib.locks import take_turn_now
from waplus.lib.long_work import note_attempt

START = "messaging.tasks.start_broadcasts"
MAX_ATTEMPTS = 5
BROKE_OFF = (
    f"Starting it broke off {MAX_ATTEMPTS} times, so it is a draft again. Nothing was sent. Try again, perhaps with a "
    "smaller audience; if it breaks off once more, support can look into it."
)
NOBODY = "Nobody of the audience would get it. Try it out to see why."
logger = logging.getLogger(__name__)

# Ids in the order of places, as UUIDv7 are in that of time: a millisecond for every 4096 rows. The index that is
# handed out from is then filled from left to right.
_ID = (
    "(lpad(to_hex(%(milliseconds)s::bigint + {number} / 4096), 12, '0') || '7' || lpad(to_hex({number} % 4096), 3, '0')"
    " || right(replace(gen_random_uuid()::text, '-', ''), 16))::uuid"
).replace("% 4096", "%% 4096")
_QUEUE = """
INSERT INTO messaging_queuedmessage ({columns})
SELECT {values}
FROM broadcast_judged j
CROSS JOIN LATERAL (VALUES {parts}) AS part (position, body, media_id)
WHERE j.reason = '' AND j.place > %(after)s AND j.place <= %(until)s ORDER BY j.place, part.position
"""
_LEAVE_OUT = """
WITH written AS (
    INSERT INTO messaging_broadcastexclusion (id, workspace_id, broadcast_id, contact_id, reason, detail)
    SELECT {id}, %(workspace)s, %(broadcast)s, j.contact_id, j.reason, CASE j.reason WHEN 'missing_variable' THEN j.missing ELSE '' END
    FROM broadcast_judged j WHERE j.reason <> '' ORDER BY j.place RETURNING reason
)
SELECT reason, count(*) FROM written GROUP BY reason
""".replace("{id}", _ID.format(number="j.place"))


def may_start(membership: Membership) -> bool:
    """Whether a member starts broadcasts: admins do, others where the workspace lets them."""
    return membership.may(Role.ADMIN) or members_may_start(membership.workspace)


@transaction.atomic
def start_broadcast(
    *, workspace: Workspace, broadcast_id: UUID, user: User, membership: Membership, actor: Actor
) -> Broadcast:
    """Have a draft started: at once, or at its time if that is still to come.

    Refuses a second start (`wrong_state`), what says nothing or means nobody
    (`invalid`), and who may not start broadcasts (`forbidden`).
    """
    broadcast = locked(workspace, broadcast_id)
    if not may_start(membership):
        raise Refused("forbidden", "Ask an admin of the workspace to start it, or to let members start broadcasts.")
    if broadcast.state != BroadcastState.DRAFT:
        raise Refused("wrong_state", "Only a draft can be started.", extra={"state": broadcast.state})
    _check_complete(broadcast)
    waits = broadcast.starts_at is not None and broadcast.starts_at > timezone.now()
    broadcast.state = BroadcastState.SCHEDULED if waits else BroadcastState.STARTING
    broadcast.started_by, broadcast.problem, broadcast.attempts = user, "", 0
    broadcast.save(update_fields=["state", "started_by", "problem", "attempts", "updated_at"])
    kind = "broadcast.scheduled" if waits else "broadcast.starting"
    record_event(kind=kind, actor=actor, workspace=workspace, obj=broadcast, changed=["state"])
    if not waits:
        hint_after_commit(START)
    return broadcast


def _check_complete(broadcast: Broadcast) -> None:
    if not contents.parts_of(broadcast):
        raise Invalid("parts", "required", "There is nothing to be sent yet: write a message.")
    if is_empty(broadcast.audience):
        raise Invalid("audience.include", "required", "Nobody is meant yet: choose an audience.")
    if broadcast.ends_at is not None and broadcast.ends_at <= max(
        timezone.now(), broadcast.starts_at or timezone.now()
    ):
        raise Invalid("end_wall", "in_the_past", "It would be over before it begins.")
    try:
        people_sql(workspace=broadcast.workspace, viewer=broadcast.created_by, audience=broadcast.audience)
    except Refused as refusal:
        raise Invalid("audience", "does_not_exist", GONE) from refusal


def start_waiting_broadcasts() -> int:
    """Start what was asked for and what is due, one after the other; answers how many began to run."""
    now = timezone.now()
    due = Broadcast.objects.filter(state=BroadcastState.SCHEDULED, starts_at__lte=now, finished_at=None)
    due.update(state=BroadcastState.STARTING)
    # What broke off already does not hold up what was not tried yet.
    waiting = Broadcast.objects.filter(state=BroadcastState.STARTING, finished_at=None).order_by("attempts", "id")
    return sum(run_start(broadcast_id) for broadcast_id in list(waiting.values_list("pk", flat=True)[:100]))


class _Overtaken(Exception):
    """Somebody cancelled it meanwhile."""


def run_start(broadcast_id: UUID) -> bool:
    """Start one broadcast that waits for it; False if another worker is at it, it was cancelled, or it cannot start."""
    try:
        if not _note_attempt(broadcast_id):
            return False
        with transaction.atomic():
            return _start(broadcast_id)
    except _Overtaken:
        return False
    except Refused as refusal:
        _back_to_draft(broadcast_id, refusal.detail)
    except Exception:
        # Whatever it is: the broadcasts behind it, other people's, start all the same.
        logger.exception("the start of broadcast %s broke off", broadcast_id)
        if Broadcast.objects.filter(pk=broadcast_id, attempts__gte=MAX_ATTEMPTS).exists():
            _back_to_draft(broadcast_id, BROKE_OFF)
    return False


@transaction.atomic
def _note_attempt(broadcast_id: UUID) -> bool:
    """Count an attempt at a broadcast that no other worker is at, and answer whether it may be made."""
    waiting = Broadcast.objects.filter(state=BroadcastState.STARTING)
    return take_turn_now("broadcast", broadcast_id) and note_attempt(
        waiting, broadcast_id, give_up=lambda row: _back_to_draft(row.pk, BROKE_OFF), most=MAX_ATTEMPTS
    )


def _start(broadcast_id: UUID) -> bool:
    if not take_turn_now("broadcast", broadcast_id):
        return False
    broadcast = (
        Broadcast.objects.select_related("workspace__plan", "created_by", "started_by")
        .filter(pk=broadcast_id, state=BroadcastState.STARTING)
        .first()
    )
    if broadcast is None:
        return False
    preparing.tell(broadcast.pk, preparing.JUDGED, 0, 0)
    now = timezone.now()
    judged = judge(
        broadcast,
        sender=broadcast.started_by or broadcast.created_by,
        start=now,
        told=partial(preparing.tell, broadcast.pk, preparing.JUDGED),
    )
    if not judged.fitting and not judged.over_plan:
        raise Refused("wrong_state", NOBODY)
    if (judged.over_plan and not broadcast.allow_partial) or not judged.fitting:
        raise plans.limit_reached(
            workspace=broadcast.workspace,
            resource=Resource.BROADCAST_RECIPIENTS,
            amount=judged.fitting + judged.over_plan,
        )
    plans.reserve(workspace=broadcast.workspace, resource=Resource.BROADCAST_RECIPIENTS, amount=judged.fitting)
    _queue(broadcast, judged, now)
    left_out = _leave_out(broadcast, now)
    is_started = Broadcast.objects.filter(pk=broadcast.pk, state=BroadcastState.STARTING).update(
        state=BroadcastState.RUNNING,
        started_at=now,
        recipients=judged.fitting,
        left_out=left_out,
        zones=judged.zones,
        updated_at=now,
    )
    if not is_started:
        raise _Overtaken
    record_event(
        kind="broadcast.started",
        actor=actors.person_or_system(broadcast.started_by),
        workspace=broadcast.workspace,
        obj=broadcast,
        count=judged.fitting,
    )
    hint_at_changes(broadcast.workspace)
    return True


def _queue(broadcast: Broadcast, judged: Judged, now: datetime) -> None:
    parts = len(judged.media)
    # Every column by its name, so that one which is added to the queue is missed here at once.
    values = {
        "id": _ID.format(number=f"(j.place * {parts} + part.position)"),
        "workspace_id": "%(workspace)s",
        "source": "'broadcast'",
        "origin_id": "%(broadcast)s",
        "scheduled_message_id": "NULL",
        "broadcast_id": "%(broadcast)s",
        "occurrence_at": "%(now)s",
        "position": "part.position",
        "whatsapp_account_id": "%(account)s",
        "contact_id": "j.contact_id",
        "chat_jid": "j.chat_jid",
        "body": "part.body",
        "media_id": "part.media_id",
        "message_id": RESERVED_ID,
        "created_by_id": "%(user)s",
        "due_at": "%(now)s",
        "not_before": "j.not_before",
        "held_by": "CASE WHEN j.not_before > %(now)s THEN 'broadcast_plan' ELSE '' END",
        "expires_at": "%(end)s",
        "on_late": "'skip'",
        "recipient_zone": "j.zone",
        "state": "'queued'",
        "fence": "0",
        "is_new_contact": "FALSE",
        "reason_code": "''",
        "reason": "''",
        "queued_at": "%(now)s",
    }
    statement = _QUEUE.format(
        columns=", ".join(f'"{name}"' for name in INSERT_COLUMNS),
        values=", ".join(values[name] for name in INSERT_COLUMNS),
        parts=", ".join(f"({number}, j.body{number}, %(media{number})s::uuid)" for number in range(parts)),
    )
    params = {
        "milliseconds": int(now.timestamp() * 1000),
        "workspace": broadcast.workspace_id,
        "broadcast": broadcast.pk,
        "account": broadcast.whatsapp_account_id,
        "user": broadcast.started_by_id,
        "now": now,
        "end": hours.end_of(broadcast, now),
        **{f"media{number}": media for number, media in enumerate(judged.media)},
    }
    queued = 0
    for after, until in preparing.spans(judged.people):
        preparing.tell(broadcast.pk, preparing.QUEUED, queued, judged.fitting)
        with connection.cursor() as cursor:
            cursor.execute(statement, {**params, "after": after, "until": until})
            queued += cursor.rowcount // parts
    preparing.tell(broadcast.pk, preparing.QUEUED, queued, judged.fitting)


def _leave_out(broadcast: Broadcast, now: datetime) -> dict[str, int]:
    params = {
        "milliseconds": int(now.timestamp() * 1000),
        "workspace": broadcast.workspace_id,
        "broadcast": broadcast.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE_OUT, params)
        return dict(cursor.fetchall())


@transaction.atomic
def _back_to_draft(broadcast_id: UUID, problem: str) -> None:
    broadcast = Broadcast.objects.select_related("workspace").select_for_update(of=("self",), no_key=True)
    row = broadcast.filter(pk=broadcast_id, state=BroadcastState.STARTING).first()
    if row is not None:
        row.state, row.problem = BroadcastState.DRAFT, problem[:300]
        row.save(update_fields=["state", "problem", "updated_at"])
        record_event(kind="broadcast.not_started", actor=actors.SYSTEM, workspace=row.workspace, obj=row)
