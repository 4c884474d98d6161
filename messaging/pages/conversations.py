"""Synced conversations in the browser: what is switched on, and how much of it is there."""

from uuid import UUID

from django import forms
from django.db.models import F
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actors
from accounts.models import Membership, Role
from accounts.page_access import member_page, refused_at, told
from crm.models import WhatsAppAccount
from crm.services.tabs import tabs_in_order
from crm.services.tags import tags_in_order
from messaging.models import ConversationRule, ConversationSync, RuleKind
from messaging.models.conversations import RULE_TARGETS
from messaging.services.conversations import switching
from messaging.services.conversations.measuring import completeness, measured
from waplus.lib.api.pagination import PageRequest, Sort

PAGE = "50"
NEWEST = {"newest": Sort("id", descending=True, decode=UUID)}
CONTENT = gettext_lazy("Also what they wrote: texts, files and reactions")


class RuleForm(forms.Form):
    """Many chats at once: a number, a tag or a tab, as `kind:id`."""

    chats = forms.ChoiceField(
        label=gettext_lazy("Which chats"), error_messages={"invalid_choice": gettext_lazy("Choose one of the list.")}
    )
    content = forms.BooleanField(label=CONTENT, required=False)

    def __init__(self, *args, choices, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["chats"].choices = choices


def _choices(membership: Membership) -> list:
    workspace = membership.workspace
    numbers = WhatsAppAccount.objects.for_workspace(workspace).order_by("id")
    groups = [
        (_("All chats with persons of a number"), "account", numbers),
        (_("Chats with contacts who wear a tag"), "tag", tags_in_order(workspace=workspace)),
        (_("Chats of a tab"), "tab", tabs_in_order(workspace=workspace, user=membership.user)),
    ]
    return [
        ("", _("Choose…")),
        *((title, [(f"{kind}:{row.pk}", str(row)) for row in rows]) for title, kind, rows in groups),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def conversations(request, membership):
    """The switches and the chats; a POST, of an admin, switches on many chats."""
    form = RuleForm(request.POST or None, choices=_choices(membership))
    if request.method == "POST" and form.is_valid():
        if not membership.may(Role.ADMIN):
            raise Http404
        kind, _colon, target = form.cleaned_data["chats"].partition(":")
        with refused_at(form):
            switching.switch_chats(
                workspace=membership.workspace,
                actor=actors.person(request.user),
                kind=kind,
                target_id=UUID(target),
                metadata_on=True,
                content_on=form.cleaned_data["content"],
            )
            return redirect("conversations")
    return render(request, "messaging/conversations.html", _context(request, membership) | {"form": form})


def _context(request, membership: Membership) -> dict:
    page = PageRequest.of({"cursor": request.GET.get("cursor"), "limit": PAGE}, NEWEST, "newest")
    syncs = ConversationSync.objects.for_workspace(membership.workspace).filter(home=F("chat"))
    rows, next_cursor = page.page(list(page.rows(measured(syncs).select_related("chat__whatsapp_account"))))
    for row in rows:
        row.completeness = completeness(row)
        row.percent = None if row.completeness.value is None else int(row.completeness.value * 100)
    many = ConversationRule.objects.for_workspace(membership.workspace).exclude(kind=RuleKind.CHAT)
    rules = list(many.select_related(*RULE_TARGETS.values(), "changed_by").order_by("id"))
    for rule in rules:
        rule.target = getattr(rule, RULE_TARGETS[RuleKind(rule.kind)])
        rule.loss = switching.preview(workspace=membership.workspace, rule=rule, metadata_on=False, content_on=False)
    return {
        "syncs": rows,
        "next_cursor": next_cursor,
        "rules": rules,
        "deleting": any(row.deleting for row in rows),
        "has_numbers": WhatsAppAccount.objects.for_workspace(membership.workspace).exists(),
    }


@require_safe
@member_page()
def synced_chats(request, membership):
    """The list of chats alone, for who looks how far it is."""
    return render(request, "messaging/parts/synced_chats.html", _context(request, membership))


@require_POST
@member_page(Role.ADMIN)
def change_rule(request, membership, rule_id):
    """Switch the content of many chats on or off."""
    with told(request, _("The switch is saved.")):
        switching.change_rule(
            workspace=membership.workspace,
            actor=actors.person(request.user),
            rule_id=rule_id,
            content_on=request.POST.get("content") == "on",
        )
    return redirect("conversations")


@require_POST
@member_page(Role.ADMIN)
def remove_rule(request, membership, rule_id):
    """Switch many chats off."""
    with told(request, _("It is switched off. What was synced by it is being deleted.")):
        switching.remove_rule(workspace=membership.workspace, actor=actors.person(request.user), rule_id=rule_id)
    return redirect("conversations")
