"""The data map of broadcasts."""

from dataclasses import replace

from messaging.personal_data.vocabulary import AUTHOR, METADATA, WISH
from waplus.lib.personal_data import CLIENT_ID, TEAM, WORKSPACE, PersonalData, declare


@declare
class BroadcastData(PersonalData):
    model = "messaging.Broadcast"
    subjects = {"workspace": "workspace", "person": "created_by"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "whatsapp_account": WISH,
        "name": replace(WISH, purpose="Lets the team tell its broadcasts apart.", recipients=TEAM),
        **dict.fromkeys(("state", "created_at", "updated_at"), METADATA),
        "created_by": AUTHOR,
    }
