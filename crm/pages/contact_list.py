"""The list of contacts: search, filter, order, pages that grow as one scrolls."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from accounts.models import Membership, Resource
from accounts.page_access import member_page
from accounts.services import plans
from crm.filters import Filter, parse_filter
from crm.models import Contact
from crm.pages.filter_language import filter_of
from crm.pages.filter_rows import subjects
from crm.pages.list_state import ListState
from crm.services.contact_pages import contact_ids_page
from waplus.lib.errors import Invalid, Refused

PAGE = 50
SORTS = ("name", "-name", "updated_at", "-updated_at")
# Columns by which a person orders the list: the label, and which way round comes first.
COLUMNS = {"name": (_("Name"), "name"), "updated_at": (_("Changed"), "-updated_at")}


def headers(state: ListState, sort: str) -> dict[str, dict]:
    """For each column that orders the list: its label, how it is ordered now, and the address that a click leads to."""
    found = {}
    for name, (label, first) in COLUMNS.items():
        now = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
        other = name if sort == f"-{name}" else f"-{name}"
        found[name] = {"label": label, "now": now, "address": state.address(sort=other if now else first)}
    return found


def found_by(membership: Membership, state: ListState, *, with_query: bool = False) -> Filter:
    """The rows of a state as a filter; one that the language refuses, such as a date that is none,."""
    tree = filter_of(state.filters, state.match, state.known, membership.user.time_zone)
    if with_query and state.query:
        tree = {"and": [{"q": state.query}, *([tree] if tree else [])]}
    return parse_filter(membership.workspace, tree, lenient=True)


def listing(membership: Membership, state: ListState, cursor: str | None) -> dict:
    """The page of contacts that a state asks for, in a bounded number of queries."""
    if state.sort and state.sort not in SORTS:
        raise Invalid("sort", "invalid_choice", f"Sort by one of: {', '.join(SORTS)}.")
    ids, next_cursor = contact_ids_page(
        workspace=membership.workspace,
        viewer=membership.user,
        query=state.query,
        found=found_by(membership, state),
        sort=state.sort,
        limit=PAGE,
        cursor=cursor or "",
    )
    contacts = Contact.objects.for_workspace(membership.workspace).select_related("owner", "stage")
    contacts = contacts.prefetch_related("identities", "contact_tags__tag").in_bulk(ids)
    return {
        "contacts": [contacts[id] for id in ids if id in contacts],
        "state": state,
        # Without an order of its own a search shows the best first, which no column's head claims.
        "headers": headers(state, state.sort or ("" if state.query else "name")),
        "filter_rows": [(row, (subject := state.known[row.field]), subject.input_of(row.op)) for row in state.rows],
        "tags": state.known["tag"].choices,
        "owners": [choice for choice in state.known["owner"].choices if choice[0] != "me"],
        "stages": state.known["stage"].choices,
        "unfiltered": state.address(rows=()),
        "more": state.address(cursor=next_cursor) if next_cursor else "",
        "first_page": not cursor,
    }


@require_safe
@member_page()
def contact_list(request, membership):
    """The contacts of the workspace."""
    known = subjects(membership.workspace)
    state = ListState.of(request.GET, known)
    if request.GET.get("add") or request.GET.get("drop"):
        dropped = request.GET.get("drop", "")
        state = state.without_row(int(dropped)) if dropped.isascii() and dropped.isdigit() else state
        response = redirect("contacts")
        response["Location"] += state.with_row(request.GET.get("add", "")).address()
        return response
    try:
        found = listing(membership, state, request.GET.get("cursor"))
    except Refused as refusal:
        if state.filters and not request.GET.get("cursor"):
            messages.error(request, refusal.detail)
        return redirect("contacts")
    found["filter_open"] = len(state.filters) < len(state.rows) or request.htmx.trigger == "filter-form"
    found["total"] = plans.used_of(workspace=membership.workspace, resource=Resource.CONTACTS)
    # What was done with the selected comes back here with its messages, which stand in the whole page.
    part = request.htmx and not request.htmx.history_restore_request and request.htmx.trigger != "selection"
    response = render(request, "crm/parts/contact_list.html" if part else "crm/contacts.html", found)
    # The address says what is shown, without what forms send along empty; further pages of a list are no place to go to.
    if part and not request.GET.get("cursor"):
        push_url(response, reverse("contacts") + state.address())
    return response
