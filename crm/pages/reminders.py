"""Reminders: what is overdue, what is up today, what comes; made and done here and on the page of their contact."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actors
from accounts.models import Membership
from accounts.page_access import member_page, refused_at, told
from crm.models import Contact, Reminder, ReminderState
from crm.pages.contact_page import contact_page, page_contact
from crm.pages.members import active_members
from crm.pages.reminder_forms import MORNING, ReminderForm, WallTimeField, new_form, with_forms
from crm.services.reminders import changes
from crm.services.reminders.lists import end_of_day, reminders_in
from waplus.lib.ids import uuid7

LIMIT = 100


def _heaps(membership: Membership, everybody: bool) -> list[dict]:
    """Open reminders: overdue, due later today in the person's zone, and after that; then what was done last."""
    found = reminders_in(workspace=membership.workspace)
    if not everybody:
        found = found.filter(assignee=membership.user)
    now = timezone.now()
    midnight = end_of_day(now, membership.user.time_zone)
    waiting = found.filter(state=ReminderState.OPEN).order_by("due_at", "id")
    return [
        {"key": "overdue", "label": _("Overdue"), "rows": list(waiting.filter(due_at__lte=now)[:LIMIT])},
        {
            "key": "today",
            "label": _("Later today"),
            "rows": list(waiting.filter(due_at__gt=now, due_at__lt=midnight)[:LIMIT]),
        },
        {"key": "upcoming", "label": _("Coming up"), "rows": list(waiting.filter(due_at__gte=midnight)[:LIMIT])},
        {
            "key": "done",
            "label": _("Done lately"),
            "rows": list(found.filter(state=ReminderState.DONE).order_by("-due_at", "-id")[:10]),
        },
    ]


def _page(request: HttpRequest, membership: Membership, form=None, refused=None, refused_id=None):
    everybody = request.GET.get("who") == "everybody"
    members = active_members(membership.workspace)
    heaps = _heaps(membership, everybody)
    for heap in heaps:
        with_forms(heap["rows"], members, refused, refused_id)
    return render(
        request,
        "crm/reminders.html",
        {
            "heaps": heaps,
            "open": sum(len(heap["rows"]) for heap in heaps[:3]),
            "everybody": everybody,
            "form": form or new_form(request.user, members),
        },
    )


def _contact(request, membership: Membership) -> Contact | None:
    """The contact on whose page the form stood, if it stood on one."""
    asked = request.POST.get("contact", "")
    if not asked:
        return None
    try:
        return page_contact(membership, UUID(asked))
    except ValueError as error:
        raise Http404 from error


def _back(request, membership: Membership):
    """To the page on which the form stood."""
    contact = _contact(request, membership)
    if contact is not None:
        return redirect("contact", contact.pk)
    address = redirect("reminders")
    if request.GET.get("who") == "everybody":
        address["Location"] += "?who=everybody"
    return address


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def reminder_list(request, membership):
    """The reminders of the person or of everybody; a POST makes one, about a contact if one is named."""
    if request.method != "POST":
        return _page(request, membership)
    contact = _contact(request, membership)
    form = ReminderForm(request.POST, members=active_members(membership.workspace), auto_id="reminder-%s")
    if form.is_valid():
        with refused_at(form):
            values = dict(form.cleaned_data)
            changes.create_reminder(
                workspace=membership.workspace,
                user=request.user,
                actor=actors.person(request.user),
                contact=contact,
                id=values.pop("id") or uuid7(),
                **values,
            )
            messages.success(request, _("The reminder is set."))
            return _back(request, membership)
    if contact is not None:
        return contact_page(request, membership, contact, reminder_form=form)
    return _page(request, membership, form=form)


@require_POST
@member_page()
def edit_reminder(request, membership, reminder_id):
    """Change a reminder. Its time is that of the occurrence which is up; only another one begins the series anew."""
    members = active_members(membership.workspace)
    with told(request):
        reminder = changes.reminder_of(workspace=membership.workspace, reminder_id=reminder_id)
        form = ReminderForm(
            request.POST, members=members, auto_id=f"reminder-{reminder_id}-%s", initial={"rrule": reminder.rrule}
        )
    if form.is_valid():
        with refused_at(form):
            values = {name: form.cleaned_data[name] for name in ("text", "rrule", "assignee")}
            if form.cleaned_data["wall_time"] != reminder.occurrence_wall.replace(second=0):
                values["wall_time"] = form.cleaned_data["wall_time"]
            changes.update_reminder(
                workspace=membership.workspace,
                reminder_id=reminder_id,
                actor=actors.person(request.user),
                **values,
            )
            messages.success(request, _("The reminder is saved."))
            return _back(request, membership)
    if (contact := _contact(request, membership)) is not None:
        return contact_page(request, membership, contact, refused_reminder=(form, reminder_id))
    return _page(request, membership, refused=form, refused_id=reminder_id)


class OccurrenceForm(forms.Form):
    """Which occurrence was seen when the button was pressed."""

    occurrence = WallTimeField(required=False)


@require_POST
@member_page()
def do_reminder(request, membership, reminder_id):
    """Do it; a recurring one goes on to its next time."""
    form = OccurrenceForm(request.POST)
    occurrence = form.cleaned_data["occurrence"] if form.is_valid() else None
    with told(request):
        done = changes.complete_reminder(
            workspace=membership.workspace,
            reminder_id=reminder_id,
            actor=actors.person(request.user),
            occurrence=occurrence,
        )
        messages.success(request, _done_words(done))
    return _back(request, membership)


def _done_words(done) -> str:
    if done.reminder.state == ReminderState.DONE:
        return _("Done.")
    words = _("Done. The next time is %(when)s.") % {
        "when": timezone.localtime(done.reminder.due_at).strftime("%Y-%m-%d %H:%M")
    }
    if done.missed:
        missed = ngettext("%(count)s time has passed meanwhile.", "%(count)s times have passed meanwhile.", done.missed)
        words = f"{words} {missed % {'count': done.missed}}"
    return words


def _snoozed_until(reminder: Reminder, choice: str) -> dict:
    """What a choice means: minutes from now, or a wall-clock time in the reminder's zone."""
    if choice == "hour":
        return {"minutes": 60}
    today = timezone.now().astimezone(ZoneInfo(reminder.time_zone)).date()
    days = 7 - today.weekday() if choice == "week" else 1
    return {"until": datetime.combine(today + timedelta(days=days), MORNING)}


@require_POST
@member_page()
def snooze_reminder(request, membership, reminder_id):
    """Put it off: by an hour, until tomorrow morning, until Monday morning."""
    with told(request, _("Put off.")):
        reminder = changes.reminder_of(workspace=membership.workspace, reminder_id=reminder_id)
        changes.snooze_reminder(
            workspace=membership.workspace,
            reminder_id=reminder_id,
            actor=actors.person(request.user),
            **_snoozed_until(reminder, request.POST.get("until", "")),
        )
    return _back(request, membership)


@require_POST
@member_page()
def reopen_reminder(request, membership, reminder_id):
    """Take "done" back."""
    with told(request, _("It is open again.")):
        changes.reopen_reminder(
            workspace=membership.workspace, reminder_id=reminder_id, actor=actors.person(request.user)
        )
    return _back(request, membership)


@require_POST
@member_page()
def delete_reminder(request, membership, reminder_id):
    """Delete it with all its occurrences."""
    with told(request, _("The reminder is deleted.")):
        changes.delete_reminder(
            workspace=membership.workspace, reminder_id=reminder_id, actor=actors.person(request.user)
        )
    return _back(request, membership)
