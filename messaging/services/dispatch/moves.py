"""How a message moves from one state to the next, with the event that tells of it."""

from datetime import timedelta
from uuid import UUID

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from messaging.models import DispatchState, QueuedMessage
from messaging.models.dispatch import OPEN
from waplus.lib.errors import NotFound

LEASE = timedelta(seconds=60)

_MOVED = [
    *("state", "reason", "reason_code", "lease_until", "sending_at", "sent_at"),
    *("due_at", "not_before", "expires_at", "held_by"),
]


def locked_message(*, workspace: Workspace, message_id: UUID) -> QueuedMessage:
    """A message of the queue, locked; a foreign one is as unknown as a missing one."""
    message = QueuedMessage.objects.for_workspace(workspace).select_for_update().filter(pk=message_id).first()
    if message is None:
        raise NotFound
    return message


def move(message: QueuedMessage, state: DispatchState, actor: Actor, *, code: str = "", reason: str = "") -> None:
    """Put a locked message into a state, and record it."""
    message.state, message.reason_code, message.reason = state, code, reason
    if state not in OPEN:
        message.lease_until = None
    message.save(update_fields=_MOVED)
    record_event(
        kind=f"message.{state.value}", actor=actor, workspace=message.workspace, obj=message, changed=["state"]
    )
