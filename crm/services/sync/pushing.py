"""Pushing: what a device changed while it was offline, in the order in which it was done.

Each change is a transaction of its own, with a row in the ledger
(`PushedChange`) that commits with it. A batch whose answer was lost is sent
again as it is: changes that the ledger knows are answered with what became of
them and do nothing. Two of the same at one moment meet at the ledger's unique
index, where the second waits for the first.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction

from accounts.actors import Actor
from accounts.models import Membership, User, Workspace
from crm.models import PushedChange
from crm.services.sync.conflicts import Base
from crm.services.sync.epoch import standing_epoch
from crm.services.sync.handlers.contacts import living_contact
from crm.services.sync.handlers.registry import REFERENCES, REFUSED, Applied, Change, operation_of, sendable
from crm.services.sync.kinds import kind_named, present_changes
from waplus.lib.errors import CODES, FieldError, Invalid, Refused
from waplus.lib.ids import uuid7, validate_uuid7

logger = logging.getLogger(__name__)

MAX_CHANGES = 500
MEMBERS = ("change_id", "kind", "op", "id", "epoch", "base_version", "base_versions", "set")
ATTEMPTS = 3
_MAX_VERSION = 2**31 - 1

# Reads the values of a change, `(kind, op, set) → values`, or raises `Refused` with the fields that are wrong.
Reader = Callable[[str, str, dict], dict]


@dataclass
class Outcome:
    """What became of a change: `status`, and why not; `row_id` is the row's id on the server."""

    change_id: str | None
    kind: str
    asked_id: str | None
    row_id: str | None
    status: str
    code: str = ""
    detail: str = ""
    fields: list[FieldError] = field(default_factory=list)
    extra: dict = field(default_factory=dict)
    # The row as it is now, as the JSON text of a change; None if there is none that this person may see.
    current: str | None = None


@dataclass(frozen=True)
class _Envelope:
    """A change as it was sent, read as far as it is the same for all kinds."""

    change_id: UUID
    kind: str
    op: str
    row_id: UUID
    base: Base
    set: dict
    fingerprint: bytes


def push(*, membership: Membership, actor: Actor, changes: Sequence, read: Reader) -> list[Outcome]:
    """Apply a member's changes in their order; answers what became of each, with the rows as they are at the end.

    A change that is wrong, or takes a higher role, refuses itself alone.
    """
    if len(changes) > MAX_CHANGES:
        raise Invalid("changes", "too_many", f"A batch has at most {MAX_CHANGES} changes.")
    batch = _Batch(membership, actor, read, standing_epoch())
    outcomes = [batch.push(raw) for raw in changes]
    _read_afresh(membership.workspace, membership.user, outcomes)
    return outcomes


# --- Reading --------------------------------------------------------------------------------------


def _uuid(raw: dict, name: str, *, made_by_client: bool = False) -> UUID:
    try:
        value = UUID(raw[name])
    except KeyError:
        raise Invalid(name, "required", "This field is required.") from None
    except (ValueError, TypeError, AttributeError):
        raise Invalid(name, "invalid", "This is no UUID.") from None
    if made_by_client:
        try:
            validate_uuid7(value)
        except ValidationError as error:
            raise Invalid(name, "invalid_id", error.messages[0]) from error
    return value


def _version(value, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_VERSION:
        raise Invalid(name, "invalid", "A version is a whole number.")
    return value


def _base(raw: dict) -> Base:
    versions = raw.get("base_versions", {})
    if not isinstance(versions, dict):
        raise Invalid("base_versions", "invalid", "Versions are numbers by the names of fields.")
    if raw.get("op") != "update":
        return Base()
    if "base_version" not in raw:
        raise Invalid("base_version", "required", "An update says which version of the row it started from.")
    return Base(
        _uuid(raw, "epoch"),
        _version(raw["base_version"], "base_version"),
        {name: _version(value, f"base_versions.{name}") for name, value in versions.items()},
    )


def _envelope(raw) -> _Envelope:
    if not isinstance(raw, dict):
        raise Invalid("", "invalid", "A change is an object.")
    if unknown := [name for name in raw if name not in MEMBERS]:
        raise Invalid(unknown[0][:60], "unknown_field", "This field is not known.")
    change_id = _uuid(raw, "change_id", made_by_client=True)
    operations, kind, op = sendable(), raw.get("kind"), raw.get("op")
    if not isinstance(kind, str) or kind not in operations:
        raise Invalid("kind", "invalid_choice", f"One of: {', '.join(operations)}.")
    if not isinstance(op, str) or op not in operations[kind]:
        raise Invalid("op", "invalid_choice", f"One of: {', '.join(operations[kind])}.")
    values = raw.get("set", {})
    if not isinstance(values, dict):
        raise Invalid("set", "invalid", "What is set is an object.")
    text = json.dumps({**raw, "change_id": ""}, sort_keys=True)
    return _Envelope(
        *(change_id, kind, op, _uuid(raw, "id", made_by_client=op == "create"), _base(raw), values),
        hashlib.sha256(text.encode()).digest(),
    )


# --- Applying -------------------------------------------------------------------------------------

_CLAIM = """
INSERT INTO crm_pushedchange (id, workspace_id, user_id, change_id, fingerprint, outcome, pushed_at)
VALUES (%s, %s, %s, %s, %s, '{}', now()) ON CONFLICT (workspace_id, user_id, change_id) DO NOTHING
"""


class _Batch:
    """The changes of one request: what they have in common, and what later ones must know of earlier ones."""

    def __init__(self, membership: Membership, actor: Actor, read: Reader, epoch: UUID | None):
        self.membership = membership
        self.workspace = membership.workspace
        self.user = membership.user
        self.actor = actor
        self.read = read
        self.epoch = epoch
        # Ids that the device gave and that stand for other rows here; ids of rows that were not made.
        self.mapped: dict[str, str] = {}
        self.missing: set[str] = set()

    def push(self, raw) -> Outcome:
        try:
            envelope = _envelope(raw)
        except Refused as refusal:
            return _unreadable(raw, refusal)
        outcome = self._settle(envelope)
        if outcome.row_id != outcome.asked_id:
            self.mapped[outcome.asked_id] = outcome.row_id
        if envelope.op == "create" and outcome.row_id == outcome.asked_id:
            # Made after all, under another change: what comes behind it builds on that.
            (self.missing.add if outcome.status == REFUSED else self.missing.discard)(outcome.asked_id)
        return outcome

    def _settle(self, envelope: _Envelope) -> Outcome:
        """Claim, apply and remember; anew if the database broke a deadlock, or refused a reference at the commit."""
        for attempt in range(ATTEMPTS):
            try:
                with transaction.atomic():
                    return self._claimed(envelope) or self._repeated(envelope)
            except (OperationalError, IntegrityError) as error:
                if connection.in_atomic_block or not connection.is_usable():
                    raise
                logger.info("a pushed %s.%s is tried again (%s): %s", envelope.kind, envelope.op, attempt + 1, error)
            except Exception:
                if connection.in_atomic_block or not connection.is_usable():
                    raise
                # A device sends its queue in order: a change on which we break must not hold up all that come behind it.
                logger.exception("a pushed %s.%s broke", envelope.kind, envelope.op)
                return _refused(envelope, Refused("server_error"))
        # It is not in the ledger: the device sends it again.
        return _refused(envelope, Refused("unavailable", "The server was busy with this row. Send the change again."))

    def _claimed(self, envelope: _Envelope) -> Outcome | None:
        """Apply a change that was not sent before; None if it was."""
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, [uuid7(), self.workspace.pk, self.user.pk, envelope.change_id, envelope.fingerprint])
            if cursor.rowcount == 0:
                return None
        try:
            with transaction.atomic():
                applied = self._apply(envelope)
        except Refused as refusal:
            outcome = _refused(envelope, refusal)
        else:
            outcome = _outcome(envelope, applied)
        self._ledger(envelope).update(outcome=_remembered(outcome))
        return outcome

    def _repeated(self, envelope: _Envelope) -> Outcome:
        row = self._ledger(envelope).get()
        if bytes(row.fingerprint) != envelope.fingerprint:
            return _refused(envelope, Refused("idempotency_conflict", "Another change was sent under this id."))
        return _recalled(envelope, row.outcome)

    def _ledger(self, envelope: _Envelope):
        return PushedChange.objects.for_workspace(self.workspace).filter(user=self.user, change_id=envelope.change_id)

    def _apply(self, envelope: _Envelope) -> Applied:
        operation = operation_of(envelope.kind, envelope.op)
        if not self.membership.may(operation.role):
            raise Refused("forbidden")
        values = {name: self._resolved(value) if name in REFERENCES else value for name, value in envelope.set.items()}
        named = {str(envelope.row_id)} if envelope.op != "create" else set()
        for name in REFERENCES:
            value = values.get(name)
            named |= {each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)}
        if named & self.missing:
            raise Refused("depends_on_refused")
        if values.get("contact") is not None:
            values["contact"] = living_contact(self.workspace, values["contact"])
        row_id = envelope.row_id if envelope.op == "create" else UUID(self._resolved(str(envelope.row_id)))
        change = Change(
            self.workspace, self.user, self.actor, row_id,
            self.read(envelope.kind, envelope.op, values), envelope.base, self.epoch,
        )  # fmt: skip
        return operation.handler(change)

    def _resolved(self, value):
        """Ids that stand for other rows here, replaced."""
        if isinstance(value, list):
            return [self._resolved(each) for each in value]
        if isinstance(value, dict):
            return {name: self._resolved(each) for name, each in value.items()}
        return self.mapped.get(value, value) if isinstance(value, str) else value


# --- Outcomes -------------------------------------------------------------------------------------


def _outcome(envelope: _Envelope, applied: Applied) -> Outcome:
    is_refused = applied.status == REFUSED
    return Outcome(
        str(envelope.change_id),
        envelope.kind,
        str(envelope.row_id),
        str(applied.row_id),
        applied.status,
        code="conflict" if is_refused else "",
        detail="Somebody changed it meanwhile." if is_refused else "",
        fields=applied.refused,
    )


def _refused(envelope: _Envelope, refusal: Refused) -> Outcome:
    row_id = str(envelope.row_id)
    return Outcome(
        *(str(envelope.change_id), envelope.kind, row_id, row_id, REFUSED),
        *(refusal.code, refusal.detail, refusal.fields, refusal.extra),
    )


def _unreadable(raw, refusal: Refused) -> Outcome:
    """The outcome of what is no change; it is not remembered, because it is refused the same way every time."""
    given = raw if isinstance(raw, dict) else {}
    kind, change_id = given.get("kind"), given.get("change_id")
    return Outcome(
        change_id if isinstance(change_id, str) else None,
        *(kind if isinstance(kind, str) else "", None, None, REFUSED),
        *(refusal.code, refusal.detail, refusal.fields),
    )


def _remembered(outcome: Outcome) -> dict:
    """What the ledger keeps: codes and ids, and no sentence, because sentences quote numbers."""
    return {
        "status": outcome.status,
        "code": outcome.code,
        "kind": outcome.kind,
        "id": outcome.row_id,
        "fields": [[error.field, error.code] for error in outcome.fields],
        "extra": outcome.extra,
    }


def _recalled(envelope: _Envelope, kept: dict) -> Outcome:
    code = kept["code"]
    sentence = CODES[code].title + "." if code else ""
    fields = [
        FieldError(name, why, CODES[why].title + "." if why in CODES else sentence) for name, why in kept["fields"]
    ]
    return Outcome(
        *(str(envelope.change_id), envelope.kind, str(envelope.row_id), kept["id"], kept["status"]),
        *(code, sentence, fields, kept["extra"]),
    )


def _read_afresh(workspace: Workspace, user: User, outcomes: list[Outcome]) -> None:
    """Put the present state to each outcome, kind by kind."""
    wanted: dict[str, dict[str, None]] = {}
    for outcome in outcomes:
        if outcome.row_id is not None:
            wanted.setdefault(outcome.kind, {})[outcome.row_id] = None
    for name, ids in wanted.items():
        there = present_changes(kind=kind_named(name), workspace_id=workspace.pk, user_id=user.pk, ids=ids)
        for outcome in outcomes:
            if outcome.kind == name and outcome.row_id is not None:
                outcome.current = there.get(outcome.row_id)
