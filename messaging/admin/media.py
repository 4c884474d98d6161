"""Files and links in the admin: how large and of what kind, never what is in them, what they are called or where they lead."""

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import User, Workspace
from messaging.models import MediaFile, ShareLink
from waplus.lib.admin import ReadOnlyAdmin, as_uuid, page_link


class _OfWorkspaceAdmin(ReadOnlyAdmin):
    list_select_related = ("workspace",)
    search_fields = ("id",)
    search_help_text = _("ID of the row or of a workspace")
    links = ("workspace",)

    def find(self, queryset, term):
        uuid = as_uuid(term)
        return queryset.filter(Q(pk=uuid) | Q(workspace=uuid)) if uuid else queryset.none()

    @display(description=_("workspace"))
    def workspace_page(self, row):
        return page_link(Workspace, row.workspace_id, row.workspace)

    @display(description=_("made by"))
    def author(self, row):
        return page_link(User, row.created_by_id, row.created_by)


@admin.register(MediaFile)
class MediaFileAdmin(_OfWorkspaceAdmin):
    list_display = ("created_at", "media_type", "size", "workspace_page")
    list_filter = ("media_type",)
    fields = ("id", "workspace_page", "media_type", "size", "width", "height", "author", "created_at", "wanted_at")
    readonly_fields = fields

    def get_queryset(self, request):
        return super().get_queryset(request).defer("name", "file", "thumbnail", "sha256")

    def get_object(self, request, object_id, from_field=None):
        """The row as staff may see it; it is never saved, so that its name goes at once."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.name = ""
        return row


@admin.register(ShareLink)
class ShareLinkAdmin(_OfWorkspaceAdmin):
    list_display = ("created_at", "workspace_page", "expires_at", "revoked_at", "opened_count")
    fields = (
        *("id", "workspace_page", "has_password", "redact_numbers", "include_media", "expires_at", "revoked_at"),
        *("opened_count", "author", "created_at"),
    )
    readonly_fields = fields

    def get_queryset(self, request):
        return super().get_queryset(request).defer("token_hash", "message_ids", "removed_ids")

    @display(description=_("password"), boolean=True)
    def has_password(self, row):
        return bool(row.password)
