"""Custom fields of a workspace, and the values that contacts have in them."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models.contacts import Contact
from crm.models.synced import SyncedModel
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class FieldKind(models.TextChoices):
    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    CHOICE = "choice", _("Choice")
    MULTIPLE = "multiple", _("Several choices")
    URL = "url", _("Web address")
    BOOLEAN = "boolean", _("Yes or no")
    MONEY = "money", _("Money")


class CustomField(SyncedModel):
    """A field that the workspace made for its contacts. A retired one keeps its values and is shown no more."""

    versioned = ("name", "options", "currency", "position", "retired_at")

    name = models.CharField(_("name"), max_length=80)
    folded = models.CharField(max_length=200, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=FieldKind)
    options = models.JSONField(
        _("options"), default=list, blank=True, help_text=_("Of choices: [{id, label, colour, retired}].")
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True, help_text=_("ISO 4217, of money."))
    position = models.PositiveIntegerField(_("position"), default=0)
    retired_at = models.DateTimeField(_("retired"), null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(SyncedModel.Meta):
        constraints = [
            *SyncedModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["workspace", "folded"], condition=Q(retired_at=None), name="custom_field_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FieldValue(SyncedModel):
    """What a contact has in a custom field.

    `value` is canonical JSON: a string (text, URL, date as YYYY-MM-DD, option
    id), a number as a string of digits (number, money), a list of option ids,
    or a boolean. `text` and `number` are what it is filtered and sorted by:
    folded text; a number, a day since 1970-01-01, or 0 and 1.
    """

    versioned = ("value",)

    contact = ScopedForeignKey(Contact, models.CASCADE, related_name="field_values", db_index=False)
    field = ScopedForeignKey(CustomField, models.CASCADE, related_name="values", db_index=False)
    value = models.JSONField(_("value"))
    text = models.CharField(max_length=500, blank=True, editable=False, db_collation="C")
    number = models.DecimalField(max_digits=30, decimal_places=8, null=True, editable=False)

    class Meta(SyncedModel.Meta):
        # Nothing points here, so the scoped id of other tenant rows would be an index for nobody.
        constraints = [
            CompositeForeignKey(field="contact", name="field_value_contact"),
            CompositeForeignKey(field="field", name="field_value_field"),
            models.UniqueConstraint(fields=["workspace", "contact", "field"], name="field_value_once"),
        ]
        indexes = [
            *SyncedModel.Meta.indexes,
            models.Index(fields=["workspace", "field", "text", "contact"], name="field_value_by_text"),
            models.Index(
                fields=["workspace", "field", "number", "contact"],
                condition=Q(number__isnull=False),
                name="field_value_by_number",
            ),
            GinIndex(
                F("workspace"),
                OpClass(F("text"), name="gin_trgm_ops"),
                condition=~Q(text=""),
                name="field_value_search",
            ),
            GinIndex(F("workspace"), OpClass(F("value"), name="jsonb_path_ops"), name="field_value_holds"),
        ]

    def __str__(self) -> str:
        return str(self.value)
