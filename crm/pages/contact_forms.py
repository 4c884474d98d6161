"""The forms of a contact."""

from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy

from waplus.lib.ids import uuid7


class DetailsForm(forms.Form):
    """The contact's own fields."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    company = forms.CharField(
        label=gettext_lazy("Company"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class NewContactForm(DetailsForm):
    """A new contact. The id is made with the form, so that sending it twice makes one contact."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    number = forms.CharField(
        label=gettext_lazy("Phone number"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "placeholder": "+55 11 98765-4321"}),
    )
    field_order = ("id", "name", "number", "company", "email")

    def clean_id(self) -> UUID:
        value = self.cleaned_data["id"]
        return value if value.version == 7 else uuid7()


class NumberForm(forms.Form):
    """A number to add to a contact."""

    value = forms.CharField(
        label=gettext_lazy("Phone number"),
        max_length=100,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "placeholder": "+55 11 98765-4321"}),
    )
