"""Each message once to whatever listens, also where two devices see it and nothing of it is stored."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from messaging.services.conversations.items import Item
from waplus.lib.jids import JidKind
from waplus.lib.prepared import PreparedStatement

# How long a second device may be late.
KEPT = timedelta(hours=12)
_INSERT = PreparedStatement(
    """
    INSERT INTO messaging_seenmessage (id, workspace_id, whatsapp_account_id, key_hash, seen_at)
    SELECT gen_random_uuid(), $1::uuid, $2::uuid, v.key_hash, $3::timestamptz
    FROM unnest($4::bytea[]) AS v (key_hash) ORDER BY v.key_hash
    ON CONFLICT (whatsapp_account_id, key_hash) DO NOTHING RETURNING key_hash
    """
)
_DELETE = """
DELETE FROM messaging_seenmessage WHERE id IN (
    SELECT id FROM messaging_seenmessage WHERE seen_at < %s LIMIT 20000 FOR UPDATE SKIP LOCKED
)
"""


def key_hash(account_id: UUID, chat: str, item: Item) -> bytes:
    """What a message is recognised by.

    Ids of messages that are received are made by chance by their senders, so a
    person's chat says nothing more, and the same message under `c.us` and `lid`
    has one hash even while nobody knows that the two are one. A message of our
    own to a broadcast list has one id in many chats.
    """
    if item.jid.kind in (JidKind.PERSON, JidKind.LID) and not item.key.from_me:
        chat = ""
    text = f"{account_id} {chat} {int(item.key.from_me)} {item.key.message_id}"
    return hashlib.sha256(text.encode()).digest()[:16]


def note_seen(workspace: Workspace, account_id: UUID, hashes: Sequence[bytes]) -> set[bytes]:
    """Which of these messages nobody was told of yet; from now on they count as told."""
    if not hashes:
        return set()
    rows = _INSERT.fetch([workspace.pk, account_id, timezone.now(), list(dict.fromkeys(hashes))])
    return {bytes(row[0]) for row in rows}


def forget_seen() -> int:
    """Delete what no second device will tell any more; answers how many rows went."""
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, [timezone.now() - KEPT])
        return cursor.rowcount
