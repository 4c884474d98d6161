"""The tags of a workspace: made, renamed, coloured, ordered, deleted."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actors
from accounts.models import Membership
from accounts.page_access import member_page, refused_at, told
from crm.pages.colours import ColourField
from crm.pages.ordering import moved
from crm.services import tags
from crm.services.wearers import count_wearers
from waplus.lib.ids import uuid7


class TagForm(forms.Form):
    """A tag's name and colour."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    colour = ColourField()


class NewTagForm(TagForm):
    """A new tag. The id is made with the form, so that sending it twice makes one tag."""

    id = forms.UUIDField(widget=forms.HiddenInput)


class DeleteTagForm(forms.Form):
    """What becomes of the contacts that wear the tag."""

    into = forms.UUIDField(required=False)


def _page(request, membership: Membership, new_form=None, refused: dict[UUID, TagForm] | None = None):
    rows = tags.tags_in_order(workspace=membership.workspace)
    worn = count_wearers(workspace=membership.workspace, tag_ids=[tag.pk for tag in rows])
    for tag in rows:
        tag.worn = worn[tag.pk]
        tag.form = (refused or {}).get(tag.pk) or TagForm(
            initial={"name": tag.name, "colour": tag.colour}, auto_id=f"tag-{tag.pk}-%s"
        )
    return render(request, "crm/tags.html", {"tags": rows, "form": new_form or NewTagForm(initial={"id": uuid7()})})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def tag_list(request, membership):
    """All tags; a POST makes one."""
    if request.method != "POST":
        return _page(request, membership)
    form = NewTagForm(request.POST)
    if form.is_valid():
        with refused_at(form):
            tag, is_new = tags.create_tag(
                workspace=membership.workspace, actor=actors.person(request.user), **form.cleaned_data
            )
            if is_new or tag.pk == form.cleaned_data["id"]:
                messages.success(request, _("The tag “%(name)s” is there.") % {"name": tag.name})
            else:
                messages.warning(request, _("There is a tag “%(name)s” already.") % {"name": tag.name})
            return redirect("tags")
    return _page(request, membership, new_form=form)


@require_POST
@member_page()
def edit_tag(request, membership, tag_id):
    """Rename a tag or give it another colour."""
    form = TagForm(request.POST, auto_id=f"tag-{tag_id}-%s")
    if form.is_valid():
        with refused_at(form):
            tags.update_tag(
                workspace=membership.workspace, tag_id=tag_id, actor=actors.person(request.user), **form.cleaned_data
            )
            messages.success(request, _("The tag is saved."))
            return redirect("tags")
    return _page(request, membership, refused={tag_id: form})


@require_POST
@member_page()
def move_tag(request, membership, tag_id, direction):
    """Move a tag one place up or down."""
    order = [tag.pk for tag in tags.tags_in_order(workspace=membership.workspace)]
    ids = moved(order, tag_id, direction)
    with told(request):
        tags.reorder_tags(workspace=membership.workspace, actor=actors.person(request.user), ids=ids)
    return redirect("tags")


@require_POST
@member_page()
def delete_tag(request, membership, tag_id):
    """Delete a tag; its contacts lose it, or wear another one instead."""
    form = DeleteTagForm(request.POST)
    into = form.cleaned_data["into"] if form.is_valid() else None
    with told(request):
        worn = tags.delete_tag(
            workspace=membership.workspace, tag_id=tag_id, actor=actors.person(request.user), into=into
        )
        sentence = ngettext(
            "The tag is deleted. %(count)s contact wore it.", "The tag is deleted. %(count)s contacts wore it.", worn
        )
        messages.success(request, sentence % {"count": worn})
    return redirect("tags")
