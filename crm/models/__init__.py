from crm.models.contacts import Contact, ContactIdentity, IdentityKind
from crm.models.imports import ImportBatch, ImportRow
from crm.models.whatsapp_accounts import WhatsAppAccount

__all__ = ["Contact", "ContactIdentity", "IdentityKind", "ImportBatch", "ImportRow", "WhatsAppAccount"]
