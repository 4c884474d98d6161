"""Profile photos of contacts and chats, as files."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel


def avatar_path(avatar: "Avatar", filename: str) -> str:
    """Where a photo is kept: by id, so that no name of a person's computer becomes a path."""
    return f"avatars/{avatar.workspace_id}/{avatar.id}.jpg"


class Avatar(WorkspaceModel):
    """A photo, kept once however many contacts show it; re-encoded as JPEG, so that nothing else hides in it."""

    file = models.FileField(upload_to=avatar_path, max_length=200)
    sha256 = models.BinaryField(max_length=32, editable=False, help_text=_("Of the bytes as they were uploaded."))
    width = models.PositiveIntegerField(_("width"), help_text=_("Pixels."))
    height = models.PositiveIntegerField(_("height"), help_text=_("Pixels."))
    size = models.PositiveIntegerField(_("size"), help_text=_("Bytes."))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            models.UniqueConstraint(fields=["workspace", "sha256"], name="avatar_once"),
        ]

    def __str__(self) -> str:
        return f"{self.width} × {self.height}"
