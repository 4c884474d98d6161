"""Addresses of the CRM below /api/v1/."""

from django.urls import path

from crm.views import chats, contacts, imports, merges, observations, reminders, whatsapp_accounts

urlpatterns = [
    path("contacts/", contacts.ContactsView.as_view(), name="api-contacts"),
    path("contacts/<uuid:id>/", contacts.ContactView.as_view(), name="api-contact"),
    path("contacts/<uuid:id>/identities/", contacts.IdentitiesView.as_view(), name="api-contact-identities"),
    path(
        "contacts/<uuid:id>/identities/<uuid:identity_id>/",
        contacts.IdentityView.as_view(),
        name="api-contact-identity",
    ),
    path("contacts/<uuid:id>/merge/", merges.ContactMergeView.as_view(), name="api-contact-merge"),
    path("contacts/<uuid:id>/merges/", merges.ContactMergesView.as_view(), name="api-contact-merges"),
    path("merges/<uuid:id>/undo/", merges.MergeUndoView.as_view(), name="api-merge-undo"),
    path("merge-suggestions/", merges.MergeSuggestionsView.as_view(), name="api-merge-suggestions"),
    path(
        "merge-suggestions/<uuid:id>/dismiss/",
        merges.MergeSuggestionDismissView.as_view(),
        name="api-merge-suggestion-dismiss",
    ),
    path(
        "merge-suggestions/<uuid:id>/accept/",
        merges.MergeSuggestionAcceptView.as_view(),
        name="api-merge-suggestion-accept",
    ),
    path("observations/", observations.ObservationsView.as_view(), name="api-observations"),
    path("chats/", chats.ChatsView.as_view(), name="api-chats"),
    path("chats/<uuid:id>/", chats.ChatView.as_view(), name="api-chat"),
    path("chats/<uuid:id>/members/", chats.ChatMembersView.as_view(), name="api-chat-members"),
    path("whatsapp-accounts/", whatsapp_accounts.WhatsAppAccountsView.as_view(), name="api-whatsapp-accounts"),
    path("whatsapp-accounts/<uuid:id>/", whatsapp_accounts.WhatsAppAccountView.as_view(), name="api-whatsapp-account"),
    path("reminders/", reminders.RemindersView.as_view(), name="api-reminders"),
    path("reminders/<uuid:id>/", reminders.ReminderView.as_view(), name="api-reminder"),
    path("reminders/<uuid:id>/snooze/", reminders.SnoozeView.as_view(), name="api-reminder-snooze"),
    path("reminders/<uuid:id>/done/", reminders.DoneView.as_view(), name="api-reminder-done"),
    path("reminders/<uuid:id>/reopen/", reminders.ReopenView.as_view(), name="api-reminder-reopen"),
    path("reminders/<uuid:id>/deliver/", reminders.DeliverView.as_view(), name="api-reminder-deliver"),
    path("imports/", imports.ImportsView.as_view(), name="api-imports"),
    path("imports/<uuid:id>/", imports.ImportView.as_view(), name="api-import"),
    path("imports/<uuid:id>/rows/", imports.ImportRowsView.as_view(), name="api-import-rows"),
    path("imports/<uuid:id>/preview/", imports.ImportPreviewView.as_view(), name="api-import-preview"),
    path("imports/<uuid:id>/preview/rows/", imports.ImportPreviewRowsView.as_view(), name="api-import-preview-rows"),
    path("imports/<uuid:id>/start/", imports.ImportStartView.as_view(), name="api-import-start"),
    path("imports/<uuid:id>/undo/", imports.ImportUndoView.as_view(), name="api-import-undo"),
    path("imports/<uuid:id>/result/", imports.ImportResultView.as_view(), name="api-import-result"),
]
