"""Ticks of messages to groups in the admin: how far each is, never with whom."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging.models import MessageAck
from waplus.lib.admin import EMPTY, OfWorkspaceAdmin, mask_jid, related_link

TICKS = {0: _("none"), 1: _("sent"), 2: _("delivered"), 3: _("read"), 4: _("played")}


@admin.register(MessageAck)
class MessageAckAdmin(OfWorkspaceAdmin):
    """Their table is the largest and has no index by workspace: a message's id finds them."""

    found_by = ("pk", "message")
    search_help_text = _("ID of the row or of its message")
    links = ()
    list_display = (
        "tick",
        "of_message",
        "workspace_page",
        "participant_mask",
        "delivered_at",
        "read_at",
        "failure_code",
    )
    fields = (
        *("id", "workspace_page", "of_message", "participant_mask", "tick", "delivered_at", "read_at", "played_at"),
        *("failure", "failure_code", "failed_at"),
    )
    readonly_fields = fields

    @display(description=_("message"))
    def of_message(self, row):
        return related_link(row, "message", row.message_id)

    @display(description=_("participant"))
    def participant_mask(self, row):
        return mask_jid(row.participant) if row.participant else EMPTY

    @display(description=_("acknowledgement"))
    def tick(self, row):
        return TICKS[row.ack]
