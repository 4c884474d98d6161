"""Scheduled messages: the calendar, one message with what may be done to it, and new ones."""

from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actors
from accounts.page_access import member_page, refused_at, told
from crm.models import Chat, Contact
from crm.pages.recurrence import in_words
from crm.services.contact_pages import contact_ids_page
from crm.templatetags.crm import title
from messaging.models import ScheduledMessage, ScheduleState
from messaging.models.dispatch import DispatchState
from messaging.pages.message_parts import MessageParts, recent_files
from messaging.pages.scheduled_calendar import VIEWS, build
from messaging.pages.scheduled_forms import AUTO_ID, ScheduleForm, form_of, new_form, recipients_of
from messaging.services import scheduling
from messaging.services.contents import parts_of
from messaging.services.scheduling.lists import shown
from messaging.services.scheduling.times import following
from messaging.services.templating import known_variables
from waplus.lib.ids import uuid7
from waplus.lib.recurrence import Occurrence
from waplus.lib.walltime import zone_names

FOUND = 8
SHOWN_TIMES = 5
FIRST_YEAR, LAST_YEAR = 2000, 2100


def _today(user) -> date:
    return timezone.now().astimezone(ZoneInfo(user.time_zone)).date()


def _day(text: str, today: date) -> date:
    """The day that an address names, or today."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if FIRST_YEAR < day.year < LAST_YEAR else today


@require_safe
@member_page()
def scheduled_calendar(request, membership):
    """A month or a week of scheduled messages."""
    today = _today(request.user)
    view = request.GET.get("view") if request.GET.get("view") in VIEWS else "month"
    day = _day(request.GET.get("day", ""), today)
    found = build(workspace=membership.workspace, view=view, day=day, zone=request.user.time_zone, today=today)
    is_empty = not found.count and not ScheduledMessage.objects.for_workspace(membership.workspace).exists()
    return render(
        request,
        "messaging/scheduled.html",
        {
            "calendar": found,
            "today": today,
            "weekdays": [WEEKDAYS_ABBR[number] for number in range(7)],
            "is_empty": is_empty,
            "zone": request.user.time_zone,
        },
    )


def _chosen(workspace, named: list[str]) -> list[dict]:
    """Recipients that are chosen in a form, with their names."""
    rows = recipients_of(workspace, named)
    names = dict(
        Chat.objects.for_workspace(workspace)
        .filter(jid__in=[to.chat_jid for to in rows if to.chat_jid])
        .values_list("jid", "name")
    )
    return [
        {"value": f"contact:{to.contact.pk}", "label": title(to.contact)}
        if to.contact
        else {"value": f"chat:{to.chat_jid}", "label": names.get(to.chat_jid) or to.chat_jid}
        for to in rows
    ]


def _found(membership, query: str, chosen: list[dict]) -> list[dict]:
    """Contacts and chats of groups that a search finds, without those that are chosen."""
    if not query:
        return []
    workspace = membership.workspace
    ids, _more = contact_ids_page(workspace=workspace, viewer=membership.user, query=query, limit=FOUND)
    contacts = Contact.objects.for_workspace(workspace).prefetch_related("identities").in_bulk(ids)
    groups = Chat.objects.for_workspace(workspace).filter(kind="group", name__icontains=query).order_by("-id")[:FOUND]
    rows = [{"value": f"contact:{id}", "label": title(contacts[id])} for id in ids if id in contacts]
    rows += [{"value": f"chat:{group.jid}", "label": str(group), "is_group": True} for group in groups]
    values = {row["value"] for row in chosen}
    return [row for row in rows if row["value"] not in values]


@require_safe
@member_page()
def find_recipients(request, membership):
    """The recipients of the form: those that are chosen, and those that the search finds."""
    chosen = _chosen(membership.workspace, request.GET.getlist("to"))
    query = request.GET.get("q", "").strip()[:200]
    return render(
        request,
        "messaging/parts/scheduled_recipients.html",
        {"chosen": chosen, "found": _found(membership, query, chosen), "query": query},
    )


def _form_page(request, membership, form: ScheduleForm, parts: MessageParts, named: list[str]):
    query = request.POST.get("q", "").strip()[:200]
    chosen = _chosen(membership.workspace, named)
    return render(
        request,
        "messaging/scheduled_new.html",
        {
            "chosen": chosen,
            "found": _found(membership, query, chosen),
            "query": query,
            **_fields(membership.workspace, form, parts),
        },
    )


def _fields(workspace, form: ScheduleForm, parts: MessageParts) -> dict:
    """What the fields of a message are shown with."""
    return {
        "form": form,
        "parts": parts,
        "files": recent_files(workspace),
        "variables": known_variables(workspace),
        "zones": sorted(zone_names()),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def new_scheduled(request, membership):
    """A new message; `?to=contact:<id>` chooses somebody to begin with, `?day=` a day."""
    workspace = membership.workspace
    if request.method != "POST":
        form = new_form(request.user, workspace)
        if request.GET.get("day"):
            wall = form.initial["wall_time"]
            day = _day(request.GET["day"], wall.date())
            form.initial["wall_time"] = wall.replace(year=day.year, month=day.month, day=day.day)
        return _form_page(request, membership, form, MessageParts(), request.GET.getlist("to"))
    form, parts, is_to_save = _sent(request, membership)
    named = request.POST.getlist("to")
    if is_to_save:
        with refused_at(form), parts.noted():
            message, _is_new = scheduling.schedule_message(
                workspace=workspace,
                user=request.user,
                actor=actors.person(request.user),
                id=form.cleaned_data["id"] or uuid7(),
                recipients=recipients_of(workspace, named),
                parts=parts.values(),
                **form.values(),
            )
            return redirect("scheduled-message", message.pk)
    return _form_page(request, membership, form, parts, named)


def _sent(request, membership, initial: dict | None = None) -> tuple[ScheduleForm, MessageParts, bool]:
    """The form as it was sent, what the message says, and whether they can be saved: not if another button was pressed."""
    workspace = membership.workspace
    parts = MessageParts.of_form(workspace, request.POST)
    is_whole = parts.keep_files(request, membership)
    if parts.do(request.POST.get("do", "")):
        return ScheduleForm.again(request.POST, workspace=workspace, initial=initial), parts, False
    form = ScheduleForm(request.POST, workspace=workspace, auto_id=AUTO_ID, initial=initial)
    return form, parts, form.is_valid() and is_whole


def _message(membership, message_id: UUID) -> ScheduledMessage:
    schedules = ScheduledMessage.objects.for_workspace(membership.workspace)
    message = (
        shown(schedules).select_related("whatsapp_account", "created_by", "workspace").filter(pk=message_id).first()
    )
    if message is None:
        raise Http404
    return message


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def scheduled_message(request, membership, message_id):
    """One message: when, to whom, what became of it; a POST changes it."""
    message = _message(membership, message_id)
    if request.method != "POST":
        return _detail(request, message, form_of(message), MessageParts.of_kept(parts_of(message)))
    form, parts, is_to_save = _sent(request, membership, form_of(message).initial)
    if is_to_save:
        with refused_at(form), parts.noted():
            values = form.values()
            # The form shows no seconds: unless the minute changed, the time is the one that was meant.
            if values["wall_time"] == message.wall_time.replace(second=0, microsecond=0):
                del values["wall_time"]
            scheduling.update_scheduled_message(
                workspace=membership.workspace,
                message_id=message_id,
                actor=actors.person(request.user),
                parts=parts.values(),
                **values,
            )
            messages.success(request, _("The message is changed."))
            return redirect("scheduled-message", message_id)
    return _detail(request, message, form, parts)


def _next_times(message: ScheduledMessage) -> list[Occurrence]:
    """The next times of a series that goes on, by the clock that it is written by."""
    found, after = [], timezone.now()
    while message.rrule and message.state == ScheduleState.WAITING and len(found) < SHOWN_TIMES:
        occurrence = following(message, message.time_zone, after)
        if occurrence is None:
            break
        found.append(occurrence)
        after = occurrence.at
    return found


def _detail(request, message: ScheduledMessage, form: ScheduleForm, parts: MessageParts):
    recipients = list(message.recipients.all())
    contacts = (
        Contact.objects.for_workspace(message.workspace)
        .prefetch_related("identities")
        .in_bulk([recipient.contact_id for recipient in recipients if recipient.contact_id])
    )
    names = dict(
        Chat.objects.for_workspace(message.workspace)
        .filter(whatsapp_account=message.whatsapp_account, jid__in=[recipient.chat_jid for recipient in recipients])
        .values_list("jid", "name")
    )
    for recipient in recipients:
        recipient.person = contacts.get(recipient.contact_id)
        recipient.label = names.get(recipient.chat_jid) or recipient.chat_jid
        if recipient.person:
            recipient.label = title(recipient.person)
        recipient.where = DispatchState(recipient.place["state"]).label if recipient.place else ""
        zone = ZoneInfo(recipient.recipient_zone or recipient.time_zone)
        recipient.there = recipient.next_at and recipient.next_at.astimezone(zone).replace(tzinfo=None)
        recipient.zone_there = str(zone)
    waits = any(recipient.state in ("waiting", "paused") for recipient in recipients)
    queued = any(recipient.place and recipient.place["state"] in ("queued", "late") for recipient in recipients)
    return render(
        request,
        "messaging/scheduled_message.html",
        {
            "message": message,
            "recipients": recipients,
            "said": sorted(message.parts.all(), key=lambda part: part.position),
            "is_being_changed": request.method == "POST",
            **_fields(message.workspace, form, parts),
            "next_times": _next_times(message),
            "recurs": in_words(message.rrule) if message.rrule else "",
            "is_open": message.state != ScheduleState.CANCELLED and (waits or queued),
            "is_paused": message.state == ScheduleState.PAUSED,
        },
    )


@require_POST
@member_page()
def cancel_scheduled(request, membership, message_id):
    """Cancel what has not been handed out."""
    with told(request, _("The message is cancelled.")):
        scheduling.cancel_scheduled_message(
            workspace=membership.workspace, message_id=message_id, actor=actors.person(request.user)
        )
    return redirect("scheduled-message", message_id)


@require_POST
@member_page()
def pause_scheduled(request, membership, message_id):
    """Let a series rest."""
    with told(request, _("The series rests. What falls into the pause is not sent later.")):
        scheduling.pause_series(
            workspace=membership.workspace, message_id=message_id, actor=actors.person(request.user)
        )
    return redirect("scheduled-message", message_id)


@require_POST
@member_page()
def resume_scheduled(request, membership, message_id):
    """Let a series go on."""
    with told(request, _("The series goes on.")):
        scheduling.resume_series(
            workspace=membership.workspace, message_id=message_id, actor=actors.person(request.user)
        )
    return redirect("scheduled-message", message_id)


@require_POST
@member_page()
def skip_scheduled(request, membership, message_id):
    """Leave out one time of a series: the next one, unless another one is named."""
    named = request.POST.get("wall_time", "")
    try:
        wall = parse_datetime(named) if named else None
    except ValueError:
        wall = None
    if named and (wall is None or wall.tzinfo is not None):
        raise Http404
    with told(request, _("That time is left out.")):
        scheduling.skip_occurrence(
            workspace=membership.workspace,
            message_id=message_id,
            actor=actors.person(request.user),
            wall_time=wall,
        )
    return redirect("scheduled-message", message_id)
