"""Who must not be written to, in the admin: when and how it came to be, never who it is or what was said."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging.models import ConsentRecord, OptOutWord, Suppression
from waplus.lib.admin import EMPTY, OfNumberAdmin, OfWorkspaceAdmin, related_link


@admin.register(Suppression)
class SuppressionAdmin(OfWorkspaceAdmin):
    hidden = ("key_hash", "note", "contact")
    list_display = ("created_at", "source", "workspace_page", "leader", "author", "lifted_at")
    list_select_related = ("workspace", "part_of", "created_by")
    list_filter = ("source",)
    fields = (
        *("id", "workspace_page", "source", "leader", "key_version", "author", "created_at", "lifted_at", "lifter"),
    )
    readonly_fields = fields

    @display(description=_("part of"))
    def leader(self, row):
        return related_link(row, "part_of")

    @display(description=_("lifted by"))
    def lifter(self, row):
        return related_link(row, "lifted_by")


@admin.register(ConsentRecord)
class ConsentRecordAdmin(OfNumberAdmin):
    hidden = ("word", "evidence", "contact")
    found_by = ("pk", "workspace")
    list_display = ("recorded_at", "kind", "means", "workspace_page", "number", "recorder")
    list_select_related = ("workspace", "whatsapp_account", "recorded_by")
    list_filter = ("kind", "means")
    fields = ("id", "workspace_page", "kind", "means", "suppressed", "number", "recorder", "recorded_at")
    readonly_fields = fields

    @display(description=_("number"))
    def number(self, row):
        return super().number(row) if row.whatsapp_account_id else EMPTY

    @display(description=_("do not contact"))
    def suppressed(self, row):
        return related_link(row, "suppression")

    @display(description=_("recorded by"))
    def recorder(self, row):
        return related_link(row, "recorded_by")


@admin.register(OptOutWord)
class OptOutWordAdmin(OfWorkspaceAdmin):
    list_display = ("word", "language", "kind", "workspace_page", "author", "created_at")
    list_select_related = ("workspace", "created_by")
    list_filter = ("kind",)
    fields = ("id", "workspace_page", "word", "language", "kind", "author", "created_at")
    readonly_fields = fields
