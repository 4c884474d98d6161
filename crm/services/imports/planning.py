"""Deciding what becomes of each row, before anything is written.

Rows that share a number, in any of its spellings, are one person, also over a
third row. Rows without a number are the same if name, company and address are.
A person whose numbers belong to contacts that exist joins that contact; if they
belong to several, nothing is merged: each row joins the contact of its first
known number.
"""

from dataclasses import dataclass, field
from uuid import UUID

from crm.models.contacts import search_text_of
from crm.models.imports import RowOutcome
from crm.services.identities import Identity
from crm.services.imports.reading import Row
from waplus.lib.ids import uuid7


@dataclass
class Target:
    """A contact that rows lead to. `fields` are values to set; of an existing contact only empty ones are filled."""

    id: UUID
    is_new: bool
    fields: dict[str, str]
    identities: dict[tuple[str, str], Identity] = field(default_factory=dict)
    known: set[tuple[str, str]] = field(default_factory=set)
    changed: bool = False

    def take(self, row: Row, identities: list[Identity]) -> bool:
        """Take over what is new in a row; answers whether anything was."""
        news = False
        for name in ("name", "company", "email"):
            if getattr(row, name) and not self.fields[name]:
                self.fields[name] = getattr(row, name)
                news = True
        for identity in identities:
            key = (identity.kind.value, identity.value)
            if key not in self.known and key not in self.identities:
                self.identities[key] = identity
                news = True
        self.changed |= news
        return news


@dataclass(frozen=True)
class Outcome:
    """What becomes of one row."""

    row: Row
    outcome: RowOutcome
    contact_id: UUID | None
    reason: str


class Groups:
    """Union-find over row indexes."""

    def __init__(self, size: int):
        self.parent = list(range(size))

    def find(self, index: int) -> int:
        while self.parent[index] != index:
            self.parent[index] = self.parent[self.parent[index]]
            index = self.parent[index]
        return index

    def join(self, one: int, other: int) -> None:
        one, other = self.find(one), self.find(other)
        if one != other:
            self.parent[max(one, other)] = min(one, other)


def plain_key(row: Row) -> str:
    """What stands for a row without a number: its whole folded text."""
    return search_text_of(name=row.name, company=row.company, email=row.email, numbers=[])


def group_rows(rows: list[Row]) -> list[int]:
    """For each row the index of the first row of its person."""
    groups, first = Groups(len(rows)), {}
    for index, row in enumerate(rows):
        if row.is_empty:
            continue
        for key in [identity.match_key for identity in row.identities] or [f"plain:{plain_key(row)}"]:
            groups.join(index, first.setdefault(key, index))
    return [groups.find(index) for index in range(len(rows))]


class Plan:
    """Rows, the contacts that they lead to, and the outcome of each."""

    def __init__(self, rows: list[Row], owners: dict[str, UUID], existing: dict[UUID, Target]):
        """`owners`: match key (or `plain:` text) to contact id; `existing`: those contacts as targets."""
        self.targets: dict[UUID, Target] = dict(existing)
        self.owners = owners
        self.outcomes: list[Outcome] = []
        persons = group_rows(rows)
        owned: dict[int, UUID] = {}
        for row, person in zip(rows, persons, strict=True):
            for owner in filter(None, map(owners.get, self._keys(row))):
                owned.setdefault(person, owner)
        created: dict[int, UUID] = {}
        for row, person in zip(rows, persons, strict=True):
            self.outcomes.append(self._decide(row, person, owned, created))

    @staticmethod
    def _keys(row: Row) -> list[str]:
        return [identity.match_key for identity in row.identities] or [f"plain:{plain_key(row)}"]

    def _decide(self, row: Row, person: int, owned: dict, created: dict) -> Outcome:
        if row.is_empty:
            reason = " ".join(row.notes) or "The row has no name, company, e-mail address or number."
            return Outcome(row, RowOutcome.REFUSED, None, reason)
        own = (
            next(filter(None, map(self.owners.get, self._keys(row))), None) or owned.get(person) or created.get(person)
        )
        is_new = own is None
        if is_new:
            own = created[person] = uuid7()
            self.targets[own] = Target(own, True, {"name": "", "profile_name": "", "company": "", "email": ""})
        identities = [i for i in row.identities if self.owners.get(i.match_key, own) == own]
        if len(identities) < len(row.identities):
            row.notes.append("A number of this row belongs to another contact and was left there.")
        news = self.targets[own].take(row, identities)
        outcome = RowOutcome.CREATED if is_new else RowOutcome.MERGED if news else RowOutcome.UNCHANGED
        return Outcome(row, outcome, own, " ".join(row.notes))

    @property
    def new(self) -> list[Target]:
        return [target for target in self.targets.values() if target.is_new]

    @property
    def grown(self) -> list[Target]:
        """Existing contacts that gain something."""
        return [target for target in self.targets.values() if not target.is_new and target.changed]

    def count(self, outcome: RowOutcome) -> int:
        return sum(one.outcome == outcome for one in self.outcomes)
