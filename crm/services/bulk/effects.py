"""What each bulk action does to a chunk of contacts, in one transaction, by statements over the whole chunk.

Each answers how many contacts it changed and how many refused it. Done twice,
an effect changes nothing the second time.
"""

import json
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.departures import hold_member
from accounts.services.events import record_event
from crm.models import BulkKind, CustomField, Tag
from crm.services import bin
from crm.services.contact_events import record_event_of_many
from crm.services.field_values import InvalidValue, canonical_value
from crm.services.merging import MERGES
from crm.services.stages import hold_stage
from waplus.lib.errors import UNKNOWN_ID, Invalid, Refused
from waplus.lib.locks import Hold, held, take_turns


class Effect(NamedTuple):
    """What became of a chunk."""

    changed: int
    refused: int = 0


# Locked in the order of ids, so that two actions over the same contacts take turns instead of blocking each other.
_LOCKED = """
WITH here AS MATERIALIZED (
    SELECT id FROM crm_contact
    WHERE workspace_id = %(workspace)s AND id = ANY(%(contacts)s) AND deleted_at IS NULL AND merged_into_id IS NULL
    ORDER BY id FOR NO KEY UPDATE
)
"""
_ADD_TAGS = """
WITH put_on AS (
    INSERT INTO crm_contacttag (id, workspace_id, contact_id, tag_id, added_at, added_by_id)
    SELECT gen_random_uuid(), %(workspace)s, c.id, tag.id, %(now)s, %(user)s
    FROM crm_contact c CROSS JOIN unnest(%(tags)s::uuid[]) AS tag (id)
    WHERE c.workspace_id = %(workspace)s AND c.id = ANY(%(contacts)s) AND c.deleted_at IS NULL AND c.merged_into_id IS NULL
    ON CONFLICT (workspace_id, contact_id, tag_id) DO NOTHING RETURNING contact_id
)
SELECT count(DISTINCT contact_id) FROM put_on
"""
_REMOVE_TAG = """
DELETE FROM crm_contacttag
WHERE workspace_id = %(workspace)s AND contact_id = ANY(%(contacts)s) AND tag_id = %(tag)s RETURNING contact_id
"""
_ASSIGN = (
    _LOCKED
    + """
, moved AS (
    UPDATE crm_contact c SET {column} = %(value)s, updated_at = %(now)s
    FROM here WHERE c.id = here.id AND c.{column} IS DISTINCT FROM %(value)s RETURNING c.id
)
SELECT id FROM moved
"""
)
_FILL = (
    _LOCKED
    + """
, filled AS (
    INSERT INTO crm_fieldvalue (id, workspace_id, contact_id, field_id, value, text, number)
    SELECT gen_random_uuid(), %(workspace)s, here.id, %(field)s, %(value)s::jsonb, %(text)s, %(number)s FROM here
    ON CONFLICT (workspace_id, contact_id, field_id) DO UPDATE
        SET value = excluded.value, text = excluded.text, number = excluded.number
        WHERE crm_fieldvalue.value IS DISTINCT FROM excluded.value
    RETURNING contact_id
), touched AS (UPDATE crm_contact c SET updated_at = %(now)s FROM filled WHERE c.id = filled.contact_id)
SELECT contact_id FROM filled
"""
)
_EMPTY = (
    _LOCKED
    + """
, emptied AS (
    DELETE FROM crm_fieldvalue v USING here
    WHERE v.workspace_id = %(workspace)s AND v.contact_id = here.id AND v.field_id = %(field)s RETURNING v.contact_id
), touched AS (UPDATE crm_contact c SET updated_at = %(now)s FROM emptied WHERE c.id = emptied.contact_id)
SELECT contact_id FROM emptied
"""
)


def _written(statement: str, workspace: Workspace, contacts: list[UUID], **values) -> list:
    """The first column of what a statement answers."""
    with connection.cursor() as cursor:
        cursor.execute(statement, {"workspace": workspace.pk, "contacts": contacts, "now": timezone.now(), **values})
        return [row[0] for row in cursor.fetchall()]


def _updated(actor: Actor, workspace: Workspace, contact_ids: list[UUID], changed: str) -> Effect:
    record_event_of_many(
        kind="contact.updated", actor=actor, workspace=workspace, contact_ids=contact_ids, changed=[changed]
    )
    return Effect(len(contact_ids))


def _tags(workspace: Workspace, arguments: dict) -> list[UUID]:
    """The action's tags, which nobody deletes before this transaction has ended."""
    tags = Tag.objects.for_workspace(workspace).filter(pk__in=arguments["tags"]).order_by("pk")
    known = [tag.pk for tag in held(tags, Hold.FROM_DELETION)]
    if len(known) < len(arguments["tags"]):
        raise Invalid("tags", "does_not_exist", "A tag of it was deleted.")
    return known


def _add_tags(workspace: Workspace, actor: Actor, arguments: dict, contacts: list[UUID]) -> Effect:
    take_turns(MERGES, workspace.pk, shared=True)
    tags = _tags(workspace, arguments)
    count = _written(_ADD_TAGS, workspace, contacts, tags=tags, user=actor.user_id)[0]
    if count:
        # The rows of the tags themselves tell the timelines.
        changed = [f"tags.{tag}" for tag in tags]
        record_event(kind="contact.tagged", actor=actor, workspace=workspace, changed=changed, count=count)
    return Effect(count)


def _remove_tags(workspace: Workspace, actor: Actor, arguments: dict, contacts: list[UUID]) -> Effect:
    changed = set()
    for tag in arguments["tags"]:
        taken_off = _written(_REMOVE_TAG, workspace, contacts, tag=UUID(tag))
        record_event_of_many(
            kind="contact.untagged",
            actor=actor,
            workspace=workspace,
            contact_ids=taken_off,
            changed=[f"tags.{tag}"],
        )
        changed.update(taken_off)
    return Effect(len(changed))


def _set_owner(workspace: Workspace, actor: Actor, arguments: dict, contacts: list[UUID]) -> Effect:
    owner = arguments["owner"]
    if owner is not None and not hold_member(workspace=workspace, user_id=owner):
        raise Invalid("owner", "does_not_exist", "This is no member of the workspace.")
    moved = _written(_ASSIGN.format(column="owner_id"), workspace, contacts, value=owner and UUID(owner))
    return _updated(actor, workspace, moved, f"owner.{owner}" if owner else "owner")


def _set_stage(workspace: Workspace, actor: Actor, arguments: dict, contacts: list[UUID]) -> Effect:
    stage = arguments["stage"]
    if stage is not None:
        hold_stage(workspace=workspace, stage_id=stage)
    moved = _written(_ASSIGN.format(column="stage_id"), workspace, contacts, value=stage and UUID(stage))
    return _updated(actor, workspace, moved, f"stage.{stage}" if stage else "stage")


def field_and_value(workspace: Workspace, field_id, raw):
    """A custom field that is in use, held unchanged, and the canonical form of a value for it (None: empty)."""
    fields = held(CustomField.objects.for_workspace(workspace).filter(pk=field_id), Hold.FROM_CHANGE)
    if not fields:
        raise Invalid("field", "does_not_exist", UNKNOWN_ID)
    if fields[0].retired_at is not None:
        raise Invalid("field", "retired", f"The field “{fields[0].name}” is retired.")
    try:
        return fields[0], canonical_value(fields[0], raw)
    except InvalidValue as error:
        raise Invalid("value", error.code, str(error)) from None


def _set_field(workspace: Workspace, actor: Actor, arguments: dict, contacts: list[UUID]) -> Effect:
    field, canonical = field_and_value(workspace, arguments["field"], arguments["value"])
    if canonical is None:
        filled = _written(_EMPTY, workspace, contacts, field=field.pk)
    else:
        value = {"value": json.dumps(canonical.value), "text": canonical.text, "number": canonical.number}
        filled = _written(_FILL, workspace, contacts, field=field.pk, **value)
    return _updated(actor, workspace, filled, f"fields.{field.pk}")


def _bin(workspace: Workspace, actor: Actor, arguments: dict, contacts: list[UUID]) -> Effect:
    return Effect(bin.delete_contacts(workspace=workspace, contact_ids=contacts, actor=actor))


def _restore(workspace: Workspace, actor: Actor, arguments: dict, contacts: list[UUID]) -> Effect:
    """One by one, because each may be refused: somebody else has the number by now, or the plan is full.

    All are locked before the first one takes its place in the plan, as everybody locks them.
    """
    changed = refused = 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM crm_contact WHERE workspace_id = %s AND id = ANY(%s) AND deleted_at IS NOT NULL"
            " ORDER BY id FOR UPDATE",
            [workspace.pk, contacts],
        )
        binned = [row[0] for row in cursor.fetchall()]
    for contact_id in binned:
        try:
            with transaction.atomic():
                bin.restore_contact(workspace=workspace, contact_id=contact_id, actor=actor)
            changed += 1
        except Refused:
            refused += 1
    return Effect(changed, refused)


EFFECTS: dict[str, Callable[[Workspace, Actor, dict, list[UUID]], Effect]] = {
    BulkKind.ADD_TAGS: _add_tags,
    BulkKind.REMOVE_TAGS: _remove_tags,
    BulkKind.SET_OWNER: _set_owner,
    BulkKind.SET_STAGE: _set_stage,
    BulkKind.SET_FIELD: _set_field,
    BulkKind.BIN: _bin,
    BulkKind.RESTORE: _restore,
}
