"""The team: members, their roles, and open invitations."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actors
from accounts.models import Invitation, Membership, Resource, Role
from accounts.page_access import add_refusal, member_page, refused_at, told
from accounts.services import invitations, plans, workspaces
from accounts.services.departures import looked_after
from waplus.lib.errors import Refused

_ROLES = [(Role.MEMBER.value, Role.MEMBER.label), (Role.ADMIN.value, Role.ADMIN.label)]


class InviteForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@example.com"}),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=_ROLES)


class RoleForm(forms.Form):
    """The new role of a member."""

    role = forms.ChoiceField(choices=_ROLES)


class HeirForm(forms.Form):
    """Which member takes over, by the id of the membership; nobody will do."""

    heir = forms.TypedChoiceField(
        label=gettext_lazy("Who takes over?"),
        help_text=gettext_lazy(
            "If nobody does, contacts have no owner any more, and reminders go to the workspace’s owner."
        ),
        coerce=UUID,
        empty_value=None,
        required=False,
    )

    def __init__(self, *args, heirs: list[Membership], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["heir"].choices = [
            ("", _("Nobody")),
            *((str(heir.pk), str(heir.user)) for heir in heirs),
        ]


def _members(membership: Membership) -> list[Membership]:
    """The workspace's members, each with what the one who looks may do with them."""
    rows = list(
        Membership.objects.for_workspace(membership.workspace).select_related("user").order_by("created_at", "id")
    )
    rank = Role(membership.role).rank
    for row in rows:
        row.is_self = row.pk == membership.pk
        row.role_can_change = membership.may(Role.ADMIN) and row.role != Role.OWNER and not row.is_self
        row.can_be_removed = membership.may(Role.ADMIN) and not row.is_self and rank > Role(row.role).rank
        row.can_become_owner = membership.role == Role.OWNER and not row.is_self and row.user.is_active
        row.can_leave = row.is_self and row.role != Role.OWNER
    return rows


def _page(request, membership: Membership, form: InviteForm):
    members = _members(membership)
    limit = membership.workspace.plan.limit_of(Resource.MEMBERS)
    used = plans.used_of(workspace=membership.workspace, resource=Resource.MEMBERS)
    open_ones = []
    if membership.may(Role.ADMIN):
        open_ones = Invitation.objects.for_workspace(membership.workspace).select_related("invited_by").order_by("-id")
    return render(
        request,
        "pages/team.html",
        {
            "members": members,
            "open_invitations": open_ones,
            "form": form,
            "roles": _ROLES,
            "limit": limit,
            "used": used,
            "full": used >= limit,
            "now": timezone.now(),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def team(request, membership):
    """Members and invitations; a POST invites."""
    if request.method != "POST":
        return _page(request, membership, InviteForm())
    return _invite(request)


@member_page(Role.ADMIN)
def _invite(request, membership):
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            invitation = invitations.invite(
                workspace=membership.workspace,
                email=form.cleaned_data["email"],
                role=Role(form.cleaned_data["role"]),
                inviter=request.user,
                actor=actors.person(request.user),
            )
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The invitation to %(email)s is on its way.") % {"email": invitation.email})
            return redirect("team")
    return _page(request, membership, form)


@require_POST
@member_page(Role.ADMIN)
def resend_invitation(request, membership, invitation_id):
    """Send an invitation again, with a new link."""
    with told(request, _("The invitation is sent again. The former link no longer works.")):
        invitations.resend_invitation(
            workspace=membership.workspace, invitation_id=invitation_id, actor=actors.person(request.user)
        )
    return redirect("team")


@require_POST
@member_page(Role.ADMIN)
def revoke_invitation(request, membership, invitation_id):
    """Withdraw an invitation."""
    with told(request, _("The invitation is withdrawn.")):
        invitations.revoke_invitation(
            workspace=membership.workspace, invitation_id=invitation_id, actor=actors.person(request.user)
        )
    return redirect("team")


@require_POST
@member_page(Role.ADMIN)
def change_role(request, membership, membership_id):
    """Make a member an admin, or an admin a member."""
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the roles."))
        return redirect("team")
    with told(request, _("The role is changed.")):
        workspaces.change_role(
            workspace=membership.workspace,
            membership_id=membership_id,
            role=Role(form.cleaned_data["role"]),
            actor=actors.person(request.user),
        )
    return redirect("team")


def _departure_page(request, membership: Membership, leaver: Membership, form: HeirForm):
    return render(
        request,
        "pages/departure.html",
        {
            "leaver": leaver,
            "is_self": leaver.pk == membership.pk,
            "looked_after": get_text_list(looked_after(workspace=membership.workspace, user=leaver.user), _("and")),
            "form": form,
        },
    )


def _depart(request, membership: Membership, leaver: Membership, success: str, to: str):
    """Show what would need another one, and who could take it over; a POST ends the membership."""
    form = HeirForm(request.POST if request.method == "POST" else None, heirs=_heirs(leaver))
    if form.is_valid():
        with refused_at(form, heir="heir"):
            workspaces.remove_member(
                workspace=membership.workspace,
                membership_id=leaver.pk,
                actor=actors.person(request.user),
                remover=membership,
                heir_membership_id=form.cleaned_data["heir"],
            )
            messages.success(request, success)
            return redirect(to)
    return _departure_page(request, membership, leaver, form)


def _heirs(leaver: Membership) -> list[Membership]:
    others = Membership.objects.for_workspace(leaver.workspace).exclude(pk=leaver.pk).filter(user__is_active=True)
    return list(others.select_related("user").order_by("user__name", "user__email", "id"))


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Role.ADMIN)
def remove_member(request, membership, membership_id):
    """Take somebody out of the workspace, and say who takes over."""
    leaver = next((row for row in _members(membership) if row.pk == membership_id), None)
    if leaver is None:
        raise Http404
    if not leaver.can_be_removed:
        messages.error(request, _("This member cannot be removed by you."))
        return redirect("team")
    success = _("%(name)s is removed. Their devices have lost access.") % {"name": leaver.user}
    return _depart(request, membership, leaver, success, "team")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def leave(request, membership):
    """Leave the workspace that one works in, and say who takes over."""
    if membership.role == Role.OWNER:
        messages.error(request, _("Hand the workspace over before you leave it."))
        return redirect("team")
    success = _("You left “%(workspace)s”.") % {"workspace": membership.workspace.name}
    return _depart(request, membership, membership, success, "home")


@require_POST
@member_page(Role.OWNER)
def transfer(request, membership, membership_id):
    """Hand the workspace over to another member."""
    with told(request, _("The workspace has a new owner. You are an admin now.")):
        workspaces.transfer_ownership(
            workspace=membership.workspace, membership_id=membership_id, actor=actors.person(request.user)
        )
    return redirect("team")
