"""Errors outside of views: problem documents for programs, pages for people."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from waplus.lib.api.problems import problem_response

_FOR_PROGRAMS = ("/api/", "/_allauth/", "/health/")


def _answer(request: HttpRequest, status: int, code: str) -> HttpResponse:
    if request.path.startswith(_FOR_PROGRAMS):
        return problem_response(request, code)
    return render(request, f"{status}.html", status=status)


def bad_request(request, exception=None):
    return _answer(request, 400, "malformed")


def permission_denied(request, exception=None):
    return _answer(request, 403, "forbidden")


def not_found(request, exception=None):
    return _answer(request, 404, "not_found")


def server_error(request):
    return _answer(request, 500, "server_error")


def csrf_failure(request, reason=""):
    """A form without a valid CSRF token: mostly a page that was left open for too long."""
    return render(request, "403_csrf.html", status=403)
