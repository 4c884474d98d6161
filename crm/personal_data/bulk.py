"""The data map of bulk actions and of the counts of tabs."""

from dataclasses import replace

from django.db.models import Q

from crm.personal_data.vocabulary import AUTHOR, OF_CONTACT, RECORD, WHEN
from waplus.lib.personal_data import (
    CLIENT_ID,
    WORKSPACE,
    Correct,
    Erase,
    Export,
    PersonalData,
    Retention,
    declare,
    technical,
)


def _about_contact(contact_id) -> Q:
    return Q(first_contact_id__lte=contact_id, last_contact_id__gte=contact_id, contact_ids__contains=[contact_id])


KEPT_FOR_A_TIME = {"retention": Retention.UNTIL_EXPIRY, "correct": Correct.NEVER}


@declare
class BulkActionData(PersonalData):
    model = "crm.BulkAction"
    subjects = {"workspace": "workspace", "person": "created_by"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "action": replace(RECORD, purpose="Tells the team what was done to many contacts.", **KEPT_FOR_A_TIME),
        "filter": replace(
            RECORD, purpose="Tells which contacts it was done to.", json_keys=("any filter",), **KEPT_FOR_A_TIME
        ),
        "arguments": replace(
            RECORD,
            purpose="Tells with which tags, owner, stage or value it was done.",
            json_keys=("tags", "owner", "stage", "field", "value"),
            **KEPT_FOR_A_TIME,
        ),
        **dict.fromkeys(
            ("state", "problem", "total", "done", "changed", "refused"),
            technical("Tells how far it is and how it ended.", retention=Retention.UNTIL_EXPIRY),
        ),
        "attempts": technical("Ends an action that breaks off again and again.", retention=Retention.UNTIL_EXPIRY),
        "created_by": replace(AUTHOR, purpose="Tells which member asked for it.", retention=Retention.UNTIL_EXPIRY),
        "created_at": replace(WHEN, **KEPT_FOR_A_TIME),
        "finished_at": technical("Tells when the record may go.", retention=Retention.UNTIL_EXPIRY),
    }


@declare
class BulkChunkData(PersonalData):
    model = "crm.BulkChunk"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "bulk_action": technical("Tells which bulk action it is a part of."),
        "number": technical("Keeps the parts in order."),
        "contact_ids": replace(
            OF_CONTACT,
            purpose="Tells which contacts are still to be changed; gone once they are.",
            export=Export.OMITTED,
            retention=Retention.UNTIL_EXPIRY,
        ),
    }


@declare
class ContactsOfEventData(PersonalData):
    """Like an event it holds ids alone, which lead nowhere once the contact is gone."""

    model = "crm.ContactsOfEvent"
    subjects = {"workspace": "workspace", "contact": _about_contact}
    fields = {
        "id": technical("Names the event that it belongs to.", retention=Retention.AUDIT),
        "workspace": WORKSPACE,
        "contact_ids": replace(
            OF_CONTACT,
            purpose="Tells in each contact's timeline what was done to many at once.",
            export=Export.OMITTED,
            retention=Retention.AUDIT,
            erase=Erase.CLEARED,
        ),
        **dict.fromkeys(
            ("first_contact_id", "last_contact_id"),
            technical("Spares looking into rows that cannot hold a contact.", retention=Retention.AUDIT),
        ),
    }


@declare
class TabCountData(PersonalData):
    model = "crm.TabCount"
    subjects = {"workspace": "workspace", "person": "viewer"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "tab": technical("Tells which tab was counted."),
        "viewer": replace(AUTHOR, purpose="Tells for whom a tab about “me” was counted.", erase=Erase.WITH_ROW),
        **dict.fromkeys(
            ("count", "exact", "last_event", "tab_version", "counted_at"),
            technical("Spares counting again what has not changed."),
        ),
    }
