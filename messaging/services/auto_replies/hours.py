"""Opening hours: whether a moment is within them, by the wall clock of their zone.

From a moment to a wall clock there is always exactly one way, so changes of
clocks need no rule of their own: an hour that is skipped is never open, and one
that comes twice is open both times.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.changes import set_changed
from accounts.services.events import record_event
from crm.services.naming import clean_name
from messaging.models import AutoReplyRule, BusinessHours
from messaging.services.auto_replies.versions import renew_version
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.locks import take_turns
from waplus.lib.walltime import zone_names

DAY = 24 * 60
MAX_SETS = 50
MAX_INTERVALS = 70
MAX_HOLIDAYS = 400


@dataclass(frozen=True)
class Opening:
    """Hours as they are asked: minutes of the day, from (inclusive) until (exclusive), by ISO weekday and by date."""

    name: str
    zone: ZoneInfo
    open: dict[int, list[tuple[int, int]]]
    closed: dict[date, list[tuple[int, int]]]

    @classmethod
    def of(cls, hours: BusinessHours) -> "Opening":
        opened: dict[int, list[tuple[int, int]]] = {}
        for each in hours.intervals:
            opened.setdefault(each["day"], []).append((_minutes(each["from"]), _minutes(each["to"])))
        closed: dict[date, list[tuple[int, int]]] = {}
        for each in hours.holidays:
            part = (_minutes(each["from"]), _minutes(each["to"])) if each.get("from") else (0, DAY)
            closed.setdefault(date.fromisoformat(each["date"]), []).append(part)
        return cls(hours.name, ZoneInfo(hours.time_zone), opened, closed)

    def is_open(self, moment: datetime) -> bool:
        """Whether a moment (aware) is within the hours and on no holiday."""
        wall = moment.astimezone(self.zone)
        minute = wall.hour * 60 + wall.minute
        if any(start <= minute < end for start, end in self.closed.get(wall.date(), ())):
            return False
        return any(start <= minute < end for start, end in self.open.get(wall.isoweekday(), ()))


def _minutes(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def _time(value, path: str) -> str:
    """A time of day, `09:00` to `24:00`."""
    if isinstance(value, str) and len(value) == 5 and value[2] == ":" and value.isascii():
        hour, minute = value[:2], value[3:]
        if hour.isdecimal() and minute.isdecimal() and int(minute) < 60 and _minutes(value) <= DAY:
            return value
    raise Invalid(path, "invalid", "Write a time like 09:00; 24:00 is the end of the day.")


def _span(each: dict, path: str) -> dict:
    start, end = _time(each.get("from"), f"{path}.from"), _time(each.get("to"), f"{path}.to")
    if _minutes(start) >= _minutes(end):
        raise Invalid(f"{path}.to", "invalid", "The end comes after the beginning; a night is two spans.")
    return {"from": start, "to": end}


def _objects(value, path: str, most: int, known: Sequence[str]) -> list[dict]:
    if not isinstance(value, list) or len(value) > most:
        raise Invalid(path, "invalid", f"This has to be a list of at most {most}.")
    for index, each in enumerate(value):
        if not isinstance(each, dict):
            raise Invalid(f"{path}.{index}", "invalid", f"This has to be an object with: {', '.join(known)}.")
        if set(each) - set(known):
            raise Invalid(f"{path}.{index}", "unknown_field", f"Known here: {', '.join(known)}.")
    return value


def clean_intervals(value) -> list[dict]:
    """Weekly intervals as they are kept: in order, and none within another."""
    found = []
    for index, each in enumerate(_objects(value, "intervals", MAX_INTERVALS, ("day", "from", "to"))):
        path, day = f"intervals.{index}", each.get("day")
        if isinstance(day, bool) or day not in range(1, 8):
            raise Invalid(f"{path}.day", "invalid", "A day is a number from 1 (Monday) to 7 (Sunday).")
        found.append({"day": day, **_span(each, path)})
    found.sort(key=lambda each: (each["day"], each["from"]))
    for before, after in itertools.pairwise(found):
        if before["day"] == after["day"] and after["from"] < before["to"]:
            raise Invalid("intervals", "overlap", f"{after['from']} is within the hours before it.")
    return found


def clean_holidays(value) -> list[dict]:
    """Holidays as they are kept: in order of their dates."""
    found = []
    for index, each in enumerate(_objects(value, "holidays", MAX_HOLIDAYS, ("date", "name", "from", "to"))):
        path, name = f"holidays.{index}", each.get("name", "")
        try:
            day = date.fromisoformat(each.get("date"))
        except (TypeError, ValueError) as error:
            raise Invalid(f"{path}.date", "invalid", "Write a day like 2026-12-24.") from error
        if not isinstance(name, str) or "\x00" in name or len(name) > 80:
            raise Invalid(f"{path}.name", "invalid", "A name is a text of at most 80 characters.")
        part = _span(each, path) if each.get("from") or each.get("to") else {}
        found.append({"date": day.isoformat(), "name": " ".join(name.split()), **part})
    return sorted(found, key=lambda each: (each["date"], each.get("from", "")))


def _clean(values: dict) -> dict:
    values = dict(values)
    if "name" in values:
        values["name"] = clean_name(values["name"])
    if "time_zone" in values and values["time_zone"] not in zone_names():
        raise Invalid("time_zone", "invalid_time_zone", "This is not an IANA time zone such as America/Sao_Paulo.")
    if "intervals" in values:
        values["intervals"] = clean_intervals(values["intervals"])
    if "holidays" in values:
        values["holidays"] = clean_holidays(values["holidays"])
    return values


def hours_of(*, workspace: Workspace, hours_id: UUID, lock: bool = False) -> BusinessHours:
    """A set of hours by id, within the workspace."""
    rows = BusinessHours.objects.for_workspace(workspace)
    hours = (rows.select_for_update() if lock else rows).filter(pk=hours_id).first()
    if hours is None:
        raise NotFound
    return hours


def _save(hours: BusinessHours, **how) -> None:
    try:
        with transaction.atomic():
            hours.save(**how)
    except IntegrityError:
        others = BusinessHours.objects.for_workspace(hours.workspace_id).exclude(pk=hours.pk)
        namesake = others.filter(name=hours.name).first()
        if namesake is None:
            raise Refused("id_taken", field="id") from None
        raise Refused("name_taken", field="name", extra={"id": str(namesake.pk)}) from None


@transaction.atomic
def create_hours(*, workspace: Workspace, actor: Actor, id: UUID | None = None, **values) -> tuple[BusinessHours, bool]:
    """New hours, and whether they are new: a repeat with the same id answers those that are there."""
    take_turns("business_hours", workspace.pk)
    if existing := BusinessHours.objects.of_client(workspace, id):
        return existing, False
    if BusinessHours.objects.for_workspace(workspace).count() >= MAX_SETS:
        raise Refused("limit_reached", f"A workspace has at most {MAX_SETS} sets of hours.", extra={"limit": MAX_SETS})
    hours = BusinessHours(id=id or uuid7(), workspace=workspace, **_clean(values))
    _save(hours, force_insert=True)
    record_event(kind="business_hours.created", actor=actor, workspace=workspace, obj=hours)
    return hours, True


@transaction.atomic
def update_hours(
    *, workspace: Workspace, hours_id: UUID, actor: Actor, precondition=lambda hours: None, **values
) -> BusinessHours:
    """Change hours; every rule that goes by them follows at once."""
    hours = hours_of(workspace=workspace, hours_id=hours_id, lock=True)
    precondition(hours)
    changed = set_changed(hours, _clean(values))
    if changed:
        _save(hours, update_fields=[*changed, "updated_at"])
        renew_version(workspace)
        record_event(kind="business_hours.updated", actor=actor, workspace=workspace, obj=hours, changed=changed)
    return hours


@transaction.atomic
def delete_hours(*, workspace: Workspace, hours_id: UUID, actor: Actor, precondition=lambda hours: None) -> None:
    """Delete hours that no rule goes by."""
    take_turns("auto_reply_rules", workspace.pk)
    hours = hours_of(workspace=workspace, hours_id=hours_id, lock=True)
    precondition(hours)
    used = AutoReplyRule.objects.for_workspace(workspace).filter(conditions__contains=[{"hours": str(hours.pk)}])
    if rule := used.order_by("position").first():
        raise Refused("in_use", f"The rule “{rule.name}” goes by these hours.", extra={"id": str(rule.pk)})
    record_event(kind="business_hours.deleted", actor=actor, workspace=workspace, obj=hours)
    hours.delete()


def next_holidays(hours: BusinessHours, today: date) -> list[dict]:
    """Holidays that are not over yet."""
    return [each for each in hours.holidays if date.fromisoformat(each["date"]) >= today - timedelta(days=1)]
