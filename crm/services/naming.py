"""Names that members give to tags, stages and fields, and the order that they put them in."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from crm.models.synced import SyncedModel
from waplus.lib.errors import UNKNOWN_ID, Invalid, NotFound
from waplus.lib.locks import take_turns
from waplus.lib.text import fold, strip_invisible

MAX_NAME = 80


def clean_name(text: str, field: str = "name") -> str:
    """A name as it is kept: one line of 1 to 80 characters, without what cannot be seen."""
    name = " ".join(strip_invisible(text).split())
    if not name:
        raise Invalid(field, "required", "A name has at least one visible character.")
    if len(name) > MAX_NAME:
        raise Invalid(field, "max_length", f"A name has at most {MAX_NAME} characters.")
    return name


def folded_name(name: str) -> str:
    """What two names have in common that people take for one; a name of accents alone is itself."""
    return (fold(name) or name)[:200]


def next_position(model: type[SyncedModel], workspace: Workspace) -> int:
    """The position behind the last one. Callers have taken turns."""
    last = model.objects.for_workspace(workspace).order_by("-position").values_list("position", flat=True).first()
    return 0 if last is None else last + 1


def reorder(model: type[SyncedModel], workspace: Workspace, ids: Sequence[UUID]) -> int:
    """Put the named rows first, in the order of `ids`; the others follow as they stood. Answers how many moved.

    Ids that are not the workspace's are refused; naming not all of them is
    fine, so that a row which a colleague made meanwhile spoils nothing.
    """
    take_turns(model._meta.db_table, workspace.pk)
    rows = dict(model.objects.for_workspace(workspace).order_by("position", "id").values_list("id", "position"))
    if len(set(ids)) != len(ids):
        raise Invalid("ids", "repeated", "Each id stands once in an order.")
    for index, id in enumerate(ids):
        if id not in rows:
            raise Invalid(f"ids.{index}", "does_not_exist", UNKNOWN_ID)
    return _place(model, workspace, rows, [*ids, *(id for id in rows if id not in set(ids))])


def move(model: type[SyncedModel], workspace: Workspace, row_id: UUID, after: UUID | None) -> int:
    """Put one row behind another one, or first without one; the others stay in their order. Answers how many moved."""
    take_turns(model._meta.db_table, workspace.pk)
    rows = dict(model.objects.for_workspace(workspace).order_by("position", "id").values_list("id", "position"))
    if row_id not in rows:
        raise NotFound
    if after is not None and (after not in rows or after == row_id):
        raise Invalid("after", "does_not_exist", UNKNOWN_ID)
    ids = [id for id in rows if id != row_id]
    ids.insert(0 if after is None else ids.index(after) + 1, row_id)
    return _place(model, workspace, rows, ids)


def _place(model: type[SyncedModel], workspace: Workspace, rows: dict[UUID, int], ids: Sequence[UUID]) -> int:
    """Write the positions that are others than before."""
    moved = [(id, place) for place, id in enumerate(ids) if rows[id] != place]
    if moved:
        with connection.cursor() as cursor:
            cursor.execute(
                # Locked in the order of their ids, as by everybody who has many of them at once.
                f"WITH moved AS (SELECT t.id, m.place FROM {model._meta.db_table} t "  # noqa: S608  (a model's table)
                "JOIN unnest(%s::uuid[], %s::int[]) AS m (id, place) ON m.id = t.id WHERE t.workspace_id = %s "
                "ORDER BY t.id FOR NO KEY UPDATE OF t) "
                f"UPDATE {model._meta.db_table} t SET position = moved.place FROM moved WHERE t.id = moved.id",
                [[id for id, _ in moved], [place for _, place in moved], workspace.pk],
            )
    return len(moved)
