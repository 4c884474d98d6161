"""What became of a broadcast, counted from its places in the queue.

A recipient is a person, however many parts the message has: their state is
that of the part which came the least far, so that "read" means all of it.
"""

from datetime import UTC, datetime
from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from messaging.models import Broadcast, ContentPart, DispatchState, LeftOut, SuppressionSource
from messaging.models.dispatch import GONE_OUT
from waplus.lib.errors import NotFound

# From what went wrong to what went best.
_RANKS = (
    *(DispatchState.FAILED, DispatchState.SKIPPED, DispatchState.CANCELLED, DispatchState.OUTCOME_UNKNOWN),
    *(DispatchState.LATE, DispatchState.QUEUED, DispatchState.LEASED, DispatchState.SENDING, DispatchState.SENT),
    *(DispatchState.DELIVERED, DispatchState.READ, DispatchState.PLAYED),
)
_RANK = f"array_position(ARRAY[{', '.join(repr(state.value) for state in _RANKS)}], {{column}}::text)"
_ONE_PART = """
SELECT contact_id, state, reason_code, reason, sent_at, delivered_at, read_at, replied_at FROM messaging_queuedmessage
WHERE broadcast_id = %(broadcast)s
"""
_SEVERAL_PARTS = f"""
SELECT contact_id, (array_agg(state ORDER BY {_RANK.format(column="state")}, position))[1] AS state,
       (array_agg(reason_code ORDER BY {_RANK.format(column="state")}, position))[1] AS reason_code,
       (array_agg(reason ORDER BY {_RANK.format(column="state")}, position))[1] AS reason,
       max(sent_at) AS sent_at, max(delivered_at) AS delivered_at, max(read_at) AS read_at, min(replied_at) AS replied_at
FROM messaging_queuedmessage WHERE broadcast_id = %(broadcast)s GROUP BY contact_id
"""
_STATES = "SELECT state, count(*), count(replied_at) FROM ({people}) people GROUP BY state"
_REASONS = """
SELECT state, reason_code, (array_agg(reason))[1], count(*) FROM ({people}) people
WHERE state IN ('failed', 'skipped') GROUP BY state, reason_code ORDER BY count(*) DESC, reason_code
"""
_OPTED_OUT = """
SELECT count(DISTINCT people.contact_id) FROM ({people}) people
JOIN messaging_suppression s ON s.workspace_id = %(workspace)s AND s.contact_id = people.contact_id
WHERE s.source = %(word)s AND s.created_at >= people.sent_at AND s.created_at < people.sent_at + %(days)s * interval '1 day'
"""
_HOURS = """
SELECT date_trunc('hour', moment, 'UTC') AS hour, count(*) FILTER (WHERE what = 'sent'), count(*) FILTER (WHERE what = 'delivered'),
       count(*) FILTER (WHERE what = 'read'), count(*) FILTER (WHERE what = 'replied')
FROM ({people}) people CROSS JOIN LATERAL (VALUES
    ('sent', sent_at), ('delivered', delivered_at), ('read', read_at), ('replied', replied_at)
) AS happened (what, moment)
WHERE moment IS NOT NULL GROUP BY 1 ORDER BY 1
"""
# One look into an index that holds nothing else, whatever the size of the texts.
_PROGRESS = "SELECT state, count(*) FROM messaging_queuedmessage WHERE broadcast_id = %s GROUP BY state"
_PROGRESS_OF_MANY = """
SELECT broadcast_id, state, count(*) FROM messaging_queuedmessage WHERE broadcast_id = ANY(%s::uuid[]) GROUP BY 1, 2
"""
WAITING = [DispatchState.QUEUED, DispatchState.LEASED, DispatchState.SENDING]


def broadcast_of(*, workspace: Workspace, broadcast_id: UUID) -> Broadcast:
    """A broadcast of the workspace."""
    rows = Broadcast.objects.for_workspace(workspace).select_related("whatsapp_account", "created_by", "started_by")
    broadcast = rows.filter(pk=broadcast_id).first()
    if broadcast is None:
        raise NotFound
    return broadcast


def people_of(broadcast: Broadcast) -> str:
    """A select of its recipients, with the parameter `broadcast`."""
    parts = ContentPart.objects.for_workspace(broadcast.workspace_id).filter(broadcast=broadcast).count()
    return _SEVERAL_PARTS if parts > 1 else _ONE_PART


def _fetch(statement: str, params) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def progress_of(broadcasts: list[Broadcast]) -> dict[UUID, dict]:
    """How far broadcasts are, by their messages: `total`, `waiting`, `gone` (out to WhatsApp), `over` (in whatever way)."""
    counts: dict[UUID, dict[str, int]] = {broadcast.pk: {} for broadcast in broadcasts}
    if counts:
        for id, state, count in _fetch(_PROGRESS_OF_MANY, [list(counts)]):
            counts[id][state] = count
    return {id: _progress(found) for id, found in counts.items()}


def _progress(states: dict[str, int]) -> dict:
    total = sum(states.values())
    waiting = sum(states.get(state, 0) for state in WAITING)
    unknown = states.get(DispatchState.OUTCOME_UNKNOWN, 0) + states.get(DispatchState.LATE, 0)
    return {
        "total": total,
        "waiting": waiting,
        "gone": sum(states.get(state, 0) for state in GONE_OUT),
        "over": total - waiting - unknown,
        "states": states,
    }


def report_of(broadcast: Broadcast) -> dict:
    """The report of a broadcast, as docs/broadcasts.md describes it."""
    people = people_of(broadcast)
    params = {
        "broadcast": broadcast.pk,
        "workspace": broadcast.workspace_id,
        "word": SuppressionSource.OPT_OUT_WORD.value,
        "days": broadcast.reply_days,
    }
    states, replied = {}, 0
    for state, count, replies in _fetch(_STATES.format(people=people), params):
        states[state] = count
        replied += replies
    reasons = _fetch(_REASONS.format(people=people), params)
    [(opted_out,)] = _fetch(_OPTED_OUT.format(people=people), params)

    def reached(*wanted: str) -> int:
        return sum(states.get(state, 0) for state in wanted)

    return {
        "recipients": sum(states.values()),
        "queued": reached(*WAITING),
        "sent": reached(*GONE_OUT),
        "delivered": reached(DispatchState.DELIVERED, DispatchState.READ, DispatchState.PLAYED),
        "read": reached(DispatchState.READ, DispatchState.PLAYED),
        "replied": replied,
        "opted_out": opted_out,
        "outcome_unknown": reached(DispatchState.OUTCOME_UNKNOWN, DispatchState.LATE),
        "cancelled": reached(DispatchState.CANCELLED),
        "failed": _reasons(reasons, DispatchState.FAILED),
        "skipped": _reasons(reasons, DispatchState.SKIPPED),
        "left_out": left_out_of(broadcast),
        "hours": hours_of(people, params),
    }


def _reasons(rows: list[tuple], wanted: str) -> list[dict]:
    return [
        {"code": code or "other", "reason": reason, "count": count}
        for state, code, reason, count in rows
        if state == wanted
    ]


def left_out_of(broadcast: Broadcast) -> list[dict]:
    """Who was left out at the start, by reason."""
    return [
        {"reason": reason.value, "label": str(reason.label), "count": broadcast.left_out[reason.value]}
        for reason in LeftOut
        if broadcast.left_out.get(reason.value)
    ]


def hours_of(people: str, params: dict) -> list[dict]:
    """What happened by the hour (UTC): messages sent, delivered and read, and people who answered."""
    return [
        {"hour": hour.astimezone(UTC), "sent": sent, "delivered": delivered, "read": read, "replied": replied}
        for hour, sent, delivered, read, replied in _fetch(_HOURS.format(people=people), params)
    ]


def funnel(report: dict) -> list[tuple[str, int]]:
    """How many came how far: each stage is a part of the one before."""
    return [(name, report[name]) for name in ("recipients", "sent", "delivered", "read", "replied")]


def last_change(report: dict) -> datetime | None:
    """When something happened last, to the hour."""
    return report["hours"][-1]["hour"] if report["hours"] else None
