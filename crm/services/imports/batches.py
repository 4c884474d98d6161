"""What people do with imports: upload, choose, preview, start, cancel, undo. The work itself is done by `runs`."""

from collections.abc import Sequence
from itertools import islice
from typing import BinaryIO
from uuid import UUID

from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import User, Workspace
from accounts.services.events import record_event
from crm.models import CustomField, DuplicatePolicy, ImportBatch, ImportState, Stage, Tag
from crm.models.imports import OPEN_STATES, PENDING_STATES
from crm.services.imports.mapping import detection
from crm.services.imports.mapping import titles as t
from crm.services.imports.reading import Layout, Source, Unreadable, open_source
from crm.services.imports.staging import layout_of
from waplus.lib.errors import UNKNOWN_ID, Invalid, NotFound, Refused
from waplus.lib.hints import hint_after_commit
from waplus.lib.ids import uuid7
from waplus.lib.text import plain_file_name

# Records that are looked at to say what the columns are.
LOOKED_AT = 200
SAMPLES = 3
MAX_SAMPLE = 80
RUN = "crm.tasks.run_waiting_imports"


def upload_file(
    *,
    workspace: Workspace,
    user: User,
    actor: Actor,
    file: UploadedFile,
    default_country: str = "",
    duplicates: str = DuplicatePolicy.MERGE,
    tags: Sequence[UUID] = (),
    start: bool = True,
    id: UUID | None = None,
) -> tuple[ImportBatch, bool]:
    """Keep an uploaded file, say what its columns are, and answer whether it is a new batch.

    With `start` it is imported by what was detected; without, it waits for
    `change_import`, `request_preview` and `start_import`. A wrong file is
    refused in the same answer. A repeat with the same id answers the batch that
    is there.
    """
    if existing := ImportBatch.objects.of_client(workspace, id):
        return existing, False
    country = default_country or workspace.default_country
    source = open_source(file.file, Layout(country=country))
    batch = ImportBatch(
        id=id or uuid7(),
        workspace=workspace,
        file_name=plain_file_name(file.name, "contacts"),
        default_country=country,
        duplicates=duplicates,
        tags=_checked_tags(workspace, tags),
        created_by=user,
    )
    _take_layout(batch, source)
    if start:
        _check_usable(batch)
        batch.state = ImportState.WAITING
    file.seek(0)
    batch.file.save("upload", File(file.file), save=False)
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
            record_event(
                kind="import.started" if start else "import.uploaded", actor=actor, workspace=workspace, obj=batch
            )
            if start:
                hint_after_commit(RUN)
    except IntegrityError:
        # Two uploads with one id raced; the file of this one goes again.
        batch.file.delete(save=False)
        if existing := ImportBatch.objects.of_client(workspace, batch.pk):
            return existing, False
        raise
    return batch, True


def _take_layout(batch: ImportBatch, source: Source) -> None:
    """Set how the file is laid out, its columns with samples, and what they probably are."""
    records = list(islice(source.records(), LOOKED_AT))
    targets = detection.detect(source.titles, records, batch.default_country, _known(batch.workspace))
    layout = source.layout
    batch.format, batch.encoding, batch.delimiter = layout.format, layout.encoding, layout.delimiter
    batch.has_header, batch.remarks = bool(layout.header), source.remarks
    batch.columns = [
        {"title": title, "samples": _samples(records, index), "target": target}
        for index, (title, target) in enumerate(zip(source.titles, targets, strict=True))
    ]


def _samples(records: list[list[str]], index: int) -> list[str]:
    values = (" ".join(record[index].split())[:MAX_SAMPLE] for record in records if index < len(record))
    return list(islice(dict.fromkeys(filter(None, values)), SAMPLES))


def _known(workspace: Workspace) -> detection.Known:
    fields = CustomField.objects.for_workspace(workspace).filter(retired_at=None).values_list("name", "id")
    return detection.Known(
        {t.plain_title(name): f"{t.FIELD}{id}" for name, id in fields},
        frozenset(Stage.objects.for_workspace(workspace).values_list("folded", flat=True)),
    )


def _check_usable(batch: ImportBatch) -> None:
    if not detection.IDENTIFYING & {column["target"] for column in batch.columns}:
        raise Unreadable(
            "No column of the file could be recognised as a name, a company, an e-mail address or a number."
        )


def _checked_tags(workspace: Workspace, tags: Sequence[UUID]) -> list[str]:
    wanted = list(dict.fromkeys(tags))
    if Tag.objects.for_workspace(workspace).filter(pk__in=wanted).count() != len(wanted):
        raise Invalid("tags", "does_not_exist", UNKNOWN_ID)
    return [str(tag) for tag in wanted]


def import_of(*, workspace: Workspace, batch_id: UUID, lock: bool = False) -> ImportBatch:
    """A batch by id, within the workspace."""
    batches = ImportBatch.objects.for_workspace(workspace)
    batch = (batches.select_for_update() if lock else batches).filter(pk=batch_id).first()
    if batch is None:
        raise NotFound
    return batch


def _in_state(workspace: Workspace, batch_id: UUID, states: Sequence[str], sentence: str) -> ImportBatch:
    batch = import_of(workspace=workspace, batch_id=batch_id, lock=True)
    if batch.state not in states:
        raise Refused("wrong_state", sentence)
    return batch


@transaction.atomic
def change_import(
    *,
    workspace: Workspace,
    batch_id: UUID,
    targets: Sequence[str] | None = None,
    default_country: str | None = None,
    duplicates: str | None = None,
    tags: Sequence[UUID] | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    has_header: bool | None = None,
) -> ImportBatch:
    """Choose how a file is read and what becomes of it, before it is started. What is None stays.

    `targets` name one target for each column (`mapping.titles.TARGETS`, or
    `field:<id>`). Another layout is read anew, and its columns are detected
    anew unless `targets` come along. A preview made before is void.
    """
    batch = _in_state(workspace, batch_id, PENDING_STATES, "An import that was started cannot be changed.")
    rereads = _lay_out(batch, encoding, delimiter, has_header)
    if default_country is not None:
        rereads |= batch.default_country != default_country
        batch.default_country = default_country
    if tags is not None:
        chosen = _checked_tags(workspace, tags)
        rereads |= batch.tags != chosen
        batch.tags = chosen
    if targets is not None:
        rereads |= _map(batch, targets)
    if duplicates is not None:
        batch.duplicates = duplicates
    if rereads:
        batch.is_staged = False
    batch.preview, batch.state = None, ImportState.UPLOADED
    batch.revision += 1
    batch.save()
    return batch


def _lay_out(batch: ImportBatch, encoding: str | None, delimiter: str | None, has_header: bool | None) -> bool:
    present = layout_of(batch)
    layout = Layout(
        batch.format,
        present.encoding if encoding is None else encoding,
        present.delimiter if delimiter is None else delimiter,
        present.header if has_header is None else has_header,
    )
    if layout == present:
        return False
    with batch.file.open("rb") as file:
        _take_layout(batch, open_source(file, layout))
    return True


def _map(batch: ImportBatch, targets: Sequence[str]) -> bool:
    """Put targets on the columns; refuses unknown ones and another number of them."""
    if len(targets) != len(batch.columns):
        raise Invalid("targets", "wrong_length", f"The file has {len(batch.columns)} columns; name a target for each.")
    fields = CustomField.objects.for_workspace(batch.workspace_id).filter(retired_at=None)
    allowed = {*t.TARGETS, *(f"{t.FIELD}{id}" for id in fields.values_list("id", flat=True))}
    for index, target in enumerate(targets):
        if target not in allowed:
            raise Invalid(f"targets.{index}", "invalid_choice", f"One of: {', '.join(t.TARGETS)}, {t.FIELD}<id>.")
    before = [column["target"] for column in batch.columns]
    for column, target in zip(batch.columns, targets, strict=True):
        column["target"] = target
    return before != list(targets)


@transaction.atomic
def request_preview(*, workspace: Workspace, batch_id: UUID) -> ImportBatch:
    """Ask for what would become of each row; nothing is written to contacts. A preview that is ready stays."""
    batch = _in_state(workspace, batch_id, PENDING_STATES, "An import that was started has no preview.")
    _check_usable(batch)
    if batch.state == ImportState.UPLOADED:
        batch.state, batch.attempts = ImportState.PREVIEWING, 0
        batch.save(update_fields=["state", "attempts"])
        hint_after_commit(RUN)
    return batch


@transaction.atomic
def start_import(*, workspace: Workspace, batch_id: UUID, actor: Actor) -> ImportBatch:
    """Let an uploaded file be imported in the background. One that was started already changes nothing."""
    batch = import_of(workspace=workspace, batch_id=batch_id, lock=True)
    if batch.state in (ImportState.WAITING, ImportState.RUNNING):
        return batch
    if batch.state not in PENDING_STATES:
        raise Refused("wrong_state", "This import has ended. Upload the file again.")
    _check_usable(batch)
    batch.state, batch.attempts = ImportState.WAITING, 0
    batch.save(update_fields=["state", "attempts"])
    record_event(kind="import.started", actor=actor, workspace=workspace, obj=batch)
    hint_after_commit(RUN)
    return batch


@transaction.atomic
def cancel_import(*, workspace: Workspace, batch_id: UUID, actor: Actor) -> ImportBatch:
    """Stop an import. What it has written stays and can be undone; the file goes. A repeat changes nothing."""
    batch = import_of(workspace=workspace, batch_id=batch_id, lock=True)
    if batch.state == ImportState.CANCELLED:
        return batch
    if batch.state not in (*PENDING_STATES, ImportState.WAITING, ImportState.RUNNING):
        raise Refused("wrong_state", "This import has ended already.")
    close_batch(batch, ImportState.CANCELLED, "", actor)
    return batch


@transaction.atomic
def undo_import(*, workspace: Workspace, batch_id: UUID, actor: Actor) -> ImportBatch:
    """Take back in the background what an import wrote, but for what people changed since. A repeat changes nothing."""
    batch = import_of(workspace=workspace, batch_id=batch_id, lock=True)
    if batch.state in (ImportState.UNDOING, ImportState.UNDONE):
        return batch
    if batch.state in OPEN_STATES or not batch.rows_done:
        raise Refused("wrong_state", "Only an import that has ended and has read rows can be undone.")
    batch.state, batch.attempts, batch.undo_position = ImportState.UNDOING, 0, 0
    batch.save(update_fields=["state", "attempts", "undo_position"])
    record_event(kind="import.undo_started", actor=actor, workspace=workspace, obj=batch)
    hint_after_commit(RUN)
    return batch


def close_batch(batch: ImportBatch, state: ImportState, problem: str, actor: Actor) -> None:
    """End a batch in the present transaction: the contacts are in the database (or the reason why not), the file goes."""
    batch.state, batch.problem, batch.finished_at = state, problem, timezone.now()
    for column in batch.columns:
        column["samples"] = []
    batch.save()
    record_event(
        kind=f"import.{state.value}", actor=actor, workspace=batch.workspace, obj=batch, count=batch.rows_created
    )
    storage, name = batch.file.storage, batch.file.name
    transaction.on_commit(lambda: storage.delete(name))
    hint_after_commit(RUN)


def file_of(batch: ImportBatch) -> BinaryIO:
    """The uploaded file; raises `FileNotFoundError` if it is gone."""
    return batch.file.open("rb")
