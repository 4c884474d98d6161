"""The Celery application and what beat starts.

The broker carries hints only: each task below is a short sweep that finds its
work in the database and may run twice, late or never without harm. Intervals
are in UTC (no crontab), because beat stumbles at changes to summer time; a
hint that waited longer than its interval is dropped, so a worker that was away
does not come back to a heap of them.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waplus.settings")

app = Celery("waplus")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def _every(seconds: int, task: str) -> dict:
    return {"task": task, "schedule": seconds, "options": {"expire_seconds": max(seconds, 10)}}


app.conf.beat_schedule = {
    "queue due messages": _every(3, "messaging.tasks.queue_due_messages"),
    "run number lists": _every(5, "messaging.tasks.run_number_lists"),
    "follow suppressed contacts": _every(3600, "messaging.tasks.follow_suppressed_contacts"),
    "derive when scheduled messages are due": _every(24 * 3600, "messaging.tasks.derive_due_times_of_schedules"),
    "settle expired leases": _every(15, "messaging.tasks.settle_expired_leases"),
    "warn of messages in time": _every(30, "messaging.tasks.warn_in_time"),
    "send warnings of messages": _every(10, "messaging.tasks.send_warning_mails"),
    "forget old signs of devices and chats": _every(24 * 3600, "messaging.tasks.forget_old_signs"),
    "delete old automatic replies": _every(3600, "messaging.tasks.delete_old_decisions"),
    "start broadcasts": _every(3, "messaging.tasks.start_broadcasts"),
    "settle broadcasts": _every(10, "messaging.tasks.settle_broadcasts"),
    "delete unused media": _every(600, "messaging.tasks.delete_unused_media"),
    "delete old share links": _every(24 * 3600, "messaging.tasks.delete_old_shares"),
    "delete leftovers of uploads": _every(6 * 3600, "messaging.tasks.delete_leftovers_of_uploads"),
    "delete what was switched off": _every(30, "messaging.tasks.delete_switched_off"),
    "put conversations right": _every(300, "messaging.tasks.put_conversations_right"),
    "forget seen messages": _every(600, "messaging.tasks.forget_seen_messages"),
    "run waiting imports": _every(5, "crm.tasks.run_waiting_imports"),
    "run bulk actions": _every(5, "crm.tasks.run_bulk_actions"),
    "delete old bulk actions": _every(24 * 3600, "crm.tasks.delete_old_bulk_actions"),
    "cancel abandoned imports": _every(3600, "crm.tasks.cancel_abandoned_imports"),
    "deliver due reminders": _every(5, "crm.tasks.deliver_due_reminders"),
    "derive when reminders are due": _every(24 * 3600, "crm.tasks.derive_due_times"),
    "delete old marks of synchronisation": _every(3600, "crm.tasks.delete_old_sync_marks"),
    "warn of delayed synchronisation": _every(60, "crm.tasks.warn_of_sync_delay"),
    "find merge suggestions": _every(20, "crm.tasks.find_merge_suggestions"),
    "delete unused avatars": _every(600, "crm.tasks.delete_unused_avatars"),
    "delete what has expired": _every(3600, "accounts.tasks.delete_expired"),
    "finish departures": _every(60, "accounts.tasks.finish_departures"),
    "forget old uses of quick replies": _every(24 * 3600, "messaging.tasks.forget_old_uses"),
    "empty bins": _every(3600, "crm.tasks.empty_bins"),
    "recount usage": _every(6 * 3600, "accounts.tasks.recount_usage"),
}
