"""Sweeps of accounts: each may run twice, late or never without harm."""

from celery import shared_task

from accounts.idempotency import delete_old_records
from accounts.models import Workspace
from accounts.services import plans, tokens


@shared_task
def delete_expired_tokens() -> None:
    tokens.delete_expired_tokens()
    delete_old_records()


@shared_task
def recount_usage() -> None:
    for workspace in Workspace.objects.order_by("pk").iterator(chunk_size=500):
        plans.recount(workspace)
