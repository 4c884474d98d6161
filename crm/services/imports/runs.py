"""The worker's side of imports: read, preview, write, undo, a chunk a transaction.

A chunk's transaction writes the contacts and advances the batch's counts, so
the counts are those of the database at every moment. A worker that is killed
leaves whole chunks behind, and the next sweep goes on with the following one.
Two turns keep order that last longer than a transaction: one for each batch, so
that no two workers read one file; and one for each slot, so that imports never
take all workers away from what is due by the second.
"""

import contextlib
import gc
import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import SYSTEM, person_or_system
from accounts.models import Resource
from accounts.services import plans
from crm.models import ImportBatch, ImportState, RowOutcome, Tag
from crm.models.imports import CLOSED_STATES, OPEN_STATES, PENDING_STATES
from crm.services.chat_links import has_lonely_chats, link_chats
from crm.services.imports import judging, previews, staging, undoing
from crm.services.imports.batches import RUN, close_batch
from crm.services.imports.planning import Plan
from crm.services.imports.staging import Stopped
from crm.services.imports.writing import Overtaken, write_plan
from crm.services.naming import next_position
from waplus.lib import long_work
from waplus.lib.errors import Refused
from waplus.lib.locks import session_turn, take_turns
from waplus.lib.text import fold

CHUNK = 5_000
# Chunks are tried again when somebody wrote the same numbers meanwhile.
MAX_OVERTAKEN = 10
SLICE = 10.0  # seconds that one import may go on while others wait
SWEEP = 600.0  # seconds after which a sweep leaves the rest to the next one
BROKE_OFF = "The import broke off several times. Support can look into it."
logger = logging.getLogger(__name__)


def waiting_imports() -> list[UUID]:
    """Batches that nobody has finished, oldest first."""
    return list(
        ImportBatch.objects.filter(state__in=OPEN_STATES).order_by("created_at").values_list("pk", flat=True)[:20]
    )


def run_waiting() -> None:
    """Work on all open batches in turn, unless all slots are taken; then tidy up what closed ones left."""
    with _slot() as is_free:
        if not is_free:
            return
        long_work.work_in_turns(waiting_imports, _go_on, seconds=SWEEP)
        _tidy()


def _go_on(batch_id: UUID) -> bool:
    return note_attempt(batch_id) and run_import(batch_id, seconds=SLICE) is not None


def run_import(batch_id: UUID, seconds: float = float("inf")) -> ImportBatch | None:
    """Go on with one batch for some seconds; nothing if another worker is at it or there is nothing to do."""
    with session_turn(RUN, batch_id) as is_ours, _rare_collections():
        batch = ImportBatch.objects.select_related("workspace", "created_by").filter(pk=batch_id).first()
        if not is_ours or batch is None:
            return None
        end = time.monotonic() + seconds
        try:
            if batch.state == ImportState.PREVIEWING:
                previews.make(batch)
            elif batch.state == ImportState.RUNNING:
                _run(batch, end)
            elif batch.state == ImportState.UNDOING:
                undoing.undo(batch, end, person_or_system(batch.created_by))
        except Stopped:
            logger.info("import %s was stopped or changed", batch_id)
        except Refused as refusal:
            _fail(batch, refusal.detail)
        except FileNotFoundError:
            _fail(batch, "The uploaded file is gone. Upload it again.")
        return batch


def note_attempt(batch_id: UUID) -> bool:
    """Count an attempt at a batch that no other worker is at, and answer whether it may be worked on."""
    batches = ImportBatch.objects.filter(state__in=OPEN_STATES)
    with session_turn(RUN, batch_id) as is_ours:
        if not is_ours or not long_work.note_attempt(batches, batch_id, give_up=_give_up):
            return False
        ImportBatch.objects.filter(pk=batch_id, state=ImportState.WAITING).update(state=ImportState.RUNNING)
        return True


def _give_up(batch: ImportBatch) -> None:
    close_batch(batch, ImportState.FAILED, BROKE_OFF, person_or_system(batch.created_by))


def cancel_abandoned() -> None:
    """Cancel what was uploaded and never started: the file has names and numbers in it."""
    before = timezone.now() - timedelta(days=settings.IMPORT_PENDING_DAYS)
    for batch in ImportBatch.objects.filter(state__in=PENDING_STATES, created_at__lt=before).order_by("created_at"):
        with transaction.atomic():
            locked = ImportBatch.objects.select_for_update().filter(pk=batch.pk, state__in=PENDING_STATES).first()
            if locked is not None:
                close_batch(locked, ImportState.CANCELLED, "It was never started.", SYSTEM)


def _fail(batch: ImportBatch, problem: str) -> None:
    with transaction.atomic():
        locked = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        if locked.state in OPEN_STATES:
            close_batch(locked, ImportState.FAILED, problem, person_or_system(locked.created_by))
    batch.refresh_from_db()


def _run(batch: ImportBatch, end: float) -> None:
    """Read the file if that has not been done, then write chunk after chunk until the end of time or file."""
    while True:
        if not batch.is_staged:
            staging.stage(batch)
        if batch.rows_done or _begin(batch):
            break
    while batch.rows_done < batch.rows_total:
        if time.monotonic() >= end:
            return
        _write_next(batch)
    with transaction.atomic():
        locked = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        if locked.state == ImportState.RUNNING:
            close_batch(locked, ImportState.FINISHED, "", person_or_system(locked.created_by))
    batch.refresh_from_db()


def _begin(batch: ImportBatch) -> bool:
    """Refuse what the plan does not allow before anything is written, and make the tags that the file brings.

    False if somebody made one of these tags meanwhile, so that rows have to be read anew.
    """
    people, limit = judging.count_people(batch), batch.workspace.plan.limit_of(Resource.CONTACTS)
    with transaction.atomic():
        if people + plans.used_of(workspace=batch.workspace, resource=Resource.CONTACTS) > limit:
            needed = judging.count_new(batch)
            plans.reserve(workspace=batch.workspace, resource=Resource.CONTACTS, amount=needed)
            plans.release(workspace=batch.workspace, resource=Resource.CONTACTS, amount=needed)
        take_turns("crm_tag", batch.workspace_id)
        behind = next_position(Tag, batch.workspace)
        tags = [
            Tag(id=id, workspace_id=batch.workspace_id, name=name, folded=fold(name)[:200], position=behind + place)
            for place, (id, name) in enumerate(batch.new_tags.items())
        ]
        Tag.objects.bulk_create(tags, ignore_conflicts=True)
        there = Tag.objects.for_workspace(batch.workspace_id).filter(pk__in=[tag.pk for tag in tags]).count()
        if there == len(tags):
            return True
        transaction.set_rollback(True)
    staging.advance(batch, is_staged=False)
    return False


def _write_next(batch: ImportBatch) -> None:
    for _ in range(MAX_OVERTAKEN):
        try:
            with transaction.atomic():
                written = _write_chunk(batch)
        except Overtaken as overtaken:
            logger.info("a chunk of import %s is planned anew: %s", batch.pk, overtaken)
            continue
        except IntegrityError as error:
            # Something that rows refer to, such as a tag, was deleted: read the rows by what there is now.
            logger.info("rows of import %s are read anew: %s", batch.pk, error)
            _read_anew(batch)
            continue
        if not written:
            # The table of staged rows is not logged: the database has been down.
            _read_anew(batch)
        return
    raise Refused("conflict", "Others changed the same contacts all the time. Try again later.")


def _read_anew(batch: ImportBatch) -> None:
    staging.advance(batch, is_staged=False)
    staging.stage(batch)
    _begin(batch)


def _write_chunk(batch: ImportBatch) -> bool:
    """Write the next rows and count them; False if they are not there."""
    locked = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if locked.state != ImportState.RUNNING or locked.rows_done != batch.rows_done:
        raise Stopped
    first, last = locked.rows_done + 1, min(locked.rows_done + CHUNK, locked.rows_total)
    count, rows = judging.judge(locked, first, last)
    if count != last - first + 1:
        return False
    plan = Plan(locked, rows)
    created = plan.count(RowOutcome.CREATED)
    # Contacts are locked by now; the usage comes before any number, as wherever contacts come and go.
    if created:
        plans.reserve(workspace=batch.workspace, resource=Resource.CONTACTS, amount=created)
    elif plan.outcomes:
        plans.wait_turn(workspace=batch.workspace, resource=Resource.CONTACTS)
    write_plan(plan, timezone.now())
    if has_lonely_chats(batch.workspace):
        link_chats(workspace=batch.workspace, holders=plan.holders_added())
    idle = "rows_skipped" if locked.duplicates == "skip" else "rows_unchanged"
    counts = {
        "rows_done": last,
        "rows_created": locked.rows_created + created,
        "rows_merged": locked.rows_merged + plan.count(RowOutcome.MERGED),
        "rows_unchanged": locked.rows_unchanged + plan.count(RowOutcome.UNCHANGED),
        "rows_skipped": locked.rows_skipped + plan.count(RowOutcome.SKIPPED),
        "rows_refused": locked.rows_refused + plan.count(RowOutcome.REFUSED),
        "attempts": 0,
    }
    counts[idle] += count - len(rows)
    ImportBatch.objects.filter(pk=batch.pk).update(**counts)
    for name, value in counts.items():
        setattr(batch, name, value)
    return True


def _tidy() -> None:
    """Take away the staged rows of batches that have ended."""
    for batch in ImportBatch.objects.filter(state__in=CLOSED_STATES, rows_staged__gt=0).order_by("created_at")[:100]:
        staging.clear(batch)
        ImportBatch.objects.filter(pk=batch.pk).update(rows_staged=0, is_staged=False)


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """Let the garbage collector look less often: hundreds of thousands of objects live for a chunk, and none in a circle."""
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


@contextlib.contextmanager
def _slot() -> Iterator[bool]:
    """One of the places in which imports are worked on."""
    with contextlib.ExitStack() as stack:
        yield any(stack.enter_context(session_turn("crm_import_slot", slot)) for slot in range(settings.IMPORT_SLOTS))
