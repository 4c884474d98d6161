"""What is to be done: a person's reminders in three heaps, and those of a workspace."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import User, Workspace
from crm.models import Reminder, ReminderState
from crm.models.reminders import ReminderQuerySet
from waplus.lib.walltime import to_utc


@dataclass(frozen=True)
class Heaps:
    """Open reminders of a person by when they are due, the earliest first; each heap is cut at the asked limit."""

    overdue: list[Reminder]
    today: list[Reminder]
    upcoming: list[Reminder]


def end_of_day(now: datetime, zone: str) -> datetime:
    """The moment at which the present day ends in a zone, in UTC."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return to_utc(datetime.combine(today + timedelta(days=1), time()), zone)


def reminders_in(*, workspace: Workspace) -> ReminderQuerySet:
    """The reminders of a workspace with what is shown beside them; not those of contacts in the bin."""
    return Reminder.objects.for_workspace(workspace).visible().select_related("contact", "chat", "assignee")


def reminders_of(*, workspace: Workspace, user: User, limit: int = 100) -> Heaps:
    """A person's open reminders: overdue, due later today (in their own zone), and after that. Three queries."""
    now = timezone.now()
    midnight = end_of_day(now, user.time_zone)
    mine = reminders_in(workspace=workspace).filter(assignee=user, state=ReminderState.OPEN).order_by("due_at", "id")
    return Heaps(
        overdue=list(mine.filter(due_at__lte=now)[:limit]),
        today=list(mine.filter(due_at__gt=now, due_at__lt=midnight)[:limit]),
        upcoming=list(mine.filter(due_at__gte=midnight)[:limit]),
    )


def count_overdue(*, workspace: Workspace, user: User) -> int:
    """How many reminders of a person are overdue, for a badge."""
    reminders = Reminder.objects.for_workspace(workspace).visible()
    return reminders.filter(assignee=user).overdue(timezone.now()).count()


def count_assigned(*, workspace: Workspace, user_id: UUID) -> int:
    """How many open reminders are a person's."""
    reminders = Reminder.objects.for_workspace(workspace).visible()
    return reminders.filter(assignee=user_id, state=ReminderState.OPEN).count()
