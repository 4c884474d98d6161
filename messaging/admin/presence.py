"""Devices that ask for messages, warnings, their mails, and chats that cannot be reached, in the admin."""

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import ExtensionInstance, User, Workspace
from crm.models import WhatsAppAccount
from messaging.models import DispatchWarning, NumberPresence, UnreachableChat, WarningMail
from waplus.lib.admin import ReadOnlyAdmin, ReadOnlyInline, as_uuid, mask_jid, page_link


class OfNumberAdmin(ReadOnlyAdmin):
    """Rows of a WhatsApp number, found by its id or the workspace's."""

    list_select_related = ("workspace", "whatsapp_account")
    search_fields = ("id",)
    search_help_text = _("ID of a WhatsApp number or a workspace")
    links = ("workspace",)

    def find(self, queryset, term):
        uuid = as_uuid(term)
        return queryset.filter(Q(pk=uuid) | Q(whatsapp_account=uuid) | Q(workspace=uuid)) if uuid else queryset.none()

    @display(description=_("number"))
    def number(self, row):
        return page_link(WhatsAppAccount, row.whatsapp_account_id, mask_jid(row.whatsapp_account.jid))

    @display(description=_("workspace"))
    def workspace_page(self, row):
        return page_link(Workspace, row.workspace_id, row.workspace)

    @display(description=_("device"))
    def device(self, row):
        return page_link(ExtensionInstance, row.instance_id, row.instance)


@admin.register(NumberPresence)
class NumberPresenceAdmin(OfNumberAdmin):
    list_display = ("seen_at", "workspace_page", "number", "device", "may_dispatch")
    list_select_related = ("workspace", "whatsapp_account", "instance")
    fields = ("id", "workspace_page", "number", "device", "seen_at", "may_dispatch")
    readonly_fields = fields


@admin.register(UnreachableChat)
class UnreachableChatAdmin(OfNumberAdmin):
    list_display = ("since", "code", "workspace_page", "number", "chat")
    list_filter = ("code",)
    fields = ("id", "workspace_page", "number", "chat", "code", "since", "device")
    readonly_fields = fields

    @display(description=_("chat"))
    def chat(self, row):
        return mask_jid(row.chat_jid)


class WarningMailInline(ReadOnlyInline):
    model = WarningMail
    fields = ("person", "state", "attempts", "noted_at", "delivered_at", "problem")
    readonly_fields = fields
    verbose_name_plural = _("e-mails")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("recipient").order_by("noted_at")

    @display(description=_("recipient"))
    def person(self, mail):
        return page_link(User, mail.recipient_id, mail.recipient)


@admin.register(DispatchWarning)
class DispatchWarningAdmin(OfNumberAdmin):
    list_display = ("raised_at", "kind", "workspace_page", "number", "message_count", "first_due_at", "resolved_at")
    list_filter = ("kind",)
    inlines = (WarningMailInline,)
    fields = (*("id", "workspace_page", "number", "kind", "first_due_at", "message_count", "raised_at", "resolved_at"),)
    readonly_fields = fields
