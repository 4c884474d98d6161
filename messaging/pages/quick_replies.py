"""Quick replies in the browser: the list by folder, its order, folders, and files of them."""

from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actors
from accounts.models import Membership
from accounts.page_access import member_page, refused_at, told
from crm.pages.ordering import moved
from crm.services.naming import MAX_NAME
from messaging.services.quick_replies import changes, files, folders, lists, using
from waplus.lib.errors import Refused

# How many are shown; whoever has more finds them by searching.
SHOWN = 200


class FolderForm(forms.Form):
    """A folder's name."""

    name = forms.CharField(
        label=gettext_lazy("Name of the folder"), max_length=MAX_NAME, widget=forms.TextInput({"autocomplete": "off"})
    )


class ImportForm(forms.Form):
    """A file of quick replies."""

    file = forms.FileField(
        label=gettext_lazy("File"), widget=forms.FileInput(attrs={"accept": ".json,.csv,application/json,text/csv"})
    )


def _folder(request) -> UUID | str | None:
    """The folder that the address names: an id, `none`, or None for all."""
    named = request.GET.get("folder", "")
    if named in ("", "none"):
        return named or None
    try:
        return UUID(named)
    except ValueError as error:
        raise Http404 from error


def _address(**query) -> str:
    return f"{reverse('quick-replies')}?{urlencode({name: value for name, value in query.items() if value})}"


def _page(request, membership: Membership, folder_form=None, editing: dict[UUID, FolderForm] | None = None):
    everything = folders.folders_in_order(workspace=membership.workspace)
    query, chosen = request.GET.get("q", "")[:200], _folder(request)
    found = lists.found_replies(workspace=membership.workspace, user=request.user, query=query, folder=chosen)
    rows = list(found.select_related("folder").order_by("position", "id")[: SHOWN + 1])
    using.note_problems(membership.workspace, rows)
    for row in rows:
        row.first_text = next((part["body"] for part in row.contents[0]["parts"] if part["body"]), "")
        row.part_count = len(row.contents[0]["parts"])
        row.languages = [text["language"] for text in row.contents]
    counts = lists.count_by_folder(workspace=membership.workspace, user=request.user)
    for folder in everything:
        folder.count, folder.is_open = counts.get(folder.pk, 0), folder.pk == chosen
        folder.address = _address(folder=folder.pk, q=query)
        folder.form = (editing or {}).get(folder.pk) or FolderForm(
            initial={"name": folder.name}, auto_id=f"folder-{folder.pk}-%s"
        )
    context = {
        "replies": rows[:SHOWN],
        "more": len(rows) > SHOWN,
        "folders": everything,
        "loose": counts.get(None, 0),
        "total": sum(counts.values()),
        "query": query,
        "chosen": chosen,
        "all_address": _address(q=query),
        "loose_address": _address(folder="none", q=query),
        "folder_form": folder_form or FolderForm(auto_id="new-folder-%s"),
    }
    return render(request, "messaging/quick_replies.html", context)


@require_safe
@member_page()
def quick_replies(request, membership):
    """The team's quick replies and one's own."""
    return _page(request, membership)


@require_POST
@member_page()
def move_reply(request, membership, reply_id, direction):
    """Change places with the reply that is shown before or behind it."""
    user, folder = request.user, _folder(request)
    seen = changes.visible_replies(workspace=membership.workspace, user=user).order_by("position", "id")
    order = list(seen.values_list("pk", flat=True))
    shown = lists.found_replies(workspace=membership.workspace, user=user, folder=folder).order_by("position", "id")
    before = list(shown.values_list("pk", flat=True))
    after = moved(before, reply_id, direction)
    other = next((one for one, now in zip(before, after, strict=True) if one != now and one != reply_id), reply_id)
    one, two = order.index(reply_id), order.index(other)
    order[one], order[two] = order[two], order[one]
    with told(request):
        changes.reorder_replies(workspace=membership.workspace, user=user, actor=actors.person(request.user), ids=order)
    return redirect(_address(folder=folder or ""))


@require_POST
@member_page()
def delete_reply(request, membership, reply_id):
    """Delete a quick reply with all its texts."""
    with told(request, _("The quick reply is deleted.")):
        changes.delete_reply(
            workspace=membership.workspace, user=request.user, reply_id=reply_id, actor=actors.person(request.user)
        )
    return redirect("quick-replies")


@require_POST
@member_page()
def create_folder(request, membership):
    """Make a folder."""
    form = FolderForm(request.POST, auto_id="new-folder-%s")
    if form.is_valid():
        with refused_at(form):
            folder, is_new = folders.create_folder(
                workspace=membership.workspace, actor=actors.person(request.user), **form.cleaned_data
            )
            sentence = _("The folder “%(name)s” is there.") if is_new else _("There is a folder “%(name)s” already.")
            messages.success(request, sentence % {"name": folder.name})
            return redirect("quick-replies")
    return _page(request, membership, folder_form=form)


@require_POST
@member_page()
def rename_folder(request, membership, folder_id):
    """Give a folder another name."""
    form = FolderForm(request.POST, auto_id=f"folder-{folder_id}-%s")
    if form.is_valid():
        with refused_at(form):
            folders.rename_folder(
                workspace=membership.workspace,
                folder_id=folder_id,
                actor=actors.person(request.user),
                **form.cleaned_data,
            )
            messages.success(request, _("The folder is saved."))
            return redirect("quick-replies")
    return _page(request, membership, editing={folder_id: form})


@require_POST
@member_page()
def move_folder(request, membership, folder_id, direction):
    """Move a folder one place up or down."""
    order = [folder.pk for folder in folders.folders_in_order(workspace=membership.workspace)]
    ids = moved(order, folder_id, direction)
    with told(request):
        folders.reorder_folders(workspace=membership.workspace, actor=actors.person(request.user), ids=ids)
    return redirect("quick-replies")


@require_POST
@member_page()
def delete_folder(request, membership, folder_id):
    """Delete a folder; what was in it stays."""
    with told(request, _("The folder is deleted. What was in it is in no folder now.")):
        folders.delete_folder(workspace=membership.workspace, folder_id=folder_id, actor=actors.person(request.user))
    return redirect("quick-replies")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def import_replies(request, membership):
    """Take quick replies from a file, and say of each that was not taken why."""
    form = ImportForm(request.POST or None, request.FILES or None)
    done = None
    if request.method == "POST" and form.is_valid():
        try:
            done = files.import_replies(
                workspace=membership.workspace,
                user=request.user,
                actor=actors.person(request.user),
                file=form.cleaned_data["file"],
            )
        except Refused as refusal:
            form.add_error("file", refusal.detail)
    context = {"form": form, "done": done, "titles": files.TITLES, "most": files.MAX_ROWS}
    return render(request, "messaging/quick_replies_import.html", context)


@require_POST
@member_page()
def export_replies(request, membership):
    """All that one sees as a file. That it was taken is told in the activity."""
    form = request.POST.get("format", "")
    if form not in files.FORMATS:
        messages.error(request, _("Choose JSON or CSV."))
        return redirect("quick-replies")
    exported = files.export_replies(
        workspace=membership.workspace, user=request.user, actor=actors.person(request.user), format=form
    )
    if exported.left_out:
        sentence = ngettext(
            "%(count)s quick reply with files, several parts or languages is not in the CSV. JSON has everything.",
            "%(count)s quick replies with files, several parts or languages are not in the CSV. JSON has everything.",
            exported.left_out,
        )
        messages.warning(request, sentence % {"count": exported.left_out})
    return HttpResponse(exported.content, content_type=files.FORMATS[form], headers=exported.headers)
