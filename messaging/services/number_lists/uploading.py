"""What people do with lists of numbers: upload one, stop it. The work itself is done by `runs`."""

from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from crm.models import BulkState
from crm.models.bulk import OPEN_STATES
from messaging.models import NumberList, NumberListChunk
from messaging.services.number_lists.reading import lines_of
from waplus.lib.errors import NotFound, Refused
from waplus.lib.hints import hint_after_commit
from waplus.lib.ids import uuid7
from waplus.lib.locks import take_turns
from waplus.lib.text import plain_file_name

RUN = "messaging.tasks.run_number_lists"
# Lines. An opt-out waits for one chunk at most.
CHUNK = 1_000
MAX_OPEN = 5


def upload_list(
    *, workspace: Workspace, actor: Actor, file: UploadedFile, note: str = "", id: UUID | None = None
) -> tuple[NumberList, bool]:
    """Have everybody on a list of numbers written to no more, in the background; answers whether the list is new.

    A repeat with the same id answers the one that is there. A file that cannot be
    read as a list is refused in the same answer.
    """
    if existing := NumberList.objects.of_client(workspace, id):
        return existing, False
    lines = lines_of(file.read(), workspace.default_country)
    row = NumberList(
        id=id or uuid7(),
        workspace=workspace,
        file_name=plain_file_name(file.name, "numbers"),
        note=note,
        default_country=workspace.default_country,
        total=len(lines),
        created_by_id=actor.user_id,
    )
    try:
        with transaction.atomic():
            _check_room(workspace)
            row.save(force_insert=True)
            _keep(row, lines)
            record_event(kind="number_list.uploaded", actor=actor, workspace=workspace, obj=row, count=row.total)
            hint_after_commit(RUN)
    except IntegrityError:
        # Two uploads with one id raced.
        if existing := NumberList.objects.of_client(workspace, row.pk):
            return existing, False
        raise
    return row, True


def _check_room(workspace: Workspace) -> None:
    take_turns("messaging_number_lists", workspace.pk)
    if NumberList.objects.for_workspace(workspace).filter(state__in=OPEN_STATES).count() >= MAX_OPEN:
        raise Refused(
            "limit_reached", f"{MAX_OPEN} lists wait already: try again when one is done.", extra={"limit": MAX_OPEN}
        )


def _keep(row: NumberList, lines: list[tuple[int, str]]) -> None:
    parts = (lines[start : start + CHUNK] for start in range(0, len(lines), CHUNK))
    NumberListChunk.objects.bulk_create(
        NumberListChunk(
            workspace_id=row.workspace_id,
            number_list=row,
            number=number,
            line_numbers=[line for line, _ in part],
            lines=[text for _, text in part],
        )
        for number, part in enumerate(parts)
    )


@transaction.atomic
def stop_list(*, workspace: Workspace, list_id: UUID, actor: Actor) -> NumberList:
    """Leave the rest of a list; whoever was added stays on the do-not-contact list. One that has ended stays as it ended."""
    row = NumberList.objects.for_workspace(workspace).select_for_update().filter(pk=list_id).first()
    if row is None:
        raise NotFound
    if row.is_open:
        close_list(row, BulkState.STOPPED, "", actor)
    return row


def close_list(row: NumberList, state: BulkState, problem: str, actor: Actor) -> None:
    """End a list in the present transaction, which has locked it: the numbers that are left in it go."""
    row.chunks.all().delete()
    row.state, row.problem, row.finished_at = state, problem, timezone.now()
    row.save(update_fields=["state", "problem", "finished_at"])
    record_event(kind=f"number_list.{state.value}", actor=actor, workspace=row.workspace, obj=row, count=row.added)
