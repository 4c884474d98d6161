"""The data map of the CRM, by noun: importing a module declares its models."""

from crm.personal_data import chats, contacts, imports, merges, records, reminders, sync, whatsapp_accounts

__all__ = ["chats", "contacts", "imports", "merges", "records", "reminders", "sync", "whatsapp_accounts"]
