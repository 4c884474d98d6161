"""What messages say before they are queued: one to ten parts, each a text, a file, or a file with a caption.

White space around a text is cut off, as WhatsApp itself does. A part is
`{"body": str, "media": id of a MediaFile, or None}`.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db.models import Model, QuerySet

from accounts.models import Workspace
from messaging.models import ContentPart, MediaFile
from messaging.models.content import HOLDERS, MAX_PARTS
from messaging.models.scheduled import MAX_BODY
from messaging.services.templating.variables import BLANK
from waplus.lib.errors import UNKNOWN_ID, Invalid
from waplus.lib.locks import Hold, held


def clean_parts(parts: Sequence[Mapping], *, field: str = "parts") -> list[dict]:
    """Parts as they are kept. Raises `Invalid` with the path of what is wrong below `field`."""
    if not parts:
        raise Invalid(field, "required", "A message has at least one part.")
    if len(parts) > MAX_PARTS:
        raise Invalid(field, "too_many", f"A message has at most {MAX_PARTS} parts.")
    cleaned = []
    for index, part in enumerate(parts):
        body, media = (part.get("body") or "").strip(BLANK), part.get("media")
        if not body and media is None:
            raise Invalid(f"{field}.{index}", "required", "A part has a text or a file.")
        if len(body) > MAX_BODY:
            raise Invalid(f"{field}.{index}.body", "max_length", f"A text has at most {MAX_BODY:,} characters.")
        cleaned.append({"body": body, "media": getattr(media, "pk", media)})
    return cleaned


def hold_media(*, workspace: Workspace, ids: Sequence[UUID | None], field: str = "parts") -> None:
    """Keep files from being deleted until this transaction ends; refuses what is no file of the workspace."""
    wanted = {id for id in ids if id is not None}
    if not wanted:
        return
    files = MediaFile.objects.for_workspace(workspace).filter(pk__in=wanted).order_by("pk")
    found = {file.pk for file in held(files, Hold.FROM_DELETION)}
    for index, id in enumerate(ids):
        if id is not None and id not in found:
            raise Invalid(f"{field}.{index}.media", "does_not_exist", UNKNOWN_ID)


def write_parts(
    *, workspace: Workspace, parts: Sequence[Mapping], field: str = "parts", **holder: Model
) -> list[ContentPart]:
    """Write the parts of a new holder, as `write_parts(…, broadcast=broadcast)`. The caller's transaction is open."""
    parts = clean_parts(parts, field=field)
    hold_media(workspace=workspace, ids=[part["media"] for part in parts], field=field)
    return ContentPart.objects.bulk_create(
        ContentPart(workspace=workspace, position=position, body=part["body"], media_id=part["media"], **holder)
        for position, part in enumerate(parts)
    )


def replace_parts(
    *, workspace: Workspace, parts: Sequence[Mapping], field: str = "parts", **holder: Model
) -> list[ContentPart]:
    """Write other parts instead of those that a holder has. The caller has the holder's row locked."""
    ContentPart.objects.for_workspace(workspace).filter(**holder).delete()
    return write_parts(workspace=workspace, parts=parts, field=field, **holder)


def parts_of(holder: Model) -> QuerySet[ContentPart]:
    """The parts of a holder in their order, with their files."""
    name = next(name for name in HOLDERS if isinstance(holder, ContentPart._meta.get_field(name).related_model))
    parts = ContentPart.objects.for_workspace(holder.workspace_id).filter(**{name: holder})
    return parts.select_related("media").order_by("position")


def same_parts(present: Sequence[ContentPart], wanted: Sequence[Mapping]) -> bool:
    """Whether parts say what they are wanted to say already."""
    return [(part.body, part.media_id) for part in present] == [(part["body"], part["media"]) for part in wanted]
