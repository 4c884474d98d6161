"""The data map of broadcasts."""

from dataclasses import replace

from messaging.personal_data.vocabulary import AUTHOR, CHAT, METADATA, WISH
from waplus.lib.personal_data import CLIENT_ID, TEAM, WORKSPACE, Correct, Export, PersonalData, declare, technical

PROGRESS = technical("Tells how far the broadcast is.")


@declare
class BroadcastData(PersonalData):
    model = "messaging.Broadcast"
    subjects = {"workspace": "workspace", "person": ("created_by", "started_by")}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "whatsapp_account": WISH,
        "name": replace(WISH, purpose="Lets the team tell its broadcasts apart.", recipients=TEAM),
        "audience": replace(
            WISH,
            purpose="Tells whom the broadcast is meant for: filters, tabs, tags, imports and ids of contacts.",
            recipients=TEAM,
            json_keys=("include", "exclude", "filter", "tab", "tags", "contacts", "import", "any filter"),
        ),
        **dict.fromkeys(
            (
                *("time_zone", "start_wall", "end_wall", "hours_days", "hours_from", "hours_to", "hours_of"),
                *("rate_per_hour", "reply_days", "allow_partial"),
            ),
            replace(WISH, purpose="Tells when and how fast it is to be sent."),
        ),
        **dict.fromkeys(("starts_at", "ends_at"), replace(WISH, correct=Correct.DERIVED)),
        **dict.fromkeys(("state", "started_at", "finished_at", "created_at", "updated_at"), METADATA),
        **dict.fromkeys(("problem", "attempts", "recipients"), PROGRESS),
        "left_out": technical(
            "Tells how many were left out, by reason.",
            json_keys=(
                *("in_bin", "no_identity", "unreachable", "opted_out", "missing_variable", "duplicate"),
                *("over_plan", "no_time"),
            ),
        ),
        "zones": technical("Tells in which time zones its hours have to be watched."),
        "created_by": AUTHOR,
        "started_by": replace(AUTHOR, purpose="Tells the team who started it."),
    }


@declare
class BroadcastExclusionData(PersonalData):
    model = "messaging.BroadcastExclusion"
    subjects = {"workspace": "workspace", "contact": "contact", "person": "broadcast__created_by"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "broadcast": technical("Tells which broadcast it was."),
        "contact": replace(CHAT, purpose="Tells who was left out.", recipients=TEAM, correct=Correct.NEVER),
        "reason": replace(METADATA, purpose="Tells why somebody was left out of a broadcast."),
        "detail": replace(METADATA, purpose="Tells which variable of the text was missing."),
    }


@declare
class BroadcastSettingData(PersonalData):
    model = "messaging.BroadcastSetting"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": technical("Names the row.", export=Export.OMITTED),
        "workspace": WORKSPACE,
        "members_may_start": technical("Tells who may start broadcasts.", correct=Correct.BY_PERSON),
    }
