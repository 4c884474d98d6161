"""The list of chats: tabs, filter, pages that grow as one scrolls; each with its contact."""

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.models import Membership
from accounts.page_access import member_page
from crm.filters import chats_matching
from crm.models import TabTarget
from crm.models.chats import LISTED_AT
from crm.pages.filter_rows import subjects
from crm.pages.list_pages import PAGE, filter_open, found_by, moved_on, shown
from crm.pages.list_state import ListState, OpenTab
from crm.pages.tab_strip import FIRST_BUDGET, asked_tab, tab_strip
from waplus.lib.api.pagination import PageRequest, Sort, moment
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7

LATEST = {"latest": Sort("listed_at", descending=True, decode=moment)}


def asked_chats(request: HttpRequest, membership: Membership) -> ListState:
    """The state of the list of chats that an address asks for; a tab that is not theirs to see is not found."""
    known = subjects(membership.workspace, TabTarget.CHATS)
    tab = asked_tab(request, membership, TabTarget.CHATS)
    opened = OpenTab.of(tab, known, {}) if tab else None
    # Chats have one order.
    params = request.GET.copy()
    params.pop("sort", None)
    return ListState.of(params, known, TabTarget.CHATS, opened)


def _listing(membership: Membership, state: ListState, cursor: str | None) -> dict:
    page = PageRequest.of({"cursor": cursor, "limit": str(PAGE)}, LATEST, "latest")
    found = chats_matching(membership.workspace, found_by(membership, state), membership.user)
    found = found.annotate(listed_at=LISTED_AT).select_related("whatsapp_account", "contact")
    rows, next_cursor = page.page(list(page.rows(found.prefetch_related("contact__identities"))))
    return {
        "chats": rows,
        "state": state,
        "filter_rows": [(row, (subject := state.known[row.field]), subject.input_of(row.op)) for row in state.rows],
        "new_tab": uuid7(),
        "unfiltered": state.address(rows=()),
        "more": state.address(cursor=next_cursor) if next_cursor else "",
        "first_page": not cursor,
    }


@require_safe
@member_page()
def chat_list(request, membership):
    """The chats of the workspace's numbers, those with the latest messages first."""
    state = asked_chats(request, membership)
    if request.GET.get("add") or request.GET.get("drop"):
        return moved_on(request, state)
    try:
        found = _listing(membership, state, request.GET.get("cursor"))
    except Refused as refusal:
        if state.filters and not request.GET.get("cursor"):
            messages.error(request, refusal.detail)
        return redirect("chats")
    found["filter_open"] = filter_open(request, state)
    part = request.htmx and not request.htmx.history_restore_request
    found["strip"] = tab_strip(membership, budget=0 if part else FIRST_BUDGET)
    return shown(request, state, "crm/parts/chat_list.html" if part else "crm/chats.html", found)
