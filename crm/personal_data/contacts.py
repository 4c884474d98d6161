"""The data map of contacts, their identities and photos."""

from dataclasses import replace

from crm.personal_data.vocabulary import AUTHOR, CONTACT, RECORD, STAMP, WHEN, versions
from waplus.lib.personal_data import (
    CLIENT_ID,
    TEAM,
    WORKSPACE,
    Category,
    Correct,
    Export,
    Field,
    PersonalData,
    declare,
    technical,
)

IDENTITY = Field(
    Category.WHATSAPP_CONTACT,
    "Recognises the contact in WhatsApp; kept as it was observed.",
    recipients=TEAM,
    correct=Correct.BY_PERSON,
)


@declare
class ContactData(PersonalData):
    model = "crm.Contact"
    subjects = {"contact": "id", "workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **versions("name", "profile_name", "company", "email", "owner_id", "stage_id", "avatar_id", "deleted_at"),
        "name": CONTACT,
        "profile_name": replace(
            CONTACT, purpose="Shows what the person calls themselves in WhatsApp.", correct=Correct.NEVER
        ),
        "owner": replace(AUTHOR, purpose="Tells which member looks after the contact.", correct=Correct.BY_PERSON),
        "stage": replace(RECORD, purpose="Tells how far a sale has come."),
        "avatar": replace(CONTACT, purpose="Leads to the contact's profile photo.", correct=Correct.NEVER),
        "merged_into": replace(
            CONTACT, purpose="Leads to the contact that this one was merged into.", correct=Correct.DERIVED
        ),
        "deleted_at": replace(WHEN, purpose="Tells since when the contact is in the bin."),
        "sort_name": replace(CONTACT, purpose="Orders lists by name.", export=Export.OMITTED, correct=Correct.DERIVED),
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
        **STAMP,
        "last_seen_at": replace(IDENTITY, purpose="Tells when the number was observed last.", correct=Correct.NEVER),
        "instance_id": replace(IDENTITY, purpose="Tells which device observed the number.", correct=Correct.NEVER),
        "whatsapp_account": replace(
            IDENTITY, purpose="Tells in which of the workspace's numbers it was observed.", correct=Correct.NEVER
        ),
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
class AvatarData(PersonalData):
    model = "crm.Avatar"
    subjects = {"workspace": "workspace", "contact": "contacts"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "file": Field(
            Category.FILES,
            "Shows members whom they write with: a profile photo, kept in the file storage.",
            recipients=TEAM,
            correct=Correct.NEVER,
        ),
        "sha256": technical("Recognises a photo that is kept already."),
        "width": technical("Tells the size of the photo."),
        "height": technical("Tells the size of the photo."),
        "size": technical("Tells how many bytes the photo takes."),
        "created_at": WHEN,
    }
