"""The members of a workspace, for forms that choose one of them."""

from accounts.models import Membership, User, Workspace


def active_members(workspace: Workspace) -> list[User]:
    """Members who can log in, by name."""
    rows = Membership.objects.for_workspace(workspace).filter(user__is_active=True).select_related("user")
    return sorted((row.user for row in rows), key=lambda user: str(user).casefold())
