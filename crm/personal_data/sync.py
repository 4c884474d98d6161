"""The data map of synchronisation."""

from waplus.lib.personal_data import CLIENT_ID, WORKSPACE, PersonalData, Retention, declare, technical


@declare
class TombstoneData(PersonalData):
    model = "crm.Tombstone"
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "kind": technical("Tells devices what was deleted."),
        "row_id": technical("Tells devices which row was deleted."),
        "changed_xid": technical("Tells devices when it was deleted, in the order of commits."),
        "buried_at": technical("Tells when the mark may go.", retention=Retention.UNTIL_EXPIRY),
    }


@declare
class SyncEpochData(PersonalData):
    model = "crm.SyncEpoch"
    fields = dict.fromkeys(
        ("singleton", "epoch", "system_identifier", "database_oid", "timeline", "written_xid", "began_at"),
        technical("Recognises a database that was restored, so that devices start over."),
    )


@declare
class SyncFloorData(PersonalData):
    model = "crm.SyncFloor"
    subjects = {"workspace": "workspace"}
    fields = {
        "workspace": WORKSPACE,
        "xid": technical("Tells a device that was away for long that it missed a deletion."),
    }


@declare
class PushedChangeData(PersonalData):
    model = "crm.PushedChange"
    subjects = {"workspace": "workspace", "person": "user"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "user": technical("Tells whose device sent the change."),
        "change_id": technical("Recognises a change that was sent before."),
        "fingerprint": technical("Tells a repeated change from another one under the same id."),
        "outcome": technical(
            "Answers a repeated change.", json_keys=("status", "code", "kind", "id", "fields", "extra")
        ),
        "pushed_at": technical("Tells when the record may go.", retention=Retention.UNTIL_EXPIRY),
    }
