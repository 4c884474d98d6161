"""What a stranger sees who opens a link to a conversation. Nobody is logged in here."""

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from rest_framework.throttling import BaseThrottle

from accounts.templatetags.pages import browser_name
from messaging.services import sharing
from waplus.lib.errors import Refused

_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PasswordForm(forms.Form):
    """The password of a link."""

    password = forms.CharField(max_length=128, strip=False)


def _policy() -> str:
    pictures = f" {settings.MEDIA_HOST}" if settings.MEDIA_HOST else ""
    return (
        f"default-src 'none'; img-src 'self'{pictures}; style-src 'self'; font-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )


def _answer(request: HttpRequest, template: str, context: dict, status: int = 200) -> HttpResponse:
    with timezone.override("UTC"):
        response = render(request, template, context, status=status)
    for name, value in {**_HEADERS, "Content-Security-Policy": _policy()}.items():
        response[name] = value
    return response


def _gone(request: HttpRequest) -> HttpResponse:
    """The one answer to every token that opens nothing, whatever the reason."""
    return _answer(request, "messaging/shared_gone.html", {}, status=404)


# The form carries a password and nothing that a login could be used for, so there is nothing to forge.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """The conversation of an open link; with a password, behind it."""
    share = sharing.find_share(token)
    messages = sharing.shown_messages(share) if share else []
    if not messages:
        return _gone(request)
    if share.password:
        form = PasswordForm(request.POST)
        if request.method != "POST" or not form.is_valid():
            return _answer(request, "messaging/shared_password.html", {})
        try:
            fits = sharing.check_password(share, form.cleaned_data["password"])
        except Refused as refusal:
            return _answer(request, "messaging/shared_password.html", {"problem": refusal.detail}, status=429)
        if not fits:
            return _answer(request, "messaging/shared_password.html", {"is_wrong": True}, status=403)
    if request.method != "HEAD":
        agent = browser_name(request.headers.get("User-Agent", ""))
        sharing.record_opening(share=share, agent=agent, address=BaseThrottle().get_ident(request) or "")
    context = {"share": share, "messages": messages, "title": sharing.title_of(share)}
    return _answer(request, "messaging/shared.html", context)
