"""The rows of a new contact and of new identities, a statement each.

To make a contact takes its place in the plan, its own row, those of its
identities, its link with chats that are there already, and the event. All of them are one prepared statement: over the
usage row, which it locks, the contacts of a workspace are made one after the
other, and each round trip in between would be a wait for everybody else.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Resource
from accounts.services import plans
from accounts.services.events import EVENT_COLUMNS, event_values
from crm.models import Contact
from crm.services.chat_links import contacts_of_jids, linking
from crm.services.identities import Identity
from waplus.lib.ids import uuid7
from waplus.lib.prepared import PreparedStatement

_COLUMNS = (
    *("id", "workspace_id", "name", "profile_name", "company", "email", "owner_id", "stage_id"),
    *("sort_name", "search_text", "created_at", "updated_at"),
)


def _places(first: int, count: int) -> str:
    return ", ".join(f"${number}" for number in range(first, first + count))


# The unique index over key holders decides whose a key is, races included: what it refuses is left out.
_IDENTITIES = """
INSERT INTO crm_contactidentity (id, workspace_id, contact_id, kind, value, match_key, holds_key, source, observed_at)
SELECT i.id, {workspace}, {contact}, i.kind, i.value, i.match_key, i.holds_key, {source}, {now}
FROM unnest({ids}::uuid[], {kinds}::text[], {values}::text[], {keys}::text[], {holds}::bool[])
     AS i (id, kind, value, match_key, holds_key) {given}
ORDER BY i.match_key
ON CONFLICT DO NOTHING RETURNING 1
"""
_ARRAYS = ("ids", "kinds", "values", "keys", "holds")


def _identities(first: int, **places: str) -> str:
    arrays = {name: f"${first + index}" for index, name in enumerate(_ARRAYS)}
    return _IDENTITIES.format(**places, **arrays)


_ADD = PreparedStatement(_identities(5, workspace="$1", contact="$2", source="$3", now="$4", given=""))
_EVENT, _SOURCE = 1 + len(_COLUMNS), 1 + len(_COLUMNS) + len(EVENT_COLUMNS)
_NEW = PreparedStatement(f"""
WITH granted AS (
    {plans.reserving(Resource.CONTACTS, workspace="$2", amount="1")}
), made AS (
    INSERT INTO crm_contact ({", ".join(_COLUMNS)}) SELECT {_places(1, len(_COLUMNS))} FROM granted
    ON CONFLICT DO NOTHING RETURNING workspace_id, id, created_at, changed_xid
), known AS (
    {
    _identities(
        _SOURCE + 1, workspace="made.workspace_id", contact="made.id", source=f"${_SOURCE}", now="made.created_at",
        given="CROSS JOIN made",
    )
}
), told AS (
    INSERT INTO accounts_event ({", ".join(EVENT_COLUMNS)}) SELECT {_places(_EVENT, len(EVENT_COLUMNS))} FROM made
), {
    linking(
        workspace="$2::uuid",
        known=f"SELECT jid, made.id AS contact_id FROM unnest(${_SOURCE + 1 + len(_ARRAYS)}::text[]) AS jid CROSS JOIN made",
    )
}
SELECT (SELECT count(*) FROM granted), (SELECT count(*) FROM known), (SELECT changed_xid::text FROM made)
""")  # fmt: skip


class Inserted(NamedTuple):
    """What was written: a place in the plan, the contact, how many of its identities."""

    has_place: bool
    is_made: bool
    identities: int


def insert_contact(contact: Contact, identities: Sequence[Identity], *, source: str, actor: Actor) -> Inserted:
    """Write a contact with its identities and its event, within the plan, and give it the chats that wait for it.

    What is not written was somebody else's: the last place, the id, a key. The
    caller has the transaction rolled back then.
    """
    event = event_values(kind="contact.created", actor=actor, workspace_id=contact.workspace_id, object_id=contact.pk)
    values = [getattr(contact, column) for column in _COLUMNS]
    jids = list(contacts_of_jids({identity.match_key: contact.pk for identity in identities}))
    [(places, known, stamp)] = _NEW.fetch([*values, *event, source, *_arrays(identities, set()), jids])
    if stamp is not None:
        contact._state.adding = False
        contact.changed_xid, contact.version, contact.field_versions = int(stamp), 1, {}
    return Inserted(places == 1, stamp is not None, known)


def insert_identities(
    *, workspace_id: UUID, contact_id: UUID, identities: Iterable[Identity], held: set[str], source: str
) -> int:
    """Write identities that a contact does not have, of which it holds some keys; answers how many nobody else held."""
    arrays = _arrays(identities, held)
    return len(_ADD.fetch([workspace_id, contact_id, source, timezone.now(), *arrays]))


def _arrays(identities: Iterable[Identity], held: set[str]) -> list[list]:
    """The columns of identities; the first of several spellings holds their key, unless the contact does."""
    held, columns = set(held), [[] for _ in _ARRAYS]
    for one in identities:
        row = (uuid7(), one.kind, one.value, one.match_key, one.match_key not in held)
        held.add(one.match_key)
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return columns
