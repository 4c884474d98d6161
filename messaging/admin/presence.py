"""Devices that ask for messages, warnings, their mails, and chats that cannot be reached, in the admin."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging.models import DispatchWarning, NumberPresence, UnreachableChat, WarningMail
from waplus.lib.admin import OfNumberAdmin, ReadOnlyInline, related_link


class FoundByNumberAdmin(OfNumberAdmin):
    """Few rows a number, so that its id, too, finds them quickly."""

    found_by = ("pk", "whatsapp_account", "workspace")
    search_help_text = _("ID of the row, of its WhatsApp number or of its workspace")


@admin.register(NumberPresence)
class NumberPresenceAdmin(FoundByNumberAdmin):
    list_display = ("seen_at", "workspace_page", "number", "device", "may_dispatch")
    list_select_related = ("workspace", "whatsapp_account", "instance")
    fields = ("id", "workspace_page", "number", "device", "seen_at", "may_dispatch")
    readonly_fields = fields


@admin.register(UnreachableChat)
class UnreachableChatAdmin(FoundByNumberAdmin):
    list_display = ("since", "code", "workspace_page", "number", "chat_mask")
    list_filter = ("code",)
    fields = ("id", "workspace_page", "number", "chat_mask", "code", "since", "device")
    readonly_fields = fields


class WarningMailInline(ReadOnlyInline):
    model = WarningMail
    fields = ("person", "state", "attempts", "noted_at", "delivered_at", "problem")
    readonly_fields = fields
    verbose_name_plural = _("e-mails")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("recipient").order_by("noted_at")

    @display(description=_("recipient"))
    def person(self, mail):
        return related_link(mail, "recipient")


@admin.register(DispatchWarning)
class DispatchWarningAdmin(FoundByNumberAdmin):
    list_display = ("raised_at", "kind", "workspace_page", "number", "message_count", "first_due_at", "resolved_at")
    list_filter = ("kind",)
    inlines = (WarningMailInline,)
    fields = ("id", "workspace_page", "number", "kind", "first_due_at", "message_count", "raised_at", "resolved_at")
    readonly_fields = fields
