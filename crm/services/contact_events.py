"""One event for many contacts, which each one's timeline tells."""

from collections.abc import Iterable
from uuid import UUID

from accounts.actors import Actor
from accounts.models import Event, Workspace
from accounts.services.events import record_event
from crm.models import ContactsOfEvent


def record_event_of_many(
    *, kind: str, actor: Actor, workspace: Workspace, contact_ids: Iterable[UUID], changed: Iterable[str] = ()
) -> Event | None:
    """Write one event with a count, and which contacts it is about; nothing if there are none.

    For at most some thousand contacts, in the transaction of their change.
    """
    ids = sorted(contact_ids)
    if not ids:
        return None
    event = record_event(kind=kind, actor=actor, workspace=workspace, changed=changed, count=len(ids))
    ContactsOfEvent.objects.create(
        id=event.pk, workspace=workspace, contact_ids=ids, first_contact_id=ids[0], last_contact_id=ids[-1]
    )
    return event
