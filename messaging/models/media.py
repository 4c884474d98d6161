"""Files that messages carry."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel


def media_path(media: "MediaFile", filename: str) -> str:
    """Where a file is kept: by id, so that no name of a person's computer becomes a path."""
    return f"media/{media.workspace_id}/{media.id}"


class MediaFile(WorkspaceModel):
    """A file of a workspace, kept once however many messages carry it. Its type is what its bytes say it is."""

    file = models.FileField(upload_to=media_path, max_length=200)
    sha256 = models.BinaryField(max_length=32, editable=False)
    media_type = models.CharField(_("type"), max_length=100, help_text=_("As sniffed, such as image/jpeg."))
    name = models.CharField(_("name"), max_length=255, blank=True, help_text=_("What the person's file was called."))
    size = models.PositiveBigIntegerField(_("size"), help_text=_("Bytes."))
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            models.UniqueConstraint(fields=["workspace", "sha256"], name="media_file_once"),
        ]

    def __str__(self) -> str:
        return self.name or self.media_type
