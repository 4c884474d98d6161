"""Files that messages carry, and uploads that come in parts."""

from secrets import token_hex

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey

MAX_UPLOAD_PARTS = 1_000


def media_path(media: "MediaFile", filename: str) -> str:
    """Where a file is kept: by id, so that no name of a person's computer becomes a path.

    Two uploads that race for one id write two files, and the one that loses deletes its own.
    """
    return f"media/{media.workspace_id}/{media.id}-{token_hex(4)}"


def thumbnail_path(media: "MediaFile", filename: str) -> str:
    """Where the small picture of a file is kept: beside it."""
    return f"media/{media.workspace_id}/{media.id}-{token_hex(4)}.webp"


def part_path(part: "MediaPart", filename: str) -> str:
    """Where a part waits for the others: a part that is sent again never writes into the file of the one before."""
    return f"uploads/{part.workspace_id}/{part.id}"


class MediaFile(WorkspaceModel):
    """A file of a workspace, kept once however many messages carry it. Its type is what its bytes say it is."""

    file = models.FileField(upload_to=media_path, max_length=200)
    sha256 = models.BinaryField(max_length=32, editable=False, help_text=_("Of the bytes as they are kept."))
    media_type = models.CharField(_("type"), max_length=100, help_text=_("As sniffed, such as image/jpeg."))
    name = models.CharField(_("name"), max_length=255, blank=True, help_text=_("What the person's file was called."))
    size = models.PositiveBigIntegerField(_("size"), help_text=_("Bytes."))
    width = models.PositiveIntegerField(_("width"), null=True, help_text=_("Pixels, of pictures as they are shown."))
    height = models.PositiveIntegerField(_("height"), null=True, help_text=_("Pixels, of pictures as they are shown."))
    thumbnail = models.FileField(upload_to=thumbnail_path, max_length=200, blank=True, help_text=_("WebP."))
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    wanted_at = models.DateTimeField(
        _("last uploaded"),
        default=timezone.now,
        help_text=_("For a day from then it stays, even if nothing carries it."),
    )

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            models.UniqueConstraint(fields=["workspace", "sha256"], name="media_file_once"),
        ]
        indexes = [models.Index(fields=["wanted_at"], name="media_file_wanted")]

    def __str__(self) -> str:
        return self.name or self.media_type


class MediaUpload(WorkspaceModel):
    """A file that comes in parts. Once it is complete, `completed_as` names the file that it became."""

    name = models.CharField(_("name"), max_length=255, blank=True)
    size = models.PositiveBigIntegerField(_("size"), help_text=_("Bytes, as announced."))
    sha256 = models.BinaryField(max_length=32, null=True, editable=False, help_text=_("As announced."))
    # Not a foreign key: those are uses, and an upload uses nothing.
    completed_as = models.UUIDField(_("file"), null=True)
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    active_at = models.DateTimeField(_("last heard of"), default=timezone.now)

    class Meta(WorkspaceModel.Meta):
        indexes = [
            models.Index(fields=["active_at"], name="media_upload_active"),
            models.Index(fields=["workspace"], name="media_upload_of"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.pk)


class MediaPart(WorkspaceModel):
    """One part of an upload, numbered from 1."""

    upload = ScopedForeignKey(MediaUpload, models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(MAX_UPLOAD_PARTS)])
    size = models.PositiveIntegerField(_("size"), help_text=_("Bytes."))
    sha256 = models.BinaryField(max_length=32, editable=False)
    file = models.FileField(upload_to=part_path, max_length=200)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="upload", name="media_part_upload"),
            models.UniqueConstraint(fields=["upload", "number"], name="media_part_once"),
        ]

    def __str__(self) -> str:
        return f"part {self.number}"
