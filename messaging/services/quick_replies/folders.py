"""Folders of quick replies: the team's, on one level."""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.changes import set_changed
from accounts.services.events import record_event
from crm.services.naming import clean_name, folded_name, next_position, reorder
from messaging.models import QuickReply, QuickReplyFolder
from waplus.lib.errors import NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.locks import take_turns

MAX_FOLDERS = 200


def folders_in_order(*, workspace: Workspace) -> list[QuickReplyFolder]:
    """All folders, at most `MAX_FOLDERS`, as people ordered them."""
    return list(QuickReplyFolder.objects.for_workspace(workspace).order_by("position", "id"))


def folder_of(*, workspace: Workspace, folder_id: UUID, lock: bool = False) -> QuickReplyFolder:
    """A folder by id, within the workspace."""
    folders = QuickReplyFolder.objects.for_workspace(workspace)
    folder = (folders.select_for_update() if lock else folders).filter(pk=folder_id).first()
    if folder is None:
        raise NotFound
    return folder


@transaction.atomic
def create_folder(
    *, workspace: Workspace, actor: Actor, name: str, id: UUID | None = None
) -> tuple[QuickReplyFolder, bool]:
    """A folder at the end of the order, and whether it is new: a repeat of the id or the name answers what is there."""
    name = clean_name(name)
    take_turns("messaging_quickreplyfolder", workspace.pk)
    if existing := QuickReplyFolder.objects.of_client(workspace, id):
        return existing, False
    folders = QuickReplyFolder.objects.for_workspace(workspace)
    if existing := folders.filter(folded=folded_name(name)).first():
        return existing, False
    if folders.count() >= MAX_FOLDERS:
        raise Refused("limit_reached", f"A workspace has at most {MAX_FOLDERS} folders.", extra={"limit": MAX_FOLDERS})
    folder = QuickReplyFolder(id=id or uuid7(), workspace=workspace, name=name, folded=folded_name(name))
    folder.position = next_position(QuickReplyFolder, workspace)
    try:
        with transaction.atomic():
            folder.save(force_insert=True)
    except IntegrityError:
        # Another workspace wrote the same id at the same moment.
        raise Refused("id_taken", field="id") from None
    record_event(kind="quick_reply_folder.created", actor=actor, workspace=workspace, obj=folder)
    return folder, True


@transaction.atomic
def rename_folder(
    *, workspace: Workspace, folder_id: UUID, actor: Actor, name: str, precondition=lambda folder: None
) -> QuickReplyFolder:
    """Give a folder another name; one that another folder has is `name_taken`."""
    folder = folder_of(workspace=workspace, folder_id=folder_id, lock=True)
    precondition(folder)
    name = clean_name(name)
    changed = set_changed(folder, {"name": name, "folded": folded_name(name)})
    if not changed:
        return folder
    try:
        with transaction.atomic():
            folder.save(update_fields=changed)
    except IntegrityError:
        raise Refused("name_taken", field="name") from None
    record_event(kind="quick_reply_folder.updated", actor=actor, workspace=workspace, obj=folder, changed=["name"])
    folder.refresh_from_db()
    return folder


@transaction.atomic
def delete_folder(*, workspace: Workspace, folder_id: UUID, actor: Actor) -> None:
    """Delete a folder; its quick replies stay, in no folder.

    In turns with whoever puts a quick reply into a folder, who has locked the reply before the folder.
    """
    take_turns("messaging_quickreply", workspace.pk)
    folder = folder_of(workspace=workspace, folder_id=folder_id, lock=True)
    record_event(kind="quick_reply_folder.deleted", actor=actor, workspace=workspace, obj=folder)
    replies = QuickReply.objects.for_workspace(workspace).filter(folder=folder).order_by("pk")
    QuickReply.objects.filter(pk__in=list(replies.select_for_update(no_key=True).values_list("pk", flat=True))).update(
        folder=None
    )
    folder.delete()


@transaction.atomic
def reorder_folders(*, workspace: Workspace, actor: Actor, ids: Sequence[UUID]) -> list[QuickReplyFolder]:
    """Put folders into an order (see `naming.reorder`); answers all of them in it."""
    if moved := reorder(QuickReplyFolder, workspace, ids):
        record_event(
            kind="quick_reply_folder.reordered", actor=actor, workspace=workspace, changed=["position"], count=moved
        )
    return folders_in_order(workspace=workspace)
