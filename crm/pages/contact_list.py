"""The list of contacts: tabs, search, filter, order, pages that grow as one scrolls."""

from django.http import Http404, HttpRequest
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Membership, Resource
from accounts.page_access import member_page
from accounts.services import plans
from crm.models import Contact, TabTarget
from crm.pages.bulk_words import open_actions
from crm.pages.filter_rows import ME, NOBODY, subjects
from crm.pages.list_pages import PAGE, found_by, list_page
from crm.pages.list_state import ListState, OpenTab
from crm.pages.sorting import IN_COLUMNS, Order, orders, plain_sort, show_values
from crm.pages.tab_strip import asked_tab
from crm.services.contact_pages import contact_ids_page
from crm.services.tab_counts import count_contacts
from waplus.lib.errors import Invalid, Refused

LAST_COLUMN = "updated_at"


def headers(state: ListState, known: dict[str, Order], sort: str) -> dict[str, dict]:
    """For each order: its label, how the list is ordered by it now, and the address that a click leads to."""
    found = {}
    for name, order in known.items():
        now = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
        other = name if sort == f"-{name}" else f"-{name}"
        found[name] = {"label": order.label, "now": now, "address": state.address(sort=other if now else order.first)}
    return found


def asked_state(request: HttpRequest, membership: Membership) -> ListState:
    """The state of the list of contacts that an address asks for; a tab that is not theirs to see is not found."""
    known = subjects(membership.workspace)
    tab = asked_tab(request, membership, TabTarget.CONTACTS)
    sorts = orders(subject.field for subject in known.values() if subject.field)
    return ListState.of(request.GET, known, opened=OpenTab.of(tab, known, sorts) if tab else None)


def _listing(membership: Membership, state: ListState, cursor: str | None) -> tuple[dict, str | None]:
    """The page of contacts that a state asks for, in a bounded number of queries."""
    known = orders(subject.field for subject in state.known.values() if subject.field)
    sort = plain_sort(state.sort)
    # Without an order of its own a search shows the best first, which no column's head claims.
    ordered_by = known.get((sort or ("" if state.query else "name")).removeprefix("-"))
    if sort and not ordered_by:
        raise Invalid("sort", "invalid_choice", "There is no such order.")
    ids, next_cursor = contact_ids_page(
        workspace=membership.workspace,
        viewer=membership.user,
        query=state.query,
        found=found_by(membership, state),
        sort=sort,
        limit=PAGE,
        cursor=cursor or "",
    )
    found = Contact.objects.for_workspace(membership.workspace).select_related("owner", "stage")
    by_id = found.prefetch_related("identities", "contact_tags__tag").in_bulk(ids)
    contacts = [by_id[id] for id in ids if id in by_id]
    last = ordered_by if ordered_by and ordered_by.name not in IN_COLUMNS else known[LAST_COLUMN]
    show_values(membership.workspace, last, contacts)
    heads = headers(state, known, sort or ("" if state.query else "name"))
    context = {
        "contacts": contacts,
        "headers": heads,
        "last_column": heads[last.name],
        "orders": known.values(),
        "sort": sort or ("" if state.query else "name"),
        "tags": [choice for choice in state.known["tag"].choices if choice[0] != NOBODY],
        "owners": [choice for choice in state.known["owner"].choices if choice[0] != ME],
        "stages": state.known["stage"].choices,
        "total": plans.used_of(workspace=membership.workspace, resource=Resource.CONTACTS),
    }
    return context, next_cursor


@require_safe
@member_page()
def contact_list(request, membership):
    """The contacts of the workspace."""
    state = asked_state(request, membership)
    return list_page(request, membership, state, _listing, jobs=lambda: open_actions(membership.workspace))


@require_safe
@member_page()
def count_found(request, membership):
    """How many contacts a search and filter find, counted as tabs are: at the cost of a page."""
    try:
        found = found_by(membership, asked_state(request, membership), with_query=True)
    except Refused as refused:
        raise Http404 from refused
    count, exact = count_contacts(found, membership.user)
    return render(request, "crm/parts/found.html", {"count": count, "exact": exact})
