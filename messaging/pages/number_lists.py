"""Lists of numbers in the browser: upload one, see how far it is, and what became of it."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actors
from accounts.models import Membership, Role
from accounts.page_access import member_page, refused_at, told
from messaging.models import NumberList
from messaging.models.suppression import MAX_NOTE
from messaging.services.number_lists import uploading
from messaging.services.number_lists.reading import MAX_LINES
from messaging.services.number_lists.refusals import refusal_file, refusals_of
from waplus.lib.api.pagination import PageRequest, Sort
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7

NEWEST = {"newest": Sort("id", descending=True, decode=UUID)}
BY_LINE = {"line": Sort("line", decode=int)}


class UploadForm(forms.Form):
    """A file with a number a line. The id is made with the form, so that sending it twice takes one list over."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    file = forms.FileField(
        label=gettext_lazy("File"),
        max_length=200,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=MAX_NOTE,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("Opted out in the old system")}),
        help_text=gettext_lazy("Kept with everybody on the list, as what their wish rests on."),
    )


def _list(membership: Membership, list_id: UUID) -> NumberList:
    found = NumberList.objects.for_workspace(membership.workspace).select_related("created_by")
    return get_object_or_404(found, pk=list_id)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def list_of_lists(request, membership):
    """The lists of the workspace, the newest first; a POST of an admin uploads one."""
    if request.method == "POST":
        if not membership.may(Role.ADMIN):
            raise PermissionDenied
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            with refused_at(form):
                row, _is_new = uploading.upload_list(
                    workspace=membership.workspace, actor=actors.person(request.user), **form.cleaned_data
                )
                return redirect("number-list", row.pk)
    else:
        form = UploadForm(initial={"id": uuid7()})
    try:
        page = PageRequest.of({"cursor": request.GET.get("cursor"), "limit": "30"}, NEWEST, "newest")
    except Refused:
        return redirect("number-lists")
    found = NumberList.objects.for_workspace(membership.workspace).select_related("created_by")
    rows, next_cursor = page.page(list(page.rows(found)))
    return render(
        request,
        "messaging/number_lists.html",
        {
            "form": form,
            "rows": rows,
            "next_cursor": next_cursor,
            "first_page": page.key is None,
            "most": MAX_LINES,
            "max_bytes": settings.MAX_NUMBER_LIST_BYTES,
            "megabytes": settings.MAX_NUMBER_LIST_BYTES // (1024 * 1024),
        },
    )


@require_safe
@member_page()
def number_list(request, membership, list_id):
    """How far a list is, and what became of its lines."""
    row = _list(membership, list_id)
    try:
        page = PageRequest.of({"cursor": request.GET.get("cursor"), "limit": "50"}, BY_LINE, "line")
    except Refused:
        return redirect("number-list", list_id)
    refusals, next_cursor = ([], None) if row.is_open else page.page(list(page.rows(refusals_of(row))))
    return render(request, "messaging/number_list.html", {"row": row, "refusals": refusals, "next_cursor": next_cursor})


@require_safe
@member_page()
def refused_lines(request, membership, list_id):
    """The refused lines as a file, each with its reason."""
    row = _list(membership, list_id)
    name = get_valid_filename(f"{row.file_name.rpartition('.')[0] or 'numbers'}-refused.csv")
    return StreamingHttpResponse(
        refusal_file(row),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_POST
@member_page(Role.ADMIN)
def stop_list(request, membership, list_id):
    """Leave the rest of a list."""
    with told(request, _("It is stopped. Whoever was added stays on the do-not-contact list.")):
        uploading.stop_list(workspace=membership.workspace, list_id=list_id, actor=actors.person(request.user))
    return redirect("number-list", list_id)
