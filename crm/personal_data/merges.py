"""The data map of merges of contacts."""

from dataclasses import replace

from crm.personal_data.vocabulary import AUTHOR, OF_CONTACT, RECORD, WHEN
from waplus.lib.personal_data import CLIENT_ID, WORKSPACE, Correct, PersonalData, declare, technical

COLUMNS = ("name", "profile_name", "company", "email", "owner_id", "stage_id", "avatar_id")


@declare
class MergeData(PersonalData):
    model = "crm.Merge"
    subjects = {"workspace": "workspace", "contact": ("kept", "absorbed"), "person": "merged_by"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "kept": OF_CONTACT,
        "absorbed": OF_CONTACT,
        "before": replace(
            RECORD,
            purpose="Gives a contact back what it was when a merge is undone.",
            correct=Correct.NEVER,
            json_keys=COLUMNS,
        ),
        "after": replace(
            RECORD,
            purpose="Tells what a merge changed, so that later edits stay.",
            correct=Correct.NEVER,
            json_keys=COLUMNS,
        ),
        "merged_by": AUTHOR,
        "merged_at": WHEN,
        "undone_at": WHEN,
    }


@declare
class MergeMoveData(PersonalData):
    model = "crm.MergeMove"
    subjects = {"workspace": "workspace", "contact": ("merge__kept", "merge__absorbed")}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "merge": technical("Tells to which merge the row belongs."),
        "model": technical("Tells what was moved."),
        "column": technical("Tells what was moved."),
        "row_id": technical("Tells what was moved."),
    }


@declare
class MergeSuggestionData(PersonalData):
    model = "crm.MergeSuggestion"
    subjects = {"workspace": "workspace", "contact": ("one", "other")}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "one": OF_CONTACT,
        "other": OF_CONTACT,
        "reason": replace(RECORD, purpose="Tells why two contacts may be one person.", correct=Correct.NEVER),
        "detail": replace(RECORD, purpose="Shows what two contacts have in common.", correct=Correct.NEVER),
        "created_at": WHEN,
        "dismissed_at": WHEN,
    }


@declare
class SuggestionScanData(PersonalData):
    model = "crm.SuggestionScan"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "seen_xid": technical("Tells how far the search for double contacts has come."),
        "seen_id": technical("Tells how far the search for double contacts has come."),
    }
