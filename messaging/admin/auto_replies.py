"""Automatic replies in the admin: what was decided and why, never what was written or to whom."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging.models import AutoReplyDecision, Verdict
from messaging.services.auto_replies.words import decision_sentence
from waplus.lib.admin import OfNumberAdmin

COLOURS = {
    Verdict.ANSWERED.label: "success",
    Verdict.ACTED.label: "success",
    Verdict.LOOP.label: "warning",
    Verdict.MUTED.label: "warning",
    Verdict.FAILED.label: "danger",
}


@admin.register(AutoReplyDecision)
class AutoReplyDecisionAdmin(OfNumberAdmin):
    hidden = ("rules", "others")
    list_display = ("decided_at", "verdict_label", "sentence", "workspace_page", "number", "chat_mask")
    list_filter = ("verdict",)
    fields = (
        *("id", "workspace_page", "number", "chat_mask", "verdict_label", "sentence", "message_id"),
        *("received_at", "decided_at"),
    )
    readonly_fields = fields

    @display(description=_("verdict"), label=COLOURS)
    def verdict_label(self, decision):
        return decision.get_verdict_display()

    @display(description=_("why"))
    def sentence(self, decision):
        return decision_sentence(decision)
