"""The data map of the queue and its attempts.

A chat may be with somebody who is no contact: such rows are found by the chat's
id (`chat_jid`), in any of the spellings of the number.
"""

from dataclasses import replace

from messaging.personal_data.vocabulary import AUTHOR, BODY, CHAT, DEVICE, METADATA
from waplus.lib.personal_data import CLIENT_ID, TEAM, WORKSPACE, Correct, Export, PersonalData, declare, technical


@declare
class QueuedMessageData(PersonalData):
    model = "messaging.QueuedMessage"
    subjects = {
        "contact": "contact",
        "person": "created_by",
        "workspace": "workspace",
        "instance": "instance",
    }
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "scheduled_message": technical("Leads to the scheduled message that it came from."),
        "broadcast": technical("Leads to the broadcast that it came from."),
        "origin_id": technical("Leads to what wanted the message to be sent, whatever that is."),
        "position": technical("Keeps the parts of a message in order."),
        "contact": replace(CHAT, purpose="Links the message to a contact.", recipients=TEAM, correct=Correct.NEVER),
        "chat_jid": replace(CHAT, correct=Correct.NEVER),
        "chat_key": replace(
            CHAT, purpose="Keeps messages to one person in order.", correct=Correct.NEVER, export=Export.OMITTED
        ),
        "media": replace(BODY, purpose="Is the file to be sent.", correct=Correct.NEVER),
        "created_by": AUTHOR,
        "body": replace(BODY, purpose="Is the text to be sent, as it stood when it was queued.", correct=Correct.NEVER),
        **dict.fromkeys(
            (
                *("source", "occurrence_at", "whatsapp_account", "message_id", "due_at", "not_before", "held_by"),
                *("expires_at", "on_late", "recipient_zone", "state", "is_new_contact", "sending_at", "sent_at"),
                *("delivered_at", "read_at", "played_at", "replied_at", "reason_code", "reason", "queued_at"),
                "claimed_at",
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
        "contact": "message__contact",
        "person": "message__created_by",
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


@declare
class DispatcherData(PersonalData):
    model = "messaging.Dispatcher"
    subjects = {"workspace": "workspace", "instance": "instance", "person": ("chosen_by", "paused_by")}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "whatsapp_account": replace(METADATA, purpose="Tells which number the device sends from."),
        "instance": replace(DEVICE, purpose="Tells which device sends from a number."),
        "epoch": technical("Counts how often another device took the number."),
        "lease_until": technical("Hands the number over when its device falls silent."),
        "held_since": technical("Tells how long the device has been sending from the number."),
        "chosen_by": replace(AUTHOR, purpose="Tells the team who chose the device."),
        "paused_at": replace(METADATA, purpose="Keeps messages of the number back while somebody wants it so."),
        "paused_by": replace(AUTHOR, purpose="Tells the team who paused the number."),
        "last_claim_id": technical("Hands out the same messages again when an answer was lost.", export=Export.OMITTED),
        "next_send_at": technical("Keeps a distance between messages."),
    }
