"""Scheduled messages in the admin: when they go, never what they say or to whom."""

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import User, Workspace
from crm.models import WhatsAppAccount
from messaging.models import ScheduledMessage, ScheduledRecipient, ScheduleState
from waplus.lib.admin import ReadOnlyAdmin, ReadOnlyInline, as_uuid, mask_jid, page_link

COLOURS = {
    ScheduleState.WAITING.label: "info",
    ScheduleState.PAUSED.label: "warning",
    ScheduleState.QUEUED.label: "success",
}


class RecipientInline(ReadOnlyInline):
    model = ScheduledRecipient
    fields = ("chat", "state", "time_zone", "next_wall", "next_at", "last_at")
    readonly_fields = fields
    verbose_name_plural = _("recipients")

    def get_queryset(self, request):
        return super().get_queryset(request).defer("contact").order_by("id")

    @display(description=_("chat"))
    def chat(self, recipient):
        return mask_jid(recipient.chat_jid)


@admin.register(ScheduledMessage)
class ScheduledMessageAdmin(ReadOnlyAdmin):
    list_display = (
        *("due_at", "local_time", "state_label", "workspace_page", "number", "recipient_count", "rrule"),
        "lateness_minutes",
    )
    list_filter = ("state", "clock")
    list_select_related = ("workspace", "whatsapp_account")
    search_fields = ("id",)
    search_help_text = _("ID of a message or a workspace")
    inlines = (RecipientInline,)
    fields = (
        *("id", "workspace_page", "number", "state_label", "local_time", "clock", "rrule", "excluded", "due_at"),
        *("lateness_minutes", "on_late", "author", "created_at", "updated_at"),
    )
    readonly_fields = fields
    links = ("workspace",)

    def get_queryset(self, request):
        recipients = ScheduledRecipient.objects.filter(scheduled_message=OuterRef("pk")).order_by()
        count = recipients.values("scheduled_message").annotate(count=Count("pk")).values("count")
        return super().get_queryset(request).annotate(recipient_total=Coalesce(Subquery(count), 0))

    def find(self, queryset, term):
        uuid = as_uuid(term)
        return queryset.filter(Q(pk=uuid) | Q(workspace=uuid)) if uuid else queryset.none()

    @display(description=_("workspace"))
    def workspace_page(self, message):
        return page_link(Workspace, message.workspace_id, message.workspace)

    @display(description=_("from number"))
    def number(self, message):
        return page_link(WhatsAppAccount, message.whatsapp_account_id, mask_jid(message.whatsapp_account.jid))

    @display(description=_("recipients"))
    def recipient_count(self, message):
        return message.recipient_total

    @display(description=_("state"), label=COLOURS)
    def state_label(self, message):
        return message.get_state_display()

    @display(description=_("local time"))
    def local_time(self, message):
        return f"{message.wall_time:%Y-%m-%d %H:%M} {message.time_zone}"

    @display(description=_("scheduled by"))
    def author(self, message):
        return page_link(User, message.created_by_id, message.created_by)
