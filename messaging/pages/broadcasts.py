"""Broadcasts in the browser: the list, a draft step by step, and one that runs or has run."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actors
from accounts.models import Membership, Role
from accounts.page_access import member_page, refused_at, told
from crm.models import WhatsAppAccount
from crm.pages.members import active_members
from messaging.models import Broadcast, BroadcastState, DispatchState, LeftOut
from messaging.pages import broadcast_forms as forms
from messaging.pages.broadcast_charts import chart_of
from messaging.pages.message_parts import MessageParts, recent_files, unjudged
from messaging.services.broadcasts import drafting, recipients, running, starting
from messaging.services.broadcasts.dry_run import dry_run
from messaging.services.broadcasts.preparing import preparation_of
from messaging.services.broadcasts.reports import broadcast_of, progress_of, report_of
from messaging.services.contents import parts_of
from messaging.services.templating import known_variables
from messaging.views.broadcasts import file_of
from waplus.lib.api.pagination import PageRequest, Sort
from waplus.lib.errors import NotFound, Refused
from waplus.lib.walltime import zone_names

NEWEST = {"newest": Sort("id", descending=True, decode=UUID)}
PAGE = 50
NOT_BEGUN = (BroadcastState.DRAFT, BroadcastState.SCHEDULED)
CHANGING = (BroadcastState.STARTING, BroadcastState.RUNNING)
# So many are named to whom one can turn.
NAMED = 3


def _asked(membership: Membership, broadcast_id: UUID) -> Broadcast:
    try:
        return broadcast_of(workspace=membership.workspace, broadcast_id=broadcast_id)
    except NotFound as error:
        raise Http404 from error


def _common(request: HttpRequest, membership: Membership) -> dict:
    return {"workspace": membership.workspace, "actor": actors.person(request.user)}


def _who_starts(membership: Membership) -> dict:
    """Whether this member may start broadcasts, and the names of those to ask where they may not."""
    may_start = starting.may_start(membership)
    names = [] if may_start else [str(person) for person in active_members(membership.workspace, Role.ADMIN)]
    shown = ", ".join(names[:NAMED])
    whom = _("%(names)s or another admin") % {"names": shown} if len(names) > NAMED else shown
    return {"may_start": may_start, "whom_to_ask": whom}


@require_safe
@member_page()
def broadcast_list(request, membership):
    """The broadcasts of the workspace, the newest first."""
    try:
        page = PageRequest.of({"cursor": request.GET.get("cursor"), "limit": "30"}, NEWEST, "newest")
    except Refused:
        return redirect("broadcasts")
    found = Broadcast.objects.for_workspace(membership.workspace).select_related("whatsapp_account", "created_by")
    rows, next_cursor = page.page(list(page.rows(found)))
    progress = progress_of(rows)
    for row in rows:
        row.progress = progress[row.pk]
    context = {
        "rows": rows,
        "next_cursor": next_cursor,
        "first_page": page.key is None,
        "has_number": WhatsAppAccount.objects.for_workspace(membership.workspace).exists(),
        "is_moving": any(row.state in CHANGING for row in rows),
        "may_decide": membership.may(Role.ADMIN),
        "members_may_start": drafting.members_may_start(membership.workspace),
        **_who_starts(membership),
    }
    return render(request, "messaging/broadcasts.html", context)


@require_POST
@member_page(Role.ADMIN)
def who_may_start(request, membership):
    """Let members start broadcasts, or leave that to the owner and admins."""
    let = request.POST.get("members_may_start") == "1"
    done = _("Every member may start broadcasts now.") if let else _("Only the owner and admins start broadcasts now.")
    with told(request, done):
        drafting.set_members_may_start(**_common(request, membership), members_may_start=let)
    return redirect("broadcasts")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def new_broadcast(request, membership):
    """The first step of a new one: what it says and when."""
    return _message_step(request, membership, None)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def broadcast_message(request, membership, broadcast_id):
    """The first step of a draft."""
    broadcast = _asked(membership, broadcast_id)
    if broadcast.state != BroadcastState.DRAFT:
        return redirect("broadcast", broadcast.pk)
    return _message_step(request, membership, broadcast)


def _message_step(request: HttpRequest, membership: Membership, broadcast: Broadcast | None):
    workspace, initial = membership.workspace, forms.initial_of(broadcast, request.user)
    if request.method != "POST":
        form = forms.BroadcastForm(workspace=workspace, initial=initial)
        parts = MessageParts.of_kept(parts_of(broadcast)) if broadcast else MessageParts()
        return _message_page(request, membership, broadcast, form, parts)
    parts = MessageParts.of_form(workspace, request.POST)
    is_whole = parts.keep_files(request, membership)
    if parts.do(request.POST.get("do", "")):
        form = forms.BroadcastForm(workspace=workspace, initial=initial | unjudged(forms.BroadcastForm, request.POST))
        return _message_page(request, membership, broadcast, form, parts)
    form = forms.BroadcastForm(request.POST, workspace=workspace, initial=initial)
    if form.is_valid() and is_whole:
        parts.leave_out_empty()
        with refused_at(form, hours="hours_to"), parts.noted():
            saved = _save(request, membership, broadcast, form, parts)
            return redirect("broadcast-audience", saved.pk)
    return _message_page(request, membership, broadcast, form, parts)


def _message_page(request, membership, broadcast: Broadcast | None, form: forms.BroadcastForm, parts: MessageParts):
    context = {
        "form": form,
        "parts": parts,
        "files": recent_files(membership.workspace),
        "variables": known_variables(membership.workspace),
        "broadcast": broadcast,
        "zones": sorted(zone_names()),
        "step": 1,
    }
    return render(request, "messaging/broadcast_message.html", context)


def _save(
    request, membership, broadcast: Broadcast | None, form: forms.BroadcastForm, parts: MessageParts
) -> Broadcast:
    values = {**form.values, "parts": parts.values()}
    id = values.pop("id", None)
    common = {**_common(request, membership), "user": request.user}
    if broadcast is None:
        return drafting.create_broadcast(**common, id=id, **values)[0]
    return drafting.update_broadcast(**common, broadcast_id=broadcast.pk, **values)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def broadcast_audience(request, membership, broadcast_id):
    """The second step: whom it is for."""
    broadcast = _asked(membership, broadcast_id)
    if broadcast.state != BroadcastState.DRAFT:
        return redirect("broadcast", broadcast.pk)
    viewer = broadcast.created_by or request.user
    is_sent = request.method == "POST"
    form = (forms.AudienceForm.sent if is_sent else forms.AudienceForm.of)(
        *([request.POST] if is_sent else []), broadcast, viewer
    )
    if is_sent and request.POST.get("save"):
        with told(request):
            drafting.update_broadcast(
                **_common(request, membership),
                user=request.user,
                broadcast_id=broadcast.pk,
                audience=form.audience(viewer.time_zone),
            )
            return redirect("broadcast-check", broadcast.pk)
    context = {"broadcast": broadcast, "form": form, "step": 2}
    return render(request, "messaging/broadcast_audience.html", context)


@require_safe
@member_page()
def broadcast_check(request, membership, broadcast_id):
    """The third step: the start tried out, with everybody counted.

    What a start broke off of would break this page off, too, or kill the process
    that shows it: then everybody is counted only when asked for, by `?count=1`.
    """
    broadcast = _asked(membership, broadcast_id)
    if broadcast.state != BroadcastState.DRAFT:
        return redirect("broadcast", broadcast.pk)
    context = {"broadcast": broadcast, "step": 3, **_who_starts(membership)}
    context["broke_off"] = bool(broadcast.problem) and broadcast.attempts >= starting.MAX_ATTEMPTS
    if not context["broke_off"] or request.GET.get("count"):
        try:
            context["found"] = dry_run(workspace=membership.workspace, broadcast_id=broadcast.pk, user=request.user)
        except Refused as refusal:
            context["refusal"] = refusal
    context["waits"] = broadcast.starts_at and broadcast.starts_at > timezone.now()
    context["whom"] = forms.AudienceForm.of(broadcast, broadcast.created_by or request.user).words()
    return render(request, "messaging/broadcast_check.html", context)


@require_safe
@member_page()
def broadcast(request, membership, broadcast_id):
    """One broadcast: a draft leads to its steps, anything else shows how far it is and what became of it."""
    row = _asked(membership, broadcast_id)
    if row.state == BroadcastState.DRAFT:
        return redirect("broadcast-check" if row.audience.get("include") else "broadcast-audience", row.pk)
    context = {
        "broadcast": row,
        "progress": progress_of([row])[row.pk],
        "is_moving": row.state in CHANGING or (row.state == BroadcastState.CANCELLED and row.finished_at is None),
        **_who_starts(membership),
    }
    if row.state == BroadcastState.STARTING:
        context["preparation"] = preparation_of(row.pk)
    if row.started_at is not None:
        report = report_of(row)
        context |= {"report": report, "chart": chart_of(report["hours"], row.time_zone)}
    return render(request, "messaging/broadcast.html", context)


@require_safe
@member_page()
def broadcast_people(request, membership, broadcast_id):
    """Whom it went to, or whom it left out, page by page."""
    row = _asked(membership, broadcast_id)
    state, reason = request.GET.get("state", ""), request.GET.get("reason", "")
    try:
        page = PageRequest.of(
            {"cursor": request.GET.get("cursor"), "limit": str(PAGE)}, {"start": Sort("id", decode=UUID)}, "start"
        )
        after = page.key[-1] if page.key else None
        if reason:
            rows = recipients.exclusions(broadcast=row, after=after, limit=PAGE + 1, reason=reason)
        else:
            rows = recipients.recipients(broadcast=row, after=after, limit=PAGE + 1, state=state)
    except Refused:
        return redirect("broadcast-people", row.pk)
    labels = dict(DispatchState.choices) | {"replied": _("Answered")}
    for each in rows:
        each["label"] = labels.get(each.get("state", ""), "")
    context = {
        "broadcast": row,
        "rows": rows[:PAGE],
        "next_cursor": page.cursor_behind(rows[PAGE - 1]["id"], rows[PAGE - 1]["id"]) if len(rows) > PAGE else None,
        "state": state,
        "reason": reason,
        "states": [(name, labels[name]) for name in (*progress_of([row])[row.pk]["states"], "replied")],
        "reasons": [(value, label) for value, label in LeftOut.choices if row.left_out.get(value)],
    }
    return render(request, "messaging/broadcast_people.html", context)


@require_POST
@member_page()
def export_broadcast(request, membership, broadcast_id):
    """Everybody of it as a file, sent while it is made."""
    row = _asked(membership, broadcast_id)
    return file_of(row, recipients.export_recipients(broadcast=row, actor=actors.person(request.user)))


@require_POST
@member_page()
def start_broadcast(request, membership, broadcast_id):
    """Start what was tried out."""
    with told(request):
        starting.start_broadcast(
            **_common(request, membership), broadcast_id=broadcast_id, user=request.user, membership=membership
        )
    return redirect("broadcast", broadcast_id)


@require_POST
@member_page()
def pause_broadcast(request, membership, broadcast_id):
    """Let it rest."""
    with told(request, _("It rests. Nothing more is handed out until somebody lets it go on.")):
        running.pause_broadcast(**_common(request, membership), broadcast_id=broadcast_id)
    return redirect("broadcast", broadcast_id)


@require_POST
@member_page()
def resume_broadcast(request, membership, broadcast_id):
    """Let it go on."""
    with told(request, _("It goes on.")):
        running.resume_broadcast(**_common(request, membership), broadcast_id=broadcast_id, membership=membership)
    return redirect("broadcast", broadcast_id)


@require_POST
@member_page()
def cancel_broadcast(request, membership, broadcast_id):
    """End it before its end."""
    with told(request, _("It is cancelled. What a phone has in hand already may still go out.")):
        running.cancel_broadcast(**_common(request, membership), broadcast_id=broadcast_id)
    return redirect("broadcast", broadcast_id)


@require_POST
@member_page()
def unschedule_broadcast(request, membership, broadcast_id):
    """Make it a draft again."""
    with told(request, _("It is a draft again.")):
        running.unschedule_broadcast(**_common(request, membership), broadcast_id=broadcast_id)
    return redirect("broadcast", broadcast_id)


@require_POST
@member_page()
def copy_broadcast(request, membership, broadcast_id):
    """A new draft that says the same to the same people."""
    row = _asked(membership, broadcast_id)
    copy, _is_new = drafting.duplicate_broadcast(
        **_common(request, membership),
        broadcast_id=row.pk,
        user=request.user,
        name=_("Copy of %(name)s") % {"name": row.name},
    )
    messages.success(request, _("The copy is a draft: look it over and start it."))
    return redirect("broadcast-message", copy.pk)


@require_POST
@member_page()
def delete_broadcast(request, membership, broadcast_id):
    """Throw a draft away."""
    with told(request, _("The draft is gone.")):
        drafting.delete_broadcast(**_common(request, membership), broadcast_id=broadcast_id)
    return redirect("broadcasts")
