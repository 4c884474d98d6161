"""The members of a workspace, for forms that choose one of them."""

from accounts.models import Membership, Role, User, Workspace


def active_members(workspace: Workspace, role: Role = Role.MEMBER) -> list[User]:
    """Members who can log in and have that role or a higher one, by name."""
    rows = Membership.objects.for_workspace(workspace).filter(user__is_active=True).select_related("user")
    return sorted((row.user for row in rows if row.may(role)), key=lambda user: str(user).casefold())
