"""Addresses of messaging outside of the API: its pages, and files behind signed links."""

from django.urls import path

from messaging.pages import conversation, conversations, quick_replies, quick_reply_editor, scheduled, shared, shares
from messaging.views import downloads

urlpatterns = [
    path("media/<str:signed>/", downloads.media, name="media"),
    path("messages/scheduled/", scheduled.scheduled_calendar, name="scheduled"),
    path("messages/scheduled/new/", scheduled.new_scheduled, name="new-scheduled"),
    path("messages/scheduled/recipients/", scheduled.find_recipients, name="find-recipients"),
    path("messages/scheduled/<uuid:message_id>/", scheduled.scheduled_message, name="scheduled-message"),
    path("messages/scheduled/<uuid:message_id>/cancel/", scheduled.cancel_scheduled, name="cancel-scheduled"),
    path("messages/scheduled/<uuid:message_id>/pause/", scheduled.pause_scheduled, name="pause-scheduled"),
    path("messages/scheduled/<uuid:message_id>/resume/", scheduled.resume_scheduled, name="resume-scheduled"),
    path("messages/scheduled/<uuid:message_id>/skip/", scheduled.skip_scheduled, name="skip-scheduled"),
    path("messages/quick-replies/", quick_replies.quick_replies, name="quick-replies"),
    path("messages/quick-replies/new/", quick_reply_editor.new_reply, name="new-quick-reply"),
    path("messages/quick-replies/preview/", quick_reply_editor.preview_reply, name="preview-quick-reply"),
    path("messages/quick-replies/import/", quick_replies.import_replies, name="import-quick-replies"),
    path("messages/quick-replies/export/", quick_replies.export_replies, name="export-quick-replies"),
    path("messages/quick-replies/<uuid:reply_id>/", quick_reply_editor.edit_reply, name="quick-reply"),
    path("messages/quick-replies/<uuid:reply_id>/delete/", quick_replies.delete_reply, name="delete-quick-reply"),
    path(
        "messages/quick-replies/<uuid:reply_id>/<direction:direction>/",
        quick_replies.move_reply,
        name="move-quick-reply",
    ),
    path("messages/quick-replies/folders/", quick_replies.create_folder, name="create-reply-folder"),
    path("messages/quick-replies/folders/<uuid:folder_id>/", quick_replies.rename_folder, name="rename-reply-folder"),
    path(
        "messages/quick-replies/folders/<uuid:folder_id>/delete/",
        quick_replies.delete_folder,
        name="delete-reply-folder",
    ),
    path(
        "messages/quick-replies/folders/<uuid:folder_id>/<direction:direction>/",
        quick_replies.move_folder,
        name="move-reply-folder",
    ),
    path("messages/conversations/", conversations.conversations, name="conversations"),
    path("messages/conversations/synced/", conversations.synced_chats, name="synced-chats"),
    path(
        "messages/conversations/rules/<uuid:rule_id>/change/",
        conversations.change_rule,
        name="change-conversation-rule",
    ),
    path(
        "messages/conversations/rules/<uuid:rule_id>/remove/",
        conversations.remove_rule,
        name="remove-conversation-rule",
    ),
    path("messages/conversations/<uuid:chat_id>/", conversation.conversation, name="conversation"),
    path("messages/conversations/<uuid:chat_id>/switch/", conversation.switch_conversation, name="switch-conversation"),
    path("s/<str:token>/", shared.shared, name="shared"),
    path("messages/shares/", shares.shares, name="shares"),
    path("messages/shares/new/<uuid:chat_id>/", shares.new_share, name="new-share"),
    path("messages/shares/<uuid:share_id>/revoke/", shares.revoke_share, name="revoke-share"),
]
