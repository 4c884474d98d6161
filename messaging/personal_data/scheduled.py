"""The data map of scheduled messages."""

from dataclasses import replace

from messaging.personal_data.vocabulary import AUTHOR, CHAT, METADATA, WISH
from waplus.lib.personal_data import CLIENT_ID, TEAM, WORKSPACE, Correct, PersonalData, declare, technical


@declare
class ScheduledMessageData(PersonalData):
    model = "messaging.ScheduledMessage"
    subjects = {"contact": "recipients__contact", "person": "created_by", "workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **dict.fromkeys(
            (
                *("whatsapp_account", "wall_time", "time_zone", "clock", "rrule", "excluded", "lateness_minutes"),
                "on_late",
            ),
            WISH,
        ),
        "due_at": replace(WISH, correct=Correct.DERIVED),
        **dict.fromkeys(("state", "created_at", "updated_at"), METADATA),
        "created_by": AUTHOR,
    }


@declare
class ScheduledRecipientData(PersonalData):
    model = "messaging.ScheduledRecipient"
    subjects = {"contact": "contact", "person": "scheduled_message__created_by", "workspace": "workspace"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "scheduled_message": technical("Leads to the scheduled message that goes to this recipient."),
        "contact": replace(CHAT, purpose="Links the message to a contact.", recipients=TEAM),
        "chat_jid": CHAT,
        "keeps_address": technical("Tells whether the address is looked up again before the message is sent."),
        **dict.fromkeys(
            ("time_zone", "recipient_zone"),
            replace(
                WISH,
                purpose="Sends the message at a time that suits where the recipient lives.",
                correct=Correct.DERIVED,
            ),
        ),
        **dict.fromkeys(("next_wall", "next_at", "last_at"), replace(WISH, correct=Correct.DERIVED)),
        "state": METADATA,
    }
