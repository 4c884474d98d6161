"""The contacts that the list shows, as a file."""

from django.contrib import messages
from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import actors
from accounts.models import Membership
from accounts.page_access import member_page
from crm.filters import Filter, contacts_matching
from crm.pages.contact_list import asked_state
from crm.pages.list_pages import found_by
from crm.services import exports
from waplus.lib.errors import Refused


@require_POST
@member_page()
def export_contacts(request, membership):
    """A file of what the search and the filter of the address find, sent while it is made. It is told of in the activity."""
    state = asked_state(request, membership)
    form = request.POST.get("format", "")
    if form not in exports.FORMATS:
        messages.error(request, _("Choose CSV or Excel."))
        return redirect("contacts")
    try:
        found = found_by(membership, state, with_query=True)
    except Refused as refusal:
        messages.error(request, refusal.detail)
        return redirect("contacts")
    return file_of(request, membership, found, form)


def file_of(request: HttpRequest, membership: Membership, found: Filter, format: str) -> StreamingHttpResponse:
    """The contacts that match, as a file by name; `format` is a key of `exports.FORMATS`."""
    contacts = contacts_matching(membership.workspace, found, viewer=membership.user)
    pieces = exports.export_contacts(
        workspace=membership.workspace,
        actor=actors.person(request.user),
        contacts=contacts.order_by("sort_name", "id"),
        format=format,
    )
    name = f"contacts-{timezone.localdate():%Y-%m-%d}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(pieces, content_type=exports.FORMATS[format], headers=headers)
