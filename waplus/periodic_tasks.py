"""Periodic tasks as staff handle them: paused, resumed, started at once."""

from collections.abc import Iterable

from celery import current_app
from django.db import transaction
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from accounts.actors import Actor
from accounts.services.events import record_event


@transaction.atomic
def switch(*, tasks: Iterable[PeriodicTask], enabled: bool, actor: Actor) -> int:
    """Pause or resume tasks; beat notices within seconds. Answers how many changed."""
    count = (
        PeriodicTask.objects.filter(pk__in=[task.pk for task in tasks]).exclude(enabled=enabled).update(enabled=enabled)
    )
    if count:
        PeriodicTasks.update_changed()
        record_event(
            kind="periodic_task.resumed" if enabled else "periodic_task.paused",
            actor=actor,
            workspace=None,
            changed=["enabled"],
            count=count,
        )
    return count


@transaction.atomic
def start(*, tasks: Iterable[PeriodicTask], actor: Actor) -> int:
    """Hand tasks to a worker now. Each is a sweep that may run twice without harm."""
    names = [task.task for task in tasks]
    if names:
        record_event(kind="periodic_task.started", actor=actor, workspace=None, count=len(names))
        transaction.on_commit(lambda: [current_app.send_task(name, ignore_result=True) for name in names], robust=True)
    return len(names)
