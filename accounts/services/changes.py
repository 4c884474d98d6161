"""Changing a row's fields."""

from django.db.models import Model


def set_changed(row: Model, values: dict) -> list[str]:
    """Set what differs on the instance, and answer the names of it: what to save, and what the event tells."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return changed
