"""Photos of contacts and chats: kept once for each workspace, given away with nothing but pixels in them."""

import hashlib
from datetime import timedelta
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from crm.models import Avatar, Chat, Contact
from crm.services.chats import chat_of
from crm.services.contacts import contact_of
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7
from waplus.lib.images import Photo, UnreadableImage, read_photo

MAX_BYTES = 2 * 1024 * 1024
# A photo that nobody shows yet may be about to be shown.
UNUSED_FOR = timedelta(days=1)


def set_contact_avatar(*, workspace: Workspace, actor: Actor, contact_id: UUID, data: bytes | None) -> Contact:
    """Give a contact this photo (JPEG, PNG or WebP), or none. The same photo again changes nothing."""
    contact_of(workspace=workspace, contact_id=contact_id)
    with transaction.atomic():
        avatar = _kept(workspace, data)
        contact = contact_of(workspace=workspace, contact_id=contact_id, lock=True)
        if contact.avatar_id != (avatar and avatar.pk):
            contact.avatar = avatar
            contact.updated_at = timezone.now()
            contact.save(update_fields=["avatar", "updated_at"])
            record_event(kind="contact.updated", actor=actor, workspace=workspace, obj=contact, changed=["avatar"])
    return contact


def set_chat_avatar(*, workspace: Workspace, actor: Actor, chat_id: UUID, data: bytes | None) -> Chat:
    """Give a chat this photo (JPEG, PNG or WebP), or none. The same photo again changes nothing."""
    chat_of(workspace=workspace, chat_id=chat_id)
    with transaction.atomic():
        avatar = _kept(workspace, data)
        chat = chat_of(workspace=workspace, chat_id=chat_id, lock=True)
        if chat.avatar_id != (avatar and avatar.pk):
            chat.avatar = avatar
            chat.save(update_fields=["avatar"])
            record_event(kind="chat.updated", actor=actor, workspace=workspace, obj=chat, changed=["avatar"])
    return chat


def _kept(workspace: Workspace, data: bytes | None) -> Avatar | None:
    """The photo of these bytes, kept once in the workspace, and locked so that no sweep takes it away."""
    if data is None:
        return None
    if len(data) > MAX_BYTES:
        raise Refused("too_large", f"A photo may have at most {MAX_BYTES:,} bytes.")
    sha256 = hashlib.sha256(data).digest()
    if known := _known(workspace, sha256):
        return known
    try:
        photo = read_photo(data)
    except UnreadableImage as error:
        raise Refused("image_unreadable", str(error)) from error
    return _store(workspace, sha256, photo)


def _known(workspace: Workspace, sha256: bytes) -> Avatar | None:
    return Avatar.objects.for_workspace(workspace).filter(sha256=sha256).select_for_update(no_key=True).first()


def _store(workspace: Workspace, sha256: bytes, photo: Photo) -> Avatar:
    avatar = Avatar(
        id=uuid7(),
        workspace=workspace,
        sha256=sha256,
        width=photo.width,
        height=photo.height,
        size=len(photo.jpeg),
    )
    avatar.file.save("photo.jpg", ContentFile(photo.jpeg), save=False)
    try:
        with transaction.atomic():
            avatar.save(force_insert=True)
    except IntegrityError as error:
        # Another request kept the same photo meanwhile.
        avatar.file.storage.delete(avatar.file.name)
        if known := _known(workspace, sha256):
            return known
        raise Refused("conflict") from error
    return avatar


def _unused() -> QuerySet[Avatar]:
    shown = [
        ~Exists(model.objects.filter(workspace=OuterRef("workspace"), avatar=OuterRef("pk")))
        for model in (Contact, Chat)
    ]
    return Avatar.objects.filter(*shown, created_at__lt=timezone.now() - UNUSED_FOR)


@transaction.atomic
def delete_unused_avatars(*, limit: int = 200) -> int:
    """Delete photos that nobody shows, with their files; answers how many. Photos that are just being given stay."""
    ids = list(_unused().select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:limit])
    # Looked at again behind the lock: whoever gave one away meanwhile has committed before it was free.
    unused = list(_unused().filter(pk__in=ids))
    Avatar.objects.filter(pk__in=[avatar.pk for avatar in unused]).delete()
    for avatar in unused:
        transaction.on_commit(lambda avatar=avatar: avatar.file.storage.delete(avatar.file.name), robust=True)
    return len(unused)
