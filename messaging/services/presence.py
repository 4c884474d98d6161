"""Which instances ask for messages of a number: written by claims, so it has to cost next to nothing."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from messaging.models import NumberPresence
from waplus.lib.prepared import PreparedStatement

# Seen within this time, an instance counts as being there.
ALIVE = timedelta(minutes=3)
# Claims come every few seconds; a sign of life is not written again before.
_FINENESS = "20 seconds"
# How long it is told that an instance once sent from a number.
_KEPT = timedelta(days=90)


def note_presence_sql(*, account: str, instance: str, now: str, may_dispatch: str = "TRUE") -> str:
    """SQL of what `note_presence` does, over places of parameters: for a statement that does more."""
    return f"""
INSERT INTO messaging_numberpresence AS p (id, workspace_id, whatsapp_account_id, instance_id, seen_at, may_dispatch)
SELECT gen_random_uuid(), a.workspace_id, a.id, {instance}, {now}, {may_dispatch}
FROM crm_whatsappaccount a WHERE a.id = {account}
ON CONFLICT (whatsapp_account_id, instance_id) DO UPDATE
SET seen_at = greatest(p.seen_at, excluded.seen_at), may_dispatch = excluded.may_dispatch
WHERE p.seen_at <= excluded.seen_at - interval '{_FINENESS}' OR p.may_dispatch <> excluded.may_dispatch
RETURNING 1
"""


_NOTE = PreparedStatement(note_presence_sql(account="$1", instance="$2", now="$3", may_dispatch="$4"))


def note_presence(account_id: UUID, instance_id: UUID, now: datetime, *, may_dispatch: bool = True) -> None:
    """An instance asked for messages of a number, whether it was given any or not: one statement.

    `may_dispatch` is False for one that could not send even if it held the number.
    """
    _NOTE.fetch([account_id, instance_id, now, may_dispatch])


def delete_old_presences() -> int:
    """Forget instances that have not asked for a number for long; answers how many."""
    return NumberPresence.objects.filter(seen_at__lt=timezone.now() - _KEPT).delete()[0]
