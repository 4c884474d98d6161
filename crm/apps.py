from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = "CRM"

    def ready(self):
        from accounts.event_words import register_event_words
        from accounts.models import Resource
        from accounts.next_steps import register_step
        from accounts.services.departures import register_departure
        from accounts.services.plans import register_recount
        from crm.models import Contact, WhatsAppAccount
        from crm.services.ownership import hand_over_contacts
        from crm.services.reminders.changes import hand_over_reminders
        from crm.services.sync import crm_kinds
        from crm.services.timeline.sources import register_sources

        register_sources()
        register_recount(
            Resource.CONTACTS,
            lambda workspace: Contact.objects.for_workspace(workspace).alive().count(),
        )
        crm_kinds.register()
        register_recount(
            Resource.WHATSAPP_NUMBERS, lambda workspace: WhatsAppAccount.objects.for_workspace(workspace).count()
        )
        register_departure("contacts", hand_over_contacts)
        register_departure("reminders", hand_over_reminders)
        register_step(
            "number_added",
            _("Add your WhatsApp number"),
            lambda workspace: WhatsAppAccount.objects.for_workspace(workspace).exists(),
            "devices",
            hint=_("The extension adds it by itself once WhatsApp Web is open beside it."),
            position=30,
        )
        register_step(
            "contacts_added",
            _("Bring your contacts along"),
            lambda workspace: Contact.objects.for_workspace(workspace).alive().exists(),
            "new-import",
            hint=_("Import a spreadsheet, a vCard, or an export of Google Contacts or Outlook."),
            position=40,
        )
        register_event_words(
            {
                "contact.created": _("added a contact"),
                "contact.updated": _("changed a contact"),
                "contact.deleted": _("put a contact into the bin"),
                "contact.restored": _("took a contact out of the bin"),
                "contact.purged": _("deleted a contact for good"),
                "contact.reassigned": _("handed contacts over"),
                "contact.tagged": _("put a tag on a contact"),
                "contact.untagged": _("took a tag off a contact"),
                "note.written": _("wrote a note"),
                "note.edited": _("changed a note"),
                "note.deleted": _("put a note into the bin"),
                "note.restored": _("took a note out of the bin"),
                "note.purged": _("deleted a note for good"),
                "tag.created": _("made a tag"),
                "tag.updated": _("changed a tag"),
                "tag.reordered": _("put tags into another order"),
                "tag.deleted": _("deleted a tag"),
                "tab.created": _("made a tab"),
                "tab.updated": _("changed a tab"),
                "tab.reordered": _("put tabs into another order"),
                "tab.deleted": _("deleted a tab"),
                "bulk_action.started": _("began to change many contacts"),
                "bulk_action.finished": _("changed many contacts"),
                "bulk_action.stopped": _("stopped a change of many contacts"),
                "bulk_action.failed": _("had a change of many contacts fail"),
                "stage.created": _("added a stage"),
                "stage.updated": _("changed a stage"),
                "stage.reordered": _("put stages into another order"),
                "stage.deleted": _("deleted a stage"),
                "custom_field.created": _("added a custom field"),
                "custom_field.updated": _("changed a custom field"),
                "custom_field.reordered": _("put custom fields into another order"),
                "custom_field.retired": _("retired a custom field"),
                "custom_field.restored": _("took a custom field back"),
                "custom_field.deleted": _("deleted a custom field for good"),
                "contact.merged": _("merged two contacts"),
                "contact.unmerged": _("undid a merge of contacts"),
                "contact.observed": _("submitted whom WhatsApp shows"),
                "merge_suggestion.dismissed": _("said that two contacts are two people"),
                "contact.exported": _("exported contacts"),
                "import.uploaded": _("uploaded a file of contacts"),
                "chat.added": _("reported new chats"),
                "chat.updated": _("changed a chat"),
                "chat.members_reported": _("reported who is in a group"),
                "import.started": _("started an import of contacts"),
                "import.finished": _("imported contacts"),
                "import.failed": _("had an import fail"),
                "import.cancelled": _("cancelled an import"),
                "import.undo_started": _("began to undo an import"),
                "import.undone": _("undid an import"),
                "reminder.created": _("set a reminder"),
                "reminder.updated": _("changed a reminder"),
                "reminder.snoozed": _("put a reminder off"),
                "reminder.done": _("did what a reminder was about"),
                "reminder.reopened": _("opened a reminder again"),
                "reminder.deleted": _("deleted a reminder"),
                "reminder.handed_over": _("handed reminders of somebody who left over"),
                "reminder.delivered": _("delivered a reminder"),
                "sync.started_over": _("let all devices synchronise from the start"),
                "whatsapp_account.added": _("added a WhatsApp number"),
                "whatsapp_account.updated": _("changed a WhatsApp number"),
                "whatsapp_account.removed": _("removed a WhatsApp number"),
            },
            {
                **dict.fromkeys(("note", "tag", "stage", "custom_field", "tab", "bulk_action"), "contacts"),
                "contact": "contacts",
                "merge_suggestion": "contacts",
                "chat": "chat",
                "import": "contacts",
                "reminder": "clock",
                "whatsapp_account": "phone",
            },
        )
