"""Addresses of the contacts workspace in the browser."""

from django.urls import path

from crm.pages import contact_details, contact_list, imports, merging

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
    path("contacts/<uuid:contact_id>/merge/", merging.find_other, name="find-other"),
    path("contacts/<uuid:contact_id>/merge/<uuid:other_id>/", merging.merge, name="merge"),
    path("merges/<uuid:merge_id>/undo/", merging.undo, name="undo-merge"),
    path("duplicates/", merging.suggestion_list, name="merge-suggestions"),
    path("duplicates/<uuid:suggestion_id>/accept/", merging.accept_suggestion, name="accept-suggestion"),
    path("duplicates/<uuid:suggestion_id>/dismiss/", merging.dismiss_suggestion, name="dismiss-suggestion"),
    path("imports/", imports.import_list, name="imports"),
    path("imports/new/", imports.new_import, name="new-import"),
    path("imports/<uuid:batch_id>/", imports.import_page, name="import"),
    path("imports/<uuid:batch_id>/columns/", imports.change_import, name="change-import"),
    path("imports/<uuid:batch_id>/start/", imports.start_import, name="start-import"),
    path("imports/<uuid:batch_id>/cancel/", imports.cancel_import, name="cancel-import"),
    path("imports/<uuid:batch_id>/undo/", imports.undo_import, name="undo-import"),
    path("imports/<uuid:batch_id>/refused.csv", imports.import_refusals, name="import-refusals"),
]
