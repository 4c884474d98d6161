"""Sweeps of accounts: each may run twice, late or never without harm."""

from celery import shared_task

from accounts.models import Workspace
from accounts.services import departures, expiry, plans


@shared_task
def delete_expired() -> None:
    expiry.delete_expired()


@shared_task
def recount_usage() -> None:
    for workspace in Workspace.objects.order_by("pk").iterator(chunk_size=500):
        plans.recount(workspace)


@shared_task
def finish_departures() -> None:
    departures.finish_departures()
