"""What observations would change, decided without touching the database (docs/adr/0018-identities.md)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from crm.models import SuggestionReason
from crm.models.contacts import numbers_of, search_text_of, sort_name_of
from crm.services.contacts import MAX_IDENTITIES
from crm.services.identities import Identity
from crm.services.reports import ItemRefused, Outcome, refused
from waplus.lib.ids import uuid7

# How often it is noted that an identity was seen again.
SEEN_EVERY = timedelta(days=1)


@dataclass(frozen=True)
class Observation:
    """One item: identities that WhatsApp shows as one person. An empty name says nothing."""

    identities: tuple[Identity, ...]
    observed_at: datetime
    profile_name: str = ""
    name: str = ""
    account_id: UUID | None = None


@dataclass
class KnownContact:
    """A contact as far as observations touch it; `seen` maps (kind, value) to (identity id, last seen), in order."""

    id: UUID
    texts: dict[str, str]
    seen: dict[tuple[str, str], tuple[UUID | None, datetime | None]] = field(default_factory=dict)
    version: int = 0
    is_new: bool = False
    is_changed: bool = False

    def derived(self) -> dict[str, str]:
        """What it is listed and found by."""
        numbers = numbers_of(self.seen)
        return {
            "sort_name": sort_name_of(**self.texts, numbers=numbers),
            "search_text": search_text_of(**self.texts, numbers=numbers),
        }


@dataclass(frozen=True)
class NewIdentity:
    """An identity to be added, with where and when it was observed."""

    contact_id: UUID
    identity: Identity
    holds_key: bool
    observation: Observation


@dataclass
class Plan:
    """What is to be written, and what is to be answered, in the order of the items."""

    outcomes: list[Outcome] = field(default_factory=list)
    contacts: dict[UUID, KnownContact] = field(default_factory=dict)
    added: list[NewIdentity] = field(default_factory=list)
    touched: dict[UUID, datetime] = field(default_factory=dict)
    pairs: list[tuple[UUID, UUID, SuggestionReason, str]] = field(default_factory=list)

    @property
    def new(self) -> list[KnownContact]:
        return [contact for contact in self.contacts.values() if contact.is_new]

    @property
    def changed(self) -> list[KnownContact]:
        """Contacts that were there and change, in the order in which they are locked."""
        changed = (contact for contact in self.contacts.values() if contact.is_changed and not contact.is_new)
        return sorted(changed, key=lambda contact: contact.id)

    @property
    def is_empty(self) -> bool:
        return not (self.new or self.changed or self.touched or self.pairs)


class Planner:
    """Goes through the items in order; what an earlier one adds is known to the later ones."""

    def __init__(self, owners: dict[str, UUID], contacts: Iterable[KnownContact], places: int):
        """`owners` maps match keys to contacts; `places` is how many new contacts there may be."""
        self.owners = dict(owners)
        self.plan = Plan(contacts={contact.id: contact for contact in contacts})
        self.places = places

    def take(self, item: Observation | ItemRefused) -> None:
        """Plan one item."""
        try:
            if isinstance(item, ItemRefused):
                raise item
            outcome = self._place(item)
        except ItemRefused as error:
            outcome = refused(error)
        self.plan.outcomes.append(outcome)

    def _place(self, item: Observation) -> Outcome:
        owners = list(dict.fromkeys(self.owners[i.match_key] for i in item.identities if i.match_key in self.owners))
        if not owners:
            return self._create(item)
        contact = self.plan.contacts[owners[0]]
        added = False
        for identity in item.identities:
            owner = self.owners.get(identity.match_key)
            if owner is None and len(owners) > 1:
                continue  # whose of the two it is, nobody can say
            added |= self._see(self.plan.contacts[owner or contact.id], identity, item)
        if len(owners) == 1:
            self._rename(contact, item)
        for other in owners[1:]:
            shown = " = ".join(identity.value for identity in item.identities)
            self.plan.pairs.append((contact.id, other, SuggestionReason.SAME_PERSON, shown))
        return Outcome("added" if added else "known", contact.id, suggested=len(owners) > 1)

    def _create(self, item: Observation) -> Outcome:
        if self.places == 0:
            return Outcome("unknown")
        self.places -= 1
        texts = {"name": item.name, "profile_name": item.profile_name, "company": "", "email": ""}
        contact = KnownContact(uuid7(), texts, is_new=True)
        self.plan.contacts[contact.id] = contact
        for identity in item.identities:
            self._see(contact, identity, item)
        return Outcome("created", contact.id)

    def _see(self, contact: KnownContact, identity: Identity, item: Observation) -> bool:
        """Note that an identity of a contact was seen; whether it is new to it."""
        key = (identity.kind.value, identity.value)
        if key in contact.seen:
            identity_id, last = contact.seen[key]
            if identity_id is not None and (last is None or item.observed_at >= last + SEEN_EVERY):
                self.plan.touched[identity_id] = item.observed_at
                contact.seen[key] = identity_id, item.observed_at
            return False
        if len(contact.seen) >= MAX_IDENTITIES:
            raise ItemRefused("too_many", f"A contact has at most {MAX_IDENTITIES} identities.")
        holds = identity.match_key not in self.owners
        self.owners[identity.match_key] = contact.id
        self.plan.added.append(NewIdentity(contact.id, identity, holds, item))
        contact.seen[key] = None, item.observed_at
        contact.is_changed = True
        return True

    @staticmethod
    def _rename(contact: KnownContact, item: Observation) -> None:
        """The profile name follows WhatsApp; the address book's only stands in where the user gave none."""
        names = {"profile_name": item.profile_name, "name": item.name if not contact.texts["name"] else ""}
        for column, value in names.items():
            if value and contact.texts[column] != value:
                contact.texts[column] = value
                contact.is_changed = True
