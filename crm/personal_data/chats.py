"""The data map of chats and groups."""

from dataclasses import replace

from crm.personal_data.vocabulary import CONTACT, OF_CONTACT, RECORD, versions
from waplus.lib.personal_data import (
    CLIENT_ID,
    TEAM,
    WORKSPACE,
    Category,
    Correct,
    Export,
    Field,
    PersonalData,
    declare,
    technical,
)

METADATA = Field(
    Category.MESSAGE_METADATA,
    "Tells members which chats wait for them.",
    recipients=TEAM,
    correct=Correct.NEVER,
)


@declare
class ChatData(PersonalData):
    model = "crm.Chat"
    subjects = {"workspace": "workspace", "contact": "contact"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **versions(
            *("name", "own_name", "description", "contact_id", "avatar_id", "unread_count", "archived", "pinned"),
            *("last_inbound_at", "last_outbound_at", "awaiting_reply"),
        ),
        "whatsapp_account": technical("Tells in which of the workspace's numbers the chat is."),
        "jid": replace(CONTACT, purpose="Names the chat in WhatsApp: replies go to it.", correct=Correct.NEVER),
        "kind": technical("Tells a person from a group, a channel or a list."),
        "name": CONTACT,
        "own_name": replace(RECORD, purpose="Is what members call the chat."),
        "description": replace(CONTACT, purpose="Shows what a group is about."),
        "contact": OF_CONTACT,
        "avatar": replace(CONTACT, purpose="Leads to the photo of the chat.", correct=Correct.NEVER),
        **dict.fromkeys(
            ("unread_count", "last_message_at", "last_inbound_at", "last_outbound_at", "awaiting_reply"), METADATA
        ),
        "archived": technical("Tells how the chat is shown."),
        "pinned": technical("Tells how the chat is shown."),
        "search_text": replace(
            CONTACT, purpose="Finds the chat by its names.", export=Export.OMITTED, correct=Correct.DERIVED
        ),
        "created_at": replace(METADATA, purpose="Tells since when the chat is known."),
    }


@declare
class GroupMemberData(PersonalData):
    model = "crm.GroupMember"
    subjects = {"workspace": "workspace", "contact": "contact"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **versions("name", "contact_id", "is_admin"),
        "chat": technical("Tells which group it is."),
        "jid": replace(CONTACT, purpose="Names the member of the group in WhatsApp.", correct=Correct.NEVER),
        "contact": OF_CONTACT,
        "name": CONTACT,
        "is_admin": replace(CONTACT, purpose="Tells who leads the group.", correct=Correct.NEVER),
    }
