"""The queue in the admin: what happens to a message, never what it says or to whom."""

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import ExtensionInstance, Workspace
from crm.models import WhatsAppAccount
from messaging.models import DispatchAttempt, DispatchState, QueuedMessage, ScheduledMessage
from waplus.lib.admin import ReadOnlyAdmin, ReadOnlyInline, as_uuid, mask_jid, page_link

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


class MessageAdmin(ReadOnlyAdmin):
    """What lists of messages have in common: the text stays in the database, ids of chats are masked."""

    hidden = ("body",)

    def get_queryset(self, request):
        return super().get_queryset(request).defer(*self.hidden)

    def get_object(self, request, object_id, from_field=None):
        """The row as staff may see it; it is never saved, so the chat's id is masked at once."""
        message = super().get_object(request, object_id, from_field)
        if message is not None:
            message.chat_jid = mask_jid(message.chat_jid)
        return message

    @display(description=_("chat"))
    def chat(self, message):
        return message.chat_jid if "•" in message.chat_jid else mask_jid(message.chat_jid)

    @display(description=_("from number"))
    def number(self, message):
        return page_link(WhatsAppAccount, message.whatsapp_account_id, mask_jid(message.whatsapp_account.jid))

    @display(description=_("workspace"))
    def workspace_page(self, message):
        return page_link(Workspace, message.workspace_id, message.workspace)


class AttemptInline(ReadOnlyInline):
    model = DispatchAttempt
    fields = ("fence", "device", "claimed_at", "outcome", "reason", "ended_at")
    readonly_fields = fields
    verbose_name_plural = _("attempts")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("instance").defer("instance__secret_hash").order_by("fence")

    @display(description=_("device"))
    def device(self, attempt):
        return page_link(ExtensionInstance, attempt.instance_id, attempt.instance)


@admin.register(QueuedMessage)
class QueuedMessageAdmin(MessageAdmin):
    list_display = (
        *("due_at", "state_label", "source", "workspace_page", "number", "chat", "attempt_count", "sent_at", "reason"),
    )
    list_filter = ("state", "source")
    list_select_related = ("workspace", "whatsapp_account")
    search_fields = ("id",)
    search_help_text = _("ID of a message, workspace or WhatsApp message")
    inlines = (AttemptInline,)
    fields = (
        *("id", "workspace_page", "source", "schedule", "number", "chat", "state_label", "reason", "message_id"),
        *("occurrence_at", "due_at", "not_before", "held_by", "expires_at", "on_late", "queued_at", "sending_at"),
        *("sent_at", "delivered_at", "read_at", "played_at", "device", "lease_until", "fence"),
    )
    readonly_fields = fields
    links = ("workspace",)

    def get_queryset(self, request):
        attempts = DispatchAttempt.objects.filter(message=OuterRef("pk")).order_by().values("message")
        count = attempts.annotate(count=Count("pk")).values("count")
        return super().get_queryset(request).annotate(attempt_total=Coalesce(Subquery(count), 0))

    def find(self, queryset, term):
        if uuid := as_uuid(term):
            return queryset.filter(Q(pk=uuid) | Q(scheduled_message=uuid) | Q(workspace=uuid))
        return queryset.filter(message_id=term)

    @display(description=_("state"), label=DISPATCH_COLOURS)
    def state_label(self, message):
        return message.get_state_display()

    @display(description=_("attempts"))
    def attempt_count(self, message):
        return message.attempt_total

    @display(description=_("scheduled message"))
    def schedule(self, message):
        return page_link(ScheduledMessage, message.scheduled_message_id, message.scheduled_message_id)

    @display(description=_("device"))
    def device(self, message):
        return page_link(ExtensionInstance, message.instance_id, message.instance)
