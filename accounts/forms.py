"""What sign-up asks beyond address and password."""

from datetime import date

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.age_gate import AgeGate


class SignupFields(forms.Form):
    """Name, time zone and a neutral full birth date; used by the page and by the headless API alike.

    The birth date is judged and forgotten. It asks for the whole date without
    saying which age is needed, and a browser that was turned away stays so for
    a while, so that nobody learns the answer by trying.
    """

    name = forms.CharField(label=_("Your name"), max_length=150, required=False)
    birth_date = forms.DateField(
        label=_("Date of birth"),
        widget=forms.DateInput(attrs={"type": "date", "autocomplete": "bday"}),
        help_text=_("We check it and do not keep it."),
    )
    time_zone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput())

    def clean_birth_date(self) -> date:
        born = self.cleaned_data["birth_date"]
        AgeGate.current().judge(born)
        return born

    def signup(self, request, user) -> None:
        """allauth calls this with the new person; the adapter has filled it in already."""
