"""What the pages of lists have in common: the filter that a state means, and the way from an address to a page."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import push_url

from accounts.models import Membership
from crm.filters import Filter, parse_filter
from crm.pages.filter_language import filter_of
from crm.pages.list_state import PAGES, ListState
from crm.pages.tab_strip import FIRST_BUDGET, tab_strip
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7
from waplus.lib.text import place_in

PAGE = 50
# A page of rows behind a cursor: what it shows, and the next cursor if there are more.
Listing = Callable[[Membership, ListState, str | None], tuple[dict, str | None]]


def found_by(membership: Membership, state: ListState, *, with_query: bool = False) -> Filter:
    """What a state's rows and tab select; a row that the language refuses, such as a date that is none, is refused."""
    if state.opened and not state.is_changed:
        return state.opened.found
    tree = filter_of(state.filters, state.match, state.known, membership.user.time_zone)
    if with_query and state.kept_query:
        tree = {"and": [{"q": state.kept_query}, *([tree] if tree else [])]}
    found = parse_filter(membership.workspace, tree, state.target, lenient=True)
    return state.base.also(found) if state.base else found


def list_page(
    request: HttpRequest, membership: Membership, state: ListState, listing: Listing, **beside
) -> HttpResponse:
    """The page of a list, or for htmx the part that lies below the search box.

    `listing` answers what a page of rows shows and the cursor behind it; what it
    refuses leads back to the list as it is without anything asked for. `beside`
    are calls for what the whole page shows.
    """
    cursor = request.GET.get("cursor")
    if request.GET.get("add") or request.GET.get("drop"):
        return _moved_on(request, state)
    try:
        context, next_cursor = listing(membership, state, cursor)
    except Refused as refusal:
        if state.filters and not cursor:
            messages.error(request, refusal.detail)
        return redirect(state.path)
    is_part = request.htmx and not request.htmx.history_restore_request
    name = PAGES[state.target]
    context |= {
        "state": state,
        "filter_rows": [(row, (subject := state.known[row.field]), subject.input_of(row.op)) for row in state.rows],
        "filter_open": _filter_open(request, state),
        "new_tab": uuid7(),
        "unfiltered": state.address(rows=()),
        "more": state.address(cursor=next_cursor) if next_cursor else "",
        "first_page": not cursor,
        "strip": tab_strip(membership, budget=0 if is_part else FIRST_BUDGET),
        **({} if is_part else {key: call() for key, call in beside.items()}),
    }
    if not is_part:
        return render(request, f"crm/{name}.html", context)
    response = render(request, f"crm/parts/{name.removesuffix('s')}_list.html", context)
    # Without what forms send along empty; further pages of a list are no place to go to.
    if not cursor:
        push_url(response, state.path + state.address())
    return response


def _moved_on(request: HttpRequest, state: ListState) -> HttpResponse:
    """To the address with one condition more or less, as `add` and `drop` of the form say."""
    dropped = place_in(state.rows, request.GET.get("drop", ""))
    state = state if dropped is None else state.without_row(dropped)
    return redirect(state.path + state.with_row(request.GET.get("add", "")).address())


def _filter_open(request: HttpRequest, state: ListState) -> bool:
    """Whether the form of the filter is shown: somebody is at work in it."""
    return len(state.filters) < len(state.rows) or request.htmx.trigger == "filter-form"
