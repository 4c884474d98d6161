"""The list of chats: tabs, search, filter, pages that grow as one scrolls; each with its contact."""

from django.http import HttpRequest
from django.views.decorators.http import require_safe

from accounts.models import Membership
from accounts.page_access import member_page
from crm.filters.sql import all_of
from crm.models import Chat, TabTarget
from crm.pages.filter_rows import subjects
from crm.pages.list_pages import PAGE, found_by, list_page
from crm.pages.list_state import ListState, OpenTab
from crm.pages.tab_strip import asked_tab
from crm.search.chats import driver_of, named_so, page_of_chats
from waplus.lib.api.pagination import PageRequest, Sort, moment
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


def _listing(membership: Membership, state: ListState, cursor: str | None) -> tuple[dict, str | None]:
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
    return {"chats": [by_id[id] for id in ids if id in by_id]}, next_cursor


@require_safe
@member_page()
def chat_list(request, membership):
    """The chats of the workspace's numbers, those with the latest messages first."""
    return list_page(request, membership, asked_chats(request, membership), _listing)
