"""A handed-out message as the answer shows it, made by the database: a hundred of them are one value."""


def moment(column: str) -> str:
    """SQL: a time as the API writes it, in UTC."""
    return f"""replace(to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', '')"""


# Over `q`, a row of the queue, and `f`, its file. `{now}` is put in. `wait_ms` counts from the answer, so that an
# instance whose clock is wrong waits as long as is meant.
HANDED_OUT = f"""json_build_object(
    'id', q.id, 'source', q.source, 'scheduled_message', q.scheduled_message_id, 'broadcast', q.broadcast_id,
    'whatsapp_account', q.whatsapp_account_id, 'contact', q.contact_id, 'chat_jid', q.chat_jid,
    'position', q.position, 'body', q.body, 'media', CASE WHEN f.id IS NOT NULL THEN json_build_object(
        'id', f.id, 'media_type', f.media_type, 'name', f.name, 'size', f.size
    ) END,
    'message_id', q.message_id, 'due_at', {moment("q.due_at")}, 'expires_at', {moment("q.expires_at")},
    'state', q.state, 'fence', q.fence, 'lease_until', {moment("q.lease_until")},
    'wait_ms', greatest(0, ceil(extract(epoch FROM q.not_before - {{now}}) * 1000))::bigint
)"""


def with_files(messages: str) -> str:
    """The documents, with links to the files that they carry."""
    return messages
