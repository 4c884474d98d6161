"""What a calendar shows of scheduled messages: times to come, expanded, and what became of those that were."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from accounts.models import Workspace
from messaging.models import QueuedMessage, ScheduledMessage, ScheduledRecipient
from messaging.models.scheduled import COUNTED
from messaging.services.scheduling.times import following
from waplus.lib.errors import Invalid
from waplus.lib.walltime import to_utc

MAX_DAYS = 62
MAX_ENTRIES = 1_000


@dataclass
class Entry:
    """One time of a schedule, at one moment: how many recipients it has then, and where they are.

    `state` is `waiting` or `paused` for what is to come, `done` for what entered
    the queue, where `states` counts recipients by where their message is. `wall`
    is the time on the clock that counts (`zone`), as the rule names it; of the past
    it is not kept.
    """

    schedule: ScheduledMessage
    at: datetime
    zone: str
    wall: datetime | None
    recipients: int
    state: str
    states: dict[str, int] = field(default_factory=dict)


def calendar(*, workspace: Workspace, start: datetime, end: datetime) -> tuple[list[Entry], bool]:
    """What lies between two moments, in order, and whether there is more than is shown."""
    if not start < end <= start + timedelta(days=MAX_DAYS):
        raise Invalid("to", "range", f"A calendar shows {MAX_DAYS} days at most, and ends after it begins.")
    entries = [*_queued(workspace, start, end), *_to_come(workspace, start, end)]
    entries.sort(key=lambda entry: (entry.at, entry.schedule.pk))
    return entries[:MAX_ENTRIES], len(entries) > MAX_ENTRIES


def _schedules(workspace: Workspace, ids) -> dict[UUID, ScheduledMessage]:
    schedules = ScheduledMessage.objects.for_workspace(workspace).select_related("whatsapp_account")
    return schedules.prefetch_related("parts").in_bulk(list(ids))


def _queued(workspace: Workspace, start: datetime, end: datetime) -> list[Entry]:
    """What entered the queue, by the first part to each recipient."""
    rows = list(
        QueuedMessage.objects.for_workspace(workspace)
        .filter(due_at__gte=start, due_at__lt=end, scheduled_message__isnull=False, position=0)
        .values("scheduled_message", "occurrence_at", "state")
        .annotate(recipients=Count("pk"))
        .order_by("occurrence_at", "scheduled_message")[: MAX_ENTRIES + 1]
    )
    schedules = _schedules(workspace, {row["scheduled_message"] for row in rows})
    found: dict[tuple, Entry] = {}
    for row in rows:
        schedule = schedules[row["scheduled_message"]]
        key = (schedule.pk, row["occurrence_at"])
        entry = found.setdefault(key, Entry(schedule, row["occurrence_at"], schedule.time_zone, None, 0, "done"))
        entry.recipients += row["recipients"]
        entry.states[row["state"]] = row["recipients"]
    return list(found.values())


def _to_come(workspace: Workspace, start: datetime, end: datetime) -> list[Entry]:
    """What is to enter the queue. A paused series shows what it would send if it went on now."""
    groups = (
        ScheduledRecipient.objects.for_workspace(workspace)
        .filter(state__in=COUNTED)
        .exclude(next_at__gte=end)
        .values("scheduled_message", "time_zone", "next_wall", "next_at", "state")
        .annotate(recipients=Count("pk"))
        .order_by("next_at", "scheduled_message")[: MAX_ENTRIES + 1]
    )
    groups = list(groups)
    schedules = _schedules(workspace, {group["scheduled_message"] for group in groups})
    entries: list[Entry] = []
    now = timezone.now()
    for group in groups:
        schedule = schedules[group["scheduled_message"]]
        zone, count, state = group["time_zone"], group["recipients"], group["state"]
        wall, at = group["next_wall"], group["next_at"]
        if at is not None and at < start and schedule.rrule:
            at = None
        if at is None:
            wall, at = _after(schedule, zone, max(start, now) - timedelta(microseconds=1))
        while at is not None and at < end and len(entries) <= MAX_ENTRIES:
            if at >= start:
                entries.append(Entry(schedule, at, zone, wall, count, state))
            wall, at = _after(schedule, zone, max(at, to_utc(wall, zone))) if schedule.rrule else (None, None)
    return entries


def _after(schedule: ScheduledMessage, zone: str, moment: datetime) -> tuple[datetime | None, datetime | None]:
    found = following(schedule, zone, moment)
    return (found.wall, found.at) if found else (None, None)
