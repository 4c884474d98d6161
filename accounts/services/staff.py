"""The house's own staff: who may enter the admin, and what they may do there."""

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from accounts.actors import Actor
from accounts.models import User
from accounts.services.events import record_event


@transaction.atomic
def change_access(*, user: User, actor: Actor, is_staff: bool, groups: Iterable[Group]) -> User:
    """Let a person into the admin, or out of it, with the rights of `groups`."""
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    groups = set(groups)
    changed = []
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])
        changed.append("is_staff")
    if set(user.groups.all()) != groups:
        user.groups.set(groups)
        changed.append("groups")
    if changed:
        record_event(kind="person.access_changed", actor=actor, workspace=None, obj=user, changed=changed)
    return user


@transaction.atomic
def save_group(*, group: Group, actor: Actor, name: str, permissions: Iterable[Permission]) -> Group:
    """Make a group of rights or change it."""
    new = group.pk is None
    group.name = name
    group.save()
    group.permissions.set(permissions)
    record_event(
        kind="group.created" if new else "group.updated", actor=actor, workspace=None, changed=["name", "permissions"]
    )
    return group


@transaction.atomic
def delete_group(*, group: Group, actor: Actor) -> None:
    """Take a group's rights from everybody who had them through it."""
    group.delete()
    record_event(kind="group.deleted", actor=actor, workspace=None)
