"""The data map of quick replies."""

from dataclasses import replace

from crm.personal_data.vocabulary import versions
from messaging.personal_data.vocabulary import AUTHOR, BODY
from waplus.lib.personal_data import (
    CLIENT_ID,
    TEAM,
    WORKSPACE,
    Category,
    Correct,
    Erase,
    Field,
    PersonalData,
    declare,
    technical,
)

NAME = replace(BODY, purpose="Lets members find the text that they keep.")
SETTING = technical("Is how members keep their texts.", correct=Correct.BY_PERSON)
WHEN = technical("Tells when it was made or changed.")


@declare
class QuickReplyFolderData(PersonalData):
    model = "messaging.QuickReplyFolder"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **versions("name", "position"),
        "name": NAME,
        "folded": replace(NAME, purpose="Finds folders of the same name.", correct=Correct.DERIVED),
        "position": SETTING,
        "created_at": WHEN,
    }


@declare
class QuickReplyData(PersonalData):
    model = "messaging.QuickReply"
    subjects = {"workspace": "workspace", "person": ("owner", "created_by")}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **versions("name", "shortcut", "folder_id", "owner_id", "position", "default_language", "contents"),
        "name": NAME,
        "shortcut": NAME,
        **dict.fromkeys(
            ("shortcut_key", "search_text"),
            replace(NAME, purpose="Finds the text by what is typed.", correct=Correct.DERIVED),
        ),
        "folder": SETTING,
        "owner": replace(AUTHOR, purpose="Tells whose private text it is.", recipients=TEAM, erase=Erase.WITH_ROW),
        "default_language": SETTING,
        "contents": replace(
            BODY,
            purpose="Is the text that members keep, as devices pull it.",
            correct=Correct.DERIVED,
            json_keys=("language", "parts", "body", "media"),
        ),
        "position": SETTING,
        "created_by": AUTHOR,
        "created_at": WHEN,
        "updated_at": WHEN,
    }


@declare
class QuickReplyTextData(PersonalData):
    model = "messaging.QuickReplyText"
    subjects = {"workspace": "workspace", "person": ("reply__owner", "reply__created_by")}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "reply": technical("Leads to the quick reply that it is a text of."),
        "language": SETTING,
    }


USE = Field(
    Category.MESSAGE_METADATA, "Counts how often a text is used, for 90 days.", recipients=TEAM, correct=Correct.NEVER
)


@declare
class QuickReplyUseData(PersonalData):
    model = "messaging.QuickReplyUse"
    subjects = {"workspace": "workspace", "person": "user"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "reply": technical("Leads to the quick reply that was used."),
        "user": USE,
        "used_at": USE,
    }
