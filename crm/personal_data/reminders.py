"""The data map of reminders."""

from dataclasses import replace

from crm.personal_data.vocabulary import AUTHOR, OF_CONTACT, RECORD, WHEN, versions
from waplus.lib.personal_data import CLIENT_ID, WORKSPACE, Correct, PersonalData, declare, technical

WISH = replace(RECORD, purpose="Tells when and how often somebody wants to be reminded.")


@declare
class ReminderData(PersonalData):
    model = "crm.Reminder"
    subjects = {"workspace": "workspace", "contact": "contact", "person": ("assignee", "created_by")}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **versions(
            *("text", "wall_time", "time_zone", "rrule", "occurrence_wall", "due_at", "snoozed_until"),
            *("state", "assignee_id", "contact_id", "chat_id"),
        ),
        "contact": OF_CONTACT,
        "chat": OF_CONTACT,
        "text": RECORD,
        **dict.fromkeys(("wall_time", "time_zone", "rrule", "occurrence_wall", "due_at", "snoozed_until"), WISH),
        "state": RECORD,
        "assignee": replace(AUTHOR, purpose="Tells which member is reminded.", correct=Correct.BY_PERSON),
        "created_by": AUTHOR,
        "created_at": WHEN,
        "done_at": WHEN,
    }


@declare
class ReminderDeliveryData(PersonalData):
    model = "crm.ReminderDelivery"
    subjects = {"workspace": "workspace", "contact": "reminder__contact", "person": "recipient"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "reminder": technical("Tells which reminder was delivered."),
        "due_at": WHEN,
        "channel": technical("Tells by which way it was delivered."),
        "recipient": replace(AUTHOR, purpose="Tells who was reminded.", correct=Correct.NEVER),
        "instance": replace(AUTHOR, purpose="Tells on which of their devices.", correct=Correct.NEVER),
        "state": technical("Keeps a reminder from being sent twice."),
        "attempts": technical("Gives up on an address that takes no mail."),
        "lease_until": technical("Keeps two workers from sending one reminder."),
        "claimed_at": WHEN,
        "delivered_at": WHEN,
        "problem": technical("Tells why it could not be delivered."),
    }
