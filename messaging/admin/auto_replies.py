"""Automatic replies in the admin: what was decided and why, never what was written or to whom."""

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import Workspace
from crm.models import WhatsAppAccount
from messaging.models import AutoReplyDecision, Verdict
from messaging.services.auto_replies.words import decision_sentence
from waplus.lib.admin import ReadOnlyAdmin, as_uuid, mask_jid, page_link

COLOURS = {
    Verdict.ANSWERED.label: "success",
    Verdict.ACTED.label: "success",
    Verdict.LOOP.label: "warning",
    Verdict.MUTED.label: "warning",
    Verdict.FAILED.label: "danger",
}


@admin.register(AutoReplyDecision)
class AutoReplyDecisionAdmin(ReadOnlyAdmin):
    list_display = ("decided_at", "verdict_label", "sentence", "workspace_page", "number", "chat")
    list_filter = ("verdict",)
    list_select_related = ("workspace", "whatsapp_account")
    search_fields = ("id",)
    search_help_text = _("ID of a decision or a workspace")
    fields = (
        *("id", "workspace_page", "number", "chat", "verdict_label", "sentence", "message_id"),
        *("received_at", "decided_at"),
    )
    readonly_fields = fields
    links = ("workspace",)

    def get_queryset(self, request):
        return super().get_queryset(request).defer("rules", "others")

    def get_object(self, request, object_id, from_field=None):
        """The row as staff may see it; it is never saved, so the chat's id is masked at once."""
        decision = super().get_object(request, object_id, from_field)
        if decision is not None:
            decision.chat_jid = mask_jid(decision.chat_jid)
        return decision

    def find(self, queryset, term):
        uuid = as_uuid(term)
        return queryset.filter(Q(pk=uuid) | Q(workspace=uuid)) if uuid else queryset.none()

    @display(description=_("chat"))
    def chat(self, decision):
        return decision.chat_jid if "•" in decision.chat_jid else mask_jid(decision.chat_jid)

    @display(description=_("from number"))
    def number(self, decision):
        return page_link(WhatsAppAccount, decision.whatsapp_account_id, mask_jid(decision.whatsapp_account.jid))

    @display(description=_("workspace"))
    def workspace_page(self, decision):
        return page_link(Workspace, decision.workspace_id, decision.workspace)

    @display(description=_("verdict"), label=COLOURS)
    def verdict_label(self, decision):
        return decision.get_verdict_display()

    @display(description=_("why"))
    def sentence(self, decision):
        return decision_sentence(decision)
