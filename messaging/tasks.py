"""Sweeps of messaging: each may run twice, late or never without harm."""

from celery import shared_task

from messaging.services import dispatch, scheduling


@shared_task
def queue_due_messages() -> None:
    scheduling.queue_due_messages()


@shared_task
def settle_expired_leases() -> None:
    dispatch.settle_expired_leases()
