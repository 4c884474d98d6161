"""Opening hours and holidays in the browser."""

from uuid import UUID

from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actors
from accounts.models import Membership, Role
from accounts.page_access import member_page, told
from messaging.models import BusinessHours
from messaging.services.auto_replies import hours
from messaging.services.auto_replies.hours import Opening
from waplus.lib.errors import Refused
from waplus.lib.walltime import zone_names

DAYS = (
    (1, gettext_lazy("Monday")),
    (2, gettext_lazy("Tuesday")),
    (3, gettext_lazy("Wednesday")),
    (4, gettext_lazy("Thursday")),
    (5, gettext_lazy("Friday")),
    (6, gettext_lazy("Saturday")),
    (7, gettext_lazy("Sunday")),
)
EMPTY_HOLIDAYS = 3


def _rows(row: BusinessHours | None) -> list[dict]:
    """The week as the form shows it: the spans of each day in one field."""
    intervals = row.intervals if row else [{"day": day, "from": "09:00", "to": "18:00"} for day in range(1, 6)]
    return [
        {
            "day": day,
            "label": label,
            "spans": ", ".join(f"{each['from']}–{each['to']}" for each in intervals if each["day"] == day),
        }
        for day, label in DAYS
    ]


def _sent(data) -> dict:
    """What the form means, as the service takes it."""
    intervals = []
    for day, _label in DAYS:
        for span in filter(None, (each.strip() for each in data.get(f"day{day}", "").split(","))):
            start, _dash, end = span.replace("—", "–").replace("-", "–").partition("–")
            intervals.append({"day": day, "from": _padded(start), "to": _padded(end)})
    holidays = []
    names, starts, ends = data.getlist("holiday_name"), data.getlist("holiday_from"), data.getlist("holiday_to")
    for date, name, start, end in zip(data.getlist("holiday_date"), names, starts, ends, strict=False):
        if date:
            part = {"from": start or "00:00", "to": end or "24:00"} if start or end else {}
            holidays.append({"date": date, "name": name, **part})
    return {
        "name": data.get("name", ""),
        "time_zone": data.get("time_zone", ""),
        "intervals": intervals,
        "holidays": holidays,
    }


def _padded(text: str) -> str:
    """`9` and `9:00` as `09:00`."""
    hour, _colon, minute = text.strip().partition(":")
    return f"{hour.zfill(2)}:{minute or '00'}"


def _page(request, membership: Membership, open_form: dict | None = None):
    rows = list(BusinessHours.objects.for_workspace(membership.workspace).order_by("name"))
    now = timezone.now()
    for row in rows:
        row.week, row.is_open = _rows(row), Opening.of(row).is_open(now)
        row.blank = range(EMPTY_HOLIDAYS)
        if open_form and open_form["id"] == row.pk:
            row.error = open_form["error"]
    context = {
        "rows": rows,
        "week": _rows(None),
        "blank": range(EMPTY_HOLIDAYS),
        "zones": sorted(zone_names()),
        "zone": request.user.time_zone,
        "new_error": open_form["error"] if open_form and open_form["id"] is None else "",
        "may_change": membership.may(Role.ADMIN),
    }
    return render(request, "messaging/business_hours.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def hours_list(request, membership):
    """All sets of hours; a POST (of an admin) makes one."""
    if request.method != "POST" or not membership.may(Role.ADMIN):
        return _page(request, membership)
    try:
        hours.create_hours(workspace=membership.workspace, actor=actors.person(request.user), **_sent(request.POST))
    except Refused as refusal:
        return _page(request, membership, {"id": None, "error": refusal.detail})
    return redirect("business-hours")


@require_POST
@member_page(Role.ADMIN)
def edit_hours(request, membership, hours_id: UUID):
    """Change hours."""
    with told(request):
        hours.hours_of(workspace=membership.workspace, hours_id=hours_id)
    try:
        hours.update_hours(
            workspace=membership.workspace,
            hours_id=hours_id,
            actor=actors.person(request.user),
            **_sent(request.POST),
        )
    except Refused as refusal:
        return _page(request, membership, {"id": hours_id, "error": refusal.detail})
    return redirect("business-hours")


@require_POST
@member_page(Role.ADMIN)
def delete_hours(request, membership, hours_id: UUID):
    """Delete hours that no rule goes by."""
    with told(request, _("The hours are deleted.")):
        hours.delete_hours(workspace=membership.workspace, hours_id=hours_id, actor=actors.person(request.user))
    return redirect("business-hours")
