"""Tags, which contact wears which, and stages."""

from uuid import UUID

from accounts.models import Role
from crm.models import ContactTag, Stage, Tag
from crm.services import stages, tags
from crm.services.sync.handlers.registry import (
    APPLIED,
    MERGED,
    UNCHANGED,
    Applied,
    Change,
    created,
    handles,
    locked,
    moved,
    update_row,
)
from waplus.lib.errors import Refused


@handles("tag", "create")
def create_tag(change: Change) -> Applied:
    row, is_new = tags.create_tag(**change.who, id=change.row_id, **change.values)
    return created(row, is_new, change)


@handles("tag", "update")
def update_tag(change: Change) -> Applied:
    return update_row(
        locked(Tag, change), change, lambda **values: tags.update_tag(**change.who, tag_id=change.row_id, **values)
    )


@handles("contact_tag", "create")
def tag_contact(change: Change) -> Applied:
    """A pair of contact and tag is there once, whoever put it there; its id is the server's."""
    pair = {"contact_id": change.values["contact"], "tag_id": change.values["tag"]}
    is_new = tags.tag_contact(**change.who, **pair)
    row = ContactTag.objects.for_workspace(change.workspace).get(**pair)
    return Applied(row.pk, APPLIED if is_new else UNCHANGED)


@handles("contact_tag", "delete")
def untag_contact(change: Change) -> Applied:
    row = ContactTag.objects.for_workspace(change.workspace).filter(pk=change.row_id).first()
    if row is None:
        return Applied(change.row_id, UNCHANGED)
    is_gone = tags.untag_contact(**change.who, contact_id=row.contact_id, tag_id=row.tag_id)
    return Applied(change.row_id, APPLIED if is_gone else UNCHANGED)


@handles("tag", "move")
def move_tag(change: Change) -> Applied:
    return moved(change, lambda after: tags.move_tag(**change.who, tag_id=change.row_id, after=after))


@handles("stage", "create", role=Role.ADMIN)
def create_stage(change: Change) -> Applied:
    """A stage; where one has its name already, that one."""
    try:
        row, is_new = stages.create_stage(**change.who, id=change.row_id, **change.values)
    except Refused as refusal:
        if refusal.code != "name_taken":
            raise
        return Applied(UUID(refusal.extra["id"]), MERGED)
    return created(row, is_new, change)


@handles("stage", "update", role=Role.ADMIN)
def update_stage(change: Change) -> Applied:
    row = locked(Stage, change)
    return update_row(row, change, lambda **values: stages.update_stage(**change.who, stage_id=change.row_id, **values))


@handles("stage", "move", role=Role.ADMIN)
def move_stage(change: Change) -> Applied:
    return moved(change, lambda after: stages.move_stage(**change.who, stage_id=change.row_id, after=after))
