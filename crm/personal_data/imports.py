"""The data map of imports."""

from dataclasses import replace

from waplus.lib.personal_data import (
    CLIENT_ID,
    TEAM,
    TEAM_AND_STAFF,
    WORKSPACE,
    Category,
    Correct,
    Erase,
    Field,
    PersonalData,
    Retention,
    declare,
    technical,
)

IMPORT = Field(
    Category.FILES, "Tells the team and support how an import went.", recipients=TEAM_AND_STAFF, correct=Correct.NEVER
)


@declare
class ImportBatchData(PersonalData):
    model = "crm.ImportBatch"
    subjects = {"workspace": "workspace", "person": "created_by"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "file": Field(
            Category.FILES,
            "Is read into contacts: an uploaded file of names and numbers, kept in the file storage.",
            recipients=TEAM,
            correct=Correct.NEVER,
        ),
        "file_name": replace(IMPORT, purpose="Lets the team tell its imports apart.", recipients=TEAM),
        "default_country": replace(IMPORT, purpose="Completes numbers of the file that carry no country code."),
        **dict.fromkeys(
            (
                "state",
                "problem",
                "rows_total",
                "rows_created",
                "rows_merged",
                "rows_unchanged",
                "rows_refused",
                "created_at",
                "finished_at",
            ),
            IMPORT,
        ),
        "ignored_columns": replace(
            IMPORT,
            purpose="Tells the team which columns of the file were left out.",
            recipients=TEAM,
            json_keys=("[]",),
        ),
        "created_by": Field(
            Category.ACCOUNT,
            "Tells who uploaded the file.",
            recipients=TEAM_AND_STAFF,
            correct=Correct.NEVER,
            erase=Erase.CLEARED,
        ),
        "attempts": technical("Gives up on a file that cannot be read."),
    }


@declare
class ImportRowData(PersonalData):
    model = "crm.ImportRow"
    subjects = {"workspace": "workspace", "contact": "contact_id", "person": "batch__created_by"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "batch": technical("Tells which import the row belongs to."),
        "row_number": technical("Finds the row in the file."),
        "outcome": replace(IMPORT, recipients=TEAM, purpose="Tells what became of the row."),
        "reason": replace(IMPORT, recipients=TEAM, purpose="Tells why the row was refused; it may quote the row."),
        "contact_id": Field(
            Category.WHATSAPP_CONTACT,
            "Leads to the contact that the row made or changed.",
            Retention.WHILE_NEEDED,
            recipients=TEAM,
            correct=Correct.NEVER,
            erase=Erase.CLEARED,
        ),
    }
