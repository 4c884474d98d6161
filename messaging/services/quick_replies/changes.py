"""Quick replies: found, made, changed, ordered, deleted, and what becomes of them when a member goes.

A private one is its owner's alone: for everybody else, owners and admins of
the workspace included, its id is unknown. A team's one belongs to everybody,
but only who made it can keep it for themselves.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts.actors import SYSTEM, Actor
from accounts.models import User, Workspace
from accounts.services.changes import set_changed
from accounts.services.events import record_event
from crm.services.naming import clean_name, next_position, reorder
from messaging.models import QuickReply, QuickReplyFolder, Visibility
from messaging.services.quick_replies.texts import (
    clean_shortcut,
    clean_texts,
    hold_files,
    replace_texts,
    search_text_of,
    write_texts,
)
from waplus.lib.errors import UNKNOWN_ID, Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.locks import Hold, held, take_turns

# Of the team, and of each member for themselves.
MAX_TEAM = 2_000
MAX_PRIVATE = 500


def visible_replies(*, workspace: Workspace, user: User) -> QuerySet[QuickReply]:
    """The team's quick replies and the person's own."""
    return QuickReply.objects.for_workspace(workspace).filter(Q(owner=None) | Q(owner=user))


def reply_of(*, workspace: Workspace, user: User, reply_id: UUID, lock: bool = False) -> QuickReply:
    """A quick reply that the person sees."""
    replies = visible_replies(workspace=workspace, user=user)
    reply = (replies.select_for_update() if lock else replies).filter(pk=reply_id).first()
    if reply is None:
        raise NotFound
    return reply


def check_room(*, workspace: Workspace, owner: User | None, wanted: int = 1) -> None:
    """Refuse more than there can be in a scope. Callers have taken turns."""
    limit = MAX_TEAM if owner is None else MAX_PRIVATE
    if QuickReply.objects.for_workspace(workspace).filter(owner=owner).count() + wanted > limit:
        whose = "A team has" if owner is None else "A person keeps for themselves"
        raise Refused("limit_reached", f"{whose} at most {limit:,} quick replies.", extra={"limit": limit})


def _checked(workspace: Workspace, user: User, present: QuickReply, values: dict) -> dict:
    """The columns that follow from what was asked for."""
    columns = {}
    if "name" in values:
        columns["name"] = clean_name(values["name"])
    if "shortcut" in values:
        columns["shortcut"], columns["shortcut_key"] = clean_shortcut(values["shortcut"])
    if "visibility" in values:
        columns["owner_id"] = _owner(user, present, values["visibility"])
    if "folder" in values:
        columns["folder_id"] = _folder(workspace, values["folder"])
    if "texts" in values or "default_language" in values:
        texts = values.get("texts", present.contents)
        language = values.get("default_language", "")
        if not language and present.default_language in {text.get("language") for text in texts}:
            language = present.default_language
        columns["contents"], columns["default_language"] = clean_texts(workspace, texts, language)
    name, key = columns.get("name", present.name), columns.get("shortcut_key", present.shortcut_key)
    return columns | {"search_text": search_text_of(name, key)}


def _owner(user: User, present: QuickReply, visibility: str) -> UUID | None:
    if visibility == Visibility.TEAM:
        return None
    if present.owner_id is None and present.created_by_id != user.pk:
        raise Refused("forbidden", "Only who made it can keep it for themselves.", field="visibility")
    return user.pk


def _folder(workspace: Workspace, folder) -> UUID | None:
    """The id of a folder that nobody deletes before this transaction has ended."""
    if folder is None:
        return None
    folder_id = getattr(folder, "pk", folder)
    if not held(QuickReplyFolder.objects.for_workspace(workspace).filter(pk=folder_id), Hold.FROM_DELETION):
        raise Invalid("folder", "does_not_exist", UNKNOWN_ID)
    return folder_id


def _save(reply: QuickReply, **how) -> None:
    try:
        with transaction.atomic():
            reply.save(**how)
    except IntegrityError:
        replies = QuickReply.objects.filter(workspace=reply.workspace_id, owner=reply.owner_id)
        other = replies.filter(shortcut_key=reply.shortcut_key).exclude(pk=reply.pk).first()
        if other is None or not reply.shortcut_key:
            raise Refused("id_taken", field="id") from None
        sentence = f"“{other.name}” has the shortcut {other.shortcut} already."
        raise Refused("name_taken", sentence, field="shortcut", extra={"id": str(other.pk)}) from None


@transaction.atomic
def create_reply(
    *,
    workspace: Workspace,
    user: User,
    actor: Actor,
    name: str,
    texts: Sequence[dict],
    shortcut: str = "",
    folder: QuickReplyFolder | UUID | None = None,
    visibility: str = Visibility.TEAM,
    default_language: str = "",
    id: UUID | None = None,
) -> tuple[QuickReply, bool]:
    """A quick reply at the end of the order, and whether it is new: a repeat with the same id answers what is there.

    `texts` are `{language, parts}`; `shortcut` is unique among the team's or the
    person's own, in whatever case and accents.
    """
    take_turns("messaging_quickreply", workspace.pk)
    if id is not None and (existing := QuickReply.objects.filter(pk=id).first()):
        if existing.workspace_id != workspace.pk or existing.owner_id not in (None, user.pk):
            raise Refused("id_taken", field="id")
        return existing, False
    reply = QuickReply(id=id or uuid7(), workspace=workspace, created_by=user)
    wanted = {"name": name, "shortcut": shortcut, "folder": folder, "visibility": visibility}
    wanted |= {"texts": texts, "default_language": default_language}
    set_changed(reply, _checked(workspace, user, reply, wanted))
    check_room(workspace=workspace, owner=user if reply.owner_id else None)
    hold_files(workspace, reply.contents)
    reply.position = next_position(QuickReply, workspace)
    _save(reply, force_insert=True)
    write_texts(workspace, [reply])
    record_event(kind="quick_reply.created", actor=actor, workspace=workspace, obj=reply)
    return reply, True


@transaction.atomic
def update_reply(
    *, workspace: Workspace, user: User, reply_id: UUID, actor: Actor, precondition=lambda reply: None, **values
) -> QuickReply:
    """Change a quick reply; `texts` replace all that it had."""
    take_turns("messaging_quickreply", workspace.pk)
    reply = reply_of(workspace=workspace, user=user, reply_id=reply_id, lock=True)
    precondition(reply)
    before = reply.owner_id
    changed = set_changed(reply, _checked(workspace, user, reply, values))
    if not changed:
        return reply
    if reply.owner_id != before:
        check_room(workspace=workspace, owner=user if reply.owner_id else None)
    if "contents" in changed:
        hold_files(workspace, reply.contents)
    _save(reply, update_fields=[*changed, "updated_at"])
    if "contents" in changed:
        replace_texts(workspace, reply)
    told = {"owner_id": "visibility", "folder_id": "folder", "contents": "texts"}
    names = sorted({told.get(name, name) for name in changed} - {"shortcut_key", "search_text"})
    record_event(kind="quick_reply.updated", actor=actor, workspace=workspace, obj=reply, changed=names)
    reply.refresh_from_db()
    return reply


@transaction.atomic
def delete_reply(*, workspace: Workspace, user: User, reply_id: UUID, actor: Actor) -> None:
    """Delete a quick reply and its texts. Messages that were written with it stay."""
    reply = reply_of(workspace=workspace, user=user, reply_id=reply_id, lock=True)
    record_event(kind="quick_reply.deleted", actor=actor, workspace=workspace, obj=reply)
    reply.delete()


@transaction.atomic
def reorder_replies(*, workspace: Workspace, user: User, actor: Actor, ids: Sequence[UUID]) -> int:
    """Put quick replies into an order, those that are not named behind; answers how many moved."""
    seen = set(visible_replies(workspace=workspace, user=user).filter(pk__in=ids).values_list("pk", flat=True))
    for index, id in enumerate(ids):
        if id not in seen:
            raise Invalid(f"ids.{index}", "does_not_exist", UNKNOWN_ID)
    if moved := reorder(QuickReply, workspace, ids):
        record_event(kind="quick_reply.reordered", actor=actor, workspace=workspace, changed=["position"], count=moved)
    return moved


def delete_private_replies(*, workspace: Workspace, user_id: UUID, heir_id: UUID | None, limit: int) -> int:
    """Delete what a departed member kept for themselves (`accounts.services.departures`).

    Nobody inherits it: private means that no one else ever reads it. What they wrote for the team stays.
    """
    private = QuickReply.objects.for_workspace(workspace).filter(owner=user_id).order_by("pk")
    ids = list(private.select_for_update().values_list("pk", flat=True)[:limit])
    if ids:
        QuickReply.objects.filter(pk__in=ids).delete()
        record_event(kind="quick_reply.deleted", actor=SYSTEM, workspace=workspace, count=len(ids))
    return len(ids)


def count_private(*, workspace: Workspace, user_id: UUID) -> int:
    """How many quick replies a member keeps for themselves."""
    return QuickReply.objects.for_workspace(workspace).filter(owner=user_id).count()
