"""What synchronisation keeps beside the rows themselves."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from waplus.lib.change_stamps import Xid8Field
from waplus.lib.ids import uuid7


class Tombstone(models.Model):
    """A synced row was deleted for good. Written by triggers alone, kept for a time (`SYNC_TOMBSTONE_LIFE`).

    No foreign key is checked: deleting a whole workspace leaves some behind,
    which go with their time.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(
        "accounts.Workspace", models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=20)
    row_id = models.UUIDField()
    changed_xid = Xid8Field()
    buried_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "changed_xid", "kind", "row_id"], name="tombstone_changes"),
            models.Index(fields=["buried_at"], name="tombstone_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.row_id}"


class SyncEpoch(models.Model):
    """Which database the tokens of synchronisation speak of: one row.

    The server, database and timeline that wrote it are compared with the ones
    that run, and `written_xid` with the (sub)transaction that PostgreSQL itself
    notes beside the row (`xmin`, whose 32 bits are all that is compared): a dump that is loaded, into this very database too,
    writes the row anew and so tells on itself. If any of them differs, a new
    epoch begins, and every token starts over.
    """

    singleton = models.BooleanField(primary_key=True, default=True, editable=False)
    epoch = models.UUIDField(default=uuid7)
    system_identifier = models.CharField(max_length=24)
    database_oid = models.PositiveBigIntegerField()
    timeline = models.PositiveBigIntegerField()
    written_xid = Xid8Field()
    began_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(singleton=True), name="sync_epoch_one")]

    def __str__(self) -> str:
        return str(self.epoch)


class SyncFloor(models.Model):
    """The newest tombstone of a workspace that was dropped: a token from before it has missed a deletion."""

    workspace = models.OneToOneField("accounts.Workspace", models.CASCADE, primary_key=True, related_name="+")
    xid = Xid8Field()

    def __str__(self) -> str:
        return str(self.xid)


class PushedChange(WorkspaceModel):
    """A change that an extension pushed, and what became of it: a repeat is answered with this and does nothing."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="+", db_index=False)
    change_id = models.UUIDField(help_text=_("The client's id of the change."))
    fingerprint = models.BinaryField(max_length=32)
    outcome = models.JSONField(help_text=_("Status, code, kind and id: the state itself is read afresh."))
    pushed_at = models.DateTimeField(_("pushed"), auto_now_add=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["workspace", "user", "change_id"], name="pushed_change_once")]
        indexes = [models.Index(fields=["pushed_at"], name="pushed_change_age")]

    def __str__(self) -> str:
        return str(self.change_id)
