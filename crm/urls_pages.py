"""Addresses of the contacts workspace in the browser."""

from django.urls import path

from crm.pages import contact_details, contact_list

urlpatterns = [
    path("contacts/", contact_list.contact_list, name="contacts"),
    path("contacts/new/", contact_details.new_contact, name="new-contact"),
    path("contacts/<uuid:contact_id>/", contact_details.contact, name="contact"),
    path("contacts/<uuid:contact_id>/edit/", contact_details.edit_contact, name="edit-contact"),
    path("contacts/<uuid:contact_id>/numbers/", contact_details.add_number, name="add-number"),
    path(
        "contacts/<uuid:contact_id>/numbers/<uuid:identity_id>/remove/",
        contact_details.remove_number,
        name="remove-number",
    ),
    path("contacts/<uuid:contact_id>/delete/", contact_details.delete_contact, name="delete-contact"),
]
