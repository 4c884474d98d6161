"""What every synced row has: its stamp and its versions, both set by the database."""

from django.db import models

from accounts.scoping import WorkspaceModel, WorkspaceQuerySet
from waplus.lib.change_stamps import Xid8Field


class StampedModel(WorkspaceModel):
    """A row that extensions pull when it changes. Set-like rows (a tag on a contact) need no more than the stamp."""

    changed_xid = Xid8Field()

    objects = WorkspaceQuerySet.as_manager()

    class Meta(WorkspaceModel.Meta):
        abstract = True
        indexes = [models.Index(fields=["workspace", "changed_xid", "id"], name="%(class)s_changes")]


class SyncedModel(StampedModel):
    """A row whose columns are changed by several people, offline too.

    `version` rises with every update; `field_versions` says for each column of
    `versioned` at which version it changed last (absent: never since it was
    made). A client that changed a column on the base of version 7 is up to date
    if the column's version is 7 or less.
    """

    versioned: tuple[str, ...] = ()

    version = models.PositiveIntegerField(db_default=1, editable=False)
    field_versions = models.JSONField(db_default=models.Value({}, models.JSONField()), editable=False)

    class Meta(StampedModel.Meta):
        abstract = True
