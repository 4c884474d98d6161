"""Workspaces: create one, change to one, change its settings."""

from uuid import UUID

from django import forms
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actors
from accounts.countries import CountrySelect, countries
from accounts.models import Role
from accounts.page_access import add_refusal, member_page, person_page, told
from accounts.services import workspaces
from waplus.lib.errors import Refused


class WorkspaceForm(forms.Form):
    """Name and default country."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    default_country = forms.ChoiceField(
        label=gettext_lazy("Default country"),
        choices=countries,
        required=False,
        widget=CountrySelect,
        help_text=gettext_lazy("For phone numbers that are typed or imported without a country code."),
    )

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())


@require_POST
@person_page
def switch(request):
    """Work in another of one's workspaces from now on."""
    try:
        workspace_id = UUID(request.POST.get("workspace", ""))
    except ValueError as error:
        raise Http404 from error
    with told(request):
        workspaces.choose_workspace(user=request.user, workspace_id=workspace_id)
    return redirect("home")


@require_http_methods(["GET", "HEAD", "POST"])
@person_page
def new(request):
    """Create a workspace and work in it."""
    form = WorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            workspaces.create_workspace(owner=request.user, actor=actors.person(request.user), **form.cleaned_data)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("home")
    return render(request, "pages/new_workspace.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Role.ADMIN)
def settings(request, membership):
    """Change the workspace's name and default country."""
    workspace = membership.workspace
    initial = {"name": workspace.name, "default_country": workspace.default_country}
    form = WorkspaceForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with told(request, _("The settings are saved.")):
            workspaces.update_workspace(workspace=workspace, actor=actors.person(request.user), **form.cleaned_data)
        return redirect("workspace-settings")
    return render(request, "pages/workspace_settings.html", {"form": form})
