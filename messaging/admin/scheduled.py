"""Scheduled messages in the admin: when they go, never what they say or to whom."""

from django.contrib import admin
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging.models import ScheduledMessage, ScheduledRecipient, ScheduleState
from waplus.lib.admin import OfNumberAdmin, ReadOnlyInline, mask_jid

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
class ScheduledMessageAdmin(OfNumberAdmin):
    list_display = (
        *("due_at", "local_time", "state_label", "workspace_page", "number", "recipient_count", "rrule"),
        "lateness_minutes",
    )
    list_filter = ("state", "clock")
    inlines = (RecipientInline,)
    fields = (
        *("id", "workspace_page", "number", "state_label", "local_time", "clock", "rrule", "excluded", "due_at"),
        *("lateness_minutes", "on_late", "author", "created_at", "updated_at"),
    )
    readonly_fields = fields

    def get_queryset(self, request):
        recipients = ScheduledRecipient.objects.filter(scheduled_message=OuterRef("pk")).order_by()
        count = recipients.values("scheduled_message").annotate(count=Count("pk")).values("count")
        return super().get_queryset(request).annotate(recipient_total=Coalesce(Subquery(count), 0))

    @display(description=_("recipients"))
    def recipient_count(self, message):
        return message.recipient_total

    @display(description=_("state"), label=COLOURS)
    def state_label(self, message):
        return message.get_state_display()

    @display(description=_("local time"))
    def local_time(self, message):
        return f"{message.wall_time:%Y-%m-%d %H:%M} {message.time_zone}"
