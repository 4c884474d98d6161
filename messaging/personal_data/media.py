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
    Retention,
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
        "thumbnail": replace(FILE, purpose="Shows members a picture before they load it.", recipients=TEAM),
        "wanted_at": technical("Keeps a file for a day until something carries it."),
        "sha256": technical("Recognises the same file, so that it is kept once.", export=Export.OMITTED),
        "name": replace(FILE, purpose="Lets the team tell its files apart.", recipients=TEAM),
        **dict.fromkeys(("media_type", "size", "width", "height", "created_at"), FILE),
        "created_by": AUTHOR,
    }


@declare
class MediaUploadData(PersonalData):
    model = "messaging.MediaUpload"
    subjects = {"workspace": "workspace", "person": "created_by"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "name": replace(FILE, purpose="Names the file once all of it is here.", retention=Retention.ONE_DAY),
        **dict.fromkeys(("size", "created_at", "active_at"), replace(FILE, retention=Retention.ONE_DAY)),
        "sha256": technical("Tells whether all of the file came.", export=Export.OMITTED),
        "completed_as": technical("Leads to the file that the upload became."),
        "created_by": AUTHOR,
    }


@declare
class MediaPartData(PersonalData):
    model = "messaging.MediaPart"
    subjects = {"workspace": "workspace", "person": "upload__created_by"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "upload": technical("Leads to the upload that it is a part of."),
        "number": technical("Keeps the parts in order."),
        "size": technical("Tells how much has come."),
        "sha256": technical("Tells whether the part came whole.", export=Export.OMITTED),
        "file": replace(
            FILE,
            purpose="Is a part of a file, kept in the file storage until all parts are there.",
            recipients=TEAM,
            retention=Retention.ONE_DAY,
        ),
    }
