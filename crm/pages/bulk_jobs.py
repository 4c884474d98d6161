"""Bulk actions as they run: the latest of them, the progress and the result of one, and stopping it."""

from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import actors
from accounts.page_access import member_page, told
from crm.models import BulkAction
from crm.pages.bulk_words import SHOWN, describe, outcome_page, whom_words
from crm.pages.filter_rows import subjects
from crm.services.bulk import starting
from waplus.lib.api.pagination import PageRequest, Sort
from waplus.lib.errors import Refused

NEWEST = {"newest": Sort("id", descending=True, decode=UUID)}


@require_safe
@member_page()
def bulk_list(request, membership):
    """The bulk actions of the workspace, the newest first."""
    try:
        page = PageRequest.of({"cursor": request.GET.get("cursor"), "limit": "30"}, NEWEST, "newest")
    except Refused:
        return redirect("bulk-actions")
    found = BulkAction.objects.for_workspace(membership.workspace).select_related("created_by")
    rows, next_cursor = page.page(list(page.rows(found)))
    known = subjects(membership.workspace)
    for row in describe(membership.workspace, rows):
        row.whom = whom_words(row.filter, known)
    return render(
        request, "crm/bulk_actions.html", {"rows": rows, "next_cursor": next_cursor, "first_page": page.key is None}
    )


@require_safe
@member_page()
def bulk_action(request, membership, action_id):
    """How far a bulk action is, and what it did."""
    found = BulkAction.objects.for_workspace(membership.workspace).select_related("created_by")
    row = get_object_or_404(found, pk=action_id)
    describe(membership.workspace, [row])
    row.whom = whom_words(row.filter, subjects(membership.workspace))
    return render(request, "crm/bulk_action.html", {"row": row, "outcome": outcome_page(row)})


@require_POST
@member_page()
def stop_bulk(request, membership, action_id):
    """Stop an action; what it has done stays done."""
    with told(request, _("It is stopped. What was done stays done.")):
        starting.stop_bulk_action(
            workspace=membership.workspace, action_id=action_id, actor=actors.person(request.user)
        )
    return redirect("bulk-action", action_id)


def _asked_ids(request: HttpRequest) -> list[UUID]:
    try:
        return [UUID(text) for text in request.GET.getlist("id")[:SHOWN]]
    except ValueError as error:
        raise Http404 from error


@require_safe
@member_page()
def strip(request, membership):
    """Some actions in a few words, for the strip above a list, which asks until they have ended."""
    found = BulkAction.objects.for_workspace(membership.workspace).filter(pk__in=_asked_ids(request)).order_by("-id")
    jobs = describe(membership.workspace, list(found))
    return render(request, "crm/parts/bulk_strip.html", {"jobs": jobs, "running": any(row.is_open for row in jobs)})
