"""Who acts: passed to every service, never looked up from a thread."""

from dataclasses import dataclass
from uuid import UUID

from accounts.models.events import ActorKind


@dataclass(frozen=True)
class Actor:
    """The doer of a change: a person, an extension instance on a person's behalf, or the server itself."""

    kind: ActorKind
    user_id: UUID | None = None
    instance_id: UUID | None = None


SYSTEM = Actor(ActorKind.SYSTEM)


def person(user) -> Actor:
    """A person at a page."""
    return Actor(ActorKind.PERSON, user.id)


def person_or_system(user) -> Actor:
    """Whoever asked for work that is done later; the server itself where that person is gone, or nobody asked."""
    return person(user) if user else SYSTEM


def instance(instance, user=None) -> Actor:
    """An extension instance, for a person or (before login) for nobody."""
    return Actor(ActorKind.INSTANCE, user.id if user else None, instance.id)
