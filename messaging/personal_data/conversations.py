"""The data map of synced conversations.

A chat may be with somebody who is no contact: such rows are found by the
chat's id, in any of the spellings of the number.
"""

from dataclasses import replace

from messaging.personal_data.vocabulary import AUTHOR, METADATA, WISH
from waplus.lib.personal_data import (
    CLIENT_ID,
    TEAM,
    WORKSPACE,
    Category,
    Correct,
    Export,
    Field,
    PersonalData,
    Retention,
    declare,
    technical,
)

SWITCH = replace(WISH, purpose="Says which chats a person wants to have synced.", recipients=TEAM)
SEEN = Field(
    Category.MESSAGE_METADATA,
    "Shows the team who wrote when in a chat that it switched on.",
    recipients=TEAM,
    correct=Correct.NEVER,
)
CONTENT = Field(
    Category.MESSAGE_CONTENT,
    "Shows the team what was written in a chat whose content it switched on.",
    recipients=TEAM,
    correct=Correct.NEVER,
)


@declare
class ConversationRuleData(PersonalData):
    model = "messaging.ConversationRule"
    subjects = {"workspace": "workspace", "person": "changed_by", "contact": "chat__contact"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **dict.fromkeys(("kind", "chat", "whatsapp_account", "tag", "tab", "metadata_on", "content_on"), SWITCH),
        "version": technical("Counts the changes of a switch."),
        "changed_by": AUTHOR,
        "changed_at": METADATA,
    }


@declare
class ConversationSyncData(PersonalData):
    model = "messaging.ConversationSync"
    subjects = {"workspace": "workspace", "contact": "chat__contact"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "chat": technical("Leads to the chat that is synced."),
        "home": technical("Leads to the chat that its messages are kept under."),
        "whatsapp_account": technical("Leads to the number that the chat is of."),
        "metadata_rule": technical("Leads to the switch by which metadata is kept."),
        "content_rule": technical("Leads to the switch by which content is kept."),
        "deleting": technical("Says what is being deleted after it was switched off."),
        **dict.fromkeys(
            (
                *("message_count", "content_count", "whatsapp_count", "covered", "content_covered", "reached_start"),
                *("content_reached_start", "synced_at"),
            ),
            replace(SEEN, purpose="Shows how much of a chat is synced, and what is missing.", json_keys=("[]",)),
        ),
    }


@declare
class ConversationMessageData(PersonalData):
    model = "messaging.ConversationMessage"
    subjects = {"workspace": "workspace", "contact": "chat__contact"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "chat": technical("Leads to the chat that it is kept under."),
        "seen_in": technical("Names the chat that it was seen in."),
        **dict.fromkeys(
            (
                *("message_id", "from_me", "participant", "type", "sent_at", "quoted_id", "ack", "edited_at"),
                *("revoked_at", "synced_at"),
            ),
            SEEN,
        ),
        "has_content": technical("Says whether the content was synced."),
        "content_at": replace(SEEN, purpose="Tells which edit the text is of."),
        "text": CONTENT,
        "search_text": replace(CONTENT, purpose="Finds messages by words.", export=Export.OMITTED),
        "media": replace(CONTENT, purpose="Is the file that came with the message."),
        "media_details": replace(
            CONTENT,
            purpose="Describes the file that came with the message.",
            json_keys=("mime", "size", "sha256", "name", "width", "height", "seconds", "pages"),
        ),
    }


@declare
class MessageReactionData(PersonalData):
    model = "messaging.MessageReaction"
    subjects = {"workspace": "workspace", "contact": "message__chat__contact"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "message": technical("Leads to the message."),
        "reactor": replace(CONTENT, purpose="Tells who reacted."),
        "emoji": replace(CONTENT, purpose="Is the reaction."),
        "reacted_at": replace(CONTENT, purpose="Lets the latest reaction win."),
    }


@declare
class SeenMessageData(PersonalData):
    model = "messaging.SeenMessage"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "whatsapp_account": technical("Leads to the number that saw it."),
        "key_hash": technical(
            "Recognises a message that a second device tells of.",
            export=Export.OMITTED,
            retention=Retention.ONE_DAY,
        ),
        "seen_at": technical("Says when the row goes.", retention=Retention.ONE_DAY),
    }
