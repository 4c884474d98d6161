"""Who may open a page, and how a refusal is told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Role
from accounts.services.invitations import open_invitations_of
from accounts.services.workspaces import current_membership
from waplus.lib.errors import NotFound, Refused

View = Callable[..., HttpResponse]


def _to_login(request: HttpRequest) -> HttpResponse:
    """To the login page and back; a request of htmx moves the whole page there instead of a part of it."""
    if request.htmx:
        return HttpResponseClientRedirect(redirect_to_login(request.htmx.current_url_abs_path or "/home/").url)
    back = request.get_full_path() if request.method in ("GET", "HEAD") else "/home/"
    return redirect_to_login(back)


def person_page(view: View) -> View:
    """A page of whoever is logged in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        return view(request, *args, **kwargs) if request.user.is_authenticated else _to_login(request)

    return guarded


def member_page(role: Role = Role.MEMBER) -> Callable[[View], View]:
    """A page of a workspace: the view gets the membership in which the person works as its second argument.

    Who is in no workspace is shown how to get into one.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return _to_login(request)
            membership = current_membership(request.user)
            if membership is None:
                invitations = open_invitations_of(request.user)
                return render(request, "pages/no_workspace.html", {"invitations": invitations}, status=200)
            if not membership.may(role):
                raise PermissionDenied
            request.membership = membership  # the frame of the page shows it, too
            return view(request, membership, *args, **kwargs)

        return guarded

    return decorate


@contextmanager
def told(request: HttpRequest, success: str = "") -> Iterator[None]:
    """Run a service: say `success` if it did what was asked, or why not; what is not theirs is not found."""
    try:
        yield
    except NotFound as error:
        raise Http404 from error
    except Refused as refusal:
        messages.error(request, refusal.detail)
    else:
        if success:
            messages.success(request, success)


def add_refusal(form, refusal: Refused) -> None:
    """Show a refusal at the field that it speaks of, or above the form."""
    field = refusal.fields[0].field if refusal.fields else ""
    seen = field in form.fields and not form.fields[field].widget.is_hidden
    form.add_error(field if seen else None, refusal.detail)


@contextmanager
def refused_at(form, **renamed: str) -> Iterator[None]:
    """Run a service and, if it refuses, show why at the form; what is not theirs is not found.

    `renamed` gives the form's name of a field that the service calls otherwise;
    the refusal itself stays on the form as `refusal`.
    What stands behind the service in the block happens only if it did its work.
    """
    try:
        yield
    except NotFound as error:
        raise Http404 from error
    except Refused as refusal:
        form.refusal = refusal
        if refusal.fields and (name := renamed.get(refusal.fields[0].field.partition(".")[0])):
            form.add_error(name, refusal.fields[0].detail)
        else:
            add_refusal(form, refusal)
