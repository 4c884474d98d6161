"""Tags, and which contact wears which."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.colours import Colour
from crm.models.contacts import Contact
from crm.models.synced import StampedModel, SyncedModel
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class Tag(SyncedModel):
    """A label. Two names that fold to the same text are one tag."""

    versioned = ("name", "colour", "position")

    name = models.CharField(_("name"), max_length=80)
    folded = models.CharField(max_length=200, editable=False)
    colour = models.CharField(_("colour"), max_length=10, choices=Colour, default=Colour.GREY)
    position = models.PositiveIntegerField(_("position"), default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(SyncedModel.Meta):
        constraints = [
            *SyncedModel.Meta.constraints,
            models.UniqueConstraint(fields=["workspace", "folded"], name="tag_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class ContactTag(StampedModel):
    """A tag on a contact: it is there or it is not."""

    contact = ScopedForeignKey(Contact, models.CASCADE, related_name="contact_tags", db_index=False)
    tag = ScopedForeignKey(Tag, models.CASCADE, related_name="contact_tags", db_index=False)
    added_at = models.DateTimeField(_("added"))
    added_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta(StampedModel.Meta):
        # Nothing points here, so the scoped id of other tenant rows would be an index for nobody.
        constraints = [
            CompositeForeignKey(field="contact", name="contact_tag_contact"),
            CompositeForeignKey(field="tag", name="contact_tag_tag"),
            models.UniqueConstraint(fields=["workspace", "contact", "tag"], name="contact_tag_once"),
        ]
        indexes = [
            *StampedModel.Meta.indexes,
            models.Index(fields=["workspace", "tag", "contact"], name="contact_tag_by_tag"),
        ]

    def __str__(self) -> str:
        return f"{self.tag_id} on {self.contact_id}"
