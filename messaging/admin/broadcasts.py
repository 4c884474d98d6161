"""Broadcasts in the admin: how far they are and why one did not start, never what they say or to whom."""

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import User, Workspace
from crm.models import WhatsAppAccount
from messaging.models import Broadcast, BroadcastState
from waplus.lib.admin import ReadOnlyAdmin, as_uuid, mask_jid, page_link

COLOURS = {
    BroadcastState.STARTING.label: "info",
    BroadcastState.RUNNING.label: "info",
    BroadcastState.PAUSED.label: "warning",
    BroadcastState.DONE.label: "success",
}


@admin.register(Broadcast)
class BroadcastAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "state_label", "workspace_page", "number", "recipients", "started_at", "finished_at")
    list_filter = ("state",)
    list_select_related = ("workspace", "whatsapp_account")
    search_fields = ("id",)
    search_help_text = _("ID of a broadcast or a workspace")
    fields = (
        *("id", "workspace_page", "number", "state_label", "problem", "attempts", "recipients", "left_out"),
        *("time_zone", "starts_at", "ends_at", "hours_days", "hours_from", "hours_to", "hours_of", "rate_per_hour"),
        *("started_at", "starter", "finished_at", "author", "created_at", "updated_at"),
    )
    readonly_fields = fields
    links = ("workspace",)

    def get_queryset(self, request):
        return super().get_queryset(request).defer("name", "audience")

    def find(self, queryset, term):
        uuid = as_uuid(term)
        return queryset.filter(Q(pk=uuid) | Q(workspace=uuid)) if uuid else queryset.none()

    @display(description=_("state"), label=COLOURS)
    def state_label(self, broadcast):
        return broadcast.get_state_display()

    @display(description=_("workspace"))
    def workspace_page(self, broadcast):
        return page_link(Workspace, broadcast.workspace_id, broadcast.workspace)

    @display(description=_("from number"))
    def number(self, broadcast):
        return page_link(WhatsAppAccount, broadcast.whatsapp_account_id, mask_jid(broadcast.whatsapp_account.jid))

    @display(description=_("drafted by"))
    def author(self, broadcast):
        return page_link(User, broadcast.created_by_id, broadcast.created_by)

    @display(description=_("started by"))
    def starter(self, broadcast):
        return page_link(User, broadcast.started_by_id, broadcast.started_by)
