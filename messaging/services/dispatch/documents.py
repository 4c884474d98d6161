"""A handed-out message as the answer shows it, made by the database: a hundred of them are one value."""

import json
from uuid import UUID

from accounts.models import Workspace
from messaging.models import MediaFile
from messaging.services.media.attach import media_document
from waplus.lib.api.sql_moments import short_moment

_TEXT = "to_json({})"
_ID = """'"' || {} || '"'"""
_MOMENT = short_moment("{}").join(["""'"' || """, """ || '"'"""])
# `wait_ms` counts from the answer, so that an instance whose clock is wrong waits as long as is meant.
_FIELDS = {
    "id": _ID.format("q.id"),
    "source": _TEXT.format("q.source"),
    "scheduled_message": _ID.format("q.scheduled_message_id"),
    "broadcast": _ID.format("q.broadcast_id"),
    "whatsapp_account": _ID.format("q.whatsapp_account_id"),
    "contact": _ID.format("q.contact_id"),
    "chat_jid": _TEXT.format("q.chat_jid"),
    "position": "q.position",
    "body": _TEXT.format("q.body"),
    "media": _ID.format("q.media_id"),
    "message_id": _TEXT.format("q.message_id"),
    "due_at": _MOMENT.format("q.due_at"),
    "expires_at": _MOMENT.format("q.expires_at"),
    "state": _TEXT.format("q.state"),
    "fence": "q.fence",
    "lease_until": _MOMENT.format("q.lease_until"),
    "wait_ms": "greatest(0, ceil(extract(epoch FROM q.not_before - {now}) * 1000))::bigint",
}
_NULLABLE = {"scheduled_message", "broadcast", "contact", "media", "lease_until"}


def _concatenated() -> str:
    """`concat` takes half the time of `json_build_object`, which looks up every value's type for every row."""
    parts = []
    for name, value in _FIELDS.items():
        parts.append(f"""'{", " if parts else "{{"}"{name}": '""")
        parts.append(f"coalesce({value}, 'null')" if name in _NULLABLE else value)
    return f"concat({', '.join(parts)}, '}}}}')"


# SQL over `q`, a row of the queue: its document as text. `{now}` is put in.
HANDED_OUT = _concatenated()
# Within a text its quotes would be escaped.
_HAS_FILE = '"media": "'


def array_sql(documents: str, order: str) -> str:
    """SQL of the JSON array of documents, as text, in an order."""
    return f"'[' || coalesce(string_agg({documents}, ', ' ORDER BY {order}), '') || ']'"


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
