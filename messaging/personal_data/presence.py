"""The data map of devices that ask for messages, and of warnings before it is too late."""

from dataclasses import replace

from messaging.personal_data.vocabulary import AUTHOR, METADATA
from waplus.lib.personal_data import (
    WORKSPACE,
    Category,
    Correct,
    Erase,
    Field,
    PersonalData,
    Recipient,
    declare,
    technical,
)

SEEN = Field(
    Category.MESSAGE_METADATA,
    "Tells whether a device is there to send from a number, before it is too late.",
    recipients=(Recipient.HOSTING, Recipient.TEAM, Recipient.STAFF),
    correct=Correct.NEVER,
)
WARNED = replace(METADATA, purpose="Warns members of messages that cannot be sent in time, or wait for them.")


@declare
class NumberPresenceData(PersonalData):
    model = "messaging.NumberPresence"
    subjects = {"workspace": "workspace", "instance": "instance", "person": "instance__user"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        **dict.fromkeys(("whatsapp_account", "instance", "seen_at", "may_dispatch"), SEEN),
    }


@declare
class DispatchWarningData(PersonalData):
    model = "messaging.DispatchWarning"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        **dict.fromkeys(
            ("whatsapp_account", "kind", "first_due_at", "message_count", "raised_at", "resolved_at"), WARNED
        ),
    }


@declare
class WarningMailData(PersonalData):
    model = "messaging.WarningMail"
    subjects = {"workspace": "workspace", "person": "recipient"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "warning": technical("Tells what the message was about."),
        "recipient": replace(AUTHOR, purpose="Tells who was warned.", erase=Erase.WITH_ROW),
        "state": technical("Keeps a warning from being sent twice."),
        "attempts": technical("Gives up on an address that takes no mail."),
        "lease_until": technical("Keeps two workers from sending one warning."),
        **dict.fromkeys(("noted_at", "delivered_at"), replace(WARNED, purpose="Tells when somebody was warned.")),
        "problem": technical("Tells why it could not be delivered."),
    }
