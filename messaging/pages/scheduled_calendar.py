"""The calendar of scheduled messages: a month or a week, in the person's zone, with the recipients' time where it differs."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Workspace
from messaging.models import DispatchState
from messaging.models.dispatch import GONE_OUT
from messaging.services.scheduling import Entry, calendar
from waplus.lib.walltime import to_utc

VIEWS = ("month", "week")
# A day of a month has room for as many; the week shows all of them.
ROOM = 6
# What a time that has entered the queue is shown as, by where its messages are: the worst first.
_TROUBLE = {DispatchState.FAILED, DispatchState.SKIPPED, DispatchState.OUTCOME_UNKNOWN, DispatchState.LATE}


@dataclass
class Shown:
    """An entry as it stands in a day: its time here, the time there if it is another one, what it says, its state."""

    entry: Entry
    here: datetime
    there: str
    text: str
    whom: str
    tone: str
    state: str


@dataclass
class Day:
    day: date
    in_month: bool
    is_today: bool
    room: int | None
    entries: list[Shown] = field(default_factory=list)

    @property
    def shown(self) -> list[Shown]:
        return self.entries[: self.room]

    @property
    def more(self) -> int:
        """How many there are beside those that are shown."""
        return len(self.entries) - len(self.shown)


@dataclass
class Calendar:
    """Weeks of days, and where one goes from here."""

    view: str
    first: date
    before: date
    after: date
    weeks: list[list[Day]]
    truncated: bool
    count: int


def span(view: str, day: date) -> tuple[date, date]:
    """The first day that is shown and the one after the last: whole weeks from Monday on."""
    if view == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    first = day.replace(day=1)
    monday = first - timedelta(days=first.weekday())
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return monday, last + timedelta(days=7 - last.weekday())


def build(*, workspace: Workspace, view: str, day: date, zone: str, today: date) -> Calendar:
    """The calendar around a day. A day of the person begins and ends by their own clock."""
    start, end = span(view, day)
    entries, truncated = calendar(
        workspace=workspace,
        start=to_utc(datetime.combine(start, time()), zone),
        end=to_utc(datetime.combine(end, time()), zone),
    )
    days = {
        start + timedelta(days=n): Day(
            start + timedelta(days=n),
            view == "week" or (start + timedelta(days=n)).month == day.month,
            start + timedelta(days=n) == today,
            ROOM if view == "month" else None,
        )
        for n in range((end - start).days)
    }
    for entry in entries:
        shown = _shown(entry, zone)
        if shown.here.date() in days:
            days[shown.here.date()].entries.append(shown)
    rows = list(days.values())
    step = timedelta(days=7)
    before = day - step if view == "week" else (day.replace(day=1) - timedelta(days=1)).replace(day=1)
    after = day + step if view == "week" else (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    weeks = [rows[index : index + 7] for index in range(0, len(rows), 7)]
    return Calendar(view, day if view == "month" else start, before, after, weeks, truncated, len(entries))


def _shown(entry: Entry, zone: str) -> Shown:
    here = entry.at.astimezone(ZoneInfo(zone))
    there = entry.at.astimezone(ZoneInfo(entry.zone))
    parts = sorted(entry.schedule.parts.all(), key=lambda part: part.position)
    text = next((part.body for part in parts if part.body), "") or _("A file")
    whom = ngettext("%(count)s recipient", "%(count)s recipients", entry.recipients) % {"count": entry.recipients}
    tone, state = _state(entry)
    differs = there.replace(tzinfo=None) != here.replace(tzinfo=None)
    elsewhere = f"{there:%H:%M} {entry.zone.rpartition('/')[2].replace('_', ' ')}" if differs else ""
    return Shown(entry, here, elsewhere, text, whom, tone, state)


def _state(entry: Entry) -> tuple[str, str]:
    """A colour and words."""
    if entry.state == "paused":
        return "paused", _("paused")
    if entry.state == "waiting":
        return "waiting", _("waiting")
    states = set(entry.states)
    if trouble := states & _TROUBLE:
        return "trouble", str(DispatchState(sorted(trouble)[0]).label).lower()
    if states <= set(GONE_OUT):
        return "sent", _("sent")
    if states <= {DispatchState.CANCELLED}:
        return "cancelled", _("cancelled")
    return "queued", _("in the queue")
