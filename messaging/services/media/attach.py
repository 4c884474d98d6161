"""What everybody needs who lets a message carry a file."""

from uuid import UUID

from accounts.models import Workspace
from messaging.models import MediaFile
from messaging.services.media.links import file_url, thumbnail_url
from waplus.lib.errors import UNKNOWN_ID, Invalid
from waplus.lib.locks import Hold, held


def media_for_use(workspace: Workspace, media_id: UUID, *, field: str = "media") -> MediaFile:
    """A file of the workspace that something is about to point to; nobody deletes it before the transaction ends.

    Call it in the transaction that writes the reference. Raises `Invalid`
    (`does_not_exist`) at `field` for an id that is not visible to the workspace.
    """
    return files_for_use(workspace, [media_id], field=field)[media_id]


def files_for_use(workspace: Workspace, media_ids: list[UUID], *, field: str = "media") -> dict[UUID, MediaFile]:
    """Several files at once, by id, as `media_for_use` does it."""
    wanted = MediaFile.objects.for_workspace(workspace).filter(pk__in=media_ids).order_by("pk")
    found = {media.pk: media for media in held(wanted, Hold.FROM_DELETION)}
    if any(media_id not in found for media_id in media_ids):
        raise Invalid(field, "does_not_exist", UNKNOWN_ID)
    return found


def media_document(media: MediaFile | None) -> dict | None:
    """A file as programs are told of it, with links that expire; None for no file."""
    if media is None:
        return None
    return {
        "id": str(media.pk),
        "media_type": media.media_type,
        "name": media.name,
        "size": media.size,
        "width": media.width,
        "height": media.height,
        "url": file_url(media),
        "thumbnail_url": thumbnail_url(media),
    }
