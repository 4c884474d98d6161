"""The data map of scheduled messages, the queue and its attempts.

A chat may be with somebody who is no contact: such rows are found by the chat's
id (`chat_jid`), in any of the spellings of the number.
"""

from dataclasses import replace

from waplus.lib.personal_data import (
    CLIENT_ID,
    TEAM,
    TEAM_AND_STAFF,
    WORKSPACE,
    Category,
    Correct,
    Erase,
    Export,
    Field,
    PersonalData,
    Recipient,
    declare,
    technical,
)

BODY = Field(Category.MESSAGE_CONTENT, "Is the text to be sent, as the member wrote it.", recipients=TEAM)
CHAT = Field(
    Category.MESSAGE_METADATA,
    "Tells which chat the message goes to; staff see its last digits only.",
    recipients=TEAM_AND_STAFF,
)
METADATA = Field(
    Category.MESSAGE_METADATA,
    "Sends the message once, from the right number and at the right time, and tells what became of it.",
    recipients=TEAM_AND_STAFF,
    correct=Correct.NEVER,
)
WISH = replace(METADATA, correct=Correct.BY_PERSON)
DEVICE = Field(
    Category.MESSAGE_METADATA,
    "Tells which device was to send the message.",
    recipients=(Recipient.HOSTING, Recipient.STAFF),
    correct=Correct.NEVER,
    erase=Erase.CLEARED,
)


@declare
class ScheduledMessageData(PersonalData):
    model = "messaging.ScheduledMessage"
    subjects = {"contact": "contact", "person": "created_by", "workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "contact": replace(CHAT, purpose="Links the message to a contact.", recipients=TEAM),
        "chat_jid": CHAT,
        "body": BODY,
        **dict.fromkeys(("whatsapp_account", "wall_time", "time_zone", "lateness_minutes"), WISH),
        "due_at": replace(WISH, correct=Correct.DERIVED),
        **dict.fromkeys(("state", "created_at", "updated_at"), METADATA),
        "created_by": Field(
            Category.ACCOUNT,
            "Tells the team who scheduled the message.",
            recipients=TEAM_AND_STAFF,
            correct=Correct.NEVER,
            erase=Erase.CLEARED,
        ),
    }


@declare
class QueuedMessageData(PersonalData):
    model = "messaging.QueuedMessage"
    subjects = {
        "contact": "scheduled_message__contact",
        "person": "scheduled_message__created_by",
        "workspace": "workspace",
        "instance": "instance",
    }
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "scheduled_message": technical("Leads to the scheduled message that it came from."),
        "chat_jid": replace(CHAT, correct=Correct.NEVER),
        "body": replace(BODY, purpose="Is the text to be sent, as it stood when its time came.", correct=Correct.NEVER),
        **dict.fromkeys(
            (
                "occurrence_at",
                "whatsapp_account",
                "message_id",
                "due_at",
                "expires_at",
                "state",
                "sent_at",
                "reason",
                "queued_at",
            ),
            METADATA,
        ),
        "instance": DEVICE,
        "fence": technical("Refuses reports of a device that lost the message."),
        "claim_id": technical("Hands out the same messages again when an answer was lost.", export=Export.OMITTED),
        "lease_until": technical("Takes the message back from a device that stays silent."),
    }


@declare
class DispatchAttemptData(PersonalData):
    model = "messaging.DispatchAttempt"
    subjects = {
        "contact": "message__scheduled_message__contact",
        "person": "message__scheduled_message__created_by",
        "workspace": "workspace",
        "instance": "instance",
    }
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "message": technical("Tells which message the attempt belongs to."),
        "fence": technical("Numbers the attempts of a message."),
        "instance": DEVICE,
        **dict.fromkeys(
            ("claimed_at", "outcome", "reason", "ended_at"),
            replace(METADATA, purpose="Shows what was tried, and why it failed."),
        ),
    }
