"""Devices: extension installations and browsers in which a person is logged in."""

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts import actors
from accounts.models import ExtensionInstance
from accounts.page_access import person_page, told
from accounts.services import instances


class RenameForm(forms.Form):
    """What the person calls a device; nothing takes the name away."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60, required=False)


def own_devices(user) -> list[ExtensionInstance]:
    """A person's devices, each with its living session in `living`, if it has one."""
    sessions = instances.living_sessions(user).select_related("workspace")
    devices = list(
        ExtensionInstance.objects.filter(user=user)
        .prefetch_related(Prefetch("sessions", sessions, to_attr="living_sessions"))
        .order_by("-seen_at")
    )
    for device in devices:
        device.living = device.living_sessions[0] if device.living_sessions else None
        device.rename_form = RenameForm(initial={"name": device.name}, auto_id=f"id_%s_{device.pk}")
    return devices


def own_browsers(user) -> list[UserSession]:
    """Browsers in which a person is logged in, the one last seen first."""
    return sorted(UserSession.objects.purge_and_list(user), key=lambda session: session.last_seen_at, reverse=True)


@require_safe
@person_page
def devices(request):
    """Everything that is logged in as this person."""
    return render(
        request,
        "pages/devices.html",
        {"devices": own_devices(request.user), "sessions": own_browsers(request.user)},
    )


@require_POST
@person_page
def rename_device(request, instance_id):
    """Give a device a name."""
    form = RenameForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("A name has 60 characters at most."))
        return redirect("devices")
    with told(request, _("The name is saved.")):
        instances.rename_instance(
            user=request.user,
            instance_id=instance_id,
            name=form.cleaned_data["name"],
            actor=actors.person(request.user),
        )
    return redirect("devices")


@require_POST
@person_page
def sign_out_device(request, instance_id):
    """Sign a device out and take it off the list."""
    with told(request, _("The device is signed out.")):
        instances.revoke_instance(user=request.user, instance_id=instance_id, actor=actors.person(request.user))
    return redirect("devices")


@require_POST
@person_page
def sign_out_browser(request, session_id):
    """Sign another browser out; for this one there is the log-out button."""
    session = UserSession.objects.filter(pk=session_id, user=request.user).first()
    if session is None or session.is_current():
        raise Http404
    get_adapter().end_sessions([session])
    messages.success(request, _("The browser is signed out."))
    return redirect("devices")


@require_POST
@person_page
def sign_out_other_browsers(request):
    """Sign all browsers out but this one."""
    others = [session for session in UserSession.objects.filter(user=request.user) if not session.is_current()]
    get_adapter().end_sessions(others)
    messages.success(request, _("All other browsers are signed out."))
    return redirect("devices")
