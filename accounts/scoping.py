"""What belongs to a workspace: the base of every tenant row, and where every query of one starts."""

from uuid import UUID

from django.db import models

from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7


class WorkspaceQuerySet(models.QuerySet):
    """Queries of tenant rows start with `for_workspace`, or with `of_client` where a client names a row to be made."""

    def for_workspace(self, workspace):
        return self.filter(workspace=workspace)

    def of_client(self, workspace, id: UUID | None):
        """What a request for a new row with this id is answered with: the row of the workspace that has it already.

        None where the id is free, or the client made none. An id that another
        workspace uses is refused as `id_taken`, which tells nothing of its row.
        """
        row = None if id is None else self.filter(pk=id).first()
        if row is not None and row.workspace_id != workspace.pk:
            raise Refused("id_taken", field="id")
        return row


class WorkspaceModel(models.Model):
    """A tenant row: a UUIDv7 that the client may make, and the workspace that it belongs to.

    `(workspace, id)` is unique so that other tenant rows can point here with a
    composite foreign key (`waplus.lib.constraints`); a system check refuses a
    plain foreign key between two tenant models.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", models.CASCADE, related_name="+", db_index=False)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [models.UniqueConstraint(fields=["workspace", "id"], name="%(app_label)s_%(class)s_scoped_id")]
