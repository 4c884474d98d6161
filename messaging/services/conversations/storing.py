"""Writing messages of conversations whose rows are locked: what is new by COPY, what is known by one UPDATE.

Nobody else writes to a conversation while its row of `ConversationSync` is
locked, so what is there can be read first, joined in memory and copied without
looking for conflicts.
"""

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from messaging.services.conversations.items import Key
from messaging.services.conversations.states import MessageState, joined
from waplus.lib.ids import uuid7
from waplus.lib.prepared import PreparedStatement
from waplus.lib.text import fold, searchable

# Beyond this a text is found by its beginning: search looks for what people remember.
_MAX_SEARCHED = 4_000
_STATE = (
    *("seen_in", "sent_at", "type", "quoted_id", "ack", "edited_at", "revoked_at", "has_content", "content_at"),
    *("text", "media_id", "media_details"),
)
_COPY = (
    "COPY messaging_conversationmessage (id, workspace_id, chat_id, message_id, from_me, participant, "
    f"{', '.join(_STATE)}, search_text, synced_at) FROM STDIN"
)
_KNOWN = PreparedStatement(
    f"""
    SELECT m.chat_id, m.message_id, m.from_me, m.participant, m.id, {", ".join(f"m.{name}" for name in _STATE)}
    FROM (SELECT DISTINCT * FROM unnest($1::uuid[], $2::text[]) AS v (chat_id, message_id)) v
    JOIN messaging_conversationmessage m ON m.chat_id = v.chat_id AND m.message_id = v.message_id
    ORDER BY m.id
    """,
    planned_once=True,
)
_TYPES = {
    "id": "uuid", "seen_in": "uuid", "sent_at": "timestamptz", "type": "text", "quoted_id": "text", "ack": "smallint",
    "edited_at": "timestamptz", "revoked_at": "timestamptz", "has_content": "bool", "content_at": "timestamptz",
    "text": "text", "media_id": "uuid", "media_details": "jsonb", "search_text": "text",
}  # fmt: skip
_UPDATE = f"""
UPDATE messaging_conversationmessage m SET {", ".join(f"{name} = v.{name}" for name in (*_STATE, "search_text"))}
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v ({", ".join(f"{name} {kind}" for name, kind in _TYPES.items())})
WHERE m.workspace_id = %(workspace)s AND m.id = v.id
"""


@dataclass(slots=True)
class Stored:
    """A message as it is in memory: its row, what it was when it was read (None: it is new), and what it becomes."""

    chat_id: UUID
    key: Key
    id: UUID
    before: MessageState | None
    state: MessageState

    @property
    def is_new(self) -> bool:
        return self.before is None


@dataclass
class Memory:
    """The messages of some conversations that an upload speaks of.

    In a group a participant may be shown by several ids; `persons` leads from
    an id to the contact, where it is known, and two ids of one contact are one.
    """

    workspace: Workspace
    persons: Mapping[str, UUID] = field(default_factory=dict)
    _rows: dict[tuple, Stored] = field(default_factory=dict)
    _by_id: dict[tuple[UUID, str], Stored] = field(default_factory=dict)

    def read(self, keys: Iterable[tuple[UUID, str]]) -> None:
        """Read what is known of messages, by chat and bare id."""
        pairs = list(keys)
        if not pairs:
            return
        for row in _KNOWN.fetch([[chat for chat, _ in pairs], [message for _, message in pairs]]):
            key = Key(*row[1:4])
            state = _state_of(row[5:])
            identity = self._identity(row[0], key)
            if identity not in self._rows:
                self._add(identity, Stored(row[0], key, row[4], state, state))

    def take(self, chat_id: UUID, key: Key, state: MessageState) -> Stored:
        """Join a piece of news to what is known."""
        identity = self._identity(chat_id, key)
        stored = self._rows.get(identity)
        if stored is None:
            stored = self._add(identity, Stored(chat_id, key, uuid7(), None, state))
        else:
            stored.state = joined(stored.state, state)
        return stored

    def peek(self, chat_id: UUID, key: Key) -> Stored | None:
        """What is known of a message by now, or None."""
        return self._rows.get(self._identity(chat_id, key))

    def find(self, chat_id: UUID, message_id: str) -> Stored | None:
        """A message by its bare id, whoever wrote it; None if it is not known."""
        return self._by_id.get((chat_id, message_id))

    def write(self) -> int:
        """Write what is new and what has changed; answers how many rows that were."""
        new = [stored for stored in self._rows.values() if stored.is_new]
        changed = [one for one in self._rows.values() if not one.is_new and one.state != one.before]
        if new:
            copy_messages(self.workspace, new)
        if changed:
            rows = [
                {
                    "id": one.id,
                    **dict(zip(_STATE, _columns(one.state), strict=True)),
                    "search_text": search_text_of(one.state.text or ""),
                }
                for one in changed
            ]
            with connection.cursor() as cursor:
                cursor.execute(_UPDATE, {"workspace": self.workspace.pk, "rows": json.dumps(rows, default=str)})
        return len(new) + len(changed)

    def changes(self) -> dict[UUID, tuple[int, int]]:
        """By how many the messages of each chat, and those with content, become more."""
        changes: dict[UUID, tuple[int, int]] = {}
        for one in self._rows.values():
            before = one.before
            messages, contents = changes.get(one.chat_id, (0, 0))
            messages += (one.state.sent_at is not None) - (before is not None and before.sent_at is not None)
            contents += one.state.has_content - (before is not None and before.has_content)
            changes[one.chat_id] = messages, contents
        return changes

    def revoked(self) -> list[UUID]:
        """Messages that are revoked now and were not, or not known, before."""
        return [
            one.id
            for one in self._rows.values()
            if one.state.revoked_at is not None and one.before is not None and one.before.revoked_at is None
        ]

    def _add(self, identity: tuple, stored: Stored) -> Stored:
        self._rows[identity] = self._by_id[stored.chat_id, stored.key.message_id] = stored
        return stored

    def _identity(self, chat_id: UUID, key: Key) -> tuple:
        person = self.persons.get(key.participant, key.participant) if key.participant else ""
        return chat_id, key.message_id, key.from_me, person


def search_text_of(text: str) -> str:
    """What search looks into: the folded text behind one space."""
    return searchable(fold(text[:_MAX_SEARCHED])) if text else ""


def copy_messages(workspace: Workspace, rows: Iterable[Stored]) -> None:
    """Write new messages by COPY."""
    lines = io.StringIO()
    scope, now = str(workspace.pk), timezone.now().isoformat()
    chats: dict[UUID, str] = {}
    for one in rows:
        key = one.key
        state = one.state
        text = state.text or ""
        chat = chats.get(one.chat_id) or chats.setdefault(one.chat_id, str(one.chat_id))
        seen_in = chat if state.seen_in == one.chat_id else str(state.seen_in)
        # The text and the file's description are the only columns that can hold what COPY reads as its own signs.
        lines.write(
            f"{one.id}\t{scope}\t{chat}\t{key.message_id}\t{key.from_me}\t{key.participant}\t{seen_in}\t"
            f"{_moment(state.sent_at)}\t{state.type}\t{state.quoted_id}\t{_or_null(state.ack)}\t"
            f"{_moment(state.edited_at)}\t{_moment(state.revoked_at)}\t{state.text is not None}\t"
            f"{_moment(state.content_at)}\t{_escaped(text) if text else ''}\t{_or_null(state.media_id)}\t"
            f"{_escaped(json.dumps(state.media_details)) if state.media_details else '{}'}\t"
            f"{_escaped(search_text_of(text)) if text else ''}\t{now}\n"
        )
    lines.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert(_COPY, lines)


def _columns(state: MessageState) -> tuple:
    """The values of `_STATE`."""
    return (
        *(state.seen_in, state.sent_at, state.type, state.quoted_id, state.ack, state.edited_at, state.revoked_at),
        *(state.has_content, state.content_at, state.text or "", state.media_id, state.media_details),
    )


def _state_of(row: tuple) -> MessageState:
    seen_in, sent_at, type, quoted_id, ack, edited_at, revoked_at, has_content, content_at, text, media_id, media = row
    return MessageState(
        *(seen_in, sent_at, type, quoted_id, ack, edited_at, revoked_at),
        *(text if has_content else None, content_at, media_id, json.loads(media) if isinstance(media, str) else media),
    )


def _moment(value: datetime | None) -> str:
    return "\\N" if value is None else value.isoformat()


def _or_null(value) -> str:
    return "\\N" if value is None else str(value)


def _escaped(text: str) -> str:
    """A text as COPY reads it."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if text.isprintable():
        return text
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def state_of_message(row) -> MessageState:
    """The state of a `ConversationMessage`."""
    return _state_of(tuple(getattr(row, name) for name in _STATE))
