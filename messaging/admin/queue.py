"""The queue in the admin: what happens to a message, never what it says or to whom."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging.models import DispatchAttempt, DispatchState, QueuedMessage
from waplus.lib.admin import OfNumberAdmin, ReadOnlyInline, as_uuid, related_link

DISPATCH_COLOURS = {
    DispatchState.QUEUED.label: "info",
    DispatchState.LEASED.label: "info",
    DispatchState.SENDING.label: "info",
    DispatchState.LATE.label: "warning",
    DispatchState.SENT.label: "success",
    DispatchState.DELIVERED.label: "success",
    DispatchState.READ.label: "success",
    DispatchState.PLAYED.label: "success",
    DispatchState.FAILED.label: "danger",
    DispatchState.OUTCOME_UNKNOWN.label: "warning",
}


class AttemptInline(ReadOnlyInline):
    model = DispatchAttempt
    fields = ("fence", "device", "claimed_at", "outcome", "reason", "ended_at")
    readonly_fields = fields
    verbose_name_plural = _("ended attempts")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("instance").defer("instance__secret_hash").order_by("fence")

    @display(description=_("device"))
    def device(self, attempt):
        return related_link(attempt, "instance")


@admin.register(QueuedMessage)
class QueuedMessageAdmin(OfNumberAdmin):
    found_by = ("pk", "scheduled_message", "workspace")
    hidden = ("body",)
    list_display = (
        *("due_at", "state_label", "source", "workspace_page", "number", "chat_mask", "attempt_count", "sent_at"),
        "reason",
    )
    list_filter = ("state", "source")
    search_help_text = _("ID of a message, scheduled message, workspace or WhatsApp message")
    inlines = (AttemptInline,)
    fields = (
        *("id", "workspace_page", "source", "schedule", "number", "chat_mask", "state_label", "reason", "message_id"),
        *("occurrence_at", "due_at", "not_before", "held_by", "expires_at", "on_late", "queued_at", "claimed_at"),
        *("device", "lease_until", "fence", "sending_at", "sent_at", "delivered_at", "read_at", "played_at"),
    )
    readonly_fields = fields

    def find(self, queryset, term):
        return super().find(queryset, term) if as_uuid(term) else queryset.filter(message_id=term)

    @display(description=_("state"), label=DISPATCH_COLOURS)
    def state_label(self, message):
        return message.get_state_display()

    @display(description=_("attempts"))
    def attempt_count(self, message):
        return message.fence

    @display(description=_("scheduled message"))
    def schedule(self, message):
        return related_link(message, "scheduled_message", message.scheduled_message_id)
