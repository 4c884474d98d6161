"""The data map of files that messages carry."""

from dataclasses import replace

from messaging.personal_data.vocabulary import AUTHOR
from waplus.lib.personal_data import (
    CLIENT_ID,
    TEAM,
    TEAM_AND_STAFF,
    WORKSPACE,
    Category,
    Correct,
    Export,
    Field,
    PersonalData,
    declare,
    technical,
)

FILE = Field(
    Category.FILES,
    "Tells the team and support what kind of file it is.",
    recipients=TEAM_AND_STAFF,
    correct=Correct.NEVER,
)


@declare
class MediaFileData(PersonalData):
    model = "messaging.MediaFile"
    subjects = {"workspace": "workspace", "person": "created_by"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "file": replace(FILE, purpose="Is what members attach to messages, kept in the file storage.", recipients=TEAM),
        "sha256": technical("Recognises the same file, so that it is kept once.", export=Export.OMITTED),
        "name": replace(FILE, purpose="Lets the team tell its files apart.", recipients=TEAM),
        **dict.fromkeys(("media_type", "size", "created_at"), FILE),
        "created_by": AUTHOR,
    }
