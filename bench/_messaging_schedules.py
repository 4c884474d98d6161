"""Scheduled messages for benchmarks: any number of them, each to a contact of its own, made by statements over whole sets."""

from datetime import datetime

_SCHEDULES = """
INSERT INTO messaging_scheduledmessage (
    id, workspace_id, whatsapp_account_id, wall_time, time_zone, clock, rrule, excluded, due_at, lateness_minutes,
    on_late, state, created_by_id, created_at, updated_at
)
SELECT ('00000000-0000-7000-8001-' || lpad(to_hex(n), 12, '0'))::uuid, %(workspace)s,
       (%(numbers)s::uuid[])[1 + n %% %(count_of_numbers)s],
       (%(due)s::timestamptz + n * %(spread)s * interval '1 second') AT TIME ZONE 'UTC', 'UTC', 'sender', %(rrule)s,
       '{}', %(due)s::timestamptz + n * %(spread)s * interval '1 second', 60, 'skip', 'waiting', %(user)s, now(), now()
FROM generate_series(1, %(count)s) n
"""
_RECIPIENTS = """
INSERT INTO messaging_scheduledrecipient (
    id, workspace_id, scheduled_message_id, contact_id, chat_jid, keeps_address, time_zone, recipient_zone, next_wall,
    next_at, state
)
SELECT gen_random_uuid(), workspace_id, id,
       ('00000000-0000-7000-8000-' || lpad(to_hex(1 + (row_number() OVER () - 1) %% %(contacts)s), 12, '0'))::uuid,
       (4915100000000 + row_number() OVER ()) || '@c.us', FALSE, 'UTC', 'Europe/Berlin', wall_time, due_at, 'waiting'
FROM messaging_scheduledmessage WHERE workspace_id = %(workspace)s
"""
_PARTS = """
INSERT INTO messaging_contentpart (id, workspace_id, scheduled_message_id, position, body)
SELECT gen_random_uuid(), workspace_id, id, 0, %(body)s FROM messaging_scheduledmessage WHERE workspace_id = %(workspace)s
"""
_TABLES = (
    *("messaging_contentpart", "messaging_scheduledrecipient", "messaging_queuedmessage"),
    "messaging_scheduledmessage",
)


def fill(
    data, *, count: int, contacts: int, due: datetime, spread: float = 0, rrule: str = "", body: str = "See you soon!"
) -> None:
    """So many schedules instead of those that were there, the first due at a moment, the others `spread` seconds apart."""
    from django.db import connection, transaction

    params = {
        "workspace": data.workspace.pk,
        "numbers": [str(one.pk) for one in data.numbers],
        "count_of_numbers": len(data.numbers),
        "user": data.user.pk,
        "count": count,
        "contacts": contacts,
        "due": due,
        "spread": spread,
        "rrule": rrule,
        "body": body,
    }
    with connection.cursor() as cursor:
        with transaction.atomic():
            cursor.execute("SET LOCAL session_replication_role = 'replica'")
            for table in _TABLES:
                cursor.execute(f"DELETE FROM {table} WHERE workspace_id = %(workspace)s", params)
            for statement in (_SCHEDULES, _RECIPIENTS, _PARTS):
                cursor.execute(statement, params)
        for table in _TABLES:
            cursor.execute(f"VACUUM (ANALYZE) {table}")
