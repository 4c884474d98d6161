"""What a message says: one or several parts, each a text, a file, or a file with a caption."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from messaging.models.auto_replies import AutoReplyRule
from messaging.models.broadcasts import Broadcast
from messaging.models.media import MediaFile
from messaging.models.quick_replies import QuickReplyText
from messaging.models.scheduled import MAX_BODY, ScheduledMessage
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey

MAX_PARTS = 10
# Whatever a part can belong to. Exactly one of them holds it.
HOLDERS = ("scheduled_message", "broadcast", "auto_reply_rule", "quick_reply_text")


def _held_once() -> Q:
    """A part belongs to exactly one holder."""
    held = Q()
    for holder in HOLDERS:
        held |= Q(**{f"{name}__isnull": name != holder for name in HOLDERS})
    return held


class ContentPart(WorkspaceModel):
    """One WhatsApp message among those that are sent together, in the order of `position`, from 0."""

    scheduled_message = ScopedForeignKey(
        ScheduledMessage, models.CASCADE, null=True, related_name="parts", db_index=False
    )
    broadcast = ScopedForeignKey(Broadcast, models.CASCADE, null=True, related_name="parts", db_index=False)
    auto_reply_rule = ScopedForeignKey(AutoReplyRule, models.CASCADE, null=True, related_name="parts", db_index=False)
    quick_reply_text = ScopedForeignKey(QuickReplyText, models.CASCADE, null=True, related_name="parts", db_index=False)
    position = models.PositiveSmallIntegerField(validators=[MaxValueValidator(MAX_PARTS - 1)])
    body = models.TextField(_("text"), max_length=MAX_BODY, blank=True)
    media = ScopedForeignKey(MediaFile, models.SET_NULL, null=True, related_name="parts", db_index=False)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="media", name="content_part_media"),
            *(CompositeForeignKey(field=holder, name=f"content_part_{holder}") for holder in HOLDERS),
            *(
                models.UniqueConstraint(
                    fields=[holder, "position"],
                    condition=Q(**{f"{holder}__isnull": False}),
                    name=f"content_part_of_{holder}",
                )
                for holder in HOLDERS
            ),
            models.CheckConstraint(condition=_held_once(), name="content_part_held_once"),
        ]
        indexes = [
            models.Index(fields=["workspace", "media"], condition=Q(media__isnull=False), name="content_part_by_media")
        ]

    def __str__(self) -> str:
        return f"part {self.position}"
