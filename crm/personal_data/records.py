"""The data map of what members keep about contacts: tags, notes, custom fields, stages, tabs."""

from dataclasses import replace

from crm.personal_data.vocabulary import AUTHOR, OF_CONTACT, RECORD, STAMP, WHEN, versions
from waplus.lib.personal_data import CLIENT_ID, WORKSPACE, Correct, Erase, Export, PersonalData, declare, technical

LOOK = technical("Tells how it is shown.", correct=Correct.BY_PERSON)


@declare
class StageData(PersonalData):
    model = "crm.Stage"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **versions("name", "colour", "position", "outcome"),
        "name": RECORD,
        "folded": replace(
            RECORD, purpose="Recognises a name that is taken already.", export=Export.OMITTED, correct=Correct.DERIVED
        ),
        "colour": LOOK,
        "position": LOOK,
        "outcome": replace(RECORD, purpose="Tells whether a sale is open, won or lost at this stage."),
        "created_at": WHEN,
    }


@declare
class TagData(PersonalData):
    model = "crm.Tag"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **versions("name", "colour", "position"),
        "name": RECORD,
        "folded": replace(
            RECORD, purpose="Recognises a name that is taken already.", export=Export.OMITTED, correct=Correct.DERIVED
        ),
        "colour": LOOK,
        "position": LOOK,
        "created_at": WHEN,
    }


@declare
class ContactTagData(PersonalData):
    model = "crm.ContactTag"
    subjects = {"workspace": "workspace", "contact": "contact", "person": "added_by"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **STAMP,
        "contact": OF_CONTACT,
        "tag": RECORD,
        "added_at": WHEN,
        "added_by": AUTHOR,
    }


@declare
class NoteData(PersonalData):
    model = "crm.Note"
    subjects = {"workspace": "workspace", "contact": "contact", "person": ("author", "edited_by")}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **versions("text", "pinned", "deleted_at"),
        "contact": OF_CONTACT,
        "text": RECORD,
        "search_text": replace(
            RECORD, purpose="Finds the note by any part of its text.", export=Export.OMITTED, correct=Correct.DERIVED
        ),
        "author": AUTHOR,
        "pinned": LOOK,
        "created_at": WHEN,
        "edited_at": WHEN,
        "edited_by": replace(AUTHOR, purpose="Tells which member wrote the text as it stands."),
        "deleted_at": WHEN,
    }


@declare
class NoteEditData(PersonalData):
    model = "crm.NoteEdit"
    subjects = {"workspace": "workspace", "contact": "note__contact", "person": "author"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "note": OF_CONTACT,
        "text": replace(RECORD, purpose="Shows what a note said before it was edited.", correct=Correct.NEVER),
        "author": AUTHOR,
        "written_at": WHEN,
    }


@declare
class CustomFieldData(PersonalData):
    model = "crm.CustomField"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **versions("name", "options", "currency", "position", "retired_at"),
        "name": RECORD,
        "folded": replace(
            RECORD, purpose="Recognises a name that is taken already.", export=Export.OMITTED, correct=Correct.DERIVED
        ),
        "kind": technical("Tells what values the field takes."),
        "options": replace(
            RECORD, purpose="Lists what can be chosen.", json_keys=("[]", "id", "label", "colour", "retired")
        ),
        "currency": LOOK,
        "position": LOOK,
        "retired_at": WHEN,
        "created_at": WHEN,
    }


@declare
class FieldValueData(PersonalData):
    model = "crm.FieldValue"
    subjects = {"workspace": "workspace", "contact": "contact"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **versions("value"),
        "contact": OF_CONTACT,
        "field": technical("Tells in which custom field the value stands."),
        "value": replace(RECORD, json_keys=("[]",)),
        "text": replace(
            RECORD, purpose="Finds, filters and orders by the value.", export=Export.OMITTED, correct=Correct.DERIVED
        ),
        "number": replace(
            RECORD, purpose="Filters and orders by the value.", export=Export.OMITTED, correct=Correct.DERIVED
        ),
    }


@declare
class TabData(PersonalData):
    model = "crm.Tab"
    subjects = {"workspace": "workspace", "person": "owner"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **versions("name", "filter", "sort", "position", "shared"),
        "name": RECORD,
        "target": LOOK,
        "filter": replace(RECORD, purpose="Chooses which contacts or chats the tab lists.", json_keys=("any filter",)),
        "sort": LOOK,
        "position": LOOK,
        "shared": LOOK,
        "owner": replace(AUTHOR, purpose="Tells whose private tab it is.", erase=Erase.WITH_ROW),
        "created_at": WHEN,
    }
