"""The bin: contacts that were put away, to be taken back or deleted for good."""

from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import actors
from accounts.page_access import member_page, told
from crm.models import BulkKind, Contact, Note
from crm.pages.selection import ticked_contacts
from crm.services import bin, notes
from crm.services.bulk import starting
from waplus.lib.api.pagination import PageRequest, Sort, moment
from waplus.lib.errors import Refused

LATEST = {"latest": Sort("deleted_at", descending=True, decode=moment)}


@require_safe
@member_page()
def bin_page(request, membership):
    """What was put away, the latest first."""
    try:
        page = PageRequest.of({"cursor": request.GET.get("cursor"), "limit": "50"}, LATEST, "latest")
    except Refused:
        return redirect("bin")
    away = Contact.objects.for_workspace(membership.workspace).filter(deleted_at__isnull=False, merged_into=None)
    rows, next_cursor = page.page(list(page.rows(away.prefetch_related("identities"))))
    put_away = Note.objects.for_workspace(membership.workspace).filter(
        deleted_at__isnull=False, contact__deleted_at=None, contact__merged_into=None
    )
    return render(
        request,
        "crm/bin.html",
        {
            "contacts": rows,
            "notes": put_away.select_related("contact", "author").order_by("-deleted_at", "-id")[:50],
            "next_cursor": next_cursor,
            "first_page": page.key is None,
            "days": settings.BIN_DAYS,
        },
    )


@require_POST
@member_page()
def restore_contact(request, membership, contact_id):
    """Take a contact back."""
    with told(request):
        bin.restore_contact(workspace=membership.workspace, contact_id=contact_id, actor=actors.person(request.user))
        messages.success(request, _("The contact is back."))
        return redirect("contact", contact_id)
    return redirect("bin")


@require_POST
@member_page()
def restore_selected(request, membership):
    """Take the contacts back that were ticked; the bulk action says how many it could not."""
    selected = ticked_contacts(request)
    if not selected:
        messages.error(request, _("Select some contacts first."))
        return redirect("bin")
    with told(request):
        row, _is_new = starting.start_bulk_action(
            workspace=membership.workspace,
            user=request.user,
            actor=actors.person(request.user),
            action=BulkKind.RESTORE,
            ids=selected,
        )
        return redirect("bulk-action", row.pk)
    return redirect("bin")


@require_POST
@member_page()
def purge_contact(request, membership, contact_id):
    """Delete a contact for good."""
    with told(request, _("The contact is deleted for good.")):
        bin.purge_contact(workspace=membership.workspace, contact_id=contact_id, actor=actors.person(request.user))
    return redirect("bin")


@require_POST
@member_page()
def restore_note(request, membership, note_id):
    """Take a note back."""
    with told(request, _("The note is back.")):
        notes.restore_note(workspace=membership.workspace, note_id=note_id, actor=actors.person(request.user))
    return redirect("bin")
