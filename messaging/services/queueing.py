"""Entering the queue: a handful of messages at a time. Sets (broadcasts, schedules) write their own INSERT … SELECT."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from accounts.services.events import hint_at_changes
from messaging.models import LatePolicy, MessageSource
from waplus.lib.ids import uuid7
from waplus.lib.prepared import PreparedStatement

# Every column that an INSERT into the queue has to give; all others are empty until the hand-out.
INSERT_COLUMNS = (
    *("id", "workspace_id", "source", "origin_id", "scheduled_message_id", "broadcast_id", "occurrence_at", "position"),
    *("whatsapp_account_id", "contact_id", "chat_jid", "body", "media_id", "message_id", "created_by_id", "due_at"),
    *("not_before", "held_by", "expires_at", "on_late", "recipient_zone", "state", "fence", "is_new_contact"),
    *("reason_code", "reason", "queued_at"),
)
# A reserved id made by the database, anew for each row. WhatsApp Web's own ids are 3EB0 and 18 hex digits; these are
# taken from where a random UUID has no fixed version.
RESERVED_ID = (
    "'3EB0' || upper(substr(replace(gen_random_uuid()::text, '-', '') || "
    "replace(gen_random_uuid()::text, '-', ''), 14, 18))"
)


def reserve_message_id() -> str:
    """A bare WhatsApp id for a message that is to be sent."""
    return "3EB0" + secrets.token_hex(9).upper()


@dataclass(frozen=True, kw_only=True)
class NewMessage:
    """A message that is to enter the queue.

    Accounts, contacts, files and people are ids that the caller has resolved
    within the workspace. `origin_id` is the decision (or the like) that wanted
    it; `occurrence_at` (without it: `due_at`) and `position` tell its messages
    apart. `not_before` is `due_at` without it, later while `held_by` something.
    """

    source: MessageSource
    origin_id: UUID
    whatsapp_account_id: UUID
    chat_jid: str
    due_at: datetime
    expires_at: datetime
    body: str = ""
    media_id: UUID | None = None
    contact_id: UUID | None = None
    created_by_id: UUID | None = None
    occurrence_at: datetime | None = None
    position: int = 0
    not_before: datetime | None = None
    held_by: str = ""
    on_late: LatePolicy = LatePolicy.SKIP
    recipient_zone: str = ""
    id: UUID = field(default_factory=uuid7)


_TYPES = {
    "id": "uuid", "source": "text", "origin_id": "uuid", "whatsapp_account_id": "uuid", "contact_id": "uuid",
    "chat_jid": "text", "body": "text", "media_id": "uuid", "message_id": "text", "created_by_id": "uuid",
    "occurrence_at": "timestamptz", "position": "int", "due_at": "timestamptz", "not_before": "timestamptz",
    "held_by": "text", "expires_at": "timestamptz", "on_late": "text", "recipient_zone": "text",
}  # fmt: skip
_GIVEN = {
    "workspace_id": "$1",
    "queued_at": "$2",
    **dict.fromkeys(("scheduled_message_id", "broadcast_id"), "NULL"),
    **{"state": "'queued'", "fence": "0", "is_new_contact": "FALSE", "reason_code": "''", "reason": "''"},
    **{name: f'v."{name}"' for name in _TYPES},
}
_INSERT = PreparedStatement(f"""
INSERT INTO messaging_queuedmessage ({", ".join(f'"{name}"' for name in INSERT_COLUMNS)})
SELECT {", ".join(_GIVEN[name] for name in INSERT_COLUMNS)}
FROM jsonb_to_recordset($3::jsonb) AS v ({", ".join(f'"{name}" {kind}' for name, kind in _TYPES.items())})
ON CONFLICT (origin_id, occurrence_at, chat_jid, position) DO NOTHING
RETURNING 1
""")


def queue_messages(*, workspace: Workspace, rows: Sequence[NewMessage]) -> int:
    """Put messages into the queue and wake the extensions; answers how many were not there yet.

    One statement, within the transaction of what wants them sent, which also
    records the event of it. A message that is there already (by origin,
    occurrence, chat and position) is not put there again.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("messages were queued outside of a transaction")
    if not rows:
        return 0
    given = json.dumps([_values(row) for row in rows])
    count = len(_INSERT.fetch([workspace.pk, timezone.now(), given]))
    if count:
        hint_at_changes(workspace)
    return count


def _values(row: NewMessage) -> dict:
    values = {name: getattr(row, name) for name in _TYPES if name != "message_id"}
    values["occurrence_at"] = row.occurrence_at or row.due_at
    values["not_before"] = row.not_before or row.due_at
    return {
        name: value if value is None or isinstance(value, int) else str(value) for name, value in values.items()
    } | {"message_id": reserve_message_id()}
