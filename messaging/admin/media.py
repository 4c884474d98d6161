"""Files and links in the admin: how large and of what kind, never what is in them, what they are called or where they lead."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging.models import MediaFile, ShareLink
from waplus.lib.admin import OfWorkspaceAdmin


@admin.register(MediaFile)
class MediaFileAdmin(OfWorkspaceAdmin):
    hidden = ("name", "file", "thumbnail", "sha256")
    list_display = ("created_at", "media_type", "size", "workspace_page")
    list_filter = ("media_type",)
    fields = ("id", "workspace_page", "media_type", "size", "width", "height", "author", "created_at", "wanted_at")
    readonly_fields = fields

    def get_object(self, request, object_id, from_field=None):
        """The row as staff may see it; it is never saved, so that its name goes at once."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.name = ""
        return row


@admin.register(ShareLink)
class ShareLinkAdmin(OfWorkspaceAdmin):
    hidden = ("token_hash", "message_ids", "removed_ids")
    list_display = ("created_at", "workspace_page", "expires_at", "revoked_at", "opened_count")
    fields = (
        *("id", "workspace_page", "has_password", "redact_numbers", "include_media", "expires_at", "revoked_at"),
        *("opened_count", "author", "created_at"),
    )
    readonly_fields = fields

    @display(description=_("password"), boolean=True)
    def has_password(self, row):
        return bool(row.password)
