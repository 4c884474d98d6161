"""Bulk actions: one change to every contact that a filter matched when it began."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class BulkKind(models.TextChoices):
    ADD_TAGS = "add_tags", _("Put tags on")
    REMOVE_TAGS = "remove_tags", _("Take tags off")
    SET_OWNER = "set_owner", _("Hand over")
    SET_STAGE = "set_stage", _("Move to a stage")
    SET_FIELD = "set_field", _("Fill in a field")
    BIN = "bin", _("Put into the bin")
    RESTORE = "restore", _("Take out of the bin")


class BulkState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")


OPEN_STATES = (BulkState.WAITING, BulkState.RUNNING)


class BulkAction(WorkspaceModel):
    """One change to many contacts. Its set is frozen when it begins, so a change that its own filter asks for ends."""

    action = models.CharField(_("action"), max_length=12, choices=BulkKind)
    filter = models.JSONField(_("filter"), default=dict, blank=True)
    arguments = models.JSONField(default=dict, blank=True, help_text=_("Ids and the value that the action works with."))
    state = models.CharField(_("state"), max_length=10, choices=BulkState, default=BulkState.WAITING)
    problem = models.TextField(_("problem"), blank=True, help_text=_("Why it failed, in a sentence."))
    total = models.PositiveIntegerField(_("contacts"), null=True, help_text=_("Known once it runs."))
    done = models.PositiveIntegerField(_("done"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0, help_text=_("Contacts that were different before."))
    refused = models.PositiveIntegerField(_("refused"), default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(_("asked for"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta(WorkspaceModel.Meta):
        indexes = [
            models.Index(fields=["created_at"], condition=Q(state__in=OPEN_STATES), name="bulk_action_open"),
            models.Index(fields=["workspace", "-id"], name="bulk_action_newest"),
            models.Index(fields=["finished_at"], condition=Q(finished_at__isnull=False), name="bulk_action_age"),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.done} of {self.total}"


class BulkChunk(WorkspaceModel):
    """Some thousand contacts of a bulk action that are still to be done; a chunk that is done is gone."""

    bulk_action = ScopedForeignKey(BulkAction, models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    contact_ids = ArrayField(models.UUIDField())

    class Meta(WorkspaceModel.Meta):
        constraints = [
            CompositeForeignKey(field="bulk_action", name="bulk_chunk_action"),
            models.UniqueConstraint(fields=["workspace", "bulk_action", "number"], name="bulk_chunk_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {len(self.contact_ids)}"


class ContactsOfEvent(WorkspaceModel):
    """The contacts that an event with a count is about, so that each one's timeline can tell of it.

    Its id is the event's. A row for thousands of contacts costs 16 bytes a
    contact; the bounds spare looking into rows that cannot hold the one asked for.
    """

    contact_ids = ArrayField(models.UUIDField(), blank=True, help_text=_("In order."))
    first_contact_id = models.UUIDField()
    last_contact_id = models.UUIDField()

    class Meta(WorkspaceModel.Meta):
        indexes = [
            models.Index(
                fields=["workspace", "-id", "first_contact_id", "last_contact_id"], name="event_contacts_newest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id}: {len(self.contact_ids)}"
