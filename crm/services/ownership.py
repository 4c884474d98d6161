"""Whose contacts are whose when a member goes."""

from uuid import UUID

from django.utils import timezone

from accounts.actors import SYSTEM
from accounts.models import Workspace
from crm.models import Contact
from crm.services.contact_events import record_event_of_many


def hand_over_contacts(*, workspace: Workspace, user_id: UUID, heir_id: UUID | None, limit: int) -> int:
    """Give contacts that a departed member looked after to another one, or to nobody (`accounts.services.departures`).

    Those in the bin and merged ones too: they may come back.
    """
    owned = Contact.objects.for_workspace(workspace).filter(owner=user_id).order_by("pk")
    ids = list(owned.select_for_update(no_key=True).values_list("pk", flat=True)[:limit])
    if ids:
        Contact.objects.filter(pk__in=ids).update(owner=heir_id, updated_at=timezone.now())
        record_event_of_many(
            kind="contact.reassigned",
            actor=SYSTEM,
            workspace=workspace,
            contact_ids=ids,
            changed=[f"owner.{heir_id}" if heir_id else "owner"],
        )
    return len(ids)


def count_owned(*, workspace: Workspace, user_id: UUID) -> int:
    """How many contacts of lists a member looks after."""
    return Contact.objects.for_workspace(workspace).alive().filter(owner=user_id).count()
