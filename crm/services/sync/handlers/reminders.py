"""Reminders."""

from crm.models import Reminder
from crm.services.reminders import changes as reminders
from crm.services.sync.handlers.registry import (
    APPLIED,
    UNCHANGED,
    Applied,
    Change,
    created,
    handles,
    locked,
    update_row,
    version_of,
)


@handles("reminder", "create")
def create_reminder(change: Change) -> Applied:
    row, is_new = reminders.create_reminder(**change.who, user=change.user, id=change.row_id, **change.values)
    return created(row, is_new, change)


@handles("reminder", "update")
def update_reminder(change: Change) -> Applied:
    return update_row(
        locked(Reminder, change),
        change,
        lambda **values: reminders.update_reminder(**change.who, reminder_id=change.row_id, **values),
    )


@handles("reminder", "done")
def complete_reminder(change: Change) -> Applied:
    """An occurrence is done once, however many devices say so."""
    version = locked(Reminder, change).version
    reminders.complete_reminder(**change.who, reminder_id=change.row_id, **change.values)
    return Applied(change.row_id, APPLIED if version_of(Reminder, change.row_id) != version else UNCHANGED)


@handles("reminder", "reopen")
def reopen_reminder(change: Change) -> Applied:
    version = locked(Reminder, change).version
    reminders.reopen_reminder(**change.who, reminder_id=change.row_id)
    return Applied(change.row_id, APPLIED if version_of(Reminder, change.row_id) != version else UNCHANGED)


@handles("reminder", "delete")
def delete_reminder(change: Change) -> Applied:
    if not Reminder.objects.for_workspace(change.workspace).filter(pk=change.row_id).exists():
        return Applied(change.row_id, UNCHANGED)
    reminders.delete_reminder(**change.who, reminder_id=change.row_id)
    return Applied(change.row_id)
