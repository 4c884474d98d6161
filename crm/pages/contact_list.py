"""The list of contacts: search, filter, order, pages that grow as one scrolls."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from accounts.models import Membership, Resource
from accounts.page_access import member_page
from accounts.services import plans
from crm.models import Contact, ContactTag
from crm.pages.filter_rows import NOBODY, Row, subjects
from crm.pages.list_state import ListState
from waplus.lib.api.pagination import PageRequest, Sort, moment
from waplus.lib.errors import Refused

PAGE = "50"
SORTS = {
    "name": Sort("sort_name"),
    "-name": Sort("sort_name", descending=True),
    "updated_at": Sort("updated_at", decode=moment),
    "-updated_at": Sort("updated_at", descending=True, decode=moment),
}
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


def _condition(row: Row) -> Q:
    """The contacts that a row is about."""
    if row.field == "tag":
        worn = ContactTag.objects.filter(workspace=OuterRef("workspace"), contact=OuterRef("pk"), tag=row.value)
        condition = Q(Exists(worn))
    elif row.field in ("stage", "owner"):
        condition = Q(**{f"{row.field}__isnull": True} if row.value == NOBODY else {row.field: row.value})
    else:
        since = timezone.now() - timedelta(days=int(row.value))
        column = {"created": "created_at", "changed": "updated_at"}[row.field]
        condition = Q(**{f"{column}__gte": since})
    return ~condition if row.op in ("not", "longer") else condition


def matching(membership: Membership, state: ListState):
    """The contacts that a state of the list is about."""
    contacts = Contact.objects.for_workspace(membership.workspace).alive()
    if state.query:
        contacts = contacts.search(state.query)
    if state.filters:
        combined = Q()
        for row in state.filters:
            combined = combined | _condition(row) if state.match == "any" else combined & _condition(row)
        contacts = contacts.filter(combined)
    return contacts


def listing(membership: Membership, state: ListState, cursor: str | None) -> dict:
    """The page of contacts that a state asks for, in a fixed number of queries."""
    page = PageRequest.of({"cursor": cursor, "sort": state.sort, "limit": PAGE}, SORTS, "name")
    contacts = matching(membership, state).select_related("owner", "stage")
    rows, next_cursor = page.page(list(page.rows(contacts.prefetch_related("identities", "contact_tags__tag"))))
    return {
        "contacts": rows,
        "state": state,
        "headers": headers(state, page.sort_name),
        "filter_rows": [(row, state.known[row.field]) for row in state.rows],
        "tags": state.known["tag"].choices,
        "owners": [choice for choice in state.known["owner"].choices if choice[0] != "me"],
        "stages": state.known["stage"].choices,
        "unfiltered": state.address(rows=()),
        "more": state.address(cursor=next_cursor) if next_cursor else "",
        "first_page": page.key is None,
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
    except Refused:
        return redirect("contacts")
    found["filter_open"] = len(state.filters) < len(state.rows) or request.htmx.trigger == "filter-form"
    found["total"] = plans.used_of(workspace=membership.workspace, resource=Resource.CONTACTS)
    part = request.htmx and not request.htmx.history_restore_request
    response = render(request, "crm/parts/contact_list.html" if part else "crm/contacts.html", found)
    # The address says what is shown, without what forms send along empty; further pages of a list are no place to go to.
    if part and not request.GET.get("cursor"):
        push_url(response, reverse("contacts") + state.address())
    return response
