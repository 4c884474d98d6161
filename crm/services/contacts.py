"""Contacts: make and change; the bin is in `crm.services.bin`. One service call is one transaction with its event."""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Resource, Workspace
from accounts.services import plans
from accounts.services.changes import set_changed
from accounts.services.departures import hold_member
from accounts.services.events import record_event
from crm.models import Contact, ContactIdentity
from crm.models.contacts import numbers_of, search_text_of, sort_name_of
from crm.services.chat_links import link_chats, unlink_chats
from crm.services.field_values import set_values
from crm.services.identities import Identity, canonical_identities, owners_of, settled
from crm.services.stages import hold_stage
from crm.services.tags import put_on_tags
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.text import strip_invisible

MAX_IDENTITIES = 50
DERIVED = ("sort_name", "search_text")


def contact_of(*, workspace: Workspace, contact_id: UUID, lock: bool = False) -> Contact:
    """A contact by id, within the workspace; not one in the bin or merged into another."""
    contacts = Contact.objects.for_workspace(workspace).alive()
    contact = (contacts.select_for_update() if lock else contacts).filter(pk=contact_id).first()
    if contact is None:
        raise NotFound
    return contact


def _insert_identities(contact: Contact, identities: list[Identity], source: str) -> None:
    """Add identities to a contact, or raise `number_in_use` if a key is somebody else's.

    The unique index over key holders decides a race; the look before it only
    tells which contact it is.
    """
    identities, owners = settled(contact.workspace_id, identities)
    for identity in identities:
        owner = owners.get(identity.match_key)
        if owner is not None and owner != contact.pk:
            raise _in_use(identity, owner)
    now = timezone.now()
    held = {key for key, owner in owners.items() if owner == contact.pk}
    rows = []
    for identity in identities:
        rows.append(
            ContactIdentity(
                workspace_id=contact.workspace_id,
                contact=contact,
                kind=identity.kind,
                value=identity.value,
                match_key=identity.match_key,
                holds_key=identity.match_key not in held,
                source=source,
                observed_at=now,
            )
        )
        held.add(identity.match_key)
    known = set(contact.identities.values_list("kind", "value"))
    try:
        with transaction.atomic():
            ContactIdentity.objects.bulk_create([row for row in rows if (row.kind, row.value) not in known])
    except IntegrityError as error:
        owners = owners_of(contact.workspace_id, {identity.match_key for identity in identities})
        for identity in identities:
            if (owner := owners.get(identity.match_key)) not in (None, contact.pk):
                raise _in_use(identity, owner) from error
        raise Refused("conflict") from error
    link_chats(workspace=contact.workspace, holders={row.match_key: contact.pk for row in rows})


def _in_use(identity: Identity, owner: UUID) -> Refused:
    return Refused(
        "number_in_use",
        f"{identity.value} belongs to another contact.",
        field="identities",
        extra={"contact_id": str(owner)},
    )


def _derive(contact: Contact, numbers: list[str]) -> None:
    """Set what lists are ordered by and what search looks into."""
    texts = {name: getattr(contact, name) for name in ("name", "profile_name", "company", "email")}
    contact.sort_name = sort_name_of(**texts, numbers=numbers)
    contact.search_text = search_text_of(**texts, numbers=numbers)


def derive_search(contact: Contact) -> None:
    """Derive anew what a contact is listed and found by; the caller saves `sort_name` and `search_text`."""
    _derive(contact, numbers_of(contact.identities.values_list("kind", "value").order_by("id")))


def _clean(values: dict) -> dict:
    return {name: " ".join(strip_invisible(value).split()) for name, value in values.items()}


@transaction.atomic
def create_contact(
    *,
    workspace: Workspace,
    actor: Actor,
    source: str,
    identities: list[dict],
    id: UUID | None = None,
    name: str = "",
    company: str = "",
    email: str = "",
    owner: UUID | None = None,
    stage: UUID | None = None,
    tags: Sequence[UUID] = (),
    fields: dict[str, object] | None = None,
) -> tuple[Contact, bool]:
    """A new contact, and whether it is new: a repeat with the same id answers the contact as it is now.

    `identities` are `{kind, value}` as the client wrote them; numbers without a
    country code are read in the workspace's default country. `owner` is a
    member's user id, `fields` are raw values by id of their custom field.
    """
    if id is not None and (existing := Contact.objects.filter(pk=id).first()):
        if existing.workspace_id != workspace.pk:
            raise Refused("id_taken", field="id")
        return existing, False
    canonical = canonical_identities(identities, workspace.default_country)
    values = _clean({"name": name, "company": company, "email": email})
    if not canonical and not any(values.values()):
        raise Invalid("name", "required", "A contact needs a name, a company, an e-mail address or an identity.")
    plans.reserve(workspace=workspace, resource=Resource.CONTACTS)
    now = timezone.now()
    contact = Contact(id=id or uuid7(), workspace=workspace, created_at=now, updated_at=now, **values)
    _assign(contact, {"owner": owner, "stage": stage})
    _derive(contact, numbers_of((i.kind, i.value) for i in canonical))
    try:
        with transaction.atomic():
            contact.save(force_insert=True)
    except IntegrityError:
        # Two requests with one id raced; the reservation of this one goes back.
        plans.release(workspace=workspace, resource=Resource.CONTACTS)
        existing = Contact.objects.for_workspace(workspace).filter(pk=id).first()
        if existing is None:
            raise Refused("id_taken", field="id") from None
        return existing, False
    _insert_identities(contact, canonical, source)
    put_on_tags(workspace=workspace, contact=contact, tag_ids=tags, actor=actor)
    if fields:
        set_values(workspace=workspace, contact=contact, values=fields)
    record_event(kind="contact.created", actor=actor, workspace=workspace, obj=contact)
    return contact, True


@transaction.atomic
def update_contact(
    *, workspace: Workspace, contact_id: UUID, actor: Actor, precondition=lambda contact: None, **values
) -> Contact:
    """Change a contact: its own texts, `owner` (a member's user id or None), `stage`, and some `fields` by id.

    A value of None empties a custom field. `precondition` is called with the
    locked row and may refuse.
    """
    contact = contact_of(workspace=workspace, contact_id=contact_id, lock=True)
    precondition(contact)
    fields = values.pop("fields", None)
    moved = _assign(contact, {name: values.pop(name) for name in ("owner", "stage") if name in values})
    texts = set_changed(contact, _clean(values))
    filled = set_values(workspace=workspace, contact=contact, values=fields) if fields else []
    if not (moved or texts or filled):
        return contact
    if texts:
        derive_search(contact)
    contact.updated_at = timezone.now()
    contact.save(update_fields=[*moved, *texts, *(DERIVED if texts else ()), "updated_at"])
    changed = [*texts, *filled, *(_destination(contact, name) for name in moved)]
    record_event(kind="contact.updated", actor=actor, workspace=workspace, obj=contact, changed=changed)
    return contact


def _assign(contact: Contact, values: dict[str, UUID | None]) -> list[str]:
    """Set owner and stage by id where they differ, and answer which did; who or what is not there is refused."""
    moved = [name for name, id in values.items() if getattr(contact, f"{name}_id") != id]
    for name in moved:
        id = values[name]
        if id is not None and name == "stage":
            hold_stage(workspace=contact.workspace, stage_id=id)
        if id is not None and name == "owner" and not hold_member(workspace=contact.workspace, user_id=id):
            raise Invalid("owner", "does_not_exist", "This is no member of the workspace.")
        setattr(contact, f"{name}_id", id)
    return moved


def _destination(contact: Contact, name: str) -> str:
    """What an event says of a change of owner or stage: who or what it is now, by id; nothing behind the name is none."""
    id = getattr(contact, f"{name}_id")
    return f"{name}.{id}" if id else name


@transaction.atomic
def add_identity(
    *, workspace: Workspace, contact_id: UUID, actor: Actor, source: str, kind: str, value: str
) -> Contact:
    """Add one identity to a contact; one that it has already changes nothing."""
    contact = contact_of(workspace=workspace, contact_id=contact_id, lock=True)
    canonical = canonical_identities([{"kind": kind, "value": value}], workspace.default_country, field="")
    if contact.identities.filter(kind=canonical[0].kind, value=canonical[0].value).exists():
        return contact
    if contact.identities.count() >= MAX_IDENTITIES:
        raise Invalid("value", "too_many", f"A contact has at most {MAX_IDENTITIES} identities.")
    _insert_identities(contact, canonical, source)
    _touch(contact, actor, workspace)
    return contact


@transaction.atomic
def remove_identity(*, workspace: Workspace, contact_id: UUID, identity_id: UUID, actor: Actor) -> Contact:
    """Take an identity off a contact; if it held a key that another spelling shares, that one holds it now."""
    contact = contact_of(workspace=workspace, contact_id=contact_id, lock=True)
    identity = contact.identities.filter(pk=identity_id).first()
    if identity is None:
        raise NotFound
    identity.delete()
    if identity.holds_key:
        heir = contact.identities.filter(match_key=identity.match_key).order_by("id").first()
        if heir is not None:
            ContactIdentity.objects.filter(pk=heir.pk).update(holds_key=True)
        else:
            unlink_chats(workspace=workspace, lost=[(contact.pk, identity.match_key)])
    _touch(contact, actor, workspace)
    return contact


def _touch(contact: Contact, actor: Actor, workspace: Workspace) -> None:
    derive_search(contact)
    contact.updated_at = timezone.now()
    contact.save(update_fields=[*DERIVED, "updated_at"])
    record_event(kind="contact.updated", actor=actor, workspace=workspace, obj=contact, changed=["identities"])
