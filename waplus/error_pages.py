"""Errors outside of views: problem documents for programs, pages for people."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.views.decorators.csrf import csrf_exempt

from waplus.lib.api.problem_documents import problem_response
from waplus.lib.audience import is_program


def _answer(request: HttpRequest, status: int, code: str, detail: str = "") -> HttpResponse:
    if is_program(request):
        return problem_response(request, code, detail)
    return render(request, f"{status}.html", status=status)


def bad_request(request, exception=None):
    return _answer(request, 400, "malformed")


def permission_denied(request, exception=None):
    return _answer(request, 403, "forbidden")


@csrf_exempt
def not_found(request, exception=None, **kwargs):
    return _answer(request, 404, "not_found", "There is nothing at this address. Those of the API end with a slash.")


def server_error(request):
    """Asks neither the database nor the session: what broke may be one of them, so the page is rendered without a request."""
    if is_program(request):
        return problem_response(request, "server_error")
    page = get_template("500.html").render({"request_id": getattr(request, "id", "")})
    return HttpResponse(page, status=500)


def csrf_failure(request, reason=""):
    """A form without a valid CSRF token: mostly a page that was left open for too long."""
    return render(request, "403_csrf.html", status=403)
