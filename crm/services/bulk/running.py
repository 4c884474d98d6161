"""The worker's side of bulk actions: freeze the set, then a chunk a transaction.

A chunk's transaction holds the action, changes its contacts, deletes the chunk
and moves the progress on. A worker that is killed leaves whole chunks behind,
and the next sweep goes on with them. Whoever works on an action or stops it
locks the action first and what is left of its set after it.
"""

import logging
import time
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actors import SYSTEM, person_or_system
from crm.filters import parse_filter
from crm.models import BulkAction, BulkState
from crm.models.bulk import OPEN_STATES
from crm.services.bulk.effects import EFFECTS
from crm.services.bulk.sets import freeze
from crm.services.bulk.starting import RUN, close_action
from waplus.lib.errors import Refused
from waplus.lib.locks import session_turn
from waplus.lib.long_work import note_attempt, work_in_turns

MAX_ATTEMPTS = 5
SLICE = 5.0  # seconds that one action may go on while others wait
SWEEP = 300.0  # seconds after which a sweep leaves the rest to the next one
BROKE_OFF = (
    f"It broke off {MAX_ATTEMPTS} times, so the rest was left as it was. What was done stays done. "
    "Support can look into it."
)
logger = logging.getLogger(__name__)


def run_open_actions() -> None:
    """Work on all open actions in turn."""
    work_in_turns(_open_ids, lambda action_id: run_action(action_id, seconds=SLICE), seconds=SWEEP)


def _open_ids() -> list[UUID]:
    # What broke off already does not hold up what was not tried yet.
    found = BulkAction.objects.filter(state__in=OPEN_STATES).order_by("attempts", "created_at")
    return list(found.values_list("pk", flat=True)[:50])


def run_action(action_id: UUID, *, seconds: float = SWEEP) -> bool:
    """Go on with one action for some seconds; answers whether any of it was done.

    Nothing, if another worker is at it: an action whose attempts two workers
    count at a time would be given up too soon.
    """
    end, went_on = time.monotonic() + seconds, False
    with session_turn(RUN, action_id) as is_ours:
        if not is_ours:
            return False
        try:
            while time.monotonic() < end and _may_try(action_id) and _step(action_id):
                went_on = True
        except Refused as refusal:
            _fail(action_id, refusal.detail)
            return True
        except Exception:
            # Whatever it is: the actions behind it, other people's, go on all the same.
            logger.exception("bulk action %s broke off", action_id)
    return went_on


def _may_try(action_id: UUID) -> bool:
    """Count an attempt at the next step; False if the action has ended, or ends here because it broke off too often."""
    found = BulkAction.objects.filter(state__in=OPEN_STATES)
    return note_attempt(found, action_id, give_up=_give_up, most=MAX_ATTEMPTS)


def _give_up(row: BulkAction) -> None:
    close_action(row, BulkState.FAILED, SYSTEM, BROKE_OFF)


def _locked(action_id: UUID) -> BulkAction | None:
    rows = BulkAction.objects.select_related("workspace", "created_by").filter(state__in=OPEN_STATES)
    return rows.select_for_update(of=("self",), no_key=True).filter(pk=action_id).first()


@transaction.atomic
def _step(action_id: UUID) -> bool:
    """Freeze the set, do one chunk, or finish; False if the action has ended."""
    row = _locked(action_id)
    if row is None:
        return False
    actor = person_or_system(row.created_by)
    if row.state == BulkState.WAITING:
        _begin(row)
    elif (chunk := row.chunks.order_by("number").first()) is not None:
        effect = EFFECTS[row.action](row.workspace, actor, row.arguments, chunk.contact_ids)
        chunk.delete()
        row.done += len(chunk.contact_ids)
        row.changed += effect.changed
        row.refused += effect.refused
    else:
        close_action(row, BulkState.FINISHED, actor)
    row.attempts = 0
    row.save(update_fields=["state", "total", "done", "changed", "refused", "attempts"])
    return True


def _begin(row: BulkAction) -> None:
    found = parse_filter(row.workspace, row.filter, lenient=True)
    if found.dead:
        raise Refused("wrong_state", "Something that its filter speaks of was deleted before it began.")
    row.total, row.state = freeze(row, found, row.created_by), BulkState.RUNNING


@transaction.atomic
def _fail(action_id: UUID, problem: str) -> None:
    if (row := _locked(action_id)) is not None:
        close_action(row, BulkState.FAILED, SYSTEM, problem)


def delete_old_actions() -> int:
    """Forget actions that ended `BULK_ACTION_DAYS` days ago; answers how many."""
    before = timezone.now() - timedelta(days=settings.BULK_ACTION_DAYS)
    return BulkAction.objects.filter(finished_at__lt=before).delete()[0]
