"""The worker's side of lists of numbers: a chunk a transaction, and the turn of opt-outs held no longer than that."""

import logging
import time
from uuid import UUID

from django.db import DatabaseError, transaction

from accounts.actors import person_or_system
from crm.models import BulkState
from crm.models.bulk import OPEN_STATES
from messaging.models import NumberList, NumberListChunk, NumberListRefusal
from messaging.services.number_lists.reading import NoNumber, key_in
from messaging.services.number_lists.uploading import RUN, close_list
from messaging.services.suppression.taking import suppress_keys, tell_planner_of
from waplus.lib.locks import session_turn
from waplus.lib.long_work import note_attempt, work_in_turns

SLICE = 5.0  # seconds that one list may go on while others wait
SWEEP = 300.0  # seconds after which a sweep leaves the rest to the next one
BROKE_OFF = "Taking the list over broke off several times. Support can look into it."
logger = logging.getLogger(__name__)


def run_open_lists() -> None:
    """Work on all open lists in turn, unless another worker does: the others are for what is due by the second."""
    with session_turn(RUN) as is_ours:
        if is_ours:
            work_in_turns(_open_ids, _go_on, seconds=SWEEP)


def _open_ids() -> list[UUID]:
    found = NumberList.objects.filter(state__in=OPEN_STATES).order_by("created_at")
    return list(found.values_list("pk", flat=True)[:20])


def _go_on(list_id: UUID) -> bool:
    """Go on with one list for a slice; answers whether any of it was done."""
    end, went_on = time.monotonic() + SLICE, False
    if not note_attempt(NumberList.objects.filter(state__in=OPEN_STATES), list_id, give_up=_give_up):
        return False
    try:
        while time.monotonic() < end and take_chunk(list_id):
            went_on = True
    except DatabaseError:
        logger.exception("list of numbers %s broke off", list_id)
    return went_on


def _give_up(row: NumberList) -> None:
    close_list(row, BulkState.FAILED, BROKE_OFF, person_or_system(row.created_by))


@transaction.atomic
def take_chunk(list_id: UUID) -> bool:
    """Take the next lines of a list over and count them, with the last ones close it; False if it has ended."""
    row = NumberList.objects.select_for_update().filter(pk=list_id, state__in=OPEN_STATES).first()
    if row is None:
        return False
    tell_planner_of(row.added)
    chunk = row.chunks.order_by("number")[0]
    keys, refusals = _read(row, chunk)
    NumberListRefusal.objects.bulk_create(refusals)
    chunk.delete()
    # Last, because opt-outs of the workspace wait from here to the commit.
    added = suppress_keys(workspace=row.workspace, keys=keys, note=row.note, user_id=row.created_by_id)
    row.state, row.attempts = BulkState.RUNNING, 0
    row.done += len(chunk.lines)
    row.added += added
    row.known += len(keys) - added
    row.refused += len(refusals)
    row.save(update_fields=["state", "attempts", "done", "added", "known", "refused"])
    if row.done == row.total:
        close_list(row, BulkState.FINISHED, "", person_or_system(row.created_by))
    return True


def _read(row: NumberList, chunk: NumberListChunk) -> tuple[list[str], list[NumberListRefusal]]:
    keys, refusals = [], []
    for line, text in zip(chunk.line_numbers, chunk.lines, strict=True):
        try:
            keys.append(key_in(text, row.default_country))
        except NoNumber as why:
            refusals.append(
                NumberListRefusal(
                    workspace_id=row.workspace_id, number_list=row, line=line, code=why.code, detail=str(why)
                )
            )
    return keys, refusals
