"""The CRM's own kinds, parents before children. Ranks leave room: they never change, because tokens carry them."""

from crm import models
from crm.services.sync.kinds import Kind, register_kind

# Reminders and notes are the team's: whoever looks after a contact today sees what was left by whom.
_SHOWN_TO_ALL_BUT_PRIVATE = "(row.shared OR row.owner_id = %s)"


def register() -> None:
    """Register them; called once at start."""
    derived = ("sort_name", "search_text")
    for kind in (
        Kind("whatsapp_account", models.WhatsAppAccount, 100),
        Kind("stage", models.Stage, 110, hidden=("folded",)),
        Kind("tag", models.Tag, 120, hidden=("folded",)),
        Kind("custom_field", models.CustomField, 130, hidden=("folded",)),
        Kind("contact", models.Contact, 200, hidden=derived),
        Kind("contact_identity", models.ContactIdentity, 210, hidden=("match_key", "holds_key", "instance_id")),
        Kind("contact_tag", models.ContactTag, 220),
        Kind("field_value", models.FieldValue, 230, hidden=("text", "number")),
        Kind("chat", models.Chat, 300, hidden=("search_text",)),
        Kind("group_member", models.GroupMember, 310),
        Kind("note", models.Note, 400, hidden=("search_text",)),
        Kind("tab", models.Tab, 410, visible=_SHOWN_TO_ALL_BUT_PRIVATE),
        Kind("reminder", models.Reminder, 420),
    ):
        register_kind(kind)
