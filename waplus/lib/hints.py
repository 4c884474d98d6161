"""Hints to the worker: "look now, there is work". Losing one only costs the time until beat's next sweep."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

LIFE = 60


def hint_after_commit(task: str) -> None:
    """Ask for a sweep, by the task's name, once the present transaction has committed."""
    transaction.on_commit(lambda: _send(task), robust=True)


def _send(task: str) -> None:
    try:
        current_app.send_task(task, expires=LIFE, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("no hint for %s: %s", task, error)
