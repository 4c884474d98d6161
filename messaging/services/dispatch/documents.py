"""A handed-out message as the answer shows it, made by the database: a hundred of them are one value."""

import json
from uuid import UUID

from accounts.models import Workspace
from messaging.models import MediaFile
from messaging.services.media.attach import media_document
from waplus.lib.api.sql_moments import short_moment

# Over `q`, a row of the queue. `{now}` is put in. `wait_ms` counts from the answer, so that an instance whose clock is
# wrong waits as long as is meant.
HANDED_OUT = f"""json_build_object(
    'id', q.id, 'source', q.source, 'scheduled_message', q.scheduled_message_id, 'broadcast', q.broadcast_id,
    'whatsapp_account', q.whatsapp_account_id, 'contact', q.contact_id, 'chat_jid', q.chat_jid,
    'position', q.position, 'body', q.body, 'media', q.media_id, 'message_id', q.message_id,
    'due_at', {short_moment("q.due_at")}, 'expires_at', {short_moment("q.expires_at")},
    'state', q.state, 'fence', q.fence, 'lease_until', {short_moment("q.lease_until")},
    'wait_ms', greatest(0, ceil(extract(epoch FROM q.not_before - {{now}}) * 1000))::bigint
)"""
# As json_build_object writes it; within a text its quotes would be escaped.
_HAS_FILE = '"media" : "'


def with_files(workspace: Workspace, messages: str) -> str:
    """The documents, each with what an instance needs to fetch its file."""
    if _HAS_FILE not in messages:
        return messages
    documents = json.loads(messages)
    ids = [one["media"] for one in documents if one["media"]]
    files = MediaFile.objects.for_workspace(workspace).in_bulk(ids)
    for one in documents:
        one["media"] = media_document(files.get(UUID(one["media"]))) if one["media"] else None
    return json.dumps(documents)
