from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = "CRM"

    def ready(self):
        from accounts.models import Resource
        from accounts.services.plans import register_recount
        from crm import personal_data  # noqa: F401  (registers itself)
        from crm.models import Contact, WhatsAppAccount

        register_recount(Resource.CONTACTS, lambda workspace: Contact.objects.for_workspace(workspace).count())
        register_recount(
            Resource.WHATSAPP_NUMBERS, lambda workspace: WhatsAppAccount.objects.for_workspace(workspace).count()
        )
