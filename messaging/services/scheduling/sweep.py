"""The sweep: whatever is due soon enters the queue, each time once.

A batch is locked first (whoever edits a schedule has it locked, so an edit
comes before or after), then read, then written by one statement: places in the
queue, the next time of each recipient, the state of each schedule, the places
of the plan. What it says is read behind the locks: a text that was edited a
moment ago is the one that goes out.

The hand-out keeps the order in a chat among what is in the queue, so the order
must be kept on the way into it, too: one worker at a time sweeps, earliest
first, and nothing of a number enters before what is earlier of it has entered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import SYSTEM
from accounts.models import User, Workspace
from accounts.services.events import hint_at_changes_of, record_event
from crm.models import Contact
from messaging.models import ContentPart, QueuedMessage, ScheduledRecipient
from messaging.services.addressing import address_sql
from messaging.services.queueing import INSERT_COLUMNS, RESERVED_ID
from messaging.services.scheduling.texts import MISSING_VARIABLE, say
from messaging.services.scheduling.times import occurrence_after
from waplus.lib.locks import take_turn_now
from waplus.lib.walltime import to_utc

# How far ahead of its time a message enters the queue. Nobody gets it before its
# time; being there early makes the hand-out as exact as the extension's asking,
# whatever the rhythm of beat.
LEAD = timedelta(seconds=60)
BATCH = 2_000
NO_ADDRESS = "The contact has no number and no WhatsApp ID any more."

_TAKE = """
SELECT r.id, r.workspace_id, s.id, r.contact_id, r.chat_jid, s.whatsapp_account_id, s.created_by_id,
       s.wall_time, s.rrule, s.excluded, r.time_zone, r.next_wall, r.next_at
FROM messaging_scheduledrecipient r JOIN messaging_scheduledmessage s ON s.id = r.scheduled_message_id
WHERE r.state = 'waiting' AND r.next_at <= %(horizon)s
ORDER BY r.next_at, s.id LIMIT %(limit)s FOR NO KEY UPDATE OF r, s SKIP LOCKED
"""
# Of each number the first that somebody has locked (edits it, say), up to the last of what was taken.
_PASSED_BY = """
SELECT DISTINCT ON (s.whatsapp_account_id) s.whatsapp_account_id, r.next_at, s.id
FROM messaging_scheduledrecipient r JOIN messaging_scheduledmessage s ON s.id = r.scheduled_message_id
WHERE r.state = 'waiting' AND r.next_at <= %(at)s AND (r.next_at, s.id) < (%(at)s, %(schedule)s)
  AND r.id <> ALL (%(taken)s::uuid[])
ORDER BY s.whatsapp_account_id, r.next_at, s.id
"""
# Where something stands in the order of a number: its time, then what wanted it.
_Place = tuple[datetime, UUID]


@dataclass
class _Taken:
    """A recipient whose time has come, as it was locked."""

    id: UUID
    workspace_id: UUID
    schedule_id: UUID
    contact_id: UUID | None
    chat_jid: str
    account_id: UUID
    sender_id: UUID | None
    wall_time: datetime
    rrule: str
    excluded: Sequence[datetime]
    zone: str
    wall: datetime
    at: datetime
    next_wall: datetime | None = field(default=None, init=False)
    next_at: datetime | None = field(default=None, init=False)

    @property
    def place(self) -> _Place:
        return self.at, self.schedule_id

    def look_ahead(self) -> None:
        """Find the time that follows."""
        if self.rrule and (
            found := occurrence_after(
                wall_time=self.wall_time, rrule=self.rrule, excluded=self.excluded, zone=self.zone, after=self.at
            )
        ):
            self.next_wall, self.next_at = found.wall, found.at


_GIVEN = {
    **{"id": "gen_random_uuid()", "source": "'scheduled'", "origin_id": "w.schedule_id", "broadcast_id": "NULL::uuid"},
    **{"scheduled_message_id": "w.schedule_id", "occurrence_at": "w.at", "position": "p.position"},
    **{"chat_jid": "coalesce(w.address, w.chat_jid)", "body": "coalesce(said.body, p.body)", "media_id": "p.media_id"},
    **{"message_id": RESERVED_ID, "due_at": "w.at", "not_before": "w.at", "held_by": "''"},
    **{"expires_at": "w.at + w.lateness_minutes * interval '1 minute'", "fence": "0", "is_new_contact": "FALSE"},
    "state": "CASE WHEN w.address IS NULL OR unsaid.reason IS NOT NULL THEN 'skipped' ELSE 'queued' END",
    "reason_code": (
        "CASE WHEN w.address IS NULL THEN 'no_identity' WHEN unsaid.reason IS NOT NULL THEN %(missing)s ELSE '' END"
    ),
    "reason": "CASE WHEN w.address IS NULL THEN %(no_address)s ELSE coalesce(unsaid.reason, '') END",
    "queued_at": "%(now)s",
    **{
        name: f"w.{name}"
        for name in ("workspace_id", "whatsapp_account_id", "contact_id", "created_by_id", "on_late", "recipient_zone")
    },
}
_ADDRESS = address_sql(workspace="r.workspace_id", account="s.whatsapp_account_id", contact="r.contact_id")
# Of a contact that was merged and left its row behind, the one that stays has a row of its own.
_WRITE = f"""
WITH taken AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(walls)s::timestamp[], %(moments)s::timestamptz[]) AS t (id, next_wall, next_at)
), w AS MATERIALIZED (
    SELECT r.id, r.workspace_id, r.scheduled_message_id AS schedule_id, r.chat_jid, r.next_at AS at, r.recipient_zone,
           s.whatsapp_account_id, s.lateness_minutes, s.on_late, s.created_by_id, taken.next_wall, taken.next_at,
           CASE WHEN r.keeps_address THEN r.chat_jid ELSE {_ADDRESS} END AS address,
           coalesce(r.contact_id, (
               SELECT chat.contact_id FROM crm_chat chat WHERE chat.workspace_id = r.workspace_id
                 AND chat.whatsapp_account_id = s.whatsapp_account_id AND chat.jid = r.chat_jid
           )) AS contact_id,
           EXISTS (SELECT FROM crm_contact c WHERE c.id = r.contact_id AND c.merged_into_id IS NOT NULL) AS is_merged
    FROM taken JOIN messaging_scheduledrecipient r ON r.id = taken.id
    JOIN messaging_scheduledmessage s ON s.id = r.scheduled_message_id
), said AS (
    SELECT * FROM unnest(%(said_ids)s::uuid[], %(said_positions)s::int[], %(said_bodies)s::text[]) AS t (id, position, body)
), unsaid AS (
    SELECT * FROM unnest(%(unsaid_ids)s::uuid[], %(unsaid_reasons)s::text[]) AS t (id, reason)
), queued AS (
    INSERT INTO messaging_queuedmessage ({", ".join(f'"{name}"' for name in INSERT_COLUMNS)})
    SELECT {", ".join(_GIVEN[name] for name in INSERT_COLUMNS)}
    FROM w JOIN messaging_contentpart p ON p.scheduled_message_id = w.schedule_id
    LEFT JOIN said ON said.id = w.id AND said.position = p.position
    LEFT JOIN unsaid ON unsaid.id = w.id
    WHERE NOT w.is_merged
    ON CONFLICT (origin_id, occurrence_at, chat_jid, position) DO NOTHING
    RETURNING id, workspace_id, state
), advanced AS (
    UPDATE messaging_scheduledrecipient r
    SET next_wall = w.next_wall, next_at = w.next_at, last_at = w.at, chat_jid = coalesce(w.address, r.chat_jid),
        state = CASE WHEN w.next_at IS NULL THEN 'done' ELSE 'waiting' END
    FROM w WHERE r.id = w.id
), schedules AS (
    SELECT schedule_id, array_agg(id) AS ids, min(next_at) AS next_at FROM w GROUP BY schedule_id
), ahead AS (
    SELECT schedules.schedule_id, least(schedules.next_at, (
        SELECT min(o.next_at) FROM messaging_scheduledrecipient o
        WHERE o.scheduled_message_id = schedules.schedule_id AND o.state = 'waiting' AND o.id <> ALL (schedules.ids)
    )) AS next_at FROM schedules
), moved AS (
    UPDATE messaging_scheduledmessage s
    SET due_at = coalesce(ahead.next_at, s.due_at), state = CASE WHEN ahead.next_at IS NULL THEN 'queued' ELSE s.state END
    FROM ahead WHERE s.id = ahead.schedule_id
), freed AS (
    SELECT workspace_id, count(*) AS places FROM w WHERE next_at IS NULL GROUP BY workspace_id
), usage AS (
    SELECT u.id, freed.places FROM accounts_usage u JOIN freed ON freed.workspace_id = u.workspace_id
    WHERE u.resource = 'scheduled_messages' AND u.period IS NULL ORDER BY u.id FOR NO KEY UPDATE OF u
), released AS (
    UPDATE accounts_usage u SET used = greatest(u.used - usage.places, 0) FROM usage WHERE u.id = usage.id
)
SELECT id, workspace_id, state FROM queued
"""


def queue_due_messages(*, limit: int = BATCH) -> int:
    """Move what is due (or soon will be) into the queue; answers how many messages entered it.

    `limit` counts recipients. A worker that dies leaves nothing half-done.
    Nothing enters while another worker is at it.
    """
    return _sweep(limit)[1]


def queue_all_due(*, batch: int = BATCH) -> int:
    """Move all that is due, batch after batch in transactions of their own, until nothing is left."""
    total = 0
    while True:
        due = ScheduledRecipient.objects.filter(state="waiting", next_at__lte=timezone.now() + LEAD)
        moved, entered = _sweep(batch)
        total += entered
        # What somebody has locked comes with the next sweep: only who moved something looks again.
        if not moved or not due.exists():
            return total


@transaction.atomic
def _sweep(limit: int) -> tuple[int, int]:
    """Move one batch: how many recipients, and how many messages of theirs wait in the queue."""
    if not take_turn_now("sweep of scheduled messages"):
        return 0, 0
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"horizon": now + LEAD, "limit": limit})
        taken = [_Taken(*row) for row in cursor.fetchall()]
        if not taken:
            return 0, 0
        for one in taken:
            one.look_ahead()
        at, schedule_id = taken[-1].place
        cursor.execute(_PASSED_BY, {"at": at, "schedule": schedule_id, "taken": [one.id for one in taken]})
        taken = _in_order(taken, {account_id: (at, schedule_id) for account_id, at, schedule_id in cursor.fetchall()})
        if not taken:
            return 0, 0
        cursor.execute(_WRITE, _params(taken, now))
        entered = cursor.fetchall()
    _tell(entered, {one.workspace_id for one in taken})
    return len(taken), sum(state == "queued" for _, _, state in entered)


def _in_order(taken: Sequence[_Taken], passed_by: dict[UUID, _Place]) -> list[_Taken]:
    """Of each number, what comes before the first one that cannot enter yet: locked by somebody, or the next of a series."""
    ends = dict(passed_by)
    for one in taken:
        if one.next_at is not None:
            place = (one.next_at, one.schedule_id)
            ends[one.account_id] = min(place, ends.get(one.account_id, place))
    return [one for one in taken if one.account_id not in ends or one.place < ends[one.account_id]]


def _params(taken: Sequence[_Taken], now: datetime) -> dict:
    said, unsaid = _texts(taken)
    return {
        "ids": [one.id for one in taken],
        "walls": [one.next_wall for one in taken],
        "moments": [one.next_at for one in taken],
        "said_ids": [id for id, _, _ in said],
        "said_positions": [position for _, position, _ in said],
        "said_bodies": [body for _, _, body in said],
        "unsaid_ids": list(unsaid),
        "unsaid_reasons": list(unsaid.values()),
        "missing": MISSING_VARIABLE,
        "no_address": NO_ADDRESS,
        "now": now,
    }


def _texts(taken: Sequence[_Taken]) -> tuple[list[tuple[UUID, int, str]], dict[UUID, str]]:
    """Texts with variables as they go to each recipient, and why some cannot go. All others the database copies."""
    schedules = {one.schedule_id for one in taken}
    filled = ContentPart.objects.filter(scheduled_message__in=schedules, body__regex=r"\{\{|\}\}")
    parts: dict[UUID, list[ContentPart]] = {}
    for part in filled.order_by("position"):
        parts.setdefault(part.scheduled_message_id, []).append(part)
    theirs = [one for one in taken if one.schedule_id in parts]
    if not theirs:
        return [], {}
    contacts = Contact.objects.in_bulk({one.contact_id for one in theirs} - {None})
    senders = User.objects.in_bulk({one.sender_id for one in theirs} - {None})
    workspaces = Workspace.objects.in_bulk({one.workspace_id for one in theirs})
    said, unsaid = [], {}
    for one in theirs:
        texts = say(
            workspace=workspaces[one.workspace_id],
            parts=parts[one.schedule_id],
            contact=contacts.get(one.contact_id),
            sender=senders.get(one.sender_id),
            on=one.wall.date(),
        )
        if texts.problem:
            unsaid[one.id] = texts.problem
        said += [(one.id, position, body) for position, body in texts.bodies.items()]
    return said, unsaid


def _tell(entered: Sequence[tuple], workspace_ids: set[UUID]) -> None:
    """Wake whoever waits for messages, and tell of those that cannot go."""
    hint_at_changes_of(workspace_ids)
    skipped = [(message_id, workspace_id) for message_id, workspace_id, state in entered if state == "skipped"]
    workspaces = Workspace.objects.in_bulk({workspace_id for _, workspace_id in skipped}) if skipped else {}
    for message_id, workspace_id in skipped:
        record_event(
            kind="message.skipped",
            actor=SYSTEM,
            workspace=workspaces[workspace_id],
            obj=QueuedMessage(pk=message_id),
            changed=["state"],
        )


_ABANDONED = """
UPDATE messaging_scheduledmessage s
SET state = CASE WHEN EXISTS (
    SELECT FROM messaging_scheduledrecipient r WHERE r.scheduled_message_id = s.id
) THEN 'queued' ELSE 'cancelled' END
WHERE s.state IN ('waiting', 'paused') AND NOT EXISTS (
    SELECT FROM messaging_scheduledrecipient r
    WHERE r.scheduled_message_id = s.id AND r.state IN ('waiting', 'paused')
)
"""


def close_abandoned_schedules() -> int:
    """End schedules whose recipients who waited were all deleted with their contacts; answers how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ABANDONED)
        return cursor.rowcount


def derive_due_times(*, days: int = 8) -> int:
    """Put right the moments of the next days after a zone has changed its rules; answers how many moved.

    A moment follows from a wall-clock time by the rules of the day on which it
    was derived. This runs daily, so that new rules count before their day comes.
    """
    now = timezone.now()
    near = ScheduledRecipient.objects.filter(
        state="waiting", next_at__gt=now + 2 * LEAD, next_at__lt=now + timedelta(days=days)
    )
    moved = []
    for recipient in near.only("id", "next_wall", "next_at", "time_zone").iterator(chunk_size=2_000):
        at = to_utc(recipient.next_wall, recipient.time_zone)
        if at != recipient.next_at:
            moved.append((recipient.pk, recipient.next_at, at))
    for pk, was, at in moved:
        ScheduledRecipient.objects.filter(pk=pk, next_at=was, state="waiting").update(next_at=max(at, now))
    return len(moved)
