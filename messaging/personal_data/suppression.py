"""The data map of who must not be written to.

The hash recognises a person who comes back and is personal data itself: it is
kept after the person's contact is gone, because keeping the wish not to be
written to is what it is for.
"""

from dataclasses import replace

from messaging.personal_data.vocabulary import AUTHOR
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
    declare,
    technical,
)

WISH = Field(
    Category.WHATSAPP_CONTACT,
    "Keeps the wish not to be written to, and what is known of how it was said.",
    recipients=TEAM_AND_STAFF,
    correct=Correct.NEVER,
    erase=Erase.KEPT,
)
WORDING = replace(WISH, recipients=TEAM, erase=Erase.CLEARED)


@declare
class SuppressionData(PersonalData):
    model = "messaging.Suppression"
    subjects = {"contact": "contact", "person": ("created_by", "lifted_by"), "workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "key_hash": replace(
            WISH,
            purpose="Recognises the number if it comes back, without keeping it.",
            recipients=(),
            export=Export.MASKED,
        ),
        "key_version": technical("Tells under which pepper the hash was made."),
        "part_of": technical("Leads to the act that suppressed this id."),
        **dict.fromkeys(("source", "created_at", "lifted_at"), WISH),
        "note": WORDING,
        "contact": replace(WORDING, purpose="Leads to the contact while there is one."),
        **dict.fromkeys(("created_by", "lifted_by"), AUTHOR),
    }


@declare
class ConsentRecordData(PersonalData):
    model = "messaging.ConsentRecord"
    subjects = {"contact": "contact", "person": "recorded_by", "workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **dict.fromkeys(("kind", "means", "recorded_at"), WISH),
        "word": replace(WISH, purpose="Is the word by which the wish was recognised; nothing else of the message."),
        "evidence": WORDING,
        "suppression": technical("Leads to what was suppressed or lifted."),
        "contact": replace(WORDING, purpose="Leads to the contact while there is one."),
        "whatsapp_account": replace(WISH, purpose="Tells to which of the workspace's numbers it was said."),
        "recorded_by": AUTHOR,
    }


@declare
class OptOutWordData(PersonalData):
    model = "messaging.OptOutWord"
    subjects = {"workspace": "workspace", "person": "created_by"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **dict.fromkeys(("word", "language", "kind", "created_at"), technical("Recognises who wants no messages.")),
        "created_by": AUTHOR,
    }
