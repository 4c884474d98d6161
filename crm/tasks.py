"""Sweeps of the CRM: each may run twice, late or never without harm."""

from celery import shared_task

from crm.services import avatars, bin, suggestion_search
from crm.services.bulk import running
from crm.services.imports import runs
from crm.services.reminders import changes, delivery
from crm.services.sync import epoch


@shared_task
def run_waiting_imports() -> None:
    runs.run_waiting()


@shared_task
def cancel_abandoned_imports() -> None:
    runs.cancel_abandoned()


@shared_task
def deliver_due_reminders() -> None:
    delivery.deliver_due_reminders()


@shared_task
def derive_due_times() -> None:
    changes.derive_due_times()


@shared_task
def empty_bins() -> None:
    bin.empty_bins()


@shared_task
def delete_old_sync_marks() -> None:
    epoch.delete_old_marks()


@shared_task
def warn_of_sync_delay() -> None:
    epoch.warn_of_delay()


@shared_task
def find_merge_suggestions() -> None:
    suggestion_search.find_suggestions()


@shared_task
def delete_unused_avatars() -> None:
    avatars.delete_unused_avatars()


@shared_task
def run_bulk_actions() -> None:
    running.run_open_actions()


@shared_task
def delete_old_bulk_actions() -> None:
    running.delete_old_actions()
