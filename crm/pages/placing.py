"""Where a contact stands: its stage, its owner, its tags. Small forms in the head of its page."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import actors
from accounts.models import Membership
from accounts.page_access import member_page, told
from crm.pages.contact_page import page_contact
from crm.services import contacts, tags


class ChoiceForm(forms.Form):
    """One of the workspace's rows, or none."""

    chosen = forms.UUIDField(required=False)


class TagNameForm(forms.Form):
    """The name of a tag, old or new."""

    name = forms.CharField(max_length=80)


def _place(request, membership: Membership, contact_id: UUID, name: str):
    form = ChoiceForm(request.POST)
    if form.is_valid():
        with told(request, _("Saved.")):
            contacts.update_contact(
                workspace=membership.workspace,
                contact_id=contact_id,
                actor=actors.person(request.user),
                **{name: form.cleaned_data["chosen"]},
            )
    else:
        messages.error(request, _("Choose one of the list."))
    return redirect("contact", contact_id)


@require_POST
@member_page()
def set_stage(request, membership, contact_id):
    """Move the contact to a stage, or to none."""
    return _place(request, membership, contact_id, "stage")


@require_POST
@member_page()
def set_owner(request, membership, contact_id):
    """Give the contact to a member, or to nobody."""
    return _place(request, membership, contact_id, "owner")


@require_POST
@member_page()
def add_tag(request, membership, contact_id):
    """Put a tag on the contact by its name; a name that no tag has makes one."""
    contact = page_contact(membership, contact_id)
    form = TagNameForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Write the name of a tag, of at most 80 characters."))
        return redirect("contact", contact_id)
    actor = actors.person(request.user)
    with told(request):
        tag, _is_new = tags.create_tag(workspace=membership.workspace, actor=actor, name=form.cleaned_data["name"])
        tags.tag_contact(workspace=membership.workspace, contact_id=contact.pk, tag_id=tag.pk, actor=actor)
    return redirect("contact", contact_id)


@require_POST
@member_page()
def remove_tag(request, membership, contact_id, tag_id):
    """Take a tag off the contact."""
    with told(request):
        tags.untag_contact(
            workspace=membership.workspace, contact_id=contact_id, tag_id=tag_id, actor=actors.person(request.user)
        )
    return redirect("contact", contact_id)
