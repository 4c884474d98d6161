"""Sweeps of the CRM: each may run twice, late or never without harm."""

from celery import shared_task

from crm.services.imports import runs


@shared_task
def run_waiting_imports() -> None:
    for batch_id in runs.waiting_imports():
        if runs.note_attempt(batch_id):
            runs.run_import(batch_id)
