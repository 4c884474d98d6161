"""The stages of a workspace's pipeline."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.colours import Colour
from crm.models.synced import SyncedModel


class StageOutcome(models.TextChoices):
    OPEN = "open", _("Open")
    WON = "won", _("Won")
    LOST = "lost", _("Lost")


class Stage(SyncedModel):
    """A step on the way to a sale; a contact stands at one of them or at none."""

    versioned = ("name", "colour", "position", "outcome")

    name = models.CharField(_("name"), max_length=80)
    folded = models.CharField(max_length=200, editable=False)
    colour = models.CharField(_("colour"), max_length=10, choices=Colour, default=Colour.GREY)
    position = models.PositiveIntegerField(_("position"), default=0)
    outcome = models.CharField(_("outcome"), max_length=6, choices=StageOutcome, default=StageOutcome.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(SyncedModel.Meta):
        constraints = [
            *SyncedModel.Meta.constraints,
            models.UniqueConstraint(fields=["workspace", "folded"], name="stage_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
