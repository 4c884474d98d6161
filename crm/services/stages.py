"""The stages of a workspace's pipeline, and who moves to where when one goes."""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.changes import set_changed
from accounts.services.events import record_event
from crm.models import Colour, Contact, Stage, StageOutcome
from crm.services.naming import clean_name, folded_name, move, next_position, reorder
from waplus.lib.errors import UNKNOWN_ID, Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.locks import Hold, held, take_turns

MAX_STAGES = 50
CHUNK = 2_000


def stage_of(*, workspace: Workspace, stage_id: UUID, lock: bool = False) -> Stage:
    """A stage by id, within the workspace."""
    stages = Stage.objects.for_workspace(workspace)
    stage = (stages.select_for_update() if lock else stages).filter(pk=stage_id).first()
    if stage is None:
        raise NotFound
    return stage


def hold_stage(*, workspace: Workspace, stage_id: UUID, field: str = "stage") -> Stage:
    """A stage that is not deleted before this transaction has ended, for a contact to stand at."""
    stages = held(Stage.objects.for_workspace(workspace).filter(pk=stage_id), Hold.FROM_DELETION)
    if not stages:
        raise Invalid(field, "does_not_exist", UNKNOWN_ID)
    return stages[0]


def stages_in_order(*, workspace: Workspace) -> list[Stage]:
    """All stages of the workspace, at most `MAX_STAGES`, from the first to the last."""
    return list(Stage.objects.for_workspace(workspace).order_by("position", "id"))


@transaction.atomic
def create_stage(
    *,
    workspace: Workspace,
    actor: Actor,
    name: str,
    colour: str = Colour.GREY,
    outcome: str = StageOutcome.OPEN,
    id: UUID | None = None,
) -> tuple[Stage, bool]:
    """A stage at the end, and whether it is new: a repeat with the same id answers the one that is there."""
    name = clean_name(name)
    take_turns("crm_stage", workspace.pk)
    if existing := Stage.objects.of_client(workspace, id):
        return existing, False
    stages = Stage.objects.for_workspace(workspace)
    if stages.count() >= MAX_STAGES:
        raise Refused("limit_reached", f"A pipeline has at most {MAX_STAGES} stages.", extra={"limit": MAX_STAGES})
    stage = Stage(id=id or uuid7(), workspace=workspace, name=name, folded=folded_name(name), colour=colour)
    stage.outcome, stage.position = outcome, next_position(Stage, workspace)
    _save(stage, force_insert=True)
    record_event(kind="stage.created", actor=actor, workspace=workspace, obj=stage)
    return stage, True


def _save(stage: Stage, **how) -> None:
    try:
        with transaction.atomic():
            stage.save(**how)
    except IntegrityError:
        namesake = Stage.objects.filter(workspace=stage.workspace_id, folded=stage.folded).exclude(pk=stage.pk).first()
        if namesake is None:
            raise Refused("id_taken", field="id") from None
        raise Refused("name_taken", field="name", extra={"id": str(namesake.pk)}) from None


@transaction.atomic
def create_default_stages(*, workspace: Workspace, actor: Actor) -> list[Stage]:
    """A pipeline to begin with, in the language of who asks, where there is none; answers the stages that there are."""
    take_turns("crm_stage", workspace.pk)
    if not Stage.objects.for_workspace(workspace).exists():
        for name, colour, outcome in (
            (_("New"), Colour.BLUE, StageOutcome.OPEN),
            (_("In conversation"), Colour.TEAL, StageOutcome.OPEN),
            (_("Offer made"), Colour.ORANGE, StageOutcome.OPEN),
            (_("Won"), Colour.GREEN, StageOutcome.WON),
            (_("Lost"), Colour.GREY, StageOutcome.LOST),
        ):
            create_stage(workspace=workspace, actor=actor, name=name, colour=colour, outcome=outcome)
    return stages_in_order(workspace=workspace)


@transaction.atomic
def update_stage(
    *, workspace: Workspace, stage_id: UUID, actor: Actor, precondition=lambda stage: None, **values
) -> Stage:
    """Change a stage's name, colour or outcome."""
    stage = stage_of(workspace=workspace, stage_id=stage_id, lock=True)
    precondition(stage)
    if "name" in values:
        values["name"] = clean_name(values["name"])
        values["folded"] = folded_name(values["name"])
    changed = set_changed(stage, values)
    if not changed:
        return stage
    _save(stage, update_fields=changed)
    changed = [name for name in changed if name != "folded"]
    record_event(kind="stage.updated", actor=actor, workspace=workspace, obj=stage, changed=changed)
    stage.refresh_from_db()
    return stage


@transaction.atomic
def reorder_stages(*, workspace: Workspace, actor: Actor, ids: Sequence[UUID]) -> list[Stage]:
    """Put stages into an order (see `naming.reorder`); answers all of them in it."""
    if moved := reorder(Stage, workspace, ids):
        record_event(kind="stage.reordered", actor=actor, workspace=workspace, changed=["position"], count=moved)
    return stages_in_order(workspace=workspace)


@transaction.atomic
def move_stage(*, workspace: Workspace, stage_id: UUID, actor: Actor, after: UUID | None) -> bool:
    """Put a stage behind another one, or first; answers whether it stood elsewhere."""
    moved = move(Stage, workspace, stage_id, after)
    if moved:
        record_event(kind="stage.reordered", actor=actor, workspace=workspace, changed=["position"], count=moved)
    return bool(moved)


def delete_stage(*, workspace: Workspace, stage_id: UUID, actor: Actor, into: UUID | None = None) -> int:
    """Move a stage's contacts to another one or to none, and delete it; answers how many stood at it.

    Works in chunks of a transaction each; whoever is cut off in between goes on by asking again.
    """
    stage = stage_of(workspace=workspace, stage_id=stage_id)
    if into == stage_id:
        raise Invalid("into", "does_not_exist", "This is no other stage of the workspace.")
    moved = 0
    while chunk := _move_chunk(workspace, stage, into):
        moved += chunk
    with transaction.atomic():
        stage = stage_of(workspace=workspace, stage_id=stage_id, lock=True)
        # Nobody can move there any more: who came since the last chunk is moved, too.
        while chunk := _move_chunk(workspace, stage, into):
            moved += chunk
        record_event(kind="stage.deleted", actor=actor, workspace=workspace, obj=stage, count=moved)
        Stage.objects.filter(pk=stage.pk)._raw_delete(using=connection.alias)
    return moved


@transaction.atomic
def _move_chunk(workspace: Workspace, stage: Stage, into: UUID | None) -> int:
    """Those in the bin and merged ones stand at it, too: they are found by the foreign key alone."""
    if into is not None:
        hold_stage(workspace=workspace, stage_id=into, field="into")
    chunk = Contact.objects.for_workspace(workspace).filter(stage=stage).values("pk")[:CHUNK]
    locked = list(
        Contact.objects.filter(pk__in=chunk).order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True)
    )
    return Contact.objects.filter(pk__in=locked, stage=stage).update(stage=into, updated_at=timezone.now())
