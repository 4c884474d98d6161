"""The data map of what messages say before they are queued."""

from dataclasses import replace

from messaging.personal_data.vocabulary import BODY
from waplus.lib.personal_data import CLIENT_ID, WORKSPACE, PersonalData, declare, technical


@declare
class ContentPartData(PersonalData):
    model = "messaging.ContentPart"
    subjects = {
        "workspace": "workspace",
        "contact": "scheduled_message__recipients__contact",
        "person": (
            "scheduled_message__created_by",
            "broadcast__created_by",
            "auto_reply_rule__created_by",
            "quick_reply_text__reply__owner",
            "quick_reply_text__reply__created_by",
        ),
    }
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "scheduled_message": technical("Leads to the scheduled message that it is a part of."),
        "broadcast": technical("Leads to the broadcast that it is a part of."),
        "auto_reply_rule": technical("Leads to the rule of automatic replies that it is a part of."),
        "quick_reply_text": technical("Leads to the text of a quick reply that it is a part of."),
        "position": technical("Keeps the parts in order."),
        "body": BODY,
        "media": replace(BODY, purpose="Is the file to be sent."),
    }
