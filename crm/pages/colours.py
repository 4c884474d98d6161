"""Choosing one of the nine colours, on forms of tags, stages and options."""

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.models import Colour


class ColourField(forms.ChoiceField):
    """A colour by name. Templates draw the choice as swatches (`crm/parts/colours.html`)."""

    def __init__(self, **kwargs):
        super().__init__(label=_("Colour"), choices=Colour.choices, initial=Colour.GREY, required=False, **kwargs)

    def clean(self, value) -> str:
        return super().clean(value) or Colour.GREY
