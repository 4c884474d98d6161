"""What happened: one row a change, written in the transaction of the change."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from waplus.lib.ids import uuid7


class ActorKind(models.TextChoices):
    """Who did it."""

    PERSON = "person", _("Person")
    INSTANCE = "instance", _("Extension")
    SYSTEM = "system", _("The server")


class Event(models.Model):
    """An audit record and the source of webhooks. It names changed fields, never values.

    Ids of actors and objects are plain columns and no foreign keys: an event
    outlives what it speaks of. `workspace` is empty for what concerns a person
    or an instance alone.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", models.CASCADE, null=True, related_name="+", db_index=False)
    kind = models.CharField(_("kind"), max_length=64, help_text=_("Dotted, past tense: contact.created"))
    actor_kind = models.CharField(_("actor"), max_length=10, choices=ActorKind)
    actor_user_id = models.UUIDField(null=True)
    actor_instance_id = models.UUIDField(null=True)
    object_type = models.CharField(_("object"), max_length=40)
    object_id = models.UUIDField(null=True)
    changed = ArrayField(models.CharField(max_length=60), default=list, help_text=_("Names of changed fields."))
    count = models.PositiveIntegerField(default=1, help_text=_("How many objects, for what happens in bulk."))
    request_id = models.CharField(max_length=64)
    happened_at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-id"], name="event_workspace"),
            models.Index(fields=["object_id", "-id"], name="event_object"),
            models.Index(fields=["actor_user_id", "-id"], name="event_actor"),
        ]

    def __str__(self) -> str:
        return self.kind
