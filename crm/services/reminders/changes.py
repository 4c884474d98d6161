"""Reminders: make, change, snooze, do, delete. The states and rules are in docs/reminders.md."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import SYSTEM, Actor
from accounts.models import Membership, Role, User, Workspace
from accounts.services.changes import set_changed
from accounts.services.departures import hold_member
from accounts.services.events import record_event
from crm.models import Contact, Reminder, ReminderState
from crm.models.reminders import MAX_REMINDER
from crm.services.reminders import times
from waplus.lib.errors import UNKNOWN_ID, Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.locks import Hold, held
from waplus.lib.text import strip_invisible
from waplus.lib.walltime import to_utc, zone_names

# What a member may set; the rest follows from it.
FIELDS = ("text", "wall_time", "time_zone", "rrule", "contact", "chat", "assignee")
# What a change of these brings along.
DERIVED = ("occurrence_wall", "due_at", "snoozed_until", "state", "done_at")
MAX_SNOOZE = timedelta(days=5 * 365)
# Far enough for every snooze that is allowed, near enough for arithmetic with zones.
YEARS_APART = MAX_SNOOZE.days // 365 + 1
CHUNK = 2_000


@dataclass(frozen=True)
class Done:
    """A reminder after it was done, and how many of its occurrences had passed meanwhile without anybody's doing."""

    reminder: Reminder
    missed: int


def reminder_of(*, workspace: Workspace, reminder_id: UUID, lock: bool = False) -> Reminder:
    """A reminder by id, within the workspace."""
    reminders = Reminder.objects.for_workspace(workspace)
    # Nobody refers to the locked row by another key than its id, which never changes.
    reminder = (reminders.select_for_update(no_key=True) if lock else reminders).filter(pk=reminder_id).first()
    if reminder is None:
        raise NotFound
    return reminder


def _check_assignee(workspace: Workspace, person: User | None) -> None:
    """Refuse somebody who is no member; who is one stays one until this change is committed.

    It comes before the lock of the reminder: whoever hands over what a member left holds memberships first, too.
    """
    if person is not None and not hold_member(workspace=workspace, user_id=person.pk):
        raise Invalid("assignee", "not_a_member", "A reminder is for a member of the workspace.")


def _hold_contact(workspace: Workspace, contact: Contact | None) -> None:
    """Keep the contact from being merged or put away until the reminder is there to move along; contacts are locked first."""
    if contact is None:
        return
    if not held(Contact.objects.for_workspace(workspace).alive().filter(pk=contact.pk), Hold.FROM_CHANGE):
        raise Invalid("contact", "does_not_exist", UNKNOWN_ID)


def _clean(values: dict) -> dict:
    values = dict(values)
    if "text" in values:
        values["text"] = strip_invisible(values["text"]).strip()
        if not 1 <= len(values["text"]) <= MAX_REMINDER:
            raise Invalid("text", "invalid", f"A reminder says something, in {MAX_REMINDER:,} characters at most.")
    if "rrule" in values:
        values["rrule"] = times.canonical_rule(values["rrule"])
    if "time_zone" in values and values["time_zone"] not in zone_names():
        raise Invalid("time_zone", "invalid_time_zone", "This is not an IANA time zone such as America/Sao_Paulo.")
    if "wall_time" in values:
        values["wall_time"] = values["wall_time"].replace(microsecond=0)
    return values


def _begin(reminder: Reminder, now: datetime) -> None:
    """Put the reminder at the beginning of its (new) series."""
    present = times.present_occurrence(
        wall_time=reminder.wall_time,
        time_zone=reminder.time_zone,
        rrule=reminder.rrule,
        now=now,
        done_at=reminder.done_at,
    )
    reminder.occurrence_wall, reminder.snoozed_until, reminder.due_at = present.wall, None, present.at


def _check_about(reminder: Reminder) -> None:
    if reminder.contact_id and reminder.chat_id:
        raise Invalid("chat", "contact_or_chat", "A reminder is about a contact, a chat, or neither.")


@transaction.atomic
def create_reminder(
    *, workspace: Workspace, user: User, actor: Actor, id: UUID | None = None, **values
) -> tuple[Reminder, bool]:
    """A new reminder, and whether it is new: a repeat with the same id answers the reminder as it is now.

    `values` are those of `FIELDS`; without them it is in the zone of `user`, who
    makes it, and for them. Times in the past are fine: it is overdue then.
    """
    if existing := Reminder.objects.of_client(workspace, id):
        return existing, False
    values = {"time_zone": user.time_zone, "assignee": user, **_clean(values)}
    _check_assignee(workspace, values["assignee"])
    _hold_contact(workspace, values.get("contact"))
    reminder = Reminder(id=id or uuid7(), workspace=workspace, created_by=user, **values)
    _check_about(reminder)
    _begin(reminder, timezone.now())
    try:
        with transaction.atomic():
            reminder.save(force_insert=True)
    except IntegrityError:
        # Two requests with one id raced.
        existing = Reminder.objects.for_workspace(workspace).filter(pk=id).first()
        if existing is None:
            raise Refused("id_taken", field="id") from None
        return existing, False
    record_event(kind="reminder.created", actor=actor, workspace=workspace, obj=reminder)
    return reminder, True


@transaction.atomic
def update_reminder(
    *, workspace: Workspace, reminder_id: UUID, actor: Actor, precondition=lambda reminder: None, **values
) -> Reminder:
    """Change a reminder. `precondition` is called with the locked row and may refuse.

    Another time or rule begins the series anew; another zone alone moves the
    present occurrence to the same time there. Beside `FIELDS`, `snoozed_until` (a
    moment, also a past one, or None) and `state` may be given, as a device that
    was offline tells what was done on it; they are applied last.
    """
    snooze = {name: values.pop(name) for name in ("snoozed_until",) if name in values}
    state = values.pop("state", None)
    values = _clean(values)
    _check_assignee(workspace, values.get("assignee"))
    _hold_contact(workspace, values.get("contact"))
    reminder = reminder_of(workspace=workspace, reminder_id=reminder_id, lock=True)
    precondition(reminder)
    before = {name: getattr(reminder, name) for name in DERIVED}
    now = timezone.now()
    changed = set_changed(reminder, values)
    _check_about(reminder)
    if "rrule" in changed and not reminder.rrule and "wall_time" not in changed:
        # What no longer recurs is the occurrence that people see, not one of years ago.
        changed += set_changed(reminder, {"wall_time": reminder.occurrence_wall})
    if {"wall_time", "rrule"} & set(changed):
        _begin(reminder, now)
    kind = "reminder.updated"
    if snooze and reminder.state == ReminderState.OPEN:
        _snooze(reminder, snooze["snoozed_until"], now)
        kind = kind if changed else "reminder.snoozed"
    reminder.due_at = times.due_at(reminder)
    if state == ReminderState.DONE and reminder.state == ReminderState.OPEN:
        _do(reminder, now)
        kind = "reminder.done"
    elif state == ReminderState.OPEN and reminder.state == ReminderState.DONE:
        _reopen(reminder)
        kind = "reminder.reopened"
    followed = [name for name in DERIVED if getattr(reminder, name) != before[name]]
    return _save(reminder, actor, kind, [*changed, *followed])


def _save(reminder: Reminder, actor: Actor, kind: str, changed: list[str]) -> Reminder:
    if changed:
        reminder.save(update_fields=changed)
        record_event(kind=kind, actor=actor, workspace=reminder.workspace, obj=reminder, changed=changed)
    return reminder


def _snooze(reminder: Reminder, until: datetime | None, now: datetime) -> None:
    if until is not None and abs(until - now) > MAX_SNOOZE:
        raise Invalid("until", "too_far", "A reminder can be snoozed for five years at most.")
    reminder.snoozed_until = until
    reminder.due_at = times.due_at(reminder)


@transaction.atomic
def snooze_reminder(
    *,
    workspace: Workspace,
    reminder_id: UUID,
    actor: Actor,
    minutes: int | None = None,
    until: datetime | None = None,
    precondition=lambda reminder: None,
) -> Reminder:
    """Put the present occurrence off: by minutes from now, or until a wall-clock time in the reminder's zone.

    The series stays where it is: once done, it goes on with its next occurrence.
    """
    reminder = reminder_of(workspace=workspace, reminder_id=reminder_id, lock=True)
    precondition(reminder)
    if (minutes is None) == (until is None):
        raise Invalid("minutes", "required", "Say either for how many minutes, or until when.")
    if reminder.state != ReminderState.OPEN:
        raise Refused("wrong_state", "This reminder is done.", extra={"state": reminder.state})
    now = timezone.now()
    if until is None:
        moment = now.replace(microsecond=0) + timedelta(minutes=minutes)
    else:
        if abs(until.year - now.year) > YEARS_APART:
            raise Invalid("until", "too_far", "A reminder can be snoozed for five years at most.")
        moment = to_utc(until, reminder.time_zone)
    if moment <= now:
        raise Invalid("until", "in_the_past", "This time has passed in the reminder’s time zone.")
    _snooze(reminder, moment, now)
    return _save(reminder, actor, "reminder.snoozed", ["snoozed_until", "due_at"])


def _do(reminder: Reminder, now: datetime) -> int:
    following = times.following(reminder, now)
    reminder.done_at, reminder.snoozed_until = now, None
    if following.occurrence is None:
        reminder.state = ReminderState.DONE
    else:
        reminder.occurrence_wall = following.occurrence.wall
    reminder.due_at = times.due_at(reminder)
    return following.missed


@transaction.atomic
def complete_reminder(
    *,
    workspace: Workspace,
    reminder_id: UUID,
    actor: Actor,
    occurrence: datetime | None = None,
    precondition=lambda reminder: None,
) -> Done:
    """Do a reminder. A recurring one goes on to its next occurrence after now, and is done when there is none.

    `occurrence` (`occurrence_wall` as the caller saw it) says which one is meant:
    if somebody did that one already, nothing changes.
    """
    reminder = reminder_of(workspace=workspace, reminder_id=reminder_id, lock=True)
    precondition(reminder)
    if reminder.state == ReminderState.DONE or (occurrence is not None and occurrence < reminder.occurrence_wall):
        return Done(reminder, 0)
    if occurrence is not None and occurrence != reminder.occurrence_wall:
        raise Refused("conflict", "The reminder is not at this occurrence.", field="occurrence")
    missed = _do(reminder, timezone.now())
    return Done(_save(reminder, actor, "reminder.done", list(DERIVED)), missed)


def _reopen(reminder: Reminder) -> None:
    reminder.state, reminder.done_at = ReminderState.OPEN, None


@transaction.atomic
def reopen_reminder(
    *, workspace: Workspace, reminder_id: UUID, actor: Actor, precondition=lambda reminder: None
) -> Reminder:
    """Take "done" back. It is due again when it was; an open reminder stays as it is."""
    reminder = reminder_of(workspace=workspace, reminder_id=reminder_id, lock=True)
    precondition(reminder)
    if reminder.state == ReminderState.OPEN:
        return reminder
    _reopen(reminder)
    return _save(reminder, actor, "reminder.reopened", ["state", "done_at"])


@transaction.atomic
def delete_reminder(
    *, workspace: Workspace, reminder_id: UUID, actor: Actor, precondition=lambda reminder: None
) -> None:
    """Delete a reminder with its series."""
    # This lock keeps a delivery from being noted between the look for deliveries and the end of the reminder.
    reminder = Reminder.objects.for_workspace(workspace).select_for_update().filter(pk=reminder_id).first()
    if reminder is None:
        raise NotFound
    precondition(reminder)
    record_event(kind="reminder.deleted", actor=actor, workspace=workspace, obj=reminder)
    reminder.delete()


def hand_over_reminders(*, workspace: Workspace, user_id: UUID, heir_id: UUID | None, limit: int) -> int:
    """Give reminders of somebody who is no longer a member to the heir, or without one to the owner; answers how many.

    Not to nobody, like other things: what is nobody's reminds nobody.
    """
    if heir_id is None:
        heir_id = Membership.objects.for_workspace(workspace).get(role=Role.OWNER).user_id
    theirs = Reminder.objects.for_workspace(workspace).filter(assignee=user_id)
    chunk = list(theirs.select_for_update(no_key=True).order_by("id").values_list("pk", flat=True)[:limit])
    if chunk:
        Reminder.objects.for_workspace(workspace).filter(pk__in=chunk).update(assignee=heir_id)
        record_event(
            kind="reminder.handed_over", actor=SYSTEM, workspace=workspace, changed=["assignee"], count=len(chunk)
        )
    return len(chunk)


def derive_due_times() -> int:
    """Derive when open reminders are due by today's rules of their zones; answers how many moved.

    Wall-clock times are what was meant, and governments change clocks at a few
    weeks' notice: what is yet to come follows the zone data that we run on.
    """
    moved, behind = 0, None
    while True:
        open_ones = Reminder.objects.filter(state=ReminderState.OPEN, snoozed_until=None, due_at__gt=timezone.now())
        if behind is not None:
            open_ones = open_ones.filter(pk__gt=behind)
        chunk = list(open_ones.order_by("pk").only("occurrence_wall", "time_zone", "due_at", "workspace")[:CHUNK])
        if not chunk:
            return moved
        behind = chunk[-1].pk
        stale = [(reminder, moment) for reminder in chunk if (moment := times.due_at(reminder)) != reminder.due_at]
        moved += _move(stale)


@transaction.atomic
def _move(stale: list[tuple[Reminder, datetime]]) -> int:
    moved = 0
    for reminder, moment in stale:
        # Somebody may have changed it meanwhile; then it is derived already.
        as_read = Reminder.objects.filter(pk=reminder.pk, due_at=reminder.due_at, state=ReminderState.OPEN)
        if as_read.filter(snoozed_until=None, occurrence_wall=reminder.occurrence_wall).update(due_at=moment):
            moved += 1
            record_event(
                kind="reminder.updated",
                actor=SYSTEM,
                workspace=Workspace(pk=reminder.workspace_id),
                obj=reminder,
                changed=["due_at"],
            )
    return moved
