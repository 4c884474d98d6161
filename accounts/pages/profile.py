"""The profile: name, time zone, language, mails."""

from itertools import groupby

from django import forms
from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import actors
from accounts.page_access import person_page
from accounts.services.people import update_profile
from waplus.lib.walltime import zone_names


def _zones() -> list:
    """Zones by region, so that the long list can be found through; the technical `Etc` ones are left out."""
    names = sorted(name for name in zone_names() if "/" in name and not name.startswith("Etc/"))
    groups = [
        (region, [(name, name.partition("/")[2].replace("_", " ").replace("/", " – ")) for name in group])
        for region, group in groupby(names, key=lambda name: name.partition("/")[0])
    ]
    return [("UTC", "UTC"), *groups]


class ProfileForm(forms.Form):
    """What the person tells of themselves."""

    name = forms.CharField(
        label=pgettext_lazy("of a person", "Name"),
        max_length=150,
        required=False,
        help_text=gettext_lazy("Your team sees it."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=_zones,
        help_text=gettext_lazy("Times on these pages, and your reminders, follow it."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    reminders_by_email = forms.BooleanField(
        label=gettext_lazy("Send me reminders by e-mail, too"),
        required=False,
        help_text=gettext_lazy("The extension shows them in any case."),
    )
    warnings_by_email = forms.BooleanField(
        label=gettext_lazy("Warn me by e-mail when messages cannot be sent"),
        required=False,
        help_text=gettext_lazy("Such as before their time, when no device is there to send them."),
    )

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())


@require_http_methods(["GET", "HEAD", "POST"])
@person_page
def profile(request):
    """Look at and change one's own profile."""
    user = request.user
    initial = {name: getattr(user, name) for name in ProfileForm.base_fields}
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        update_profile(user=user, actor=actors.person(user), **form.cleaned_data)
        with translation.override(user.language):
            messages.success(request, _("Your profile is saved."))
        return redirect("profile")
    return render(request, "pages/profile.html", {"form": form})
