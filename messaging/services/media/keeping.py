"""Taking a file in: looked at, cleaned if it is a picture, kept once in its workspace, counted by the plan."""

import hashlib
import io
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Plan, Resource, User, Workspace
from accounts.models.plans import MEBIBYTE
from accounts.services import plans
from accounts.services.events import record_event
from messaging.models import MediaFile
from messaging.services.media.containers import CHUNK
from messaging.services.media.file_types import PICTURES, FileType, proper_name
from messaging.services.media.refusals import NotTaken
from messaging.services.media.sniffing import sniff
from waplus.lib.errors import Invalid, Refused
from waplus.lib.ids import uuid7
from waplus.lib.images import UnreadableImage
from waplus.lib.pictures import Picture, read_picture


@dataclass
class _Taken:
    """A file that was looked at and is about to be kept."""

    file: BinaryIO
    file_type: FileType
    size: int
    picture: Picture | None = None


def keep_file(
    *, workspace: Workspace, user: User, actor: Actor, file: BinaryIO, name: str = "", id: UUID | None = None
) -> tuple[MediaFile, bool]:
    """Keep a file of any size that fits on the disk, read in pieces; answers whether it is new.

    A repeat with the same id answers the file that is there; the same bytes
    answer the file that was kept before, under its own id. Raises
    `media_type_refused`, `too_large` and `plan_limit_reached`.
    """
    if existing := MediaFile.objects.of_client(workspace, id):
        return existing, False
    taken = _look_at(workspace, file, name)
    sha256 = _hash(taken.file)
    if known := _known(workspace, sha256):
        return known, False
    media = MediaFile(
        id=id or uuid7(),
        workspace=workspace,
        sha256=sha256,
        media_type=taken.file_type.media_type,
        name=proper_name(name, taken.file_type),
        size=taken.size,
        created_by=user,
        wanted_at=timezone.now(),
    )
    _store(media, taken)
    try:
        with transaction.atomic():
            plans.reserve(workspace=workspace, resource=Resource.MEDIA_BYTES, amount=media.size)
            media.save(force_insert=True)
            record_event(kind="media.uploaded", actor=actor, workspace=workspace, obj=media)
    except IntegrityError:
        # Another request kept the same bytes, or took the id, meanwhile.
        delete_files(media)
        if existing := _known(workspace, sha256) or MediaFile.objects.of_client(workspace, media.pk):
            return existing, False
        raise Refused("conflict") from None
    except BaseException:
        delete_files(media)
        raise
    return media, True


def check_size(*, workspace: Workspace, size: int, kind: str | None = None) -> None:
    """Refuse a file that is larger than the plan or WhatsApp allows; `kind` is not known before its bytes are here."""
    plan = Plan.objects.get(workspaces=workspace.pk)
    taken = settings.WHATSAPP_MAX_BYTES[kind] if kind else max(settings.WHATSAPP_MAX_BYTES.values())
    if size > plan.max_media_mb * MEBIBYTE:
        raise Refused("too_large", f"With the plan “{plan.name}” a file may have {plan.max_media_mb:,} MB at most.")
    if size > taken:
        raise Refused("too_large", f"WhatsApp takes files of this kind up to {_readable(taken)}.")


def _readable(size: int) -> str:
    return filesizeformat(size).replace("\xa0", " ")


def _look_at(workspace: Workspace, file: BinaryIO, name: str) -> _Taken:
    file.seek(0, 2)
    size = file.tell()
    if not size:
        raise Invalid("file", "empty", "The file is empty.")
    check_size(workspace=workspace, size=size)
    try:
        file_type = sniff(file, size, name)
        check_size(workspace=workspace, size=size, kind=file_type.kind)
        if file_type not in PICTURES:
            return _Taken(file, file_type, size)
        file.seek(0)
        picture = read_picture(file.read(), file_type.media_type.removeprefix("image/").upper())
    except (NotTaken, UnreadableImage) as error:
        raise Refused("media_type_refused", str(error), field="file") from error
    return _Taken(io.BytesIO(picture.data), file_type, len(picture.data), picture)


def _hash(file: BinaryIO) -> bytes:
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.digest()


def _known(workspace: Workspace, sha256: bytes) -> MediaFile | None:
    """The same bytes, kept before. Who uploads them again is about to use them, so no sweep takes them for a day."""
    with transaction.atomic():
        found = MediaFile.objects.for_workspace(workspace).filter(sha256=sha256).select_for_update(no_key=True).first()
        if found:
            found.wanted_at = timezone.now()
            found.save(update_fields=["wanted_at"])
    return found


def _store(media: MediaFile, taken: _Taken) -> None:
    taken.file.seek(0)
    media.file.save("file", File(taken.file), save=False)
    if taken.picture:
        media.width, media.height = taken.picture.width, taken.picture.height
        media.thumbnail.save("small", ContentFile(taken.picture.thumbnail), save=False)


def delete_files(media: MediaFile) -> None:
    """Delete what the storage holds of a file that has no row, or has none any more."""
    for kept in (media.file, media.thumbnail):
        if kept:
            kept.storage.delete(kept.name)


def delete_files_after_commit(media: MediaFile) -> None:
    """The same, once the transaction that deletes the row has committed. What a crash leaves, a sweep finds."""
    transaction.on_commit(partial(delete_files, media), robust=True)
