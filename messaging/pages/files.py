"""The files of a workspace in the browser: what there is, what carries it, how much room is left."""

from uuid import UUID

from django import forms
from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actors
from accounts.models import Plan, Resource
from accounts.page_access import member_page, told
from accounts.services import plans
from messaging.models import MediaFile
from messaging.services.media import deletion, keeping
from messaging.services.media.links import file_url, thumbnail_url
from waplus.lib.api.pagination import PageRequest, Sort
from waplus.lib.errors import Refused

PAGE = 60
_SORTS = {"-id": Sort("id", descending=True, decode=UUID)}


class FileForm(forms.Form):
    """One file."""

    file = forms.FileField(allow_empty_file=True)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def files(request, membership):
    """The newest files; a POST keeps one. The script of the page asks for JSON and shows how far each is."""
    if request.method == "POST":
        return _upload(request, membership.workspace)
    workspace = membership.workspace
    page = PageRequest.of({"cursor": request.GET.get("cursor"), "limit": str(PAGE)}, _SORTS, "-id")
    rows, following = page.page(list(page.rows(MediaFile.objects.for_workspace(workspace))))
    uses = dict(deletion.with_uses(MediaFile.objects.filter(pk__in=[row.pk for row in rows])).values_list("pk", "uses"))
    for row in rows:
        row.uses, row.link, row.small = uses.get(row.pk, 0), file_url(row), thumbnail_url(row)
    context = {
        "rows": rows,
        "following": following,
        "used": plans.used_of(workspace=workspace, resource=Resource.MEDIA_BYTES),
        "plan": Plan.objects.get(workspaces=workspace.pk),
    }
    return render(request, "messaging/files.html", context)


def _upload(request, workspace):
    form = FileForm(request.POST, request.FILES)
    problem, media = _("Choose a file."), None
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            media, _is_new = keeping.keep_file(
                workspace=workspace,
                user=request.user,
                actor=actors.person(request.user),
                file=file.file,
                name=file.name,
            )
        except Refused as refusal:
            problem = refusal.detail
    if request.headers.get("Accept", "").startswith("application/json"):
        if media:
            return JsonResponse({"name": media.name, "size": filesizeformat(media.size)})
        return JsonResponse({"problem": problem}, status=422)
    with told(request, _("The file is here.")):
        if media is None:
            raise Refused("media_type_refused", problem)
    return redirect("files")


@require_POST
@member_page()
def delete_file(request, membership, media_id: UUID):
    """Delete a file that nothing carries."""
    with told(request, _("The file is deleted.")):
        deletion.delete_file(workspace=membership.workspace, actor=actors.person(request.user), media_id=media_id)
    return redirect("files")
