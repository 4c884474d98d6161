"""The data map of acknowledgements."""

from dataclasses import replace

from messaging.personal_data.vocabulary import CHAT, METADATA
from waplus.lib.personal_data import WORKSPACE, Correct, PersonalData, declare, technical

TOLD = replace(METADATA, purpose="Tells when a message arrived, was read or played, and by whom in a group.")


@declare
class MessageAckData(PersonalData):
    model = "messaging.MessageAck"
    subjects = {"contact": "message__contact", "person": "message__created_by", "workspace": "workspace"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "message": technical("Tells which message it is about."),
        "participant": replace(CHAT, purpose="Tells who in a group received it.", correct=Correct.NEVER),
        **dict.fromkeys(("ack", "delivered_at", "read_at", "played_at"), TOLD),
        **dict.fromkeys(
            ("failure", "failure_code", "failed_at"),
            replace(METADATA, purpose="Tells that WhatsApp refused a message, and why."),
        ),
    }
