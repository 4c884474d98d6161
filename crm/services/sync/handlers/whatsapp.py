"""WhatsApp numbers, and the names that members give to chats."""

from crm.models import Chat, WhatsAppAccount
from crm.services import chats, whatsapp_accounts
from crm.services.sync.handlers.registry import Applied, Change, created, handles, locked, update_row


@handles("whatsapp_account", "create")
def add_whatsapp_account(change: Change) -> Applied:
    """A number is there once, whoever told of it."""
    row, is_new = whatsapp_accounts.add_whatsapp_account(**change.who, id=change.row_id, **change.values)
    return created(row, is_new, change)


@handles("whatsapp_account", "update")
def update_whatsapp_account(change: Change) -> Applied:
    row = locked(WhatsAppAccount, change)
    return update_row(
        row,
        change,
        lambda **values: whatsapp_accounts.update_whatsapp_account(**change.who, account_id=change.row_id, **values),
    )


@handles("chat", "update")
def name_chat(change: Change) -> Applied:
    row = locked(Chat, change)
    return update_row(row, change, lambda **values: chats.update_chat(**change.who, chat_id=change.row_id, **values))
