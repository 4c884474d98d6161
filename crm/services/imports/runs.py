"""Imports: take a file, run it in the background, tell what became of each row.

A run is one transaction over the batch's locked row. A worker that is killed
leaves nothing behind, and the next sweep runs the batch again; whatever the
batch reports was committed together with the contacts that it counts.
"""

import io
import logging
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from accounts import actors
from accounts.actors import Actor
from accounts.models import Resource, User, Workspace
from accounts.services import plans
from accounts.services.events import record_event
from crm.models import Contact, ContactIdentity, ImportBatch
from crm.models.imports import ImportState, RowOutcome
from crm.services.imports.planning import Plan, Target, plain_key
from crm.services.imports.reading import ContactFile, Row
from crm.services.imports.writing import Overtaken, write_plan
from waplus.lib.errors import Refused
from waplus.lib.hints import hint_after_commit
from waplus.lib.ids import uuid7

MAX_ATTEMPTS = 3
logger = logging.getLogger(__name__)


def start_import(
    *,
    workspace: Workspace,
    user: User,
    actor: Actor,
    file: UploadedFile,
    default_country: str = "",
    id: UUID | None = None,
) -> tuple[ImportBatch, bool]:
    """Keep an uploaded file to be imported in the background, and answer whether it is a new batch.

    The header is read at once, so that a wrong file is refused in the same
    answer. A repeat with the same id answers the batch that is there.
    """
    if id is not None and (existing := ImportBatch.objects.filter(pk=id).first()):
        if existing.workspace_id != workspace.pk:
            raise Refused("id_taken", field="id")
        return existing, False
    country = default_country or workspace.default_country
    contact_file = ContactFile(_text(file), country)
    batch = ImportBatch(
        id=id or uuid7(),
        workspace=workspace,
        file_name=(file.name or "contacts.csv")[:200],
        default_country=country,
        ignored_columns=contact_file.ignored_columns(),
        created_by=user,
    )
    file.seek(0)
    with transaction.atomic():
        batch.file.save("contacts.csv", file, save=False)
        batch.save(force_insert=True)
        record_event(kind="import.started", actor=actor, workspace=workspace, obj=batch)
        hint_after_commit("crm.tasks.run_waiting_imports")
    return batch, True


def _text(file) -> io.TextIOBase:
    """The file as text; `newline=""` leaves line ends inside of quoted cells to the csv module."""
    return io.TextIOWrapper(io.BytesIO(file.read()), encoding="utf-8-sig", newline="")


def waiting_imports() -> list[UUID]:
    """Batches that nobody has finished, oldest first; a batch at work is among them and is skipped by its lock."""
    open_states = [ImportState.WAITING, ImportState.RUNNING]
    return list(
        ImportBatch.objects.filter(state__in=open_states).order_by("created_at").values_list("pk", flat=True)[:20]
    )


def run_import(batch_id: UUID) -> ImportBatch | None:
    """Run one batch to its end, or nothing if another worker is at it or it has ended."""
    for _ in range(MAX_ATTEMPTS):
        try:
            with transaction.atomic():
                batch = (
                    ImportBatch.objects.select_for_update(skip_locked=True, of=("self",))
                    .select_related("workspace", "created_by")
                    .filter(pk=batch_id, state__in=[ImportState.WAITING, ImportState.RUNNING])
                    .first()
                )
                return _run_locked(batch) if batch else None
        except Overtaken as overtaken:
            logger.info("import %s is planned anew: %s", batch_id, overtaken)
    return None


def note_attempt(batch_id: UUID) -> bool:
    """Count an attempt in a transaction of its own, so that a file which kills workers is not tried for ever.

    Answers whether the batch may be run.
    """
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update(skip_locked=True).filter(pk=batch_id).first()
        if batch is None or batch.state not in (ImportState.WAITING, ImportState.RUNNING):
            return False
        batch.attempts += 1
        if batch.attempts > MAX_ATTEMPTS:
            _finish(batch, ImportState.FAILED, "The import broke off several times. Support can look into it.")
            return False
        batch.state = ImportState.RUNNING
        batch.save(update_fields=["attempts", "state"])
        return True


def _run_locked(batch: ImportBatch) -> ImportBatch:
    now = timezone.now()
    try:
        with transaction.atomic():
            with batch.file.open("rb") as file:
                rows = list(ContactFile(_text(file), batch.default_country).rows())
            plan = _plan(batch.workspace, rows)
            plans.reserve(workspace=batch.workspace, resource=Resource.CONTACTS, amount=len(plan.new))
            write_plan(batch, plan, now)
    except Refused as refusal:
        return _finish(batch, ImportState.FAILED, refusal.detail)
    except FileNotFoundError:
        return _finish(batch, ImportState.FAILED, "The uploaded file is gone. Upload it again.")
    batch.rows_total = len(rows)
    batch.rows_created = plan.count(RowOutcome.CREATED)
    batch.rows_merged = plan.count(RowOutcome.MERGED)
    batch.rows_unchanged = plan.count(RowOutcome.UNCHANGED)
    batch.rows_refused = plan.count(RowOutcome.REFUSED)
    return _finish(batch, ImportState.FINISHED, "")


def _finish(batch: ImportBatch, state: ImportState, problem: str) -> ImportBatch:
    batch.state, batch.problem, batch.finished_at = state, problem, timezone.now()
    batch.save()
    actor = actors.person(batch.created_by) if batch.created_by else actors.SYSTEM
    record_event(
        kind=f"import.{state.value}", actor=actor, workspace=batch.workspace, obj=batch, count=batch.rows_created
    )
    # The contacts are in the database now (or the reason why not); the file has served.
    storage, name = batch.file.storage, batch.file.name
    transaction.on_commit(lambda: storage.delete(name))
    return batch


def _plan(workspace: Workspace, rows: list[Row]) -> Plan:
    """Look up who holds the rows' numbers, and decide. The contacts are locked until the import commits."""
    keys = {identity.match_key for row in rows for identity in row.identities}
    holders = ContactIdentity.objects.for_workspace(workspace).filter(match_key__in=keys, holds_key=True)
    owners = dict(holders.values_list("match_key", "contact_id")) if keys else {}
    plain = {plain_key(row) for row in rows if not row.identities and not row.is_empty}
    same = Contact.objects.for_workspace(workspace).alive().filter(search_text__in=plain)
    owners.update(
        {f"plain:{text}": contact_id for text, contact_id in same.values_list("search_text", "id")} if plain else {}
    )
    existing = {
        contact.pk: Target(
            contact.pk,
            False,
            {
                "name": contact.name,
                "profile_name": contact.profile_name,
                "company": contact.company,
                "email": contact.email,
            },
        )
        for contact in Contact.objects.for_workspace(workspace)
        .filter(pk__in=set(owners.values()))
        .order_by("pk")
        .select_for_update()
    }
    known = ContactIdentity.objects.for_workspace(workspace).filter(contact__in=existing)
    for contact_id, kind, value in known.values_list("contact_id", "kind", "value"):
        existing[contact_id].known.add((kind, value))
    return Plan(rows, {key: owner for key, owner in owners.items() if owner in existing}, existing)
