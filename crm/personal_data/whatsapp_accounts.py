"""The data map of WhatsApp numbers."""

from crm.personal_data.vocabulary import versions
from waplus.lib.personal_data import (
    CLIENT_ID,
    TEAM,
    TEAM_AND_STAFF,
    WORKSPACE,
    Category,
    Correct,
    Field,
    PersonalData,
    declare,
)


@declare
class WhatsAppAccountData(PersonalData):
    """Staff see the number with its last digits only."""

    model = "crm.WhatsAppAccount"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **versions("lid", "name"),
        "jid": Field(
            Category.WHATSAPP_CONTACT,
            "Tells which of the workspace's numbers a chat or a message belongs to.",
            recipients=TEAM_AND_STAFF,
            correct=Correct.NEVER,
        ),
        "lid": Field(
            Category.WHATSAPP_CONTACT,
            "Recognises the number where WhatsApp hides it.",
            recipients=TEAM,
            correct=Correct.NEVER,
        ),
        "name": Field(Category.WHATSAPP_CONTACT, "Lets members tell their numbers apart.", recipients=TEAM),
        "created_at": Field(
            Category.WHATSAPP_CONTACT,
            "Tells since when the number is in use.",
            recipients=TEAM_AND_STAFF,
            correct=Correct.NEVER,
        ),
    }
