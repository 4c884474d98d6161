"""Scheduled messages: make, change, pause and cancel them, and move into the queue what is due (docs/scheduled.md).

Whoever writes locks the schedule's row first, then its recipients, then its
places in the queue. The sweep passes by what somebody else has locked.
"""

from messaging.services.scheduling.calendar import Entry, calendar
from messaging.services.scheduling.changes import cancel_scheduled_message, schedule_message, update_scheduled_message
from messaging.services.scheduling.series import change_occurrence, pause_series, resume_series, skip_occurrence
from messaging.services.scheduling.sweep import (
    LEAD,
    close_abandoned_schedules,
    derive_due_times,
    queue_all_due,
    queue_due_messages,
)

__all__ = [
    "LEAD",
    "Entry",
    "calendar",
    "cancel_scheduled_message",
    "change_occurrence",
    "close_abandoned_schedules",
    "derive_due_times",
    "pause_series",
    "queue_all_due",
    "queue_due_messages",
    "resume_series",
    "schedule_message",
    "skip_occurrence",
    "update_scheduled_message",
]
