"""The queue: what waits and why, what is being sent, what wants a decision, what became of it; and each message's story."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts import actors
from accounts.models import Membership
from accounts.page_access import member_page, told
from crm.models import WhatsAppAccount
from messaging.models import DispatchState, DispatchWarning, QueuedMessage
from messaging.models.dispatch import GONE_OUT, OPEN
from messaging.pages.queue_words import describe
from messaging.services.direct import cancel_message
from messaging.services.dispatch import attempts_of, decide_late, resolve_message
from waplus.lib.api.pagination import PageRequest, Sort, moment
from waplus.lib.errors import Refused
from waplus.lib.walltime import zone_names

PAGE = "30"
# Figures beyond it are told as "so many or more": counting stays cheap.
COUNTED = 1_000
# What was sent today was due no longer ago; lateness is bounded by it.
LATEST = timedelta(days=8)
# What people ask the queue for, in the order of a message's life.
VIEWS = {
    "waiting": gettext_lazy("Waiting"),
    "sending": gettext_lazy("Being sent"),
    "late": gettext_lazy("Too late"),
    "unknown": gettext_lazy("Unknown"),
    "failed": gettext_lazy("Failed"),
    "skipped": gettext_lazy("Skipped"),
    "today": gettext_lazy("Sent today"),
}
# Nobody has to see to them: they are looked for when somebody asks, never counted by the way.
UNCOUNTED = {"skipped"}
_SOONEST = {"soonest": Sort("due_at", decode=moment)}
_NEWEST = {"newest": Sort("due_at", descending=True, decode=moment)}


def _midnight(membership: Membership, now: datetime) -> datetime:
    """When today began for the person."""
    zone = membership.user.time_zone
    local = now.astimezone(ZoneInfo(zone if zone in zone_names() else "UTC"))
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def _found(membership: Membership, view: str, now: datetime) -> QuerySet:
    messages = QueuedMessage.objects.for_workspace(membership.workspace)
    if view == "today":
        midnight = _midnight(membership, now)
        return messages.filter(
            state__in=GONE_OUT, sent_at__gte=midnight, due_at__gte=midnight - LATEST, due_at__lte=now
        )
    if view == "skipped":
        return messages.filter(state=DispatchState.SKIPPED, due_at__gte=now - LATEST, due_at__lte=now)
    states = {
        "waiting": [DispatchState.QUEUED],
        "sending": OPEN,
        "late": [DispatchState.LATE],
        "unknown": [DispatchState.OUTCOME_UNKNOWN],
        "failed": [DispatchState.FAILED],
    }[view]
    return messages.filter(state__in=states) if len(states) > 1 else messages.filter(state=states[0])


def _counts(membership: Membership, account: WhatsAppAccount | None, now: datetime) -> dict[str, int]:
    """How many there are of each view, up to a bound; one statement."""
    parts, params, views = [], [], [view for view in VIEWS if view not in UNCOUNTED]
    for view in views:
        found = _found(membership, view, now)
        found = found.filter(whatsapp_account=account) if account else found
        sql, values = found.order_by().values("pk")[:COUNTED].query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) {view})")
        params += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        return dict(zip(views, cursor.fetchone(), strict=True))


@require_safe
@member_page()
def queue(request, membership):
    """The messages of one view, of all numbers or of one."""
    now = timezone.now()
    view = request.GET.get("show", "waiting")
    numbers = list(WhatsAppAccount.objects.for_workspace(membership.workspace).order_by("created_at", "id"))
    account = next((number for number in numbers if str(number.pk) == request.GET.get("number")), None)
    if view not in VIEWS:
        return redirect("queue")
    sorts = _SOONEST if view == "waiting" else _NEWEST
    try:
        page = PageRequest.of({"cursor": request.GET.get("cursor"), "limit": PAGE}, sorts, next(iter(sorts)))
    except Refused:
        return redirect("queue")
    found = _found(membership, view, now)
    found = found.filter(whatsapp_account=account) if account else found
    related = found.select_related("whatsapp_account", "contact", "broadcast", "media")
    rows, next_cursor = page.page(list(page.rows(related.prefetch_related("contact__identities"))))
    describe(membership.workspace, rows, now)
    counts = _counts(membership, account, now)
    warnings = DispatchWarning.objects.for_workspace(membership.workspace).filter(resolved_at=None)
    return render(
        request,
        "messaging/queue.html",
        {
            "rows": rows,
            "view": view,
            "views": [(key, label, counts.get(key), counts.get(key, 0) >= COUNTED) for key, label in VIEWS.items()],
            "numbers": numbers,
            "number": account,
            "warnings": warnings.select_related("whatsapp_account").order_by("first_due_at")[:10],
            "next_cursor": next_cursor,
            "first_page": page.key is None,
        },
    )


@require_safe
@member_page()
def queue_message(request, membership, message_id):
    """One message: where it is, why, and what was tried."""
    found = QueuedMessage.objects.for_workspace(membership.workspace).select_related(
        "whatsapp_account", "contact", "broadcast", "media", "created_by", "scheduled_message", "instance"
    )
    row = get_object_or_404(found.prefetch_related("contact__identities"), pk=message_id)
    describe(membership.workspace, [row], timezone.now())
    return render(
        request,
        "messaging/queue_message.html",
        {
            "row": row,
            "attempts": attempts_of(row),
            "recipients": _recipients(row),
            "is_open": row.state in (DispatchState.QUEUED, *OPEN, *GONE_OUT),
        },
    )


def _recipients(row: QueuedMessage) -> dict[str, int] | None:
    """Of a message to a group: how many have received, read and played it."""
    if not row.chat_jid.endswith("@g.us"):
        return None
    acks = row.acks.exclude(participant="").values_list("delivered_at", "read_at", "played_at")
    columns = list(zip(*acks, strict=True)) or [(), (), ()]
    return {
        name: sum(moment is not None for moment in column)
        for name, column in zip(("delivered", "read", "played"), columns, strict=True)
    }


@require_POST
@member_page()
def decide_message(request, membership, message_id):
    """Decide on a message: `send` or `skip` one that is late, tell of an unknown one whether it was `sent` or `not_sent`."""
    decision = request.POST.get("decision", "")
    act = {"workspace": membership.workspace, "message_id": message_id, "actor": actors.person(request.user)}
    if decision in ("send", "skip"):
        success = _("It is sent as soon as a device is there.") if decision == "send" else _("It is skipped.")
        with told(request, success):
            decide_late(**act, decision=decision)
    elif decision in ("sent", "not_sent"):
        success = _("It is noted as sent.") if decision == "sent" else _("It waits in the queue again.")
        with told(request, success):
            resolve_message(**act, outcome=decision)
    return _back(request, message_id)


@require_POST
@member_page()
def call_off_message(request, membership, message_id):
    """Cancel a message that nobody has been handed."""
    with told(request, _("The message is cancelled.")):
        cancel_message(workspace=membership.workspace, message_id=message_id, actor=actors.person(request.user))
    return _back(request, message_id)


def _back(request: HttpRequest, message_id):
    """To the list, if the button stood there, else to the message."""
    view = request.POST.get("show", "")
    if view in VIEWS:
        address = redirect("queue")
        address["Location"] += f"?show={view}"
        return address
    return redirect("queue-message", message_id)
