"""Contacts: make and change; the bin is in `crm.services.bin`. One service call is one transaction with its event."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
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
from crm.services.contact_rows import insert_contact, insert_identities
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


def _add_identities(contact: Contact, workspace: Workspace, identities: list[Identity], source: str) -> None:
    """Add identities that a contact does not have, or raise `number_in_use` if a key is somebody else's."""
    identities, owners = settled(workspace, identities)
    held = {key for key, owner in owners.items() if owner == contact.pk}
    written = insert_identities(
        workspace_id=workspace.pk, contact_id=contact.pk, identities=identities, held=held, source=source
    )
    if written != len(identities):
        raise _in_use(workspace, contact, identities)
    link_chats(workspace=workspace, holders={identity.match_key: contact.pk for identity in identities})


def _in_use(workspace: Workspace, contact: Contact, identities: list[Identity]) -> Refused:
    """The refusal of identities that the database did not take, with the contact that has the first of them."""
    owners = owners_of(workspace, {identity.match_key for identity in identities})
    for identity in identities:
        if (owner := owners.get(identity.match_key)) not in (None, contact.pk):
            return Refused(
                "number_in_use",
                f"{identity.value} belongs to another contact.",
                field="identities",
                extra={"contact_id": str(owner)},
            )
    return Refused("conflict")


def _derive(contact: Contact, numbers: list[str]) -> None:
    """Set what lists are ordered by and what search looks into."""
    texts = {name: getattr(contact, name) for name in ("name", "profile_name", "company", "email")}
    contact.sort_name = sort_name_of(**texts, numbers=numbers)
    contact.search_text = search_text_of(**texts, numbers=numbers)


def derive_search(contact: Contact) -> None:
    """Derive anew what a contact is listed and found by; the caller saves `sort_name` and `search_text`."""
    _derive(contact, numbers_of(identities_of(contact).values_list("kind", "value").order_by("id")))


def identities_of(contact: Contact) -> QuerySet[ContactIdentity]:
    """A contact's identities along their index, which begins with the workspace."""
    return ContactIdentity.objects.filter(workspace=contact.workspace_id, contact=contact)


def _clean(values: dict) -> dict:
    return {name: " ".join(strip_invisible(value).split()) for name, value in values.items()}


def create_contact(
    *, workspace: Workspace, actor: Actor, source: str, identities: list[dict], id: UUID | None = None, **values
) -> tuple[Contact, bool]:
    """A new contact, and whether it is new: a repeat with the same id answers the contact as it is now.

    `identities` are `{kind, value}` as the client wrote them; numbers without a
    country code are read in the workspace's default country. `values` are its
    own texts (`name`, `company`, `email`), `owner` (a member's user id),
    `stage` and `tags` by id, and `fields`, raw values by id of their custom field.
    """
    try:
        contact = _create(workspace, actor, source, identities, id or uuid7(), **values)
    except Refused:
        # Whatever speaks against a repeat, it asks for nothing new.
        if existing := Contact.objects.of_client(workspace, id):
            return existing, False
        raise
    return contact, True


@transaction.atomic
def _create(
    workspace: Workspace,
    actor: Actor,
    source: str,
    identities: list[dict],
    id: UUID,
    *,
    name: str = "",
    company: str = "",
    email: str = "",
    owner: UUID | None = None,
    stage: UUID | None = None,
    tags: Sequence[UUID] = (),
    fields: dict[str, object] | None = None,
) -> Contact:
    canonical = canonical_identities(identities, workspace.default_country)
    values = _clean({"name": name, "company": company, "email": email})
    if not canonical and not any(values.values()):
        raise Invalid("name", "required", "A contact needs a name, a company, an e-mail address or an identity.")
    now = timezone.now()
    contact = Contact(id=id, workspace=workspace, created_at=now, updated_at=now, **values)
    _assign(contact, {"owner": owner, "stage": stage})
    _derive(contact, numbers_of((i.kind, i.value) for i in canonical))
    if any(identity.leak_key for identity in canonical):
        canonical, _ = settled(workspace, canonical)
    inserted = insert_contact(contact, canonical, source=source, actor=actor)
    if not inserted.has_place:
        raise plans.limit_reached(workspace=workspace, resource=Resource.CONTACTS)
    if not inserted.is_made:
        raise Refused("conflict")
    if inserted.identities != len(canonical):
        raise _in_use(workspace, contact, canonical)
    if tags:
        put_on_tags(workspace=workspace, contact=contact, tag_ids=tags, actor=actor)
    if fields:
        set_values(workspace=workspace, contact=contact, values=fields)
    return contact


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
    if identities_of(contact).filter(kind=canonical[0].kind, value=canonical[0].value).exists():
        return contact
    if identities_of(contact).count() >= MAX_IDENTITIES:
        raise Invalid("value", "too_many", f"A contact has at most {MAX_IDENTITIES} identities.")
    _add_identities(contact, workspace, canonical, source)
    _touch(contact, actor, workspace)
    return contact


@transaction.atomic
def remove_identity(*, workspace: Workspace, contact_id: UUID, identity_id: UUID, actor: Actor) -> Contact:
    """Take an identity off a contact; if it held a key that another spelling shares, that one holds it now."""
    contact = contact_of(workspace=workspace, contact_id=contact_id, lock=True)
    identity = identities_of(contact).filter(pk=identity_id).first()
    if identity is None:
        raise NotFound
    identity.delete()
    if identity.holds_key:
        heir = identities_of(contact).filter(match_key=identity.match_key).order_by("id").first()
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
