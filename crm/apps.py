from django.apps import AppConfig
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = "CRM"

    def ready(self):
        from accounts.event_words import register_event_words
        from accounts.models import Resource
        from accounts.next_steps import register_step
        from accounts.services.departures import register_departure
        from accounts.services.plans import register_recount
        from crm.event_words import ICONS, WORDS
        from crm.models import Contact, WhatsAppAccount
        from crm.services.ownership import count_owned, hand_over_contacts
        from crm.services.reminders.changes import hand_over_reminders
        from crm.services.reminders.lists import count_assigned
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
        register_departure(
            "contacts",
            hand_over_contacts,
            count=count_owned,
            words=lambda count: ngettext("%(count)s contact", "%(count)s contacts", count) % {"count": intcomma(count)},
        )
        register_departure(
            "reminders",
            hand_over_reminders,
            count=count_assigned,
            words=lambda count: (
                ngettext("%(count)s reminder", "%(count)s reminders", count) % {"count": intcomma(count)}
            ),
        )
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
        register_event_words(WORDS, ICONS)
