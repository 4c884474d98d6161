"""Sweeps of the CRM: each may run twice, late or never without harm."""

from celery import shared_task

from crm.services.imports import runs


@shared_task
def run_waiting_imports() -> None:
    runs.run_waiting()


@shared_task
def cancel_abandoned_imports() -> None:
    runs.cancel_abandoned()
