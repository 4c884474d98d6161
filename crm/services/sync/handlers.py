"""What devices may change while they are offline, each through the service that the API uses for it.

What reaches into many rows (deleting a tag, merging contacts) or belongs to
admins is asked for online.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from accounts.actors import Actor
from accounts.models import User, Workspace
from crm.models import Contact, ContactIdentity, ContactTag, FieldValue, Note, Reminder, Tag
from crm.models.identities import IdentitySource
from crm.models.synced import StampedModel
from crm.services import bin, contacts, notes, tags
from crm.services.identities import canonical_identities
from crm.services.reminders import changes as reminders
from crm.services.sync.conflicts import Base, decide
from waplus.lib.errors import FieldError, NotFound, Refused

APPLIED, MERGED, UNCHANGED, REFUSED = "applied", "merged", "unchanged", "refused"
_MAX_MERGES = 50


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
_handlers: dict[tuple[str, str], Handler] = {}
# Members that name other rows: ids that the server mapped to others are replaced in them.
REFERENCES = ("contact", "tag", "field", "stage", "chat", "tags")


def handles(kind: str, op: str):
    """Register a handler: it runs in a transaction of its own and raises `Refused` to leave nothing."""

    def register(handler: Handler) -> Handler:
        _handlers[kind, op] = handler
        return handler

    return register


def handler_of(kind: str, op: str) -> Handler | None:
    return _handlers.get((kind, op))


def pushable() -> dict[str, list[str]]:
    """The operations of each kind."""
    found: dict[str, list[str]] = {}
    for kind, op in _handlers:
        found.setdefault(kind, []).append(op)
    return found


# --- In common ------------------------------------------------------------------------------------


def _created(row, is_new: bool, change: Change) -> Applied:
    """A row that was made, was there already, or stands for the wanted one under another id."""
    if is_new:
        return Applied(row.pk)
    return Applied(row.pk, UNCHANGED if row.pk == change.row_id else MERGED)


def _locked(model: type[StampedModel], change: Change):
    row = model._base_manager.filter(workspace=change.workspace).select_for_update(no_key=True)
    row = row.filter(pk=change.row_id).first()
    if row is None:
        raise NotFound
    return row


def _update(model: type[StampedModel], change: Change, update: Callable) -> Applied:
    """Set what may be set; `update(**values)` is the service."""
    row = _locked(model, change)
    decision = decide(row, change.values, change.base, change.epoch)
    if decision.values or not decision.conflicts:
        update(**decision.values)
    is_changed = _version(model, row.pk) != row.version
    conflicts = [FieldError(name, "conflict", "Somebody changed it meanwhile.") for name in decision.conflicts]
    if not conflicts:
        return Applied(row.pk, APPLIED if is_changed else UNCHANGED)
    return Applied(row.pk, MERGED if is_changed else REFUSED, conflicts)


def _version(model, row_id: UUID) -> int:
    return model._base_manager.values_list("version", flat=True).get(pk=row_id)


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


# --- Contacts -------------------------------------------------------------------------------------


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
    return _created(row, is_new, change)


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
    return _update(
        Contact, change, lambda **values: contacts.update_contact(**change.who, contact_id=change.row_id, **values)
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
    before = _locked(Contact, change).deleted_at
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


# --- Tags and fields ------------------------------------------------------------------------------


@handles("tag", "create")
def create_tag(change: Change) -> Applied:
    row, is_new = tags.create_tag(**change.who, id=change.row_id, **change.values)
    return _created(row, is_new, change)


@handles("tag", "update")
def update_tag(change: Change) -> Applied:
    return _update(Tag, change, lambda **values: tags.update_tag(**change.who, tag_id=change.row_id, **values))


@handles("contact_tag", "create")
def tag_contact(change: Change) -> Applied:
    """A pair of contact and tag is there once, whoever put it there; its id is the server's."""
    pair = {"contact_id": change.values["contact"], "tag_id": change.values["tag"]}
    is_new = tags.tag_contact(**change.who, **pair)
    row = ContactTag.objects.for_workspace(change.workspace).get(**pair)
    return Applied(row.pk, APPLIED if is_new else UNCHANGED)


@handles("contact_tag", "delete")
def untag_contact(change: Change) -> Applied:
    row = ContactTag.objects.for_workspace(change.workspace).filter(pk=change.row_id).first()
    if row is None:
        return Applied(change.row_id, UNCHANGED)
    is_gone = tags.untag_contact(**change.who, contact_id=row.contact_id, tag_id=row.tag_id)
    return Applied(change.row_id, APPLIED if is_gone else UNCHANGED)


@handles("field_value", "create")
def fill_field(change: Change) -> Applied:
    """A pair of contact and field has one value; where a colleague gave another one meanwhile, that one stays."""
    contact_id = change.values["contact"]
    contacts.contact_of(workspace=change.workspace, contact_id=contact_id, lock=True)
    pair = FieldValue.objects.for_workspace(change.workspace).filter(contact=contact_id, field=change.values["field"])
    present = pair.first()
    if present is None:
        _set_field(change, contact_id, change.values["field"], change.values["value"])
        present = pair.first()
        return Applied(present.pk if present else change.row_id, APPLIED if present else UNCHANGED)
    if present.value == change.values["value"]:
        return Applied(present.pk, UNCHANGED)
    return Applied(present.pk, REFUSED, [FieldError("value", "conflict", "Somebody filled it meanwhile.")])


def _set_field(change: Change, contact_id: UUID, field_id: UUID, value) -> None:
    contacts.update_contact(**change.who, contact_id=contact_id, fields={str(field_id): value})


@handles("field_value", "update")
def change_field(change: Change) -> Applied:
    row = _pair_of(FieldValue, change)
    return _update(FieldValue, change, lambda value: _set_field(change, row.contact_id, row.field_id, value))


@handles("field_value", "delete")
def empty_field(change: Change) -> Applied:
    row = FieldValue.objects.for_workspace(change.workspace).filter(pk=change.row_id).first()
    if row is None:
        return Applied(change.row_id, UNCHANGED)
    _set_field(change, row.contact_id, row.field_id, None)
    return Applied(change.row_id)


def _pair_of(model, change: Change):
    """A row of a pair, its contact locked first: services lock contacts before what hangs on them."""
    row = model.objects.for_workspace(change.workspace).filter(pk=change.row_id).first()
    if row is None:
        raise NotFound
    contacts.contact_of(workspace=change.workspace, contact_id=row.contact_id, lock=True)
    return row


# --- Notes ----------------------------------------------------------------------------------------


@handles("note", "create")
def write_note(change: Change) -> Applied:
    values = dict(change.values)
    contact_id = values.pop("contact")
    row, is_new = notes.write_note(**change.who, id=change.row_id, contact_id=contact_id, **values)
    return _created(row, is_new, change)


@handles("note", "update")
def edit_note(change: Change) -> Applied:
    return _update(Note, change, lambda **values: notes.edit_note(**change.who, note_id=change.row_id, **values))


@handles("note", "delete")
def delete_note(change: Change) -> Applied:
    row = Note.objects.for_workspace(change.workspace).filter(pk=change.row_id).first()
    if row is None or row.deleted_at is not None:
        return Applied(change.row_id, UNCHANGED)
    notes.delete_note(**change.who, note_id=change.row_id)
    return Applied(change.row_id)


@handles("note", "restore")
def restore_note(change: Change) -> Applied:
    if _locked(Note, change).deleted_at is None:
        return Applied(change.row_id, UNCHANGED)
    notes.restore_note(**change.who, note_id=change.row_id)
    return Applied(change.row_id)


# --- Reminders ------------------------------------------------------------------------------------


@handles("reminder", "create")
def create_reminder(change: Change) -> Applied:
    row, is_new = reminders.create_reminder(**change.who, user=change.user, id=change.row_id, **change.values)
    return _created(row, is_new, change)


@handles("reminder", "update")
def update_reminder(change: Change) -> Applied:
    return _update(
        Reminder, change, lambda **values: reminders.update_reminder(**change.who, reminder_id=change.row_id, **values)
    )


@handles("reminder", "done")
def complete_reminder(change: Change) -> Applied:
    """An occurrence is done once, however many devices say so."""
    version = _locked(Reminder, change).version
    reminders.complete_reminder(**change.who, reminder_id=change.row_id, **change.values)
    return Applied(change.row_id, APPLIED if _version(Reminder, change.row_id) != version else UNCHANGED)


@handles("reminder", "reopen")
def reopen_reminder(change: Change) -> Applied:
    version = _locked(Reminder, change).version
    reminders.reopen_reminder(**change.who, reminder_id=change.row_id)
    return Applied(change.row_id, APPLIED if _version(Reminder, change.row_id) != version else UNCHANGED)


@handles("reminder", "delete")
def delete_reminder(change: Change) -> Applied:
    if not Reminder.objects.for_workspace(change.workspace).filter(pk=change.row_id).exists():
        return Applied(change.row_id, UNCHANGED)
    reminders.delete_reminder(**change.who, reminder_id=change.row_id)
    return Applied(change.row_id)
