"""The values that a contact has in the workspace's own fields: one form for all of them."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import actors
from accounts.page_access import member_page
from crm.pages.contact_page import contact_page, page_contact
from crm.pages.value_forms import ValuesForm
from crm.services import contacts
from waplus.lib.errors import NotFound, Refused


@require_POST
@member_page()
def set_values(request, membership, contact_id):
    """Change values of the contact: those that differ from what is there."""
    contact = page_contact(membership, contact_id)
    form = ValuesForm.of(contact, request.POST)
    if form.is_valid():
        try:
            contacts.update_contact(
                workspace=membership.workspace,
                contact_id=contact_id,
                actor=actors.person(request.user),
                fields=form.changed_values(),
            )
        except NotFound as error:
            raise Http404 from error
        except Refused as refusal:
            form.add_refusals(refusal)
        else:
            messages.success(request, _("The contact is saved."))
            return redirect("contact", contact_id)
    return contact_page(request, membership, contact, values_form=form)
