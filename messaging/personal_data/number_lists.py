"""The data map of lists of numbers."""

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

LIST = Field(
    Category.FILES,
    "Tells the team and support what became of a list.",
    recipients=TEAM_AND_STAFF,
    correct=Correct.NEVER,
)
PROGRESS = technical("Tells how far the list is and how it ended.")


@declare
class NumberListData(PersonalData):
    model = "messaging.NumberList"
    subjects = {"workspace": "workspace", "person": "created_by"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "file_name": replace(LIST, purpose="Lets the team tell its lists apart.", recipients=TEAM),
        "note": replace(LIST, purpose="Tells what the wishes rest on, as a member wrote it.", recipients=TEAM),
        "default_country": replace(LIST, purpose="Completes numbers of the list that carry no country code."),
        **dict.fromkeys(("state", "problem", "total", "done", "added", "known", "refused", "finished_at"), PROGRESS),
        "attempts": technical("Ends a list that breaks off again and again."),
        "created_by": AUTHOR,
        "created_at": LIST,
    }


@declare
class NumberListChunkData(PersonalData):
    model = "messaging.NumberListChunk"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "number_list": technical("Tells which list it is a part of."),
        "number": technical("Keeps the parts in order."),
        "line_numbers": technical("Finds the lines in the file."),
        "lines": Field(
            Category.WHATSAPP_CONTACT,
            "Holds lines with numbers until they are on the do-not-contact list as hashes; gone once they are.",
            Retention.UNTIL_EXPIRY,
            correct=Correct.NEVER,
            export=Export.OMITTED,
        ),
    }


@declare
class NumberListRefusalData(PersonalData):
    model = "messaging.NumberListRefusal"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "number_list": technical("Tells which list it was."),
        "line": technical("Finds the line in the file."),
        **dict.fromkeys(("code", "detail"), technical("Tells why a line was refused, and nothing of what it says.")),
    }
