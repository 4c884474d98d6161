"""Deciding what becomes of each row, before anything of its chunk is written.

Rows that share a number, in any of its spellings, are one person, also over a
third row. A person whose numbers belong to contacts that exist joins that
contact; if they belong to several, nothing is merged: each row joins the
contact of its first known number.
"""

import hashlib
from dataclasses import dataclass, field
from uuid import UUID

from crm.models import DuplicatePolicy, ImportBatch, RowOutcome
from crm.services.contacts import MAX_IDENTITIES
from crm.services.imports.copying import fresh_id
from crm.services.imports.judging import Staged
from crm.services.imports.people import Known, load

LEFT_THERE = "A number of this row belongs to another contact and was left there."
TOO_MANY = f"A contact has at most {MAX_IDENTITIES} identities; the others were left out."
VALUES = ("name", "company", "email", "stage_id")


@dataclass(slots=True)
class Additions:
    """What one row adds to its contact. `fields` are `{field: (before, after)}`, `set` `{column: [before, after]}`."""

    set: dict[str, list] = field(default_factory=dict)
    identities: list[tuple[str, str, str, str, bool]] = field(default_factory=list)
    tags: list[tuple[str, str]] = field(default_factory=list)
    fields: dict[str, tuple] = field(default_factory=dict)
    note: tuple[str, str] | None = None

    def __bool__(self) -> bool:
        return bool(self.set or self.identities or self.tags or self.fields or self.note)


@dataclass(slots=True)
class Outcome:
    """What becomes of one row."""

    row: Staged
    outcome: RowOutcome
    contact_id: str | None
    reason: str
    additions: Additions | None = None


class MadeIds:
    """The ids of the contacts that rows make: UUIDv7 that follow from batch and row number, as texts.

    However often a chunk is tried, a row makes the same contact, and the ids of
    a file ascend with its rows. The time is the batch's; then come 32 bits of
    row number, and 42 that are the batch's own.
    """

    def __init__(self, batch: ImportBatch):
        milliseconds = f"{int(batch.created_at.timestamp() * 1000):012x}"
        self._time = f"{milliseconds[:8]}-{milliseconds[8:]}"
        self._own = int.from_bytes(hashlib.blake2b(batch.pk.bytes, digest_size=8).digest()) >> 22

    def __call__(self, row: int) -> str:
        return f"{self._time}-7{row >> 20:03x}-{0x8000 | row >> 6 & 0x3FFF:04x}-{(row & 0x3F) << 42 | self._own:012x}"


class Plan:
    """A chunk: its rows, the contacts that they lead to, and the outcome of each row."""

    def __init__(self, batch: ImportBatch, rows: list[Staged], *, earlier: list[Staged] = (), lock: bool = True):
        """`earlier` rows were not written, because this is a preview: they are gone through and not counted."""
        self.batch = batch
        self._made = MadeIds(batch)
        self.outcomes: list[Outcome] = []
        self.new: list[Known] = []
        everybody = [*earlier, *rows]
        self._known = load(batch, everybody, lock=lock, id_of=self._made)
        for row in earlier:
            if not row.refused:
                self._decide(row)
        for row in rows:
            self.outcomes.append(self._refusal(row) if row.refused else self._decide(row))

    @staticmethod
    def _refusal(row: Staged) -> Outcome:
        return Outcome(row, RowOutcome.REFUSED, None, row.notes)

    def _decide(self, row: Staged) -> Outcome:
        made = self._made(row.leader or row.row_number)
        person, is_new = self._person_of(row, made)
        by_file = is_new or person.id == made
        if self.batch.duplicates == DuplicatePolicy.SKIP and not by_file:
            return Outcome(row, RowOutcome.SKIPPED, person.id, row.notes)
        first = row.leader is None or row.leader == row.row_number
        overwrite = self.batch.duplicates == DuplicatePolicy.UPDATE and first and not by_file
        reasons = [row.notes] if row.notes else []
        additions = self._additions(row, person, overwrite, reasons)
        outcome = RowOutcome.CREATED if is_new else RowOutcome.MERGED if additions else RowOutcome.UNCHANGED
        return Outcome(row, outcome, person.id, " ".join(reasons), additions)

    def _person_of(self, row: Staged, made: str) -> tuple[Known, bool]:
        known = self._known
        owner = next((known.holders[key] for key in row.keys if key in known.holders), row.owner)
        owner = owner or (known.groups.get(row.leader) if row.leader else None)
        for candidate in (owner, made):
            if candidate is not None and (person := known.contacts.get(candidate)):
                return person, False
        if made in known.gone:
            # Somebody put the contact of an earlier row into the bin while the import ran.
            made = fresh_id()
        person = known.contacts[made] = Known(made, is_new=True)
        self.new.append(person)
        return person, True

    def _additions(self, row: Staged, person: Known, overwrite: bool, reasons: list[str]) -> Additions:
        added = Additions()
        for column in VALUES:
            value, present = getattr(row, column), getattr(person, column)
            if value and value != present and (overwrite or not present):
                added.set[column] = [present, value]
                setattr(person, column, value)
        self._take_identities(row, person, added, reasons)
        for tag in row.tags:
            if tag not in person.tags:
                person.tags.add(tag)
                added.tags.append((fresh_id(), tag))
        for field_id, value in (row.fields or {}).items():
            before = person.fields.get(field_id)
            if before is None or (overwrite and before != value):
                added.fields[field_id] = (before, value)
                person.fields[field_id] = value
        if row.note and row.note not in person.notes:
            person.notes.add(row.note)
            added.note = (fresh_id(), row.note)
        if added.set or added.identities:
            person.is_changed = True
        return added

    def _take_identities(self, row: Staged, person: Known, added: Additions, reasons: list[str]) -> None:
        holders = self._known.holders
        # Two spellings of one number have one key; else keys stand beside their values.
        keys = row.keys if len(row.keys) == len(row.kinds) else map(self._known.key_of, row.kinds, row.values)
        for kind, value, key in zip(row.kinds, row.values, keys, strict=False):
            if holders.get(key, person.id) != person.id:
                if LEFT_THERE not in reasons:
                    reasons.append(LEFT_THERE)
            elif (kind, value) not in person.identities:
                if len(person.identities) >= MAX_IDENTITIES:
                    reasons.append(TOO_MANY)
                    return
                added.identities.append((fresh_id(), kind, value, key, key not in holders))
                person.identities.append((kind, value))
                holders[key] = person.id

    def count(self, outcome: RowOutcome) -> int:
        return sum(one.outcome == outcome for one in self.outcomes)

    def changed(self) -> list[Known]:
        """Contacts that were there and whose own columns change."""
        return [person for person in self._known.contacts.values() if person.is_changed and not person.is_new]

    def holders_added(self) -> dict[str, UUID]:
        """The match keys that rows bring, with the ids of the contacts that hold them now."""
        return {
            key: UUID(one.contact_id)
            for one in self.outcomes
            if one.additions
            for _id, _kind, _value, key, holds in one.additions.identities
            if holds
        }

    def version_of(self, one: Outcome) -> int:
        """The version of a row's contact once the chunk is written."""
        return self._known.contacts[one.contact_id].version
