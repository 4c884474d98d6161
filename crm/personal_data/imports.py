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
                *("format", "encoding", "delimiter", "has_header", "duplicates", "state", "problem", "rows_total"),
                *("rows_done", "rows_created", "rows_merged", "rows_unchanged", "rows_skipped", "rows_refused"),
                *("contacts_deleted", "rows_restored", "rows_kept", "created_at", "finished_at"),
            ),
            IMPORT,
        ),
        "columns": replace(
            IMPORT,
            purpose="Lets the team choose what each column is; the samples go when the import ends.",
            recipients=TEAM,
            correct=Correct.BY_PERSON,
            json_keys=("title", "samples", "target"),
        ),
        "tags": replace(
            IMPORT, purpose="Names the tags that every contact of the file gets.", recipients=TEAM, json_keys=("[]",)
        ),
        "new_tags": replace(
            IMPORT,
            purpose="Names the tags that the file brought, so that undoing takes them back.",
            recipients=TEAM,
            json_keys=("<tag id>",),
        ),
        "remarks": replace(IMPORT, purpose="Tells the team how the file was read.", recipients=TEAM, json_keys=("[]",)),
        "preview": replace(
            IMPORT,
            purpose="Tells the team what the import would do.",
            recipients=TEAM,
            json_keys=("total", "created", "merged", "unchanged", "skipped", "refused"),
        ),
        "created_by": Field(
            Category.ACCOUNT,
            "Tells who uploaded the file.",
            recipients=TEAM_AND_STAFF,
            correct=Correct.NEVER,
            erase=Erase.CLEARED,
        ),
        "attempts": technical("Gives up on a file that cannot be read."),
        "revision": technical("Keeps a preview from outliving the choices that it was made with."),
        "is_staged": technical("Tells whether the file has been read."),
        "rows_staged": technical("Tells how many rows lie between reading and writing."),
        "undo_position": technical("Tells how far undoing is, so that it goes on where it broke off."),
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
        "journal": Field(
            Category.WHATSAPP_CONTACT,
            "Tells what the row wrote, so that the import can be undone.",
            recipients=TEAM,
            correct=Correct.NEVER,
            erase=Erase.CLEARED,
            json_keys=("version", "made", "set", "identities", "tags", "fields", "note"),
        ),
        "cells": Field(
            Category.FILES,
            "Gives a refused row back to the team, to be mended.",
            recipients=TEAM,
            correct=Correct.NEVER,
            json_keys=("[]",),
        ),
        "undone": replace(IMPORT, recipients=TEAM, purpose="Tells what undoing did with the row."),
        "kept_because": replace(IMPORT, recipients=TEAM, purpose="Tells why undoing left the row alone."),
    }


STAGED = Field(
    Category.FILES,
    "Holds a row of an uploaded file between reading and writing; it goes when the import ends.",
    recipients=TEAM,
    correct=Correct.NEVER,
)


@declare
class StagedRowData(PersonalData):
    model = "crm.StagedRow"
    subjects = {"workspace": "workspace", "contact": "contact_id"}
    fields = {
        "workspace": WORKSPACE,
        "pk": technical("Names the row by its import and its number."),
        "batch_id": technical("Tells which import the row belongs to."),
        "row_number": technical("Finds the row in the file."),
        "leader": technical("Tells which rows are one person."),
        **dict.fromkeys(
            ("name", "company", "email", "kinds", "values", "keys", "tags", "note", "stage_id", "notes", "outcome"),
            STAGED,
        ),
        "fields": replace(STAGED, json_keys=("<field id>",)),
        "refused": technical("Tells whether the row can be used."),
        "cells": replace(STAGED, json_keys=("[]",)),
        "contact_id": replace(STAGED, purpose="Leads to the contact that the row would change."),
    }
