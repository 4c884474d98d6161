"""The data map of WhatsApp numbers, contacts and imports."""

from dataclasses import replace

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
    Retention,
    declare,
    technical,
)

CONTACT = Field(Category.WHATSAPP_CONTACT, "Lets members recognise and reach their contact.", recipients=TEAM)
IDENTITY = Field(
    Category.WHATSAPP_CONTACT,
    "Recognises the contact in WhatsApp; kept as it was observed.",
    recipients=TEAM,
    correct=Correct.BY_PERSON,
)
IMPORT = Field(
    Category.FILES, "Tells the team and support how an import went.", recipients=TEAM_AND_STAFF, correct=Correct.NEVER
)


@declare
class WhatsAppAccountData(PersonalData):
    """Staff see the number with its last digits only."""

    model = "crm.WhatsAppAccount"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
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


@declare
class ContactData(PersonalData):
    model = "crm.Contact"
    subjects = {"contact": "id", "workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "name": CONTACT,
        "company": CONTACT,
        "email": CONTACT,
        "search_text": replace(
            CONTACT,
            purpose="Finds the contact by any part of name, company, address or number.",
            export=Export.OMITTED,
            correct=Correct.DERIVED,
        ),
        "created_at": replace(CONTACT, purpose="Tells when the contact was added.", correct=Correct.NEVER),
        "updated_at": replace(CONTACT, purpose="Lists what changed last.", correct=Correct.DERIVED),
    }


@declare
class ContactIdentityData(PersonalData):
    model = "crm.ContactIdentity"
    subjects = {"contact": "contact", "workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "contact": replace(CONTACT, purpose="Tells whose number or WhatsApp id it is.", correct=Correct.NEVER),
        "kind": IDENTITY,
        "value": IDENTITY,
        "match_key": replace(
            IDENTITY,
            purpose="Recognises other spellings of the same number, so that nobody is stored twice.",
            export=Export.OMITTED,
            correct=Correct.DERIVED,
        ),
        "holds_key": technical("Marks the one spelling by which the number is taken."),
        "source": replace(IDENTITY, purpose="Tells where the number was learnt from.", correct=Correct.NEVER),
        "observed_at": replace(IDENTITY, purpose="Tells when the number was learnt.", correct=Correct.NEVER),
    }


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
