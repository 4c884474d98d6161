"""One contact: what is known of it, and its numbers."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actors
from accounts.page_access import member_page, refused_at, told
from crm.models.identities import IdentityKind, IdentitySource
from crm.pages.contact_forms import DetailsForm, NewContactForm, NumberForm
from crm.pages.contact_page import contact_page, page_contact
from crm.services import bin, contacts
from waplus.lib.ids import uuid7


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def new_contact(request, membership):
    """Add a contact by hand."""
    form = NewContactForm(request.POST if request.method == "POST" else None, initial={"id": uuid7()})
    if form.is_valid():
        values = dict(form.cleaned_data)
        number = values.pop("number")
        with refused_at(form, identities="number"):
            contact, _is_new = contacts.create_contact(
                workspace=membership.workspace,
                actor=actors.person(request.user),
                source=IdentitySource.PERSON,
                identities=[{"kind": IdentityKind.PHONE, "value": number}] if number else [],
                **values,
            )
            messages.success(request, _("The contact is added."))
            return redirect("contact", contact.pk)
        if form.refusal.code == "id_taken":
            form.data = {**form.data.dict(), "id": uuid7()}
    return render(request, "crm/new_contact.html", {"form": form})


@require_safe
@member_page()
def contact(request, membership, contact_id):
    """Everything about one contact."""
    return contact_page(request, membership, page_contact(membership, contact_id))


@require_POST
@member_page()
def edit_contact(request, membership, contact_id):
    """Change the contact's own fields."""
    form = DetailsForm(request.POST)
    if form.is_valid():
        with refused_at(form):
            contacts.update_contact(
                workspace=membership.workspace,
                contact_id=contact_id,
                actor=actors.person(request.user),
                **form.cleaned_data,
            )
            messages.success(request, _("The contact is saved."))
            return redirect("contact", contact_id)
    return contact_page(request, membership, page_contact(membership, contact_id), details_form=form)


@require_POST
@member_page()
def add_number(request, membership, contact_id):
    """Add a number to the contact."""
    form = NumberForm(request.POST)
    if form.is_valid():
        with refused_at(form, identities="value"):
            contacts.add_identity(
                workspace=membership.workspace,
                contact_id=contact_id,
                actor=actors.person(request.user),
                source=IdentitySource.PERSON,
                kind=IdentityKind.PHONE,
                value=form.cleaned_data["value"],
            )
            messages.success(request, _("The number is added."))
            return redirect("contact", contact_id)
    return contact_page(request, membership, page_contact(membership, contact_id), number_form=form)


@require_POST
@member_page()
def remove_number(request, membership, contact_id, identity_id):
    """Take an identity off the contact."""
    with told(request, _("It no longer belongs to this contact.")):
        contacts.remove_identity(
            workspace=membership.workspace,
            contact_id=contact_id,
            identity_id=identity_id,
            actor=actors.person(request.user),
        )
    return redirect("contact", contact_id)


@require_POST
@member_page()
def delete_contact(request, membership, contact_id):
    """Put the contact away."""
    with told(request, _("The contact is in the bin.")):
        bin.delete_contact(workspace=membership.workspace, contact_id=contact_id, actor=actors.person(request.user))
    return redirect("contacts")
