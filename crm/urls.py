"""Addresses of the CRM below /api/v1/."""

from django.urls import path

from crm.views import contacts, imports, whatsapp_accounts

urlpatterns = [
    path("contacts/", contacts.ContactsView.as_view(), name="api-contacts"),
    path("contacts/<uuid:id>/", contacts.ContactView.as_view(), name="api-contact"),
    path("contacts/<uuid:id>/identities/", contacts.IdentitiesView.as_view(), name="api-contact-identities"),
    path(
        "contacts/<uuid:id>/identities/<uuid:identity_id>/",
        contacts.IdentityView.as_view(),
        name="api-contact-identity",
    ),
    path("whatsapp-accounts/", whatsapp_accounts.WhatsAppAccountsView.as_view(), name="api-whatsapp-accounts"),
    path("whatsapp-accounts/<uuid:id>/", whatsapp_accounts.WhatsAppAccountView.as_view(), name="api-whatsapp-account"),
    path("imports/", imports.ImportsView.as_view(), name="api-imports"),
    path("imports/<uuid:id>/", imports.ImportView.as_view(), name="api-import"),
    path("imports/<uuid:id>/rows/", imports.ImportRowsView.as_view(), name="api-import-rows"),
]
