"""Contacts and their identities."""

from uuid import UUID

from django.db import transaction

from accounts.models import Workspace
from crm.models import Contact, ContactIdentity, FieldValue
from crm.models.identities import IdentitySource
from crm.services import bin, contacts, tags
from crm.services.identities import canonical_identities
from crm.services.sync.handlers.registry import (
    APPLIED,
    MERGED,
    UNCHANGED,
    Applied,
    Change,
    created,
    handles,
    locked,
    update_row,
)
from waplus.lib.errors import FieldError, Refused

_MAX_MERGES = 50


def living_contact(workspace: Workspace, contact_id):
    """The contact that this one was merged into, however often, or itself: what is put on it belongs there.

    What is no id at all is left to whoever reads the values.
    """
    try:
        found = UUID(contact_id)
    except (ValueError, TypeError, AttributeError):
        return contact_id
    for _ in range(_MAX_MERGES):
        rows = Contact.objects.for_workspace(workspace).filter(pk=found)
        if not (into := rows.values_list("merged_into", flat=True).first()):
            break
        found = into
    return str(found)


@handles("contact", "create")
def create_contact(change: Change) -> Applied:
    """A contact; where one of its numbers has a contact already, that one: the same person, noted twice offline."""
    values = {"identities": [], **change.values}
    try:
        with transaction.atomic():
            row, is_new = contacts.create_contact(
                **change.who, id=change.row_id, source=IdentitySource.PERSON, **values
            )
    except Refused as refusal:
        if refusal.code != "number_in_use":
            raise
        return _join_contact(change, UUID(refusal.extra["contact_id"]), values)
    return created(row, is_new, change)


def _join_contact(change: Change, contact_id: UUID, values: dict) -> Applied:
    """Add to the contact that is there what it lacks; what it has stays, and is told of where it differs."""
    identities, tag_ids = values.pop("identities"), values.pop("tags", ())
    fields = values.pop("fields", None) or {}
    contact = contacts.contact_of(workspace=change.workspace, contact_id=contact_id, lock=True)
    present = {name: getattr(contact, contact._meta.get_field(name).attname) for name in values}
    lacking = {name: value for name, value in values.items() if value and not present[name]}
    refused = [name for name, value in values.items() if value and present[name] and value != present[name]]
    known = {
        str(field_id)
        for field_id in FieldValue.objects.for_workspace(change.workspace)
        .filter(contact=contact)
        .values_list("field_id", flat=True)
    }
    refused += [f"fields.{name}" for name in fields if name in known]
    missing = {name: value for name, value in fields.items() if name not in known}
    if missing:
        lacking["fields"] = missing
    contacts.update_contact(**change.who, contact_id=contact.pk, **lacking)
    for index, identity in enumerate(identities):
        if not _try_identity(change, contact.pk, identity):
            refused.append(f"identities.{index}")
    for tag_id in tag_ids:
        tags.tag_contact(**change.who, contact_id=contact.pk, tag_id=tag_id)
    kept = [FieldError(name, "conflict", "The contact that is there has another value.") for name in refused]
    return Applied(contact.pk, MERGED, kept)


def _try_identity(change: Change, contact_id: UUID, identity: dict) -> bool:
    try:
        with transaction.atomic():
            contacts.add_identity(**change.who, contact_id=contact_id, source=IdentitySource.PERSON, **identity)
    except Refused as refusal:
        if refusal.code not in ("number_in_use", "invalid"):
            raise
        return False
    return True


@handles("contact", "update")
def update_contact(change: Change) -> Applied:
    return update_row(
        locked(Contact, change),
        change,
        lambda **values: contacts.update_contact(**change.who, contact_id=change.row_id, **values),
    )


@handles("contact", "delete")
def delete_contact(change: Change) -> Applied:
    """Into the bin. Gone already, whether there or for good, is what was wanted."""
    row = Contact.objects.for_workspace(change.workspace).filter(pk=change.row_id).first()
    if row is None or row.deleted_at is not None:
        return Applied(change.row_id, UNCHANGED)
    bin.delete_contact(**change.who, contact_id=change.row_id)
    return Applied(change.row_id)


@handles("contact", "restore")
def restore_contact(change: Change) -> Applied:
    before = locked(Contact, change).deleted_at
    bin.restore_contact(**change.who, contact_id=change.row_id)
    return Applied(change.row_id, APPLIED if before else UNCHANGED)


@handles("contact_identity", "create")
def add_identity(change: Change) -> Applied:
    """An identity is its contact's: where it is there already, or spelled otherwise, the one that is there."""
    values = dict(change.values)
    contact = contacts.contact_of(workspace=change.workspace, contact_id=values.pop("contact"), lock=True)
    known = set(contact.identities.values_list("pk", flat=True))
    contacts.add_identity(**change.who, contact_id=contact.pk, source=IdentitySource.PERSON, **values)
    if added := contact.identities.exclude(pk__in=known).first():
        return Applied(added.pk)
    [same] = canonical_identities([values], change.workspace.default_country, field="")
    return Applied(contact.identities.get(kind=same.kind, value=same.value).pk, UNCHANGED)


@handles("contact_identity", "delete")
def remove_identity(change: Change) -> Applied:
    row = ContactIdentity.objects.for_workspace(change.workspace).filter(pk=change.row_id).first()
    if row is None:
        return Applied(change.row_id, UNCHANGED)
    contacts.remove_identity(**change.who, contact_id=row.contact_id, identity_id=row.pk)
    return Applied(change.row_id)
