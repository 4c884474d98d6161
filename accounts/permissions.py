"""Who may do what: deny by default, one rule, said by each view in one table."""

from rest_framework.permissions import BasePermission

from accounts.models import Role
from waplus.lib.errors import Refused

ANYONE = "anyone"


class HasRole(BasePermission):
    """The view's `roles` maps an HTTP method to the least `Role` (or `ANYONE`); a method that is not named is refused.

    An unknown method is left to DRF, which answers 405.
    """

    def has_permission(self, request, view) -> bool:
        if request.method == "OPTIONS" or request.method.lower() not in view.http_method_names:
            return True
        if not hasattr(view, request.method.lower()):
            return True
        needed = view.roles.get("GET" if request.method == "HEAD" else request.method)
        if needed == ANYONE:
            return True
        if request.auth is None:
            raise Refused("not_authenticated")
        if needed is None or not request.auth.membership.may(Role(needed)):
            raise Refused("forbidden")
        return True
