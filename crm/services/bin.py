"""The bin: where deleted contacts and notes wait, until they are taken back or their time is over.

A contact in the bin is in no list, holds no number and no place in the plan,
and its messages are not handed out. What hangs on it stays as it was.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import SYSTEM, Actor
from accounts.models import Resource, Workspace
from accounts.services import plans
from accounts.services.events import record_event
from crm.models import Chat, Contact, ContactIdentity, GroupMember, Note
from crm.services.chat_links import link_chats
from crm.services.contact_events import record_event_of_many
from crm.services.identities import owners_of
from waplus.lib.deletion import delete_rows
from waplus.lib.errors import NotFound, Refused

CHUNK = 500


def _put_away(workspace: Workspace, contact_ids: Sequence[UUID]) -> list[UUID]:
    """Put those of some contacts that are alive into the bin; answers which."""
    alive = Contact.objects.for_workspace(workspace).alive().filter(pk__in=contact_ids).order_by("pk")
    ids = list(alive.select_for_update(no_key=True).values_list("pk", flat=True))
    if ids:
        # Before any identity: whoever makes contacts takes the usage first, then numbers.
        plans.release(workspace=workspace, resource=Resource.CONTACTS, amount=len(ids))
        now = timezone.now()
        Contact.objects.filter(pk__in=ids).update(deleted_at=now, updated_at=now)
        identities = ContactIdentity.objects.for_workspace(workspace)
        identities.filter(contact__in=ids, holds_key=True).update(holds_key=False)
        # Who writes from its number meanwhile is somebody new.
        for model in (Chat, GroupMember):
            model.objects.for_workspace(workspace).filter(contact__in=ids).update(contact=None)
    return ids


@transaction.atomic
def delete_contact(*, workspace: Workspace, contact_id: UUID, actor: Actor) -> None:
    """Put a contact into the bin."""
    if not _put_away(workspace, [contact_id]):
        raise NotFound
    contact = Contact.objects.get(pk=contact_id)
    record_event(kind="contact.deleted", actor=actor, workspace=workspace, obj=contact, changed=["deleted_at"])


@transaction.atomic
def delete_contacts(*, workspace: Workspace, contact_ids: Sequence[UUID], actor: Actor) -> int:
    """Put contacts into the bin, at most a few thousand a call; answers how many were not there yet."""
    ids = _put_away(workspace, contact_ids)
    record_event_of_many(
        kind="contact.deleted", actor=actor, workspace=workspace, contact_ids=ids, changed=["deleted_at"]
    )
    return len(ids)


def binned_contact(*, workspace: Workspace, contact_id: UUID) -> Contact:
    """A contact in the bin, locked."""
    contact = _locked(workspace, contact_id)
    if contact.deleted_at is None:
        raise NotFound
    return contact


def _locked(workspace: Workspace, contact_id: UUID) -> Contact:
    contacts = Contact.objects.for_workspace(workspace).filter(merged_into=None)
    contact = contacts.select_for_update().filter(pk=contact_id).first()
    if contact is None:
        raise NotFound
    return contact


@transaction.atomic
def restore_contact(*, workspace: Workspace, contact_id: UUID, actor: Actor) -> Contact:
    """Take a contact out of the bin, with its numbers and its place; one that is not in it stays as it is.

    Refused with `number_in_use` and the other contact's id if somebody has one
    of its numbers meanwhile, and with `plan_limit_reached` if there is no place.
    """
    contact = _locked(workspace, contact_id)
    if contact.deleted_at is None:
        return contact
    plans.reserve(workspace=workspace, resource=Resource.CONTACTS)
    contact.deleted_at, contact.updated_at = None, timezone.now()
    contact.save(update_fields=["deleted_at", "updated_at"])
    _take_numbers_back(workspace, contact)
    record_event(kind="contact.restored", actor=actor, workspace=workspace, obj=contact, changed=["deleted_at"])
    return contact


def _take_numbers_back(workspace: Workspace, contact: Contact) -> None:
    first: dict[str, ContactIdentity] = {}
    for identity in ContactIdentity.objects.for_workspace(workspace).filter(contact=contact).order_by("id"):
        first.setdefault(identity.match_key, identity)
    _refuse_taken(workspace, first)
    try:
        with transaction.atomic():
            ContactIdentity.objects.filter(pk__in=[identity.pk for identity in first.values()]).update(holds_key=True)
    except IntegrityError:
        # Somebody else was given one of the numbers since the look; the unique index decides.
        _refuse_taken(workspace, first)
        raise Refused("conflict") from None
    link_chats(workspace=workspace, holders=dict.fromkeys(first, contact.pk))


def _refuse_taken(workspace: Workspace, identities: dict[str, ContactIdentity]) -> None:
    for key, owner in owners_of(workspace, identities).items():
        raise Refused(
            "number_in_use",
            f"{identities[key].value} belongs to another contact by now.",
            field="identities",
            extra={"contact_id": str(owner)},
        )


def _purge(workspace: Workspace, ids: Sequence[UUID]) -> int:
    """Delete contacts for good, with what was merged into them and everything that hangs on either."""
    purged = delete_rows(Contact, ids, workspace.pk)
    if purged:
        plans.recount(workspace, Resource.SCHEDULED_MESSAGES)
    return purged


@transaction.atomic
def purge_contact(*, workspace: Workspace, contact_id: UUID, actor: Actor) -> None:
    """Delete a contact in the bin for good, before its time is over."""
    contact = binned_contact(workspace=workspace, contact_id=contact_id)
    record_event(kind="contact.purged", actor=actor, workspace=workspace, obj=contact)
    _purge(workspace, [contact.pk])


def empty_bins() -> int:
    """Delete for good what has been in the bin for `BIN_DAYS` days; answers how many contacts and notes went.

    A chunk is a transaction, so that a sweep that dies leaves whole chunks behind.
    """
    before = timezone.now() - timedelta(days=settings.BIN_DAYS)
    purged = 0
    for empty_some in (_empty_contacts, _empty_notes):
        while count := empty_some(before):
            purged += count
    return purged


def _oldest(rows, before) -> tuple[Workspace, list[UUID]] | None:
    """A chunk of one workspace's rows that went into the bin before a time, locked; None if there are none."""
    old = rows.filter(deleted_at__lt=before)
    first = old.select_related("workspace").first()
    if first is None:
        return None
    chunk = old.filter(workspace=first.workspace_id).order_by("pk").select_for_update(skip_locked=True)
    return first.workspace, list(chunk.values_list("pk", flat=True)[:CHUNK])


@transaction.atomic
def _empty_contacts(before) -> int:
    found = _oldest(Contact.objects.filter(merged_into=None), before)
    if found is None or not found[1]:
        return 0
    workspace, ids = found
    record_event(kind="contact.purged", actor=SYSTEM, workspace=workspace, count=len(ids))
    return _purge(workspace, ids)


@transaction.atomic
def _empty_notes(before) -> int:
    found = _oldest(Note.objects.all(), before)
    if found is None or not found[1]:
        return 0
    workspace, ids = found
    record_event(kind="note.purged", actor=SYSTEM, workspace=workspace, count=len(ids))
    return delete_rows(Note, ids, workspace.pk)
