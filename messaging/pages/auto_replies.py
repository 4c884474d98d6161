"""Automatic replies in the browser: the rules in their order, one rule, what was decided, and a try."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actors
from accounts.models import Membership, Role
from accounts.page_access import member_page, told
from crm.models import CustomField, Tag, WhatsAppAccount
from crm.pages.ordering import moved
from messaging.models import (
    AutoReplyAnswer,
    AutoReplyChat,
    AutoReplyDecision,
    AutoReplyRule,
    BusinessHours,
    Verdict,
)
from messaging.models.auto_replies import MAX_COOL_DOWN, MAX_DELAY
from messaging.pages.auto_reply_drafts import (
    ACTIONS,
    CONDITIONS,
    MATCHES,
    Draft,
    as_values,
    change_rows,
    draft_of,
    new_draft,
    sent_draft,
)
from messaging.pages.message_parts import recent_files
from messaging.services.auto_replies import rules, simulation, suggestions
from messaging.services.auto_replies.chats import chat_state_of, give_back_chat
from messaging.services.auto_replies.versions import setting_of
from messaging.services.auto_replies.words import (
    decision_sentence,
    failed_sentence,
    other_sentences,
    rule_sentence,
    sentence_of,
)
from messaging.services.templating import known_variables
from waplus.lib.errors import NotFound, Refused
from waplus.lib.text import whole_number

PAGE = 50
SPANS = {"1": gettext_lazy("Today and yesterday"), "7": gettext_lazy("A week"), "30": gettext_lazy("A month")}


def _silent(membership: Membership):
    now = timezone.now()
    taken = Q(taken_over=True) & (Q(taken_over_until=None) | Q(taken_over_until__gt=now))
    found = AutoReplyChat.objects.for_workspace(membership.workspace).filter(taken | Q(muted_until__gt=now))
    return found.select_related("contact", "taken_over_by").order_by("-id")[:PAGE]


@require_safe
@member_page()
def rule_list(request, membership):
    """All rules in their order, how often each answered in the last week, and chats where they are silent."""
    rows = rules.rules_in_order(workspace=membership.workspace)
    week = AutoReplyAnswer.objects.for_workspace(membership.workspace).filter(
        answered_at__gt=timezone.now() - timedelta(days=7)
    )
    counts = dict(week.values("rule").annotate(count=Count("id")).values_list("rule", "count"))
    for row in rows:
        row.answered = counts.get(row.pk, 0)
        row.words = [CONDITIONS.get(each["kind"], CONDITIONS["tag"]) for each in row.conditions]
    context = {
        "rules": rows,
        "silent": _silent(membership),
        "setting": setting_of(membership.workspace),
        "may_change": membership.may(Role.ADMIN),
    }
    return render(request, "messaging/auto_replies.html", context)


def _form(request, membership: Membership, draft: Draft, rule: AutoReplyRule | None):
    workspace = membership.workspace
    context = {
        "rule": rule,
        "draft": draft,
        "condition_kinds": CONDITIONS,
        "action_kinds": ACTIONS,
        "matches": MATCHES,
        "numbers": WhatsAppAccount.objects.for_workspace(workspace).order_by("id"),
        "hours": BusinessHours.objects.for_workspace(workspace).order_by("name"),
        "tags": Tag.objects.for_workspace(workspace).order_by("position", "id"),
        "fields": CustomField.objects.for_workspace(workspace)
        .filter(retired_at=None, kind="text")
        .order_by("position"),
        "members": Membership.objects.for_workspace(workspace).select_related("user").order_by("id"),
        "parts": draft.parts,
        "files": recent_files(workspace),
        "variables": known_variables(workspace),
    }
    return render(request, "messaging/auto_reply.html", context)


def _numbers(draft: Draft) -> dict:
    """What the form has as texts and the service as numbers."""
    found = {}
    for name, key, label, most in (
        ("cool_down_minutes", "cool_down", _("Rest in a chat"), MAX_COOL_DOWN),
        ("delay_seconds", "delay", _("Wait before answering"), MAX_DELAY),
    ):
        found[name] = whole_number(draft.values[key].strip(), 0, most)
        if found[name] is None:
            draft.errors.append(_("%(label)s: a whole number from 0 to %(most)s.") % {"label": label, "most": most})
    return found


def _ids(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Role.ADMIN)
def new_rule(request, membership):
    """The form of a new rule."""
    return _edit(request, membership, None)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Role.ADMIN)
def edit_rule(request, membership, rule_id):
    """The form of a rule that is there."""
    with told(request):
        rule = rules.rule_of(workspace=membership.workspace, rule_id=rule_id)
    return _edit(request, membership, rule)


def _edit(request, membership: Membership, rule: AutoReplyRule | None):
    kept = draft_of(rule) if rule else new_draft()
    if request.method != "POST":
        return _form(request, membership, kept, rule)
    draft = sent_draft(membership.workspace, request.POST, kept)
    is_whole = draft.parts.keep_files(request, membership)
    what = request.POST.get("do", "save")
    if draft.parts.do(what):
        return _form(request, membership, draft, rule)
    if what != "save":
        change_rows(draft, what, request.POST)
        return _form(request, membership, draft, rule)
    numbers = _numbers(draft)
    if draft.errors or not is_whole:
        return _form(request, membership, draft, rule)
    draft.parts.leave_out_empty()
    values = as_values(draft) | numbers
    values["whatsapp_accounts"] = _ids(values["whatsapp_accounts"])
    actor = actors.person(request.user)
    try:
        if rule is None:
            rules.create_rule(workspace=membership.workspace, user=request.user, actor=actor, **values)
        else:
            rules.update_rule(workspace=membership.workspace, rule_id=rule.pk, actor=actor, **values)
    except NotFound as error:
        raise Http404 from error
    except Refused as refusal:
        if not draft.parts.note(refusal):
            draft.errors += [error.detail for error in refusal.fields] or [refusal.detail]
        return _form(request, membership, draft, rule)
    messages.success(
        request,
        _("The rule is saved. It answers as soon as it is switched on.") if rule is None else _("The rule is saved."),
    )
    return redirect("auto-replies")


@require_POST
@member_page(Role.ADMIN)
def suggest_rule(request, membership):
    """Make a ready-made rule, switched off."""
    with told(request, _("The rule is there, switched off. Read it, change it, and switch it on.")):
        suggestions.create_suggested_rule(
            workspace=membership.workspace,
            user=request.user,
            actor=actors.person(request.user),
            suggestion=request.POST.get("suggestion", ""),
        )
    return redirect("auto-replies")


@require_POST
@member_page(Role.ADMIN)
def switch_rule(request, membership, rule_id):
    """Switch a rule on or off."""
    on = request.POST.get("on") == "1"
    with told(request, _("The rule is switched on.") if on else _("The rule is switched off.")):
        rules.update_rule(
            workspace=membership.workspace, rule_id=rule_id, actor=actors.person(request.user), enabled=on
        )
    return redirect("auto-replies")


@require_POST
@member_page(Role.ADMIN)
def move_rule(request, membership, rule_id, direction):
    """Try a rule one place earlier or later."""
    order = [rule.pk for rule in rules.rules_in_order(workspace=membership.workspace)]
    ids = moved(order, rule_id, direction)
    with told(request):
        rules.reorder_rules(workspace=membership.workspace, actor=actors.person(request.user), ids=ids)
    return redirect("auto-replies")


@require_POST
@member_page(Role.ADMIN)
def delete_rule(request, membership, rule_id):
    """Delete a rule."""
    with told(request, _("The rule is deleted.")):
        rules.delete_rule(workspace=membership.workspace, rule_id=rule_id, actor=actors.person(request.user))
    return redirect("auto-replies")


@require_POST
@member_page()
def give_back(request, membership, chat_id):
    """Let automatic replies speak in a chat again."""
    with told(request, _("Automatic replies speak in this chat again.")):
        chat = chat_state_of(workspace=membership.workspace, chat_id=chat_id)
        give_back_chat(
            workspace=membership.workspace,
            account=chat.whatsapp_account,
            chat_jid=chat.chat_jid,
            actor=actors.person(request.user),
        )
    return redirect("auto-replies")


def _told_rules(told_of: list[dict], names: dict[str, str], answered: bool) -> list[dict]:
    return [
        {
            "name": names.get(each["rule"]) or _("A rule that is gone"),
            "sentence": rule_sentence(each, answered=answered),
            "failed": [failed_sentence(failed) for failed in each.get("failed", [])],
        }
        for each in told_of
    ]


@require_safe
@member_page()
def decision_list(request, membership):
    """What was decided on incoming messages, in sentences."""
    workspace = membership.workspace
    rows = AutoReplyDecision.objects.for_workspace(workspace).select_related("contact").order_by("-id")
    verdict = request.GET.get("verdict", "")
    if verdict in Verdict.values:
        rows = rows.filter(verdict=verdict)
    for rule_id in _ids([request.GET.get("rule", "")]):
        rows = rows.filter(answers__rule=rule_id)
    for behind in _ids([request.GET.get("behind", "")]):
        rows = rows.filter(pk__lt=behind)
    found = list(rows[: PAGE + 1])
    names = {str(id): name for id, name in AutoReplyRule.objects.for_workspace(workspace).values_list("id", "name")}
    for row in found:
        answered = row.verdict in (Verdict.ANSWERED, Verdict.ACTED)
        row.sentence, row.answered = decision_sentence(row), answered
        row.told = _told_rules(row.rules, names, answered)
        row.rest = other_sentences(row.others)
    context = {
        "decisions": found[:PAGE],
        "behind": found[PAGE - 1].pk if len(found) > PAGE else None,
        "verdict": verdict,
        "verdicts": Verdict.choices,
    }
    return render(request, "messaging/auto_reply_decisions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def try_rules(request, membership):
    """Try rules on pasted texts and on synced messages; nothing is sent or written."""
    workspace = membership.workspace
    all_rules = rules.rules_in_order(workspace=workspace)
    context = {"rules": all_rules, "spans": SPANS, "asked": {"rule": "", "span": "", "samples": ""}}
    if request.method == "POST":
        asked = {name: request.POST.get(name, "") for name in ("rule", "span", "samples")}
        lines = [line.strip()[:4096] for line in asked["samples"].splitlines() if line.strip()][:50]
        chosen = [rule.pk for rule in all_rules if str(rule.pk) == asked["rule"]] or None
        days = int(asked["span"]) if asked["span"] in SPANS else 0
        found = simulation.simulate(
            workspace=workspace,
            rules=chosen,
            samples=lines,
            since=timezone.now() - timedelta(days=days) if days else None,
        )
        names = {str(id): name for id, name in found.names.items()}
        shown = {
            "samples": [_shown(tried, names) for tried in found.samples],
            "messages": [_shown(tried, names) for tried in found.messages],
            "answered_by": list(simulation.answered_by(found)),
            "verdicts": [(Verdict(verdict).label, count) for verdict, count in found.verdicts.most_common()],
            "looked_at": found.looked_at,
            "stopped_by": found.stopped_by,
        }
        context |= {"asked": asked, "found": shown, "tried_past": bool(days)}
    return render(request, "messaging/auto_reply_try.html", context)


def _shown(tried: simulation.Tried, names: dict[str, str]) -> dict:
    answered = tried.judged.verdict in (Verdict.ANSWERED, Verdict.ACTED)
    return {
        "text": tried.text,
        "chat_jid": tried.chat_jid,
        "sent_at": tried.sent_at,
        "answered": answered,
        "sentence": sentence_of(tried.judged.verdict, tried.judged.facts),
        "told": _told_rules(tried.judged.rules, names, answered),
        "rest": other_sentences(tried.judged.others),
    }
