"""Synced conversations in the admin: what is switched on and how far it is, never what was written or by whom."""

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import Workspace
from crm.models import WhatsAppAccount
from messaging.models import ConversationRule, ConversationSync
from waplus.lib.admin import ReadOnlyAdmin, as_uuid, mask_jid, page_link


class OfWorkspaceAdmin(ReadOnlyAdmin):
    """Rows that are found by their own id or the workspace's."""

    search_fields = ("id",)
    search_help_text = _("ID of a row or a workspace")
    links = ("workspace",)
    show_full_result_count = False

    def find(self, queryset, term):
        uuid = as_uuid(term)
        return queryset.filter(Q(pk=uuid) | Q(workspace=uuid)) if uuid else queryset.none()

    @display(description=_("workspace"))
    def workspace_page(self, row):
        return page_link(Workspace, row.workspace_id, row.workspace)


@admin.register(ConversationRule)
class ConversationRuleAdmin(OfWorkspaceAdmin):
    list_display = ("id", "workspace_page", "kind", "metadata_on", "content_on", "version", "changed_at")
    list_filter = ("kind", "metadata_on", "content_on")
    list_select_related = ("workspace",)
    fields = ("id", "workspace_page", "kind", "metadata_on", "content_on", "version", "changed_at")
    readonly_fields = fields


@admin.register(ConversationSync)
class ConversationSyncAdmin(OfWorkspaceAdmin):
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

    @display(description=_("number"))
    def number(self, sync):
        return page_link(WhatsAppAccount, sync.whatsapp_account_id, mask_jid(sync.whatsapp_account.jid))

    @display(description=_("chat"))
    def chat_mask(self, sync):
        return mask_jid(sync.chat.jid)
