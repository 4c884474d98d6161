"""One contact: what is known of it, and its numbers."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actors
from accounts.models import Membership
from accounts.page_access import member_page, refused_at, told
from crm.models import Contact, MergeSuggestion
from crm.models.identities import IdentityKind, IdentitySource
from crm.services import contacts
from crm.services.suggestions import open_suggestions
from waplus.lib.errors import NotFound
from waplus.lib.ids import uuid7


def page_contact(membership: Membership, contact_id: UUID) -> Contact:
    """The contact of a page's address; what is not theirs, in the bin or merged away is not found."""
    try:
        return contacts.contact_of(workspace=membership.workspace, contact_id=contact_id)
    except NotFound as error:
        raise Http404 from error


class DetailsForm(forms.Form):
    """The contact's own fields."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    company = forms.CharField(
        label=gettext_lazy("Company"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class NewContactForm(DetailsForm):
    """A new contact. The id is made with the form, so that sending it twice makes one contact."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    number = forms.CharField(
        label=gettext_lazy("Phone number"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "placeholder": "+55 11 98765-4321"}),
    )
    field_order = ("id", "name", "number", "company", "email")

    def clean_id(self) -> UUID:
        value = self.cleaned_data["id"]
        return value if value.version == 7 else uuid7()


class NumberForm(forms.Form):
    """A number to add to a contact."""

    value = forms.CharField(
        label=gettext_lazy("Phone number"),
        max_length=100,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "placeholder": "+55 11 98765-4321"}),
    )


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


def _suggested(contact: Contact) -> list[MergeSuggestion]:
    """Who else may be this person: suggestions with the other one of the two as `twin`."""
    found = open_suggestions(contact.workspace).filter(Q(one=contact) | Q(other=contact))
    rows = list(found.prefetch_related("one__identities", "other__identities").order_by("-id")[:5])
    for suggestion in rows:
        suggestion.twin = suggestion.other if suggestion.one_id == contact.pk else suggestion.one
    return rows


def contact_page(request, membership: Membership, contact: Contact, **forms_shown):
    """The page of a contact; a refused form is passed by its name and shown again with its errors."""
    initial = {name: getattr(contact, name) for name in DetailsForm.base_fields}
    return render(
        request,
        "crm/contact.html",
        {
            "contact": contact,
            "identities": contact.identities.order_by("id"),
            "details_form": DetailsForm(initial=initial),
            "number_form": NumberForm(),
            "suggested": _suggested(contact),
            "merges": contact.merges_kept.filter(undone_at=None)
            .select_related("absorbed", "merged_by")
            .order_by("-id"),
            **forms_shown,
        },
    )


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
    with told(request, _("The contact is deleted.")):
        contacts.delete_contact(
            workspace=membership.workspace, contact_id=contact_id, actor=actors.person(request.user)
        )
    return redirect("contacts")
