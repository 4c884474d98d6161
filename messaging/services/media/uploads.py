"""Files that come in parts: in any order, each as often as need be, until all are there."""

import hashlib
import tempfile
from datetime import datetime
from functools import partial
from typing import BinaryIO
from uuid import UUID

from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Resource, User, Workspace
from accounts.services import plans
from messaging.models import MediaFile, MediaPart, MediaUpload
from messaging.services.media.containers import CHUNK
from messaging.services.media.keeping import check_size, keep_file
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.locks import take_turns

MIN_PART = 1024 * 1024
MAX_PART = 16 * 1024 * 1024
MAX_OPEN = 20


def begin_upload(
    *, workspace: Workspace, user: User, name: str = "", size: int, sha256: bytes | None = None, id: UUID | None = None
) -> tuple[MediaUpload, bool]:
    """Announce a file of `size` bytes; answers whether the upload is new. The file gets the upload's id, if it is new."""
    if existing := _existing(workspace, id):
        return existing, False
    check_size(workspace=workspace, size=size)
    if plans.used_of(workspace=workspace, resource=Resource.MEDIA_BYTES) + size > _limit(workspace):
        raise plans.limit_reached(workspace=workspace, resource=Resource.MEDIA_BYTES, amount=size)
    upload = MediaUpload(
        id=id or uuid7(),
        workspace=workspace,
        name=name,
        size=size,
        sha256=sha256,
        created_by=user,
        active_at=timezone.now(),
    )
    try:
        with transaction.atomic():
            take_turns("media uploads", workspace.pk)
            if MediaUpload.objects.for_workspace(workspace).filter(completed_as=None).count() >= MAX_OPEN:
                sentence = f"There are {MAX_OPEN} uploads under way. Complete or delete one first."
                raise Refused("limit_reached", sentence, extra={"limit": MAX_OPEN})
            upload.save(force_insert=True)
    except IntegrityError:
        if existing := _existing(workspace, upload.pk):
            return existing, False
        raise
    return upload, True


def _limit(workspace: Workspace) -> int:
    return Workspace.objects.select_related("plan").get(pk=workspace.pk).plan.max_media_bytes


def _existing(workspace: Workspace, id: UUID | None) -> MediaUpload | None:
    existing = MediaUpload.objects.of_client(workspace, id)
    MediaFile.objects.of_client(workspace, id)  # nor may the file that it becomes have an id that another workspace has
    return existing


def _locked(workspace: Workspace, upload_id: UUID) -> MediaUpload:
    uploads = MediaUpload.objects.for_workspace(workspace).select_for_update(no_key=True)
    upload = uploads.filter(pk=upload_id).first()
    if upload is None:
        raise NotFound
    return upload


def put_part(*, workspace: Workspace, upload_id: UUID, number: int, file: BinaryIO) -> tuple[MediaPart, bool]:
    """Keep one part, in place of the one that had its number; answers whether it is the first of its number."""
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    if not 0 < size <= MAX_PART:
        raise Invalid(
            "part", "invalid", f"A part has from {MIN_PART:,} to {MAX_PART:,} bytes; the last one may be smaller."
        )
    _check_open(workspace, upload_id, size)
    part = MediaPart(id=uuid7(), workspace=workspace, upload_id=upload_id, number=number, size=size)
    part.sha256 = digest.digest()
    file.seek(0)
    part.file.save("part", File(file), save=False)
    try:
        with transaction.atomic():
            upload = _locked(workspace, upload_id)
            if upload.completed_as:
                raise Refused("wrong_state", "The upload is complete.")
            parts = MediaPart.objects.for_workspace(workspace).filter(upload=upload)
            others = parts.exclude(number=number).aggregate(total=Sum("size"))["total"] or 0
            # One wrong part may lie there until it is replaced; more would be room that no plan counts.
            if others + size > upload.size + MAX_PART:
                raise Invalid("part", "invalid", f"With it more is here than the {upload.size:,} bytes announced.")
            replaced = _delete_parts(parts.filter(number=number))
            part.save(force_insert=True)
            upload.active_at = timezone.now()
            upload.save(update_fields=["active_at"])
    except BaseException:
        part.file.storage.delete(part.file.name)
        raise
    return part, not replaced


def _check_open(workspace: Workspace, upload_id: UUID, size: int) -> None:
    """Refuse at once what the transaction would refuse, before a byte is written to the storage."""
    upload = MediaUpload.objects.for_workspace(workspace).filter(pk=upload_id).first()
    if upload is None:
        raise NotFound
    if upload.completed_as:
        raise Refused("wrong_state", "The upload is complete.")
    if size > upload.size:
        raise Invalid("part", "invalid", f"The part is larger than the whole file of {upload.size:,} bytes.")


def _delete_parts(parts) -> int:
    """Delete the rows of some parts now, and their files after the commit."""
    found = list(parts)
    for part in found:
        transaction.on_commit(partial(part.file.storage.delete, part.file.name), robust=True)
    parts.model.objects.filter(pk__in=[part.pk for part in found]).delete()
    return len(found)


def complete_upload(*, workspace: Workspace, user: User, actor: Actor, upload_id: UUID) -> tuple[MediaFile, bool]:
    """Put the parts together, check size and hash, and keep the file; a repeat answers the file that it became."""
    upload = MediaUpload.objects.for_workspace(workspace).filter(pk=upload_id).first()
    if upload is None:
        raise NotFound
    if upload.completed_as:
        return _completed(workspace, upload), False
    with tempfile.TemporaryFile() as whole:
        _assemble(upload, whole)
        media, is_new = keep_file(
            workspace=workspace, user=user, actor=actor, file=whole, name=upload.name, id=upload.pk
        )
    with transaction.atomic():
        upload = _locked(workspace, upload_id)
        upload.completed_as, upload.active_at = media.pk, timezone.now()
        upload.save(update_fields=["completed_as", "active_at"])
        _delete_parts(MediaPart.objects.for_workspace(workspace).filter(upload=upload))
    return media, is_new


def _completed(workspace: Workspace, upload: MediaUpload) -> MediaFile:
    media = MediaFile.objects.for_workspace(workspace).filter(pk=upload.completed_as).first()
    if media is None:
        raise Refused("wrong_state", "The file of this upload was deleted. Upload it anew.")
    return media


def _assemble(upload: MediaUpload, whole: BinaryIO) -> None:
    parts = list(MediaPart.objects.filter(workspace=upload.workspace_id, upload=upload).order_by("number"))
    missing = sorted(set(range(1, len(parts) + 1)) - {part.number for part in parts})
    received = sum(part.size for part in parts)
    if missing or received != upload.size:
        raise Refused(
            "upload_incomplete",
            f"{received:,} of {upload.size:,} bytes are here.",
            extra={"received": received, "missing": missing[:100]},
        )
    if any(part.size < MIN_PART for part in parts[:-1]):
        raise Refused("upload_incomplete", f"Every part but the last one has {MIN_PART:,} bytes at least.")
    digest = hashlib.sha256()
    for part in parts:
        try:
            with part.file.open("rb") as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
                    whole.write(chunk)
        except OSError as error:  # replaced this very moment
            raise Refused("conflict", "A part was sent again meanwhile. Complete it again.") from error
    if upload.sha256 is not None and bytes(upload.sha256) != digest.digest():
        raise Refused("checksum_mismatch", "The parts are not the file that was announced. Compare them one by one.")


@transaction.atomic
def delete_upload(*, workspace: Workspace, upload_id: UUID) -> None:
    """Give up an upload; a file that it became stays."""
    _drop(_locked(workspace, upload_id))


def _drop(upload: MediaUpload) -> None:
    _delete_parts(MediaPart.objects.filter(workspace=upload.workspace_id, upload=upload))
    upload.delete()


@transaction.atomic
def delete_abandoned_uploads(*, before: datetime, limit: int = 100) -> int:
    """Delete uploads that nobody has gone on with since a moment, and those that are complete; answers how many."""
    uploads = MediaUpload.objects.filter(active_at__lt=before).select_for_update(skip_locked=True, no_key=True)
    found = list(uploads.order_by("active_at")[:limit])
    for upload in found:
        _drop(upload)
    return len(found)
