"""The strip of tabs above a list, with their counts."""

from uuid import UUID

from django.http import Http404, HttpRequest
from django.urls import reverse

from accounts.models import Membership
from crm.models import Tab
from crm.pages.list_state import PAGES
from crm.services import tabs
from crm.services.tab_counts import tab_counts
from waplus.lib.errors import NotFound

# Seconds that a page spends on counting before it is shown; the rest is counted behind its back.
FIRST_BUDGET = 0.05


def page_tab(membership: Membership, tab_id: UUID) -> Tab:
    """A tab that the person sees; another one's private tab is not found."""
    try:
        return tabs.tab_of(workspace=membership.workspace, user=membership.user, tab_id=tab_id)
    except NotFound as error:
        raise Http404 from error


def asked_tab(request: HttpRequest, membership: Membership, target: str) -> Tab | None:
    """The tab that an address names, None without one; one over something else is not found on this page."""
    if not (text := request.GET.get("tab")):
        return None
    try:
        tab = page_tab(membership, UUID(text))
    except ValueError as error:
        raise Http404 from error
    if tab.target != target:
        raise Http404
    return tab


def tab_strip(membership: Membership, *, budget: float | None) -> list[dict]:
    """The person's tabs in order, each with its page and its count if it was counted.

    `budget` is about how many seconds may be spent on counting anew; None is what the service allows.
    """
    counts = tab_counts(workspace=membership.workspace, user=membership.user, budget=budget)
    by_tab = {count.tab_id: count for count in counts}
    return [
        {"tab": tab, "page": reverse(PAGES[tab.target]), "kept": by_tab.get(tab.pk)}
        for tab in tabs.tabs_in_order(workspace=membership.workspace, user=membership.user)
    ]
