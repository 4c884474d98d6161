"""What belongs to a workspace: the base of every tenant row, and where every query of one starts."""

from django.db import models

from waplus.lib.ids import uuid7


class WorkspaceQuerySet(models.QuerySet):
    """Queries of tenant rows start with `for_workspace`."""

    def for_workspace(self, workspace):
        return self.filter(workspace=workspace)


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
