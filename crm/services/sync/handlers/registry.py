"""The operations that may be pushed: who may do them, and what every handler has in common."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from accounts.actors import Actor
from accounts.models import Role, User, Workspace
from crm.models.synced import StampedModel
from crm.services.sync.conflicts import Base, decide
from waplus.lib.errors import FieldError, NotFound, Refused

APPLIED, MERGED, UNCHANGED, REFUSED = "applied", "merged", "unchanged", "refused"
# Members that name other rows: ids that the server mapped to others are replaced in them, however deep.
REFERENCES = ("contact", "tag", "field", "stage", "chat", "tags", "after", "filter")
# Operations on rows that are pulled and that devices ask for by a request of its own.
ONLINE_ONLY = {
    ("tag", "delete"): "DELETE /api/v1/tags/<id>/",
    ("stage", "delete"): "DELETE /api/v1/stages/<id>/",
    ("custom_field", "delete"): "DELETE /api/v1/custom-fields/<id>/",
    ("whatsapp_account", "delete"): "DELETE /api/v1/whatsapp-accounts/<id>/",
    ("contact", "merge"): "POST /api/v1/contacts/<id>/merge/",
    ("contact", "purge"): "DELETE /api/v1/contacts/bin/<id>/",
    ("chat", "create"): "PUT /api/v1/chats/",
    ("group_member", "create"): "PUT /api/v1/chats/<id>/members/",
    ("group_member", "update"): "PATCH /api/v1/chats/<id>/members/",
    ("group_member", "delete"): "PATCH /api/v1/chats/<id>/members/",
}


@dataclass
class Applied:
    """What a handler did: the row that it is about, and what was not taken of the change."""

    row_id: UUID
    status: str = APPLIED
    refused: list[FieldError] = field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """One change, its values read and its references resolved."""

    workspace: Workspace
    user: User
    actor: Actor
    row_id: UUID
    values: dict
    base: Base
    epoch: UUID | None

    @property
    def who(self) -> dict:
        return {"workspace": self.workspace, "actor": self.actor}


Handler = Callable[[Change], Applied]


@dataclass(frozen=True)
class Operation:
    """Something that may be pushed. `role` is the least that it takes: that of the route that does the same."""

    handler: Handler
    role: Role


_operations: dict[tuple[str, str], Operation] = {}


def handles(kind: str, op: str, *, role: Role = Role.MEMBER):
    """Register a handler: it runs in a transaction of its own and raises `Refused` to leave nothing."""

    def register(handler: Handler) -> Handler:
        _operations[kind, op] = Operation(handler, role)
        return handler

    return register


def operation_of(kind: str, op: str) -> Operation:
    """What does an operation; one that is not done offline is refused as `online_only`."""
    if operation := _operations.get((kind, op)):
        return operation
    raise Refused("online_only", f"Not offered offline: ask for it by {ONLINE_ONLY[kind, op]}.")


def pushable() -> dict[str, dict[str, Role]]:
    """The operations of each kind, each with the least role that it takes."""
    found: dict[str, dict[str, Role]] = {}
    for (kind, op), operation in _operations.items():
        found.setdefault(kind, {})[op] = operation.role
    return found


def sendable() -> dict[str, list[str]]:
    """The operations of each kind that have an answer of their own, those that are `online_only` too."""
    found: dict[str, list[str]] = {}
    for kind, op in (*_operations, *ONLINE_ONLY):
        found.setdefault(kind, []).append(op)
    return found


def created(row, is_new: bool, change: Change) -> Applied:
    """A row that was made, was there already, or stands for the wanted one under another id."""
    if is_new:
        return Applied(row.pk)
    return Applied(row.pk, UNCHANGED if row.pk == change.row_id else MERGED)


def locked(model: type[StampedModel], change: Change):
    """The row that a change is about."""
    row = model._base_manager.filter(workspace=change.workspace).select_for_update(no_key=True)
    row = row.filter(pk=change.row_id).first()
    if row is None:
        raise NotFound
    return row


def update_row(row, change: Change, update: Callable) -> Applied:
    """Set what may be set on a locked row; `update(**values)` is the service."""
    decision = decide(row, change.values, change.base, change.epoch)
    if decision.values or not decision.conflicts:
        update(**decision.values)
    is_changed = version_of(type(row), row.pk) != row.version
    conflicts = [FieldError(name, "conflict", "Somebody changed it meanwhile.") for name in decision.conflicts]
    if not conflicts:
        return Applied(row.pk, APPLIED if is_changed else UNCHANGED)
    return Applied(row.pk, MERGED if is_changed else REFUSED, conflicts)


def version_of(model, row_id: UUID) -> int | None:
    """A row's version; None if it is gone, as the value of a field is that was emptied."""
    return model._base_manager.values_list("version", flat=True).filter(pk=row_id).first()


def moved(change: Change, move: Callable) -> Applied:
    """Put a row behind another one; `move(after)` is the service and answers whether anything moved.

    Orders have no conflicts: of two people who move rows, both are heard, one after the other.
    """
    return Applied(change.row_id, APPLIED if move(change.values["after"]) else UNCHANGED)
