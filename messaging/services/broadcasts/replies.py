"""Who wrote back after a broadcast."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from accounts.actors import Actor
from accounts.models import Workspace
from messaging.services.observed import ObservedMessage
from waplus.lib.prepared import PreparedStatement

# The first answer after a broadcast's message, on the latest message that this person got from this number. Messages
# to somebody who was merged into them later are theirs, too.
_REPLIED = PreparedStatement(
    """
WITH wrote AS (
    SELECT account, contact, min(at) AS at FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) AS w (account, contact, at)
    GROUP BY account, contact
), latest AS (
    SELECT (
        SELECT q.id FROM messaging_queuedmessage q JOIN messaging_broadcast b ON b.id = q.broadcast_id
        WHERE q.workspace_id = $1 AND q.contact_id IN (
                SELECT wrote.contact UNION ALL
                SELECT c.id FROM crm_contact c WHERE c.workspace_id = $1 AND c.merged_into_id = wrote.contact
            ) AND q.whatsapp_account_id = wrote.account AND q.broadcast_id IS NOT NULL
          AND q.state IN ('sent', 'delivered', 'read', 'played') AND q.sent_at <= wrote.at
          AND q.sent_at > wrote.at - b.reply_days * interval '1 day'
        ORDER BY q.sent_at DESC, q.position DESC LIMIT 1
    ) AS id, wrote.at FROM wrote
)
UPDATE messaging_queuedmessage q SET replied_at = latest.at FROM latest
WHERE q.id = latest.id AND q.replied_at IS NULL RETURNING q.broadcast_id
"""
)


def note_replies(workspace: Workspace, actor: Actor, messages: Sequence[ObservedMessage]) -> None:
    """Note live incoming messages of people who got a broadcast's message not long ago; once for each message."""
    rows: list[tuple[UUID, UUID, datetime]] = [
        (one.whatsapp_account_id, one.contact_id, one.sent_at)
        for one in messages
        if one.is_live and not one.from_me and one.contact_id is not None and not one.participant
    ]
    if rows:
        accounts, contacts, moments = map(list, zip(*rows, strict=True))
        _REPLIED.fetch([workspace.pk, accounts, contacts, moments])
