"""What is known of one message, and how two pieces of it make one.

Devices upload in any order, twice, and each what it happens to know: the
message, an edit, a revocation, an acknowledgement. `joined` is commutative,
associative and idempotent, column by column, so that the same uploads end in
the same row whatever their order.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

# Types that stand for a message whose real type is not known (any more, or yet).
PLACEHOLDERS = frozenset({"ciphertext", "revoked"})
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MessageState:
    """Columns of a message. `text` is None where no content came along; `content_at` is the edit that it is of."""

    seen_in: UUID
    sent_at: datetime | None = None
    type: str = ""
    quoted_id: str = ""
    ack: int | None = None
    edited_at: datetime | None = None
    revoked_at: datetime | None = None
    text: str | None = None
    content_at: datetime | None = None
    media_id: UUID | None = None
    media_details: dict = field(default_factory=dict)

    @property
    def has_content(self) -> bool:
        return self.text is not None

    @property
    def is_told(self) -> bool:
        """Whether the message itself is known and not only news of it: what observers want to hear of."""
        return self.sent_at is not None and self.type not in PLACEHOLDERS

    def without_content(self) -> "MessageState":
        return replace(self, text=None, content_at=None, media_id=None, media_details={})


def joined(one: MessageState, other: MessageState) -> MessageState:
    """Everything that two pieces know of one message."""
    if one == other:
        return one
    revoked_at = _earlier(one.revoked_at, other.revoked_at)
    text, content_at = max((one.text, one.content_at), (other.text, other.content_at), key=_newest_text)
    state = MessageState(
        seen_in=min(one.seen_in, other.seen_in),
        sent_at=_earlier(one.sent_at, other.sent_at),
        type=max(one.type, other.type, key=_known_type),
        quoted_id=max(one.quoted_id, other.quoted_id),
        ack=max(one.ack, other.ack, key=lambda ack: -99 if ack is None else ack),
        edited_at=max(one.edited_at, other.edited_at, key=_or_never),
        revoked_at=revoked_at,
        text=text,
        content_at=content_at,
        media_id=max(one.media_id, other.media_id, key=lambda id: id.bytes if id else b""),
        media_details=_joined_details(one.media_details, other.media_details),
    )
    return state if revoked_at is None else state.without_content()


def says_more(state: MessageState, before: MessageState) -> bool:
    """Whether a message changed, and not only the chat that it was seen in first."""
    return state != before and replace(state, seen_in=before.seen_in) != before


def _or_never(moment: datetime | None) -> datetime:
    return moment or _NEVER


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)


def _known_type(type: str) -> tuple:
    return (bool(type), type not in PLACEHOLDERS, type)


def _newest_text(pair: tuple) -> tuple:
    text, content_at = pair
    return (text is not None, content_at or _NEVER, text or "")


def _joined_details(one: dict, other: dict) -> dict:
    if not one or not other or one == other:
        return one or other
    details = dict(one)
    for name, value in other.items():
        details[name] = max(details.get(name, value), value, key=json.dumps)
    return details
