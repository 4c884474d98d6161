"""Taking bulk actions on: checked as a whole, counted on demand, done at once where they are small."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import User, Workspace
from accounts.services.departures import hold_member
from accounts.services.events import record_event
from crm.filters import Filter, parse_filter
from crm.models import BulkAction, BulkKind, BulkState, Tag
from crm.models.bulk import OPEN_STATES
from crm.services.bulk.effects import EFFECTS, field_and_value
from crm.services.bulk.sets import count_matching, few_matching
from crm.services.stages import hold_stage
from waplus.lib.errors import UNKNOWN_ID, Invalid, NotFound, Refused
from waplus.lib.hints import hint_after_commit
from waplus.lib.ids import uuid7

RUN = "crm.tasks.run_bulk_actions"
AT_ONCE = 500
MAX_OPEN = 20
MAX_TAGS_AT_ONCE = 20
NEEDS = {
    BulkKind.ADD_TAGS: {"tags"},
    BulkKind.REMOVE_TAGS: {"tags"},
    BulkKind.SET_OWNER: {"owner"},
    BulkKind.SET_STAGE: {"stage"},
    BulkKind.SET_FIELD: {"field", "value"},
    BulkKind.BIN: set(),
    BulkKind.RESTORE: set(),
}


def bulk_filter(*, workspace: Workspace, action: str, filter: dict | None, ids: list[UUID] | None) -> Filter:
    """The contacts that are meant: by a filter, or by their ids. Contacts in the bin are named by id alone."""
    if (filter is None) == (ids is None):
        raise Invalid("filter", "invalid", "Name the contacts by `filter` or by `ids`.")
    if ids is not None:
        return parse_filter(workspace, {"ids": [str(id) for id in ids]}, path="ids")
    if action == BulkKind.RESTORE:
        raise Invalid("filter", "invalid", "Filters find no contacts in the bin: name them by `ids`.")
    return parse_filter(workspace, filter)


@transaction.atomic
def checked_arguments(workspace: Workspace, action: str, given: dict) -> dict:
    """What an action works with, as it is kept: every id is the workspace's, the value fits its field."""
    for name in NEEDS[action] ^ set(given):
        code = "required" if name in NEEDS[action] else "unknown_field"
        raise Invalid(name, code, f"`{action}` takes: {', '.join(sorted(NEEDS[action])) or 'nothing else'}.")
    if "tags" in given:
        return {"tags": _tag_ids(workspace, given["tags"])}
    if given.get("owner") and not hold_member(workspace=workspace, user_id=given["owner"]):
        raise Invalid("owner", "does_not_exist", "This is no member of the workspace.")
    if given.get("stage"):
        hold_stage(workspace=workspace, stage_id=given["stage"])
    if "field" in given:
        field, canonical = field_and_value(workspace, given["field"], given["value"])
        return {"field": str(field.pk), "value": canonical.value if canonical else None}
    return {name: value and str(value) for name, value in given.items()}


def _tag_ids(workspace: Workspace, ids: list[UUID]) -> list[str]:
    if not 1 <= len(ids) <= MAX_TAGS_AT_ONCE:
        raise Invalid("tags", "invalid", f"Name 1 to {MAX_TAGS_AT_ONCE} tags.")
    known = set(Tag.objects.for_workspace(workspace).filter(pk__in=ids).values_list("pk", flat=True))
    for index, id in enumerate(ids):
        if id not in known:
            raise Invalid(f"tags.{index}", "does_not_exist", UNKNOWN_ID)
    return sorted(map(str, known))


def count_bulk_action(
    *, workspace: Workspace, user: User, action: str, filter: dict | None = None, ids: list[UUID] | None = None, **given
) -> int:
    """How many contacts the action would be for; refuses what the action itself would."""
    checked_arguments(workspace, action, given)
    found = bulk_filter(workspace=workspace, action=action, filter=filter, ids=ids)
    return count_matching(found, user, action)


@transaction.atomic
def start_bulk_action(
    *,
    workspace: Workspace,
    user: User,
    actor: Actor,
    action: str,
    filter: dict | None = None,
    ids: list[UUID] | None = None,
    id: UUID | None = None,
    **given,
) -> tuple[BulkAction, bool]:
    """Take an action on, and whether it is new: a repeat with the same id answers the one that is there.

    At most `AT_ONCE` contacts are changed before this returns; more are left to
    the worker, which freezes the set when it begins.
    """
    if existing := BulkAction.objects.of_client(workspace, id):
        return existing, False
    arguments = checked_arguments(workspace, action, given)
    found = bulk_filter(workspace=workspace, action=action, filter=filter, ids=ids)
    if BulkAction.objects.for_workspace(workspace).filter(state__in=OPEN_STATES).count() >= MAX_OPEN:
        raise Refused("limit_reached", f"At most {MAX_OPEN} bulk actions wait at a time.", extra={"limit": MAX_OPEN})
    row = BulkAction(
        id=id or uuid7(), workspace=workspace, action=action, filter=found.data, arguments=arguments, created_by=user
    )
    few = None if action == BulkKind.RESTORE else few_matching(found, user, AT_ONCE)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return BulkAction.objects.of_client(workspace, row.pk), False
    if few is None:
        record_event(kind="bulk_action.started", actor=actor, workspace=workspace, obj=row)
        hint_after_commit(RUN)
        return row, True
    effect = EFFECTS[action](workspace, actor, arguments, few)
    row.state, row.finished_at = BulkState.FINISHED, timezone.now()
    row.total = row.done = len(few)
    row.changed, row.refused = effect
    row.save(update_fields=["state", "finished_at", "total", "done", "changed", "refused"])
    return row, True


@transaction.atomic
def stop_bulk_action(*, workspace: Workspace, action_id: UUID, actor: Actor) -> BulkAction:
    """Leave what is not done yet as it is; what is done stays done. One that has ended stays as it ended."""
    row = BulkAction.objects.for_workspace(workspace).select_for_update().filter(pk=action_id).first()
    if row is None:
        raise NotFound
    if row.state in OPEN_STATES:
        close_action(row, BulkState.STOPPED, actor)
    return row


def close_action(row: BulkAction, state: BulkState, actor: Actor, problem: str = "") -> None:
    """End an action in the present transaction, which has locked it: what is left of its set goes."""
    row.chunks.all().delete()
    row.state, row.problem, row.finished_at = state, problem, timezone.now()
    row.save(update_fields=["state", "problem", "finished_at"])
    count = max(row.changed, 1) if state == BulkState.FINISHED else 1
    record_event(kind=f"bulk_action.{state.value}", actor=actor, workspace=row.workspace, obj=row, count=count)
