"""The admin: who gets in, by which door, under which content policy, and what its first page shows."""

import time
from datetime import timedelta
from enum import Enum, auto
from functools import wraps

from allauth.account.authentication import get_authentication_records
from allauth.account.views import logout as log_out
from allauth.mfa.models import Authenticator
from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import BadRequest
from django.core.paginator import EmptyPage
from django.db.models import Count, Min, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from accounts.models import ExtensionInstance, User, Workspace
from crm.models import ImportBatch
from crm.models.imports import ImportState
from messaging.models import DispatchState, QueuedMessage, ScheduledMessage, ScheduleState

# The theme's scripts (Alpine, its standard build) evaluate the expressions that stand in its
# templates, and set widths as style attributes. Both are allowed for signed-in staff on pages of the
# admin and nowhere else; inline scripts and inline style sheets stay forbidden there, too.
POLICY = {"script-src": [UNSAFE_EVAL], "style-src-attr": [UNSAFE_INLINE]}

SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
FIGURES_LIFE = 15

# Title, icon and model of each entry, by group. An entry shows up if the person may see its model.
NAVIGATION = [
    (
        _("Customers"),
        [
            (_("People"), "person", "accounts.user"),
            (_("Workspaces"), "workspaces", "accounts.workspace"),
            (_("Extensions"), "extension", "accounts.extensioninstance"),
            (_("Signed-in devices"), "devices", "accounts.instancesession"),
            (_("Invitations"), "mail", "accounts.invitation"),
            (_("E-mail addresses"), "alternate_email", "account.emailaddress"),
        ],
    ),
    (
        _("Service"),
        [
            (_("WhatsApp numbers"), "smartphone", "crm.whatsappaccount"),
            (_("Imports"), "upload_file", "crm.importbatch"),
        ],
    ),
    (
        _("Sending"),
        [
            (_("Queue"), "outbox", "messaging.queuedmessage"),
            (_("Acknowledgements"), "done_all", "messaging.messageack"),
            (_("Scheduled messages"), "schedule_send", "messaging.scheduledmessage"),
            (_("Broadcasts"), "campaign", "messaging.broadcast"),
            (_("Automatic replies"), "smart_toy", "messaging.autoreplydecision"),
            (_("Warnings"), "warning", "messaging.dispatchwarning"),
            (_("Devices of numbers"), "sensors", "messaging.numberpresence"),
            (_("Budgets"), "speed", "messaging.sendingbudget"),
            (_("Unreachable chats"), "block", "messaging.unreachablechat"),
            (_("Do not contact"), "do_not_disturb_on", "messaging.suppression"),
            (_("Lists of numbers"), "playlist_remove", "messaging.numberlist"),
            (_("Consent"), "handshake", "messaging.consentrecord"),
            (_("Opt-out words"), "front_hand", "messaging.optoutword"),
        ],
    ),
    (
        _("Contents"),
        [
            (_("Quick replies"), "quickreply", "messaging.quickreply"),
            (_("Files"), "attach_file", "messaging.mediafile"),
            (_("Synced conversations"), "forum", "messaging.conversationsync"),
            (_("Rules of conversations"), "rule", "messaging.conversationrule"),
            (_("Shared links"), "share", "messaging.sharelink"),
        ],
    ),
    (
        _("House"),
        [
            (_("Events"), "history", "accounts.event"),
            (_("Plans"), "sell", "accounts.plan"),
            (_("Periodic tasks"), "timer", "django_celery_beat.periodictask"),
            (_("Groups of rights"), "shield_person", "auth.group"),
        ],
    ),
]


class Standing(Enum):
    """How somebody stands before the admin's door."""

    ANONYMOUS = auto()
    OUTSIDER = auto()
    WITHOUT_SECOND_FACTOR = auto()
    NOT_CONFIRMED = auto()
    ADMITTED = auto()


def standing_of(request: HttpRequest) -> Standing:
    """Staff get in when they have a second factor and this session has shown one within `ADMIN_CONFIRMATION_LIFE`.

    Recovery codes count as shown, but do not stand in for having a factor.
    """
    user = request.user
    if not user.is_authenticated:
        return Standing.ANONYMOUS
    if not user.is_active or not user.is_staff:
        return Standing.OUTSIDER
    if not Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).exists():
        return Standing.WITHOUT_SECOND_FACTOR
    since = time.time() - settings.ADMIN_CONFIRMATION_LIFE.total_seconds()
    records = get_authentication_records(request, user)
    if not any(record.get("method") == "mfa" and record.get("at", 0) > since for record in records):
        return Standing.NOT_CONFIRMED
    return Standing.ADMITTED


class StaffSite(UnfoldAdminSite):
    """Django's admin behind allauth's login, with a second factor, in our own dress."""

    index_title = _("Overview")
    index_template = "admin/overview.html"
    enable_nav_sidebar = True

    # --- Who gets in -----------------------------------------------------------------------------

    def has_permission(self, request: HttpRequest) -> bool:
        if not hasattr(request, "_standing"):
            request._standing = standing_of(request)
        return request._standing is Standing.ADMITTED

    def admin_view(self, view, cacheable=False):
        """Every page passes here: the door, a refusal of NUL (PostgreSQL has none), the content policy."""
        inside = csp_update(POLICY)(super().admin_view(view, cacheable))

        @wraps(view)
        def at_the_door(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            if not self.has_permission(request):
                return self.turn_away(request)
            if "\0" in request.path or any(
                "\0" in text for pair in request.GET.lists() for text in (pair[0], *pair[1])
            ):
                raise BadRequest
            return inside(request, *args, **kwargs)

        return at_the_door

    def turn_away(self, request: HttpRequest, destination: str = "") -> HttpResponse:
        """Show the way in to staff and people who may be staff; for everybody else there is no admin."""
        destination = destination or request.get_full_path()
        if request._standing is Standing.OUTSIDER:
            raise Http404
        if request._standing is Standing.ANONYMOUS:
            return _redirect(settings.LOGIN_URL, destination)
        if request._standing is Standing.WITHOUT_SECOND_FACTOR:
            context = {"site_title": settings.UNFOLD["SITE_TITLE"]}
            return TemplateResponse(request, "admin/second_factor_needed.html", context, status=403)
        totp = Authenticator.objects.filter(user=request.user, type=Authenticator.Type.TOTP).exists()
        return _redirect("mfa_reauthenticate" if totp else "mfa_reauthenticate_webauthn", destination)

    def login(self, request: HttpRequest, extra_context=None) -> HttpResponse:
        """Django's own form would be a door without limits; this address only leads to allauth's."""
        destination = request.GET.get("next", "")
        if not url_has_allowed_host_and_scheme(destination, {request.get_host()}, request.is_secure()):
            destination = reverse("admin:index")
        return redirect(destination) if self.has_permission(request) else self.turn_away(request, destination)

    def logout(self, request: HttpRequest, extra_context=None) -> HttpResponse:
        return log_out(request)

    def password_change(self, request: HttpRequest, extra_context=None) -> HttpResponse:
        return redirect("account_change_password")

    def password_change_done(self, request: HttpRequest, extra_context=None) -> HttpResponse:
        return redirect("admin:index")

    # --- What it looks like ----------------------------------------------------------------------

    def each_context(self, request: HttpRequest) -> dict:
        # Colours come from a file: the theme would write them into an inline style sheet.
        return {**super().each_context(request), "colors": {}}

    def get_sidebar_list(self, request: HttpRequest) -> list[dict]:
        groups = [
            {
                "title": title,
                "items": [entry for one in entries if (entry := self._entry(request, *one))],
            }
            for title, entries in NAVIGATION
        ]
        start = reverse("admin:index")
        overview = {
            "title": _("Overview"),
            "icon": "dashboard",
            "link": start,
            "active": request.path == start,
            "has_permission": True,
        }
        return [{"items": [overview]}, *filter(lambda group: group["items"], groups)]

    def _entry(self, request: HttpRequest, title: str, icon: str, label: str) -> dict | None:
        for model, admin in self._registry.items():
            if model._meta.label_lower == label and admin.has_view_permission(request):
                link = reverse(f"admin:{label.replace('.', '_')}_changelist")
                return {
                    "title": title,
                    "icon": icon,
                    "link": link,
                    "active": request.path.startswith(link),
                    "has_permission": True,
                }
        return None

    def search(self, request: HttpRequest, extra_context=None) -> HttpResponse:
        if not request.GET.get("page", "1").isdecimal():
            raise Http404
        try:
            return super().search(request, extra_context)
        except EmptyPage:
            raise Http404

    # --- The first page --------------------------------------------------------------------------

    def index(self, request: HttpRequest, extra_context=None) -> HttpResponse:
        cards = [card for card in cache.get_or_set("admin-figures", figures, FIGURES_LIFE) if self._sees(request, card)]
        return super().index(request, {**(extra_context or {}), "cards": cards})

    def app_index(self, request: HttpRequest, app_label: str, extra_context=None) -> HttpResponse:
        """The sidebar lists everything by what it is for, so there is no page for each app."""
        return redirect("admin:index")

    def _sees(self, request: HttpRequest, card: dict) -> bool:
        app, model = card["model"].split(".")
        return request.user.has_perm(f"{app}.view_{model}")


def _redirect(view: str, destination: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse(view)}?{urlencode({'next': destination})}")


def stylesheet(request: HttpRequest) -> str:
    """Where the admin's colours are."""
    return static("waplus/admin.css")


def icon(request: HttpRequest) -> str:
    """The product's own icon."""
    return static("img/favicon.svg")


def figures() -> list[dict]:
    """The overview's numbers: each is one indexed or small query, and all are kept for a few seconds."""
    now = timezone.now()
    states = dict(
        QueuedMessage.objects.filter(Q(state__in=["queued", "leased", "sending"]))
        .order_by()
        .values_list("state")
        .annotate(count=Count("pk"))
    )
    oldest = QueuedMessage.objects.filter(state=DispatchState.QUEUED).aggregate(due=Min("due_at"))["due"]
    waiting = ScheduledMessage.objects.filter(state=ScheduleState.WAITING)
    imports = ImportBatch.objects.aggregate(
        open=Count("pk", filter=Q(state__in=[ImportState.WAITING, ImportState.RUNNING])),
        failed=Count("pk", filter=Q(state=ImportState.FAILED, created_at__gte=now - timedelta(days=7))),
    )
    return (
        [
            _card("accounts.user", _("People"), User.objects.filter(is_active=True).count(), _("active accounts")),
            _card("accounts.workspace", _("Workspaces"), Workspace.objects.count(), _("on all plans")),
            _card(
                "accounts.extensioninstance",
                _("Extensions"),
                ExtensionInstance.objects.filter(seen_at__gte=now - timedelta(days=1)).count(),
                _("seen in the last 24 hours"),
            ),
            _card(
                "messaging.scheduledmessage",
                _("Scheduled"),
                waiting.count(),
                _("messages wait for their time"),
                late=waiting.filter(due_at__lt=now - timedelta(minutes=1)).exists(),
            ),
        ]
        + [
            _card(
                "messaging.queuedmessage", DispatchState(state).label, states.get(state, 0), _("messages in the queue")
            )
            for state in (DispatchState.QUEUED, DispatchState.LEASED, DispatchState.SENDING)
        ]
        + [
            _card("messaging.queuedmessage", _("Oldest waiting message"), None, "", since=oldest),
            _card("crm.importbatch", _("Imports"), imports["open"], _("waiting or running")),
            _card(
                "crm.importbatch",
                _("Failed imports"),
                imports["failed"],
                _("in the last 7 days"),
                late=bool(imports["failed"]),
            ),
        ]
    )


def _card(model: str, title: str, value: int | None, note: str, *, late: bool = False, since=None) -> dict:
    link = reverse(f"admin:{model.replace('.', '_')}_changelist")
    return {"model": model, "title": title, "value": value, "note": note, "late": late, "since": since, "link": link}
