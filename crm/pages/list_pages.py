"""What the pages of lists have in common: the filter that a state means, one condition more or less, the answer to htmx."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import push_url

from accounts.models import Membership
from crm.filters import Filter, parse_filter
from crm.pages.filter_language import filter_of
from crm.pages.list_state import ListState

PAGE = 50


def found_by(membership: Membership, state: ListState, *, with_query: bool = False) -> Filter:
    """What a state's rows and tab select; a row that the language refuses, such as a date that is none, is refused."""
    if state.opened and not state.is_changed:
        return state.opened.found
    tree = filter_of(state.filters, state.match, state.known, membership.user.time_zone)
    if with_query and state.kept_query:
        tree = {"and": [{"q": state.kept_query}, *([tree] if tree else [])]}
    found = parse_filter(membership.workspace, tree, state.target, lenient=True)
    return state.base.also(found) if state.base else found


def moved_on(request: HttpRequest, state: ListState) -> HttpResponse:
    """To the address with one condition more or less, as `add` and `drop` of the form say."""
    dropped = request.GET.get("drop", "")
    state = state.without_row(int(dropped)) if dropped.isascii() and dropped.isdigit() else state
    return redirect(state.path + state.with_row(request.GET.get("add", "")).address())


def filter_open(request: HttpRequest, state: ListState) -> bool:
    """Whether the form of the filter is shown: somebody is at work in it."""
    return len(state.filters) < len(state.rows) or request.htmx.trigger == "filter-form"


def shown(request: HttpRequest, state: ListState, template: str, context: dict) -> HttpResponse:
    """A page of a list, or for htmx its part alone, with the address that says what is shown."""
    response = render(request, template, context)
    # Without what forms send along empty; further pages of a list are no place to go to.
    if template.startswith("crm/parts/") and not request.GET.get("cursor"):
        push_url(response, state.path + state.address())
    return response
