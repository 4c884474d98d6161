"""A form for the values of a contact in the workspace's own fields, made of what kinds these are."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from crm.models import Contact, CustomField, FieldKind
from waplus.lib.errors import Refused

MAX_TEXT = 2_000


def living_fields(workspace: Workspace) -> list[CustomField]:
    """The fields that are shown, in their order."""
    return list(CustomField.objects.for_workspace(workspace).filter(retired_at=None).order_by("position", "id"))


def _options(field: CustomField, present) -> list[tuple[str, str]]:
    """The options that can be chosen: a retired one only where it is chosen already."""
    kept = present if isinstance(present, list) else [present]
    return [
        (option["id"], option["label"]) for option in field.options if not option.get("retired") or option["id"] in kept
    ]


def form_field(field: CustomField, present) -> forms.Field:
    """The form's field for a custom field. What is a fine value is for the service to say: texts go to it as typed."""
    common = {"label": field.name, "required": False}
    if field.kind == FieldKind.CHOICE:
        return forms.ChoiceField(choices=[("", "–"), *_options(field, present)], **common)
    if field.kind == FieldKind.MULTIPLE:
        return forms.MultipleChoiceField(
            choices=_options(field, present), widget=forms.CheckboxSelectMultiple, **common
        )
    if field.kind == FieldKind.BOOLEAN:
        return forms.ChoiceField(choices=[("", "–"), ("true", _("Yes")), ("false", _("No"))], **common)
    attributes = {"autocomplete": "off"}
    if field.kind == FieldKind.DATE:
        attributes["type"] = "date"
    elif field.kind in (FieldKind.NUMBER, FieldKind.MONEY):
        attributes["inputmode"] = "decimal"
    elif field.kind == FieldKind.URL:
        attributes.update(inputmode="url", placeholder="https://")
    if field.kind == FieldKind.MONEY:
        common["label"] = f"{field.name} ({field.currency})"
    return forms.CharField(max_length=MAX_TEXT, widget=forms.TextInput(attrs=attributes), **common)


class ValuesForm(forms.Form):
    """All values of a contact; a field of the form is called by the id of its custom field."""

    def __init__(self, *args, fields: list[CustomField], present: dict[str, object], **kwargs):
        initial = {name: str(value).lower() if isinstance(value, bool) else value for name, value in present.items()}
        super().__init__(*args, initial=initial, auto_id="value-%s", **kwargs)
        for field in fields:
            name = str(field.pk)
            self.fields[name] = form_field(field, present.get(name))

    @classmethod
    def of(cls, contact: Contact, *args) -> "ValuesForm":
        """The form with what the contact has."""
        present = {str(id): value for id, value in contact.field_values.values_list("field_id", "value")}
        return cls(*args, fields=living_fields(contact.workspace), present=present)

    def changed_values(self) -> dict[str, object]:
        """What differs from what was there, by id of the custom field; nothing is None."""
        return {name: self.cleaned_data[name] or None for name in self.changed_data}

    def add_refusals(self, refusal: Refused) -> None:
        """Show each refusal at the field that it is about."""
        for error in refusal.fields:
            name = error.field.removeprefix("fields.")
            self.add_error(name if name in self.fields else None, error.detail)
        if not refusal.fields:
            self.add_error(None, refusal.detail)
