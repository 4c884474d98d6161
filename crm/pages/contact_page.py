"""The page of a contact, which many small forms change a part of and show again."""

from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import Membership
from crm.models import Contact, MergeSuggestion
from crm.pages.contact_forms import DetailsForm, NumberForm
from crm.pages.members import active_members
from crm.pages.value_forms import ValuesForm
from crm.services import contacts
from crm.services.stages import stages_in_order
from crm.services.suggestions import open_suggestions
from crm.services.tags import tags_in_order
from waplus.lib.errors import NotFound


def page_contact(membership: Membership, contact_id: UUID) -> Contact:
    """The contact of a page's address; what is not theirs, in the bin or merged away is not found."""
    try:
        return contacts.contact_of(workspace=membership.workspace, contact_id=contact_id)
    except NotFound as error:
        raise Http404 from error


def _suggested(contact: Contact) -> list[MergeSuggestion]:
    """Who else may be this person: suggestions with the other one of the two as `twin`."""
    found = open_suggestions(contact.workspace).filter(Q(one=contact) | Q(other=contact))
    rows = list(found.prefetch_related("one__identities", "other__identities").order_by("-id")[:5])
    for suggestion in rows:
        suggestion.twin = suggestion.other if suggestion.one_id == contact.pk else suggestion.one
    return rows


def contact_page(request: HttpRequest, membership: Membership, contact: Contact, **forms_shown) -> HttpResponse:
    """The page of a contact; a refused form is passed by its name and shown again with its errors."""
    initial = {name: getattr(contact, name) for name in DetailsForm.base_fields}
    members = active_members(membership.workspace)
    return render(
        request,
        "crm/contact.html",
        {
            "contact": contact,
            "identities": contact.identities.order_by("id"),
            "details_form": DetailsForm(initial=initial),
            "number_form": NumberForm(),
            "stages": stages_in_order(workspace=membership.workspace),
            "members": members,
            "worn_tags": contact.contact_tags.select_related("tag").order_by("tag__position", "tag__id"),
            "all_tags": tags_in_order(workspace=membership.workspace),
            "values_form": ValuesForm.of(contact),
            "suggested": _suggested(contact),
            "merges": contact.merges_kept.filter(undone_at=None)
            .select_related("absorbed", "merged_by")
            .order_by("-id"),
            **forms_shown,
        },
    )
