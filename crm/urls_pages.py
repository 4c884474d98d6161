"""Addresses of the contacts workspace in the browser."""

from django.urls import path, register_converter

from crm.pages import (
    avatars,
    bin,
    bulk_jobs,
    chat_list,
    chat_names,
    contact_details,
    contact_list,
    exports,
    fields,
    imports,
    merging,
    notes,
    placing,
    reminders,
    selection,
    stages,
    tabs,
    tags,
    timeline,
    values,
)


class Direction:
    """One place up or down in an order."""

    regex = "up|down"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class Target:
    """What a tab lists."""

    regex = "contacts|chats"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Direction, "direction")
register_converter(Target, "target")

urlpatterns = [
    path("avatars/<uuid:avatar_id>/", avatars.avatar, name="avatar"),
    path("contacts/", contact_list.contact_list, name="contacts"),
    path("contacts/export/", exports.export_contacts, name="export-contacts"),
    path("contacts/selected/", selection.change_selected, name="change-selected"),
    path("contacts/count/", selection.count_matching, name="count-matching"),
    path("contacts/found/", contact_list.count_found, name="count-found"),
    path("contacts/bulk/", bulk_jobs.bulk_list, name="bulk-actions"),
    path("contacts/bulk/start/", selection.start_bulk, name="start-bulk"),
    path("contacts/bulk/strip/", bulk_jobs.strip, name="bulk-strip"),
    path("contacts/bulk/<uuid:action_id>/", bulk_jobs.bulk_action, name="bulk-action"),
    path("contacts/bulk/<uuid:action_id>/stop/", bulk_jobs.stop_bulk, name="stop-bulk"),
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
    path("contacts/<uuid:contact_id>/chats/<uuid:chat_id>/name/", chat_names.name_chat, name="name-chat"),
    path("contacts/<uuid:contact_id>/notes/", notes.write_note, name="write-note"),
    path("contacts/<uuid:contact_id>/notes/<uuid:note_id>/edit/", notes.edit_note, name="edit-note"),
    path("contacts/<uuid:contact_id>/notes/<uuid:note_id>/pin/", notes.pin_note, name="pin-note"),
    path("contacts/<uuid:contact_id>/notes/<uuid:note_id>/delete/", notes.delete_note, name="delete-note"),
    path("contacts/<uuid:contact_id>/timeline/", timeline.timeline, name="timeline"),
    path("contacts/<uuid:contact_id>/stage/", placing.set_stage, name="set-stage"),
    path("contacts/<uuid:contact_id>/owner/", placing.set_owner, name="set-owner"),
    path("contacts/<uuid:contact_id>/values/", values.set_values, name="set-values"),
    path("contacts/<uuid:contact_id>/tags/", placing.add_tag, name="add-contact-tag"),
    path("contacts/<uuid:contact_id>/tags/<uuid:tag_id>/remove/", placing.remove_tag, name="remove-contact-tag"),
    path("contacts/<uuid:contact_id>/merge/", merging.find_other, name="find-other"),
    path("contacts/<uuid:contact_id>/merge/<uuid:other_id>/", merging.merge, name="merge"),
    path("merges/<uuid:merge_id>/undo/", merging.undo, name="undo-merge"),
    path("duplicates/", merging.suggestion_list, name="merge-suggestions"),
    path("duplicates/<uuid:suggestion_id>/accept/", merging.accept_suggestion, name="accept-suggestion"),
    path("duplicates/<uuid:suggestion_id>/dismiss/", merging.dismiss_suggestion, name="dismiss-suggestion"),
    path("reminders/", reminders.reminder_list, name="reminders"),
    path("reminders/<uuid:reminder_id>/edit/", reminders.edit_reminder, name="edit-reminder"),
    path("reminders/<uuid:reminder_id>/done/", reminders.do_reminder, name="do-reminder"),
    path("reminders/<uuid:reminder_id>/snooze/", reminders.snooze_reminder, name="snooze-reminder"),
    path("reminders/<uuid:reminder_id>/reopen/", reminders.reopen_reminder, name="reopen-reminder"),
    path("reminders/<uuid:reminder_id>/delete/", reminders.delete_reminder, name="delete-reminder"),
    path("chats/", chat_list.chat_list, name="chats"),
    path("tabs/", tabs.tab_list, name="tabs"),
    path("tabs/strip/", tabs.strip, name="tab-strip"),
    path("tabs/new/<target:target>/", tabs.save_tab, name="save-tab"),
    path("tabs/<uuid:tab_id>/edit/", tabs.edit_tab, name="edit-tab"),
    path("tabs/<uuid:tab_id>/filter/", tabs.refilter_tab, name="refilter-tab"),
    path("tabs/<uuid:tab_id>/delete/", tabs.delete_tab, name="delete-tab"),
    path("tabs/<uuid:tab_id>/<direction:direction>/", tabs.move_tab, name="move-tab"),
    path("tags/", tags.tag_list, name="tags"),
    path("tags/<uuid:tag_id>/edit/", tags.edit_tag, name="edit-tag"),
    path("tags/<uuid:tag_id>/delete/", tags.delete_tag, name="delete-tag"),
    path("tags/<uuid:tag_id>/<direction:direction>/", tags.move_tag, name="move-tag"),
    path("fields/", fields.field_list, name="fields"),
    path("fields/<uuid:field_id>/edit/", fields.edit_field, name="edit-field"),
    path("fields/<uuid:field_id>/retire/", fields.retire_field, name="retire-field"),
    path("fields/<uuid:field_id>/restore/", fields.restore_field, name="restore-field"),
    path("fields/<uuid:field_id>/delete/", fields.delete_field, name="delete-field"),
    path("fields/<uuid:field_id>/<direction:direction>/", fields.move_field, name="move-field"),
    path("bin/", bin.bin_page, name="bin"),
    path("bin/contacts/restore/", bin.restore_selected, name="restore-selected"),
    path("bin/contacts/<uuid:contact_id>/restore/", bin.restore_contact, name="restore-contact"),
    path("bin/contacts/<uuid:contact_id>/purge/", bin.purge_contact, name="purge-contact"),
    path("bin/notes/<uuid:note_id>/restore/", bin.restore_note, name="restore-note"),
    path("stages/", stages.stage_list, name="stages"),
    path("stages/begin/", stages.begin_pipeline, name="begin-pipeline"),
    path("stages/<uuid:stage_id>/edit/", stages.edit_stage, name="edit-stage"),
    path("stages/<uuid:stage_id>/delete/", stages.delete_stage, name="delete-stage"),
    path("stages/<uuid:stage_id>/<direction:direction>/", stages.move_stage, name="move-stage"),
    path("imports/", imports.import_list, name="imports"),
    path("imports/new/", imports.new_import, name="new-import"),
    path("imports/<uuid:batch_id>/", imports.import_page, name="import"),
    path("imports/<uuid:batch_id>/columns/", imports.change_import, name="change-import"),
    path("imports/<uuid:batch_id>/start/", imports.start_import, name="start-import"),
    path("imports/<uuid:batch_id>/cancel/", imports.cancel_import, name="cancel-import"),
    path("imports/<uuid:batch_id>/undo/", imports.undo_import, name="undo-import"),
    path("imports/<uuid:batch_id>/refused.csv", imports.import_refusals, name="import-refusals"),
]
