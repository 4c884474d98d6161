"""Synced conversations in the admin: what is switched on and how far it is, never what was written or by whom."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging.models import ConversationRule, ConversationSync
from waplus.lib.admin import OfNumberAdmin, OfWorkspaceAdmin, mask_jid


@admin.register(ConversationRule)
class ConversationRuleAdmin(OfWorkspaceAdmin):
    list_display = ("id", "workspace_page", "kind", "metadata_on", "content_on", "version", "changed_at")
    list_filter = ("kind", "metadata_on", "content_on")
    fields = ("id", "workspace_page", "kind", "metadata_on", "content_on", "version", "changed_at")
    readonly_fields = fields


@admin.register(ConversationSync)
class ConversationSyncAdmin(OfNumberAdmin):
    list_display = (
        "id",
        "workspace_page",
        "number",
        "chat_mask",
        "message_count",
        "content_count",
        "deleting",
        "synced_at",
    )
    list_filter = ("deleting",)
    list_select_related = ("workspace", "whatsapp_account", "chat")
    fields = (
        *("id", "workspace_page", "number", "chat_mask", "message_count", "content_count", "whatsapp_count"),
        *("reached_start", "content_reached_start", "deleting", "synced_at"),
    )
    readonly_fields = fields

    @display(description=_("chat"))
    def chat_mask(self, sync):
        return mask_jid(sync.chat.jid)
