"""The data map of the CRM, by noun: importing a module declares its models."""

from crm.personal_data import bulk, chats, contacts, imports, merges, records, reminders, sync, whatsapp_accounts

__all__ = ["bulk", "chats", "contacts", "imports", "merges", "records", "reminders", "sync", "whatsapp_accounts"]
