"""How many rows each tab has, kept cheap: counted so far as people read numbers, when something changed, within a budget.

A count is taken from its row as long as nothing happened in the workspace since
(its latest event is the same), and for `REST` seconds in any case; what goes by
the calendar is counted anew after `STALE` seconds. One request spends at most
`BUDGET` seconds on counting: what is left is answered as it was, with the time
when it was counted.
"""

import time
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.models import Event, User, Workspace
from crm.filters import Filter
from crm.models import Tab, TabCount, TabTarget
from crm.search.chats import page_of_chats
from crm.search.orders import NEWEST
from crm.search.scans import Scan, Tier
from crm.services.tabs import filter_of, tabs_in_order

CEILING = 1_000
REST = timedelta(seconds=10)
STALE = timedelta(minutes=10)
BUDGET = 0.4
# Counting chats may go so many times as far as listing them.
PATIENCE = 4


def tab_counts(*, workspace: Workspace, user: User, budget: float | None = None) -> list[TabCount]:
    """The counts of all tabs that a person sees, in the tabs' order; a tab that was never counted may be left out.

    `budget` is how many seconds may be spent on counting, `BUDGET` if it is left out; with 0 nothing is counted.
    """
    tabs = tabs_in_order(workspace=workspace, user=user)
    rows = TabCount.objects.for_workspace(workspace).filter(Q(viewer=None) | Q(viewer=user), tab__in=tabs)
    # Of the filter as it is now there is one row: everybody's, or one for each viewer.
    known = {row.tab_id: row for row in rows.order_by("tab_version")}
    last_event = _last_event(workspace)
    end = time.monotonic() + (BUDGET if budget is None else budget)
    due = [tab for tab in tabs if not _holds(known.get(tab.pk), tab, last_event)]
    # What was counted longest ago comes first, so that every tab has its turn.
    for tab in sorted(due, key=lambda tab: known[tab.pk].counted_at.timestamp() if tab.pk in known else 0):
        if time.monotonic() >= end:
            break
        known[tab.pk] = _counted(tab, filter_of(tab), user, last_event)
    return [known[tab.pk] for tab in tabs if tab.pk in known]


def _last_event(workspace: Workspace) -> UUID | None:
    events = Event.objects.filter(workspace=workspace).order_by("-id")
    return events.values_list("id", flat=True).first()


def _holds(row: TabCount | None, tab: Tab, last_event: UUID | None) -> bool:
    if row is None or row.tab_version != tab.version:
        return False
    age = timezone.now() - row.counted_at
    return age < REST or (row.last_event == last_event and age < STALE)


def _counted(tab: Tab, found: Filter, user: User, last_event: UUID | None) -> TabCount:
    count = count_chats if tab.target == TabTarget.CHATS else count_contacts
    number, exact = count(found, user)
    row, _ = TabCount.objects.update_or_create(
        workspace=tab.workspace,
        tab=tab,
        viewer=user if found.depends_on_viewer else None,
        defaults={
            "count": number,
            "exact": exact,
            "last_event": last_event,
            "tab_version": tab.version,
            "counted_at": timezone.now(),
        },
    )
    return row


def count_contacts(found: Filter, viewer: User | None) -> tuple[int, bool]:
    """How many contacts match, and whether that is all of them: counted to `CEILING`, or as far as one search goes."""
    tier = Tier(NEWEST[0], found.condition(viewer), found.drivers(viewer))
    ids, more = Scan(found.workspace.pk, [tier]).page(CEILING)
    return len(ids), more is None


def count_chats(found: Filter, viewer: User | None) -> tuple[int, bool]:
    """The same for chats."""
    ids, more = page_of_chats(
        workspace=found.workspace,
        condition=found.condition(viewer),
        along=found.along(viewer),
        limit=CEILING,
        patience=PATIENCE,
    )
    return len(ids), more is None
