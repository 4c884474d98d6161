"""The worker's side of bulk actions: freeze the set, then a chunk a transaction.

A chunk's transaction changes its contacts, deletes the chunk and moves the
progress on. A worker that is killed leaves whole chunks behind, and the next
sweep goes on with them; two workers never take one chunk.
"""

import logging
import time
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from accounts import actors
from accounts.services.events import record_event
from crm.filters import parse_filter
from crm.models import BulkAction, BulkChunk, BulkState
from crm.models.bulk import OPEN_STATES
from crm.services.bulk.effects import EFFECTS
from crm.services.bulk.sets import freeze
from waplus.lib.errors import Refused
from waplus.lib.long_work import work_in_turns

MAX_ATTEMPTS = 5
SLICE = 5.0  # seconds that one action may go on while others wait
SWEEP = 300.0  # seconds after which a sweep leaves the rest to the next one
BROKE_OFF = "It broke off several times. Support can look into it."
logger = logging.getLogger(__name__)


def run_open_actions() -> None:
    """Work on all open actions in turn."""
    work_in_turns(_open_ids, lambda action_id: run_action(action_id, seconds=SLICE), seconds=SWEEP)


def _open_ids() -> list[UUID]:
    found = BulkAction.objects.filter(state__in=OPEN_STATES).order_by("created_at")
    return list(found.values_list("pk", flat=True)[:50])


def run_action(action_id: UUID, *, seconds: float = SWEEP) -> bool:
    """Go on with one action for some seconds; answers whether any of it was done."""
    end, went_on = time.monotonic() + seconds, False
    while time.monotonic() < end:
        try:
            with transaction.atomic():
                step = _step(action_id)
        except DatabaseError:
            logger.exception("bulk action %s broke off", action_id)
            _give_up_after_some(action_id)
            return went_on
        except Refused as refusal:
            _fail(action_id, refusal.detail)
            return True
        if not step:
            return went_on
        went_on = True
    return went_on


def _step(action_id: UUID) -> bool:
    """Freeze the set, do one chunk, or finish; False if there is nothing that this worker could do."""
    row = BulkAction.objects.select_related("workspace", "created_by").filter(pk=action_id).first()
    if row is None or row.state not in OPEN_STATES:
        return False
    if row.state == BulkState.WAITING:
        return _begin(row)
    chunk = (
        BulkChunk.objects.for_workspace(row.workspace)
        .filter(bulk_action=row)
        .order_by("number")
        .select_for_update(skip_locked=True)
        .first()
    )
    if chunk is None:
        return _finish(row)
    effect = EFFECTS[row.action](
        row.workspace, actors.person_or_system(row.created_by), row.arguments, chunk.contact_ids
    )
    chunk.delete()
    BulkAction.objects.filter(pk=row.pk).update(
        done=F("done") + len(chunk.contact_ids),
        changed=F("changed") + effect.changed,
        refused=F("refused") + effect.refused,
        attempts=0,
    )
    return True


def _begin(row: BulkAction) -> bool:
    locked = BulkAction.objects.select_for_update(skip_locked=True).filter(pk=row.pk, state=BulkState.WAITING)
    if not locked.exists():
        return False
    found = parse_filter(row.workspace, row.filter, lenient=True)
    if found.dead:
        raise Refused("wrong_state", "Something that its filter speaks of was deleted before it began.")
    total = freeze(row, found, row.created_by)
    BulkAction.objects.filter(pk=row.pk).update(state=BulkState.RUNNING, total=total)
    return True


def _finish(row: BulkAction) -> bool:
    """Every chunk is gone, or another worker has the last ones."""
    locked = BulkAction.objects.select_for_update(skip_locked=True).filter(pk=row.pk, state=BulkState.RUNNING)
    if not locked.exists() or BulkChunk.objects.for_workspace(row.workspace).filter(bulk_action=row).exists():
        return False
    BulkAction.objects.filter(pk=row.pk).update(state=BulkState.FINISHED, finished_at=timezone.now())
    row.refresh_from_db()
    record_event(
        kind="bulk_action.finished",
        actor=actors.person_or_system(row.created_by),
        workspace=row.workspace,
        obj=row,
        count=max(row.changed, 1),
    )
    return True


@transaction.atomic
def _fail(action_id: UUID, problem: str) -> None:
    row = BulkAction.objects.select_related("workspace").select_for_update(of=("self",)).get(pk=action_id)
    if row.state in OPEN_STATES:
        row.chunks.all().delete()
        row.state, row.problem, row.finished_at = BulkState.FAILED, problem, timezone.now()
        row.save(update_fields=["state", "problem", "finished_at"])
        record_event(kind="bulk_action.failed", actor=actors.SYSTEM, workspace=row.workspace, obj=row)


def _give_up_after_some(action_id: UUID) -> None:
    BulkAction.objects.filter(pk=action_id).update(attempts=F("attempts") + 1)
    if BulkAction.objects.filter(pk=action_id, attempts__gte=MAX_ATTEMPTS).exists():
        _fail(action_id, BROKE_OFF)


def delete_old_actions() -> int:
    """Forget actions that ended `BULK_ACTION_DAYS` days ago; answers how many."""
    before = timezone.now() - timedelta(days=settings.BULK_ACTION_DAYS)
    return BulkAction.objects.filter(finished_at__lt=before).delete()[0]
