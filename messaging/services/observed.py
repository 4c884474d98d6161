"""What an extension saw in WhatsApp, told to whatever has a use for it.

Dispatch, suppression, broadcasts and automatic replies register what they do
with messages that were seen; whoever takes messages in (`messaging.views`)
knows none of them. A text is there for this moment only: observers store of it
what they declare, and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.actors import Actor
from accounts.models import Workspace


@dataclass(frozen=True)
class ObservedMessage:
    """A message as an instance saw it in WhatsApp Web.

    `chat_id` and `contact_id` are the CRM's, where it knows them. `message_id`
    is the bare id. `text` is None where no switched-on feature needs it.
    `is_live` tells a message that has just happened from one that is read back.
    """

    whatsapp_account_id: UUID
    chat_jid: str
    chat_id: UUID | None
    contact_id: UUID | None
    from_me: bool
    message_id: str
    participant: str
    type: str
    text: str | None
    sent_at: datetime
    is_live: bool


Observer = Callable[[Workspace, Actor, Sequence[ObservedMessage]], None]
# What needs the text of an incoming message in a chat of this number, or of any of its messages.
Need = Callable[[Workspace, UUID], bool]

_observers: list[tuple[int, str, Observer]] = []
_needs: dict[str, Need] = {}


def register_observer(name: str, observe: Observer, *, order: int) -> None:
    """Call `observe` with every batch of messages that is seen, in the transaction that takes it in; low orders first.

    An observer gets no message twice, unless the same one is seen by a second instance at the same moment.
    """
    _observers[:] = sorted(
        [*(one for one in _observers if one[1] != name), (order, name, observe)], key=lambda one: one[:2]
    )


def register_need(feature: str, needs_text: Need) -> None:
    """Tell when a feature needs the text of live incoming messages of a number, stored nowhere."""
    _needs[feature] = needs_text


def needs_text(workspace: Workspace, whatsapp_account_id: UUID) -> bool:
    """Whether any feature that is switched on reads the text of live incoming messages of this number."""
    return any(needs(workspace, whatsapp_account_id) for needs in _needs.values())


def tell_observers(workspace: Workspace, actor: Actor, messages: Sequence[ObservedMessage]) -> None:
    """Tell everybody, in their order."""
    for _, _, observe in _observers:
        observe(workspace, actor, messages)
