"""Deleting rows with everything that hangs on them: by statements over whole sets, or so many at a time.

Django's collector loads what it deletes, row by row, and sends signals. In
`delete_rows` the tables that point to a row are found in the registry of models,
whatever app they are of, and emptied first; the database's triggers leave their
tombstones. `delete_in_chunks` is for what grows old, where the collector does.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.db.models import CASCADE, SET_NULL, Model, QuerySet


def delete_rows(model: type[Model], ids: Iterable[UUID], workspace_id: UUID) -> int:
    """Delete rows of one workspace and what cascades from them; answers how many of `model` there were.

    References that `SET_NULL` are emptied. The caller has the rows locked against
    references to them (`FOR UPDATE`), and a transaction open; what hangs on them
    is locked here before it is looked at for what hangs on it in turn.
    """
    ids = list(ids)
    if not ids:
        return 0
    for relation in _relations(model):
        child, field = relation.related_model, relation.field
        hanging = child._base_manager.filter(workspace=workspace_id, **{f"{field.name}__in": ids})
        if relation.on_delete is SET_NULL:
            hanging.update(**{field.name: None})
        elif relation.on_delete is not CASCADE:
            raise TypeError(f"{child._meta.label}.{field.name} neither cascades nor can be emptied")
        elif _relations(child):
            locked = hanging.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True)
            delete_rows(child, locked, workspace_id)
        else:
            hanging._raw_delete(using=connection.alias)
    return model._base_manager.filter(workspace=workspace_id, pk__in=ids)._raw_delete(using=connection.alias)


def _relations(model: type[Model]) -> list:
    return [
        relation
        for relation in model._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)
    ]


def delete_in_chunks(rows: QuerySet, *, size: int = 1_000) -> int:
    """Delete rows with what hangs on them, `size` at a time and each chunk by itself; answers how many of them."""
    total = 0
    while ids := list(rows.values_list("pk", flat=True)[:size]):
        rows.model._base_manager.filter(pk__in=ids).delete()
        total += len(ids)
    return total
