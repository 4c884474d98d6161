"""Deleting much without holding it all."""

from django.db.models import QuerySet


def delete_in_chunks(rows: QuerySet, *, size: int = 1_000) -> int:
    """Delete rows with what hangs on them, `size` at a time and each chunk by itself; answers how many of them."""
    total = 0
    while ids := list(rows.values_list("pk", flat=True)[:size]):
        rows.model._base_manager.filter(pk__in=ids).delete()
        total += len(ids)
    return total
