"""Choosing a country by its telephone plan, on forms of any page."""

import phonenumbers
from django import forms
from django.utils.translation import gettext_lazy

from waplus.lib.phones import REGIONS


class CountrySelect(forms.Select):
    """Countries with a telephone plan, by code; the page's script writes their names in its own language."""

    def __init__(self, attrs=None, choices=()):
        super().__init__({"data-countries": "", "autocomplete": "country", **(attrs or {})}, choices)

    def create_option(self, name, value, *args, **kwargs):
        option = super().create_option(name, value, *args, **kwargs)
        if value:
            option["attrs"]["data-calling"] = f"+{phonenumbers.country_code_for_region(value)}"
        return option


def countries() -> list[tuple[str, str]]:
    """Choices of a default country: by code, the first of them none."""
    rows = [(code, f"{code} (+{phonenumbers.country_code_for_region(code)})") for code in sorted(REGIONS)]
    return [("", gettext_lazy("None: numbers carry their country code")), *rows]
