"""What every page of a logged-in person shows in its frame."""

from django.utils.functional import SimpleLazyObject

from accounts.services.workspaces import current_membership, memberships_of


def current_workspace(request) -> dict:
    """`membership` and `memberships`, read only if the template asks."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"membership": None, "memberships": []}
    return {
        "membership": getattr(request, "membership", None) or SimpleLazyObject(lambda: current_membership(user)),
        "memberships": SimpleLazyObject(lambda: list(memberships_of(user))),
    }
