"""Workspaces and their members."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts import actors
from accounts.actors import Actor
from accounts.models import InstanceSession, Invitation, Membership, Plan, Resource, Role, User, Workspace
from accounts.services import plans
from accounts.services.changes import set_changed
from accounts.services.departures import note_departure
from accounts.services.events import record_event
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.ids import uuid7


def _own_workspace(id: UUID, owner: User) -> Workspace | None:
    """The workspace that has an id already, if it is the owner's; somebody else's is `id_taken`."""
    existing = Workspace.objects.filter(pk=id).first()
    if existing and not Membership.objects.filter(workspace=existing, user=owner, role=Role.OWNER).exists():
        raise Refused("id_taken", field="id")
    return existing


@transaction.atomic
def create_workspace(
    *, owner: User, name: str, actor: Actor, id: UUID | None = None, default_country: str = ""
) -> Workspace:
    """A workspace on the default plan, with its owner in it. A repeat with the same id by its owner changes nothing."""
    if id is not None and (existing := _own_workspace(id, owner)):
        return existing
    plan = Plan.objects.get(is_default=True)
    try:
        with transaction.atomic():
            workspace = Workspace.objects.create(
                id=id or uuid7(), name=name, plan=plan, default_country=default_country
            )
    except IntegrityError:
        # Two requests with one id raced.
        if existing := _own_workspace(id, owner):
            return existing
        raise
    plans.reserve(workspace=workspace, resource=Resource.MEMBERS)
    membership = Membership.objects.create(
        workspace=workspace, user=owner, role=Role.OWNER, last_chosen_at=timezone.now()
    )
    record_event(kind="workspace.created", actor=actor, workspace=workspace, obj=workspace)
    record_event(kind="membership.created", actor=actor, workspace=workspace, obj=membership, changed=["role"])
    return workspace


@transaction.atomic
def update_workspace(*, workspace: Workspace, actor: Actor, **values) -> Workspace:
    """Change the name or the default country."""
    changed = set_changed(workspace, values)
    if changed:
        workspace.save(update_fields=changed)
        record_event(kind="workspace.updated", actor=actor, workspace=workspace, obj=workspace, changed=changed)
    return workspace


def first_workspace(user: User) -> Workspace | None:
    """Give a person who just proved their address a workspace to start in.

    Not when somebody invited them: then the first step is to accept.
    """
    invited = Invitation.objects.filter(email__iexact=user.email, expires_at__gt=timezone.now()).exists()
    if invited or Membership.objects.filter(user=user).exists():
        return None
    return create_workspace(owner=user, name=f"{user.get_short_name()}’s workspace"[:100], actor=actors.person(user))


def memberships_of(user: User):
    """Memberships of a person, the one chosen last first."""
    return (
        Membership.objects.of_person(user)
        .select_related("workspace__plan", "user")
        .order_by(F("last_chosen_at").desc(nulls_last=True), "-created_at")
    )


def current_membership(user: User) -> Membership | None:
    """The membership that a person works in: the one chosen last."""
    return memberships_of(user).first()


@transaction.atomic
def choose_workspace(*, user: User, workspace_id: UUID) -> Membership:
    """Make a workspace the one that the person works in."""
    membership = (
        Membership.objects.of_person(user).select_related("workspace__plan").filter(workspace=workspace_id).first()
    )
    if membership is None:
        raise NotFound
    membership.last_chosen_at = timezone.now()
    membership.save(update_fields=["last_chosen_at"])
    return membership


def _locked(workspace: Workspace) -> Workspace:
    """Changes of roles and members take turns on the workspace's row."""
    return Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def get_member(*, workspace: Workspace, membership_id: UUID) -> Membership:
    """A membership by id, within the workspace."""
    membership = Membership.objects.for_workspace(workspace).select_related("user").filter(pk=membership_id).first()
    if membership is None:
        raise NotFound
    return membership


@transaction.atomic
def change_role(*, workspace: Workspace, membership_id: UUID, role: Role, actor: Actor) -> Membership:
    """Make a member an admin or an admin a member; ownership moves by `transfer_ownership` only.

    Admins do not demote one another, as they do not remove one another; one may step down oneself.
    """
    _locked(workspace)
    membership = get_member(workspace=workspace, membership_id=membership_id)
    if Role.OWNER in (membership.role, role):
        raise Refused("owner_must_stay", "Ownership changes hands by a transfer.", field="role")
    if membership.role != role:
        owner = Membership.objects.for_workspace(workspace).filter(role=Role.OWNER, user=actor.user_id)
        if membership.role == Role.ADMIN and membership.user_id != actor.user_id and not owner.exists():
            raise Refused("forbidden", "Only the owner makes an admin a member.")
        membership.role = role
        membership.save(update_fields=["role"])
        record_event(kind="membership.updated", actor=actor, workspace=workspace, obj=membership, changed=["role"])
    return membership


@transaction.atomic
def add_member(*, workspace: Workspace, user: User, role: Role, actor: Actor) -> Membership:
    """Take somebody who is no member yet into the workspace, where the plan has a place; it is where they work now."""
    plans.reserve(workspace=workspace, resource=Resource.MEMBERS)
    membership = Membership.objects.create(workspace=workspace, user=user, role=role, last_chosen_at=timezone.now())
    record_event(kind="membership.created", actor=actor, workspace=workspace, obj=membership, changed=["role"])
    return membership


@transaction.atomic
def transfer_ownership(*, workspace: Workspace, membership_id: UUID, actor: Actor) -> Membership:
    """Make another member the owner; the old owner stays as an admin."""
    _locked(workspace)
    new = get_member(workspace=workspace, membership_id=membership_id)
    old = Membership.objects.for_workspace(workspace).get(role=Role.OWNER)
    if actor.user_id != old.user_id:
        raise Refused("forbidden", "Only the owner may hand the workspace over.")
    if not new.user.is_active:
        raise Refused("conflict", "This member’s account is deactivated.")
    if new.pk != old.pk:
        # One statement would trip over the one-owner index, which is checked row by row.
        Membership.objects.filter(pk=old.pk).update(role=Role.ADMIN)
        Membership.objects.filter(pk=new.pk).update(role=Role.OWNER)
        new.role = Role.OWNER
        record_event(kind="workspace.transferred", actor=actor, workspace=workspace, obj=new, changed=["role"])
    return new


@transaction.atomic
def remove_member(
    *,
    workspace: Workspace,
    membership_id: UUID,
    actor: Actor,
    remover: Membership,
    heir_membership_id: UUID | None = None,
) -> None:
    """End a membership: one's own (leaving), or as an admin somebody else's. All access ends with it.

    Admins do not remove one another; the owner removes anybody but themselves.
    What the member looked after goes to the heir, or becomes nobody's, soon
    after (`accounts.services.departures`).
    """
    _locked(workspace)
    membership = get_member(workspace=workspace, membership_id=membership_id)
    # Their role may have changed since the request came in.
    remover = get_member(workspace=workspace, membership_id=remover.pk)
    leaving = membership.pk == remover.pk
    if membership.role == Role.OWNER:
        raise Refused("owner_must_stay")
    if not leaving and Role(remover.role).rank <= Role(membership.role).rank:
        raise Refused("forbidden")
    heir = _heir(workspace, membership, heir_membership_id) if heir_membership_id else None
    note_departure(workspace=workspace, user=membership.user, heir=heir)
    record_event(
        kind="membership.left" if leaving else "membership.removed", actor=actor, workspace=workspace, obj=membership
    )
    InstanceSession.objects.filter(membership=membership).delete()
    membership.delete()
    plans.release(workspace=workspace, resource=Resource.MEMBERS)


def _heir(workspace: Workspace, leaver: Membership, membership_id: UUID) -> User:
    heir = Membership.objects.for_workspace(workspace).select_related("user").filter(pk=membership_id).first()
    if heir is None or heir.pk == leaver.pk or not heir.user.is_active:
        raise Invalid("heir", "does_not_exist", "This is no other member who could take over.")
    return heir.user
