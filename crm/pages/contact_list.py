"""The list of contacts: search, order, pages that grow as one scrolls."""

from urllib.parse import urlencode

from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.models import Membership, Resource
from accounts.page_access import member_page
from accounts.services import plans
from crm.models import Contact
from waplus.lib.api.pagination import PageRequest, Sort, moment
from waplus.lib.errors import Refused

PAGE = "50"
MAX_QUERY = 200
SORTS = {
    "name": Sort("sort_name"),
    "-name": Sort("sort_name", descending=True),
    "updated_at": Sort("updated_at", decode=moment),
    "-updated_at": Sort("updated_at", descending=True, decode=moment),
}
# Columns by which a person orders the list: the parameter, and which way round comes first.
COLUMNS = {"name": (_("Name"), "name"), "updated_at": (_("Changed"), "-updated_at")}


def query_of(request) -> str:
    """What was typed into the search box, as far as it can mean something."""
    return " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:MAX_QUERY]


def headers(sort: str) -> dict[str, dict]:
    """For each column that orders the list: its label, how it is ordered now, and the order that a click asks for."""
    found = {}
    for name, (label, first) in COLUMNS.items():
        now = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
        other = name if sort == f"-{name}" else f"-{name}"
        found[name] = {"label": label, "now": now, "next": other if now else first}
    return found


def listing(membership: Membership, request) -> dict:
    """The page of contacts that the query string asks for, in a fixed number of queries."""
    query = query_of(request)
    page = PageRequest.of(
        {"cursor": request.GET.get("cursor"), "sort": request.GET.get("sort"), "limit": PAGE}, SORTS, "name"
    )
    contacts = Contact.objects.for_workspace(membership.workspace).alive()
    if query:
        contacts = contacts.search(query)
    contacts = contacts.select_related("owner", "stage").prefetch_related("identities", "contact_tags__tag")
    rows, next_cursor = page.page(list(page.rows(contacts)))
    kept = {"q": query, "sort": page.sort_name if page.sort_name != "name" else ""}
    kept = {name: value for name, value in kept.items() if value}
    return {
        "contacts": rows,
        "query": query,
        "sort": page.sort_name,
        "headers": headers(page.sort_name),
        "more": urlencode({**kept, "cursor": next_cursor}) if next_cursor else "",
        "first_page": page.key is None,
    }


@require_safe
@member_page()
def contact_list(request, membership):
    """The contacts of the workspace."""
    try:
        found = listing(membership, request)
    except Refused:
        return redirect("contacts")
    found["total"] = plans.used_of(workspace=membership.workspace, resource=Resource.CONTACTS)
    part = request.htmx and not request.htmx.history_restore_request
    return render(request, "crm/parts/contact_list.html" if part else "crm/contacts.html", found)
