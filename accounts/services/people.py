"""People: what happens to an account as a whole."""

from django.db import transaction

from accounts import actors
from accounts.actors import Actor
from accounts.models import InstanceSession, Membership, User, Workspace
from accounts.models.tokens import RevokeReason
from accounts.services.changes import set_changed
from accounts.services.departures import note_departure
from accounts.services.events import record_event
from accounts.services.instances import end_sessions
from accounts.services.workspaces import first_workspace


@transaction.atomic
def note_verified_address(*, user: User) -> Workspace | None:
    """A person has proven an address: record it, and open a first workspace for a newcomer."""
    User.objects.select_for_update().get(pk=user.pk)
    record_event(kind="person.verified", actor=actors.person(user), workspace=None, obj=user, changed=["email"])
    return first_workspace(user)


@transaction.atomic
def update_profile(*, user: User, actor: Actor, **values) -> User:
    """Change name, time zone, language or what comes by mail."""
    changed = set_changed(user, values)
    if changed:
        user.save(update_fields=changed)
        record_event(kind="person.updated", actor=actor, workspace=None, obj=user, changed=changed)
    return user


@transaction.atomic
def deactivate(*, user: User, actor: Actor) -> None:
    """Shut a person out at once: pages, API and every device. What they look after becomes nobody's."""
    user.is_active = False
    user.save(update_fields=["is_active"])
    for workspace in Workspace.objects.filter(pk__in=Membership.objects.filter(user=user).values("workspace")):
        note_departure(workspace=workspace, user=user)
    end_sessions(InstanceSession.objects.filter(membership__user=user), RevokeReason.DEACTIVATED)
    record_event(kind="person.deactivated", actor=actor, workspace=None, obj=user, changed=["is_active"])


@transaction.atomic
def reactivate(*, user: User, actor: Actor) -> None:
    """Let a person in again; devices stay signed out."""
    user.is_active = True
    user.save(update_fields=["is_active"])
    record_event(kind="person.reactivated", actor=actor, workspace=None, obj=user, changed=["is_active"])
