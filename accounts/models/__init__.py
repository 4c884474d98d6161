from accounts.models.events import Event
from accounts.models.idempotency import IdempotencyRecord
from accounts.models.instances import ExtensionInstance
from accounts.models.people import User
from accounts.models.plans import Plan, Resource, Usage
from accounts.models.tokens import AccessToken, InstanceSession, RefreshToken
from accounts.models.workspaces import Departure, Invitation, Membership, Role, Workspace

__all__ = [
    "AccessToken",
    "Departure",
    "Event",
    "ExtensionInstance",
    "IdempotencyRecord",
    "InstanceSession",
    "Invitation",
    "Membership",
    "Plan",
    "RefreshToken",
    "Resource",
    "Role",
    "Usage",
    "User",
    "Workspace",
]
