"""Broadcasts in the admin: how far they are and why one did not start, never what they say or to whom."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging.models import Broadcast, BroadcastState
from waplus.lib.admin import OfNumberAdmin, related_link

COLOURS = {
    BroadcastState.STARTING.label: "info",
    BroadcastState.RUNNING.label: "info",
    BroadcastState.PAUSED.label: "warning",
    BroadcastState.DONE.label: "success",
}


@admin.register(Broadcast)
class BroadcastAdmin(OfNumberAdmin):
    hidden = ("name", "audience")
    list_display = ("created_at", "state_label", "workspace_page", "number", "recipients", "started_at", "finished_at")
    list_filter = ("state",)
    fields = (
        *("id", "workspace_page", "number", "state_label", "problem", "attempts", "recipients", "left_out"),
        *("time_zone", "starts_at", "ends_at", "hours_days", "hours_from", "hours_to", "hours_of", "rate_per_hour"),
        *("started_at", "starter", "finished_at", "author", "created_at", "updated_at"),
    )
    readonly_fields = fields

    @display(description=_("state"), label=COLOURS)
    def state_label(self, broadcast):
        return broadcast.get_state_display()

    @display(description=_("started by"))
    def starter(self, broadcast):
        return related_link(broadcast, "started_by")
