"""Invitations by e-mail. The link carries a token; only its hash is stored."""

import secrets
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from accounts.actors import Actor
from accounts.models import Invitation, Membership, Role, User, Workspace
from accounts.services.events import record_event
from accounts.services.workspaces import add_member
from waplus.lib.errors import NotFound, Refused
from waplus.lib.hashing import hash_secret
from waplus.lib.ids import uuid7


def _send(invitation: Invitation, token: str) -> None:
    context = {
        "invitation": invitation,
        "link": f"{settings.BASE_URL}{reverse('invitation', args=[token])}",
        "days": settings.INVITATION_LIFE.days,
    }
    with translation.override(settings.LANGUAGE_CODE):
        # One line whatever the names hold: a line break in a header is refused by the mailer.
        subject = " ".join(render_to_string("accounts/email/invitation_subject.txt", context).split())
        text = render_to_string("accounts/email/invitation.txt", context)
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [invitation.email])


@transaction.atomic
def invite(
    *, workspace: Workspace, email: str, role: Role, inviter: User, actor: Actor, id: UUID | None = None
) -> Invitation:
    """Invite by e-mail; the message goes out after commit. An open invitation to the same address is answered as it is.

    An invitation takes no place of the plan; accepting does.
    """
    email = email.strip().lower()
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    if Membership.objects.for_workspace(workspace).filter(user__email__iexact=email).exists():
        raise Refused("already_member", field="email")
    open_one = Invitation.objects.for_workspace(workspace).filter(email__iexact=email).first()
    if open_one is not None and open_one.expires_at > timezone.now():
        return open_one
    if open_one is not None:
        open_one.delete()  # its link has expired: a new invitation takes its place
    if id is not None and Invitation.objects.filter(pk=id).exists():
        raise Refused("id_taken", field="id")
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        id=id or uuid7(),
        workspace=workspace,
        email=email,
        role=role,
        token_hash=hash_secret(token),
        invited_by=inviter,
        expires_at=timezone.now() + settings.INVITATION_LIFE,
    )
    record_event(kind="invitation.sent", actor=actor, workspace=workspace, obj=invitation, changed=["email", "role"])
    # A mail server that is away must not break the answer; the invitation can be sent again.
    transaction.on_commit(lambda: _send(invitation, token), robust=True)
    return invitation


@transaction.atomic
def resend_invitation(*, workspace: Workspace, invitation_id: UUID, actor: Actor) -> Invitation:
    """Send the message again with a new link; the old link ends."""
    invitation = Invitation.objects.for_workspace(workspace).select_for_update().filter(pk=invitation_id).first()
    if invitation is None:
        raise NotFound
    token = secrets.token_urlsafe(32)
    invitation.token_hash = hash_secret(token)
    invitation.expires_at = timezone.now() + settings.INVITATION_LIFE
    invitation.save(update_fields=["token_hash", "expires_at"])
    record_event(kind="invitation.resent", actor=actor, workspace=workspace, obj=invitation)
    # A mail server that is away must not break the answer; the invitation can be sent again.
    transaction.on_commit(lambda: _send(invitation, token), robust=True)
    return invitation


@transaction.atomic
def revoke_invitation(*, workspace: Workspace, invitation_id: UUID, actor: Actor) -> None:
    """Withdraw an invitation: its link ends."""
    invitation = Invitation.objects.for_workspace(workspace).filter(pk=invitation_id).first()
    if invitation is None:
        raise NotFound
    record_event(kind="invitation.revoked", actor=actor, workspace=workspace, obj=invitation)
    invitation.delete()


def find_invitation(token: str) -> Invitation | None:
    """The open invitation behind a link."""
    return (
        Invitation.objects.filter(token_hash=hash_secret(token), expires_at__gt=timezone.now())
        .select_related("workspace", "invited_by")
        .first()
    )


@transaction.atomic
def accept_invitation(*, token: str, user: User, actor: Actor) -> Membership:
    """Join the workspace. The link serves only a person who has proven the invited address."""
    invitation = find_invitation(token)
    if invitation is None:
        raise NotFound
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=invitation.workspace_id)
    if not user.emailaddress_set.filter(email__iexact=invitation.email, verified=True).exists():
        raise Refused(
            "forbidden", "The invitation is for another e-mail address. Log in with that address to accept it."
        )
    if not Invitation.objects.filter(pk=invitation.pk).exists():
        raise NotFound
    membership = Membership.objects.for_workspace(workspace).filter(user=user).first()
    if membership is None:
        membership = add_member(workspace=workspace, user=user, role=Role(invitation.role), actor=actor)
    invitation.delete()
    return membership


def open_invitations_of(user: User):
    """Invitations that wait for a person's verified addresses."""
    addresses = user.emailaddress_set.filter(verified=True).values_list("email", flat=True)
    return Invitation.objects.filter(
        email__in=[a.lower() for a in addresses], expires_at__gt=timezone.now()
    ).select_related("workspace")
