"""Tags, and which contact wears which.

Two names that fold to the same text are one tag: who makes it a second time,
on another device or at the same moment, is answered with the one that is there.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.changes import set_changed
from accounts.services.events import record_event
from crm.models import Colour, Contact, ContactTag, Tag
from crm.services.naming import clean_name, folded_name, move, next_position, reorder
from waplus.lib.deletion import delete_rows
from waplus.lib.errors import UNKNOWN_ID, Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.locks import Hold, held, take_turns

MAX_TAGS = 1_000
CHUNK = 5_000


def tag_of(*, workspace: Workspace, tag_id: UUID, lock: bool = False) -> Tag:
    """A tag by id, within the workspace."""
    tags = Tag.objects.for_workspace(workspace)
    tag = (tags.select_for_update() if lock else tags).filter(pk=tag_id).first()
    if tag is None:
        raise NotFound
    return tag


@transaction.atomic
def create_tag(
    *, workspace: Workspace, actor: Actor, name: str, colour: str = Colour.GREY, id: UUID | None = None
) -> tuple[Tag, bool]:
    """A tag at the end of the order, and whether it is new.

    A repeat with the same id, or a name that folds to that of another tag,
    answers the tag that is there.
    """
    name = clean_name(name)
    take_turns("crm_tag", workspace.pk)
    if existing := Tag.objects.of_client(workspace, id):
        return existing, False
    tags = Tag.objects.for_workspace(workspace)
    if existing := tags.filter(folded=folded_name(name)).first():
        return existing, False
    if tags.count() >= MAX_TAGS:
        raise Refused("limit_reached", f"A workspace has at most {MAX_TAGS:,} tags.", extra={"limit": MAX_TAGS})
    tag = Tag(id=id or uuid7(), workspace=workspace, name=name, folded=folded_name(name), colour=colour)
    tag.position = next_position(Tag, workspace)
    try:
        with transaction.atomic():
            tag.save(force_insert=True)
    except IntegrityError:
        # Somebody wrote it who takes no turns: an import, or another workspace with the same id.
        existing = tags.filter(folded=tag.folded).first()
        if existing is None:
            raise Refused("id_taken", field="id") from None
        return existing, False
    record_event(kind="tag.created", actor=actor, workspace=workspace, obj=tag)
    return tag, True


@transaction.atomic
def update_tag(*, workspace: Workspace, tag_id: UUID, actor: Actor, precondition=lambda tag: None, **values) -> Tag:
    """Change a tag's name or colour. A name that another tag has is `name_taken`: the two can be made one."""
    tag = tag_of(workspace=workspace, tag_id=tag_id, lock=True)
    precondition(tag)
    if "name" in values:
        values["name"] = clean_name(values["name"])
        values["folded"] = folded_name(values["name"])
    changed = set_changed(tag, values)
    if not changed:
        return tag
    try:
        with transaction.atomic():
            tag.save(update_fields=changed)
    except IntegrityError:
        namesake = Tag.objects.for_workspace(workspace).filter(folded=tag.folded).exclude(pk=tag.pk).first()
        raise Refused("name_taken", field="name", extra={"id": str(namesake.pk)} if namesake else {}) from None
    changed = [name for name in changed if name != "folded"]
    record_event(kind="tag.updated", actor=actor, workspace=workspace, obj=tag, changed=changed)
    tag.refresh_from_db()
    return tag


@transaction.atomic
def reorder_tags(*, workspace: Workspace, actor: Actor, ids: Sequence[UUID]) -> list[Tag]:
    """Put tags into an order (see `naming.reorder`); answers all of them in it."""
    if moved := reorder(Tag, workspace, ids):
        record_event(kind="tag.reordered", actor=actor, workspace=workspace, changed=["position"], count=moved)
    return tags_in_order(workspace=workspace)


@transaction.atomic
def move_tag(*, workspace: Workspace, tag_id: UUID, actor: Actor, after: UUID | None) -> bool:
    """Put a tag behind another one, or first; answers whether it stood elsewhere."""
    moved = move(Tag, workspace, tag_id, after)
    if moved:
        record_event(kind="tag.reordered", actor=actor, workspace=workspace, changed=["position"], count=moved)
    return bool(moved)


def tags_in_order(*, workspace: Workspace) -> list[Tag]:
    """All tags of the workspace, at most `MAX_TAGS`, as people ordered them."""
    return list(Tag.objects.for_workspace(workspace).order_by("position", "id"))


def delete_tag(*, workspace: Workspace, tag_id: UUID, actor: Actor, into: UUID | None = None) -> int:
    """Take a tag off every contact, or put another one in its place, and delete it; answers how many wore it.

    Works in chunks of a transaction each, because a tag may be on a million
    contacts; whoever is cut off in between deletes the rest by asking again.
    """
    tag = tag_of(workspace=workspace, tag_id=tag_id)
    if into is not None and (into == tag_id or not Tag.objects.for_workspace(workspace).filter(pk=into).exists()):
        raise Invalid("into", "does_not_exist", "This is no other tag of the workspace.")
    worn = 0
    while chunk := _take_off_chunk(tag, into):
        worn += chunk
    with transaction.atomic():
        tag = tag_of(workspace=workspace, tag_id=tag_id, lock=True)
        # Nobody can put it on any more: what was put on since the last chunk goes with it.
        while chunk := _take_off_chunk(tag, into):
            worn += chunk
        record_event(kind="tag.deleted", actor=actor, workspace=workspace, obj=tag, count=worn)
        delete_rows(Tag, [tag.pk], workspace.pk)
    return worn


_TAKE_OFF = """
WITH gone AS (
    DELETE FROM crm_contacttag WHERE id IN (
        SELECT id FROM crm_contacttag WHERE workspace_id = %(workspace)s AND tag_id = %(tag)s LIMIT %(limit)s
    ) RETURNING contact_id, added_at, added_by_id
), passed_on AS (
    INSERT INTO crm_contacttag (id, workspace_id, contact_id, tag_id, added_at, added_by_id)
    SELECT gen_random_uuid(), %(workspace)s, contact_id, %(into)s, added_at, added_by_id FROM gone
    WHERE %(into)s::uuid IS NOT NULL
    ON CONFLICT (workspace_id, contact_id, tag_id) DO NOTHING
)
SELECT count(*) FROM gone
"""


@transaction.atomic
def _take_off_chunk(tag: Tag, into: UUID | None) -> int:
    if into is not None and not held(Tag.objects.filter(pk=into, workspace=tag.workspace_id), Hold.FROM_DELETION):
        raise Invalid("into", "does_not_exist", "This is no other tag of the workspace.")
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_OFF, {"workspace": tag.workspace_id, "tag": tag.pk, "into": into, "limit": CHUNK})
        return cursor.fetchone()[0]


_PUT_ON = """
INSERT INTO crm_contacttag (id, workspace_id, contact_id, tag_id, added_at, added_by_id)
SELECT gen_random_uuid(), %s, %s, tag_id, %s, %s FROM unnest(%s::uuid[]) AS tag_id
ON CONFLICT (workspace_id, contact_id, tag_id) DO NOTHING RETURNING tag_id
"""


def put_on_tags(*, workspace: Workspace, contact: Contact, tag_ids: Sequence[UUID], actor: Actor) -> list[UUID]:
    """Put tags on a contact that the caller has locked; answers those that it did not wear. Unknown ids are refused."""
    tags = Tag.objects.for_workspace(workspace).filter(pk__in=tag_ids).order_by("pk")
    known = {tag.pk for tag in held(tags, Hold.FROM_DELETION)}
    for index, tag_id in enumerate(tag_ids):
        if tag_id not in known:
            raise Invalid(f"tags.{index}", "does_not_exist", UNKNOWN_ID)
    if not known:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_PUT_ON, [workspace.pk, contact.pk, timezone.now(), actor.user_id, sorted(known)])
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def tag_contact(*, workspace: Workspace, contact_id: UUID, tag_id: UUID, actor: Actor) -> bool:
    """Put a tag on a contact; answers whether it was not there yet."""
    contact = _held_contact(workspace, contact_id)
    if not Tag.objects.for_workspace(workspace).filter(pk=tag_id).exists():
        raise NotFound
    if not put_on_tags(workspace=workspace, contact=contact, tag_ids=[tag_id], actor=actor):
        return False
    record_event(kind="contact.tagged", actor=actor, workspace=workspace, obj=contact, changed=[f"tags.{tag_id}"])
    return True


@transaction.atomic
def untag_contact(*, workspace: Workspace, contact_id: UUID, tag_id: UUID, actor: Actor) -> bool:
    """Take a tag off a contact; answers whether it was there."""
    contact = _held_contact(workspace, contact_id)
    tag_of(workspace=workspace, tag_id=tag_id)
    worn = ContactTag.objects.for_workspace(workspace).filter(contact=contact, tag=tag_id)
    if not worn.delete()[0]:
        return False
    record_event(kind="contact.untagged", actor=actor, workspace=workspace, obj=contact, changed=[f"tags.{tag_id}"])
    return True


def _held_contact(workspace: Workspace, contact_id: UUID) -> Contact:
    """A contact that neither goes nor is merged while its tags change; others may change them at the same time."""
    contacts = held(Contact.objects.for_workspace(workspace).alive().filter(pk=contact_id), Hold.FROM_CHANGE)
    if not contacts:
        raise NotFound
    return contacts[0]
