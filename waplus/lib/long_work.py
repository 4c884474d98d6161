"""Work that is too long for a transaction: the worker does it by chunks, a slice of time for each piece in turn.

What a chunk did, and how far the piece is by that, is written in one
transaction. So a worker that is killed leaves whole chunks behind, and the next
sweep goes on with the following one.
"""

import time
from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.db.models import Model, QuerySet

MAX_ATTEMPTS = 3


def work_in_turns(open_ids: Callable[[], list[UUID]], go_on: Callable[[UUID], bool], *, seconds: float) -> None:
    """Let every open piece go on for its slice, again and again, until none of them moves or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        moved = [go_on(id) for id in open_ids()]
        if not any(moved):
            return


def note_attempt(open_rows: QuerySet, id: UUID, *, give_up: Callable[[Model], None], most: int = MAX_ATTEMPTS) -> bool:
    """Count an attempt in a transaction of its own, so that what kills its worker is not tried for ever.

    Every chunk that is done sets `attempts` back to nothing. Answers whether the
    row is still open and may be worked on; `give_up` closes one that was tried `most` times.
    """
    with transaction.atomic():
        row = open_rows.select_for_update(skip_locked=True, of=("self",), no_key=True).filter(pk=id).first()
        if row is None:
            return False
        if row.attempts >= most:
            give_up(row)
            return False
        row.attempts += 1
        row.save(update_fields=["attempts"])
        return True
