"""The list of chats: tabs, search, filter, pages that grow as one scrolls; each with its contact."""

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.models import Membership
from accounts.page_access import member_page
from crm.filters.sql import all_of
from crm.models import Chat, TabTarget
from crm.pages.filter_rows import subjects
from crm.pages.list_pages import PAGE, filter_open, found_by, moved_on, shown
from crm.pages.list_state import ListState, OpenTab
from crm.pages.tab_strip import FIRST_BUDGET, asked_tab, tab_strip
from crm.search.chats import driver_of, named_so, page_of_chats
from waplus.lib.api.pagination import PageRequest, Sort, moment
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7
from waplus.lib.text import fold

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
    found, words = found_by(membership, state), fold(state.query).split()
    ids, following = page_of_chats(
        workspace=membership.workspace,
        condition=all_of([named_so(words), found.condition(membership.user)]),
        driver=driver_of(words),
        along=found.along(membership.user),
        limit=page.limit,
        behind=page.key,
    )
    rows = Chat.objects.for_workspace(membership.workspace).select_related("whatsapp_account", "contact")
    by_id = rows.prefetch_related("contact__identities").in_bulk(ids)
    next_cursor = page.cursor_behind(*following) if following else None
    return {
        "chats": [by_id[id] for id in ids if id in by_id],
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
