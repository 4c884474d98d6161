"""Finding what people should be warned of. One statement finds it, whatever waits for the years to come.

Numbers with something in the queue are found by one look into an index each;
of what is due in time no more than `COUNTED` rows of a number are looked at.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import SYSTEM
from accounts.models import Event
from accounts.services.events import EVENT_COLUMNS, event_values
from messaging.models import DispatchWarning, WarningKind
from messaging.services.presence import ALIVE
from waplus.lib.hints import hint_after_commit
from waplus.lib.locks import take_turns

# How far ahead it is warned that nobody is there to send.
HORIZON = timedelta(minutes=15)
# How long the outcome of a message may be unknown without a warning.
UNKNOWN_FOR = timedelta(hours=1)
# Messages of a number are counted up to here; people do not tell 500 from 50,000.
COUNTED = 500
# A warning that comes and goes is not mailed to the same person again within this time.
QUIET = timedelta(hours=1)

# Rows of the queue that are due in time: of people, and of broadcasts that run. `n` is the number.
_DUE_OF_NUMBER = f"""
    (SELECT q.not_before AS at, q.created_by_id AS person FROM messaging_queuedmessage q
     WHERE q.whatsapp_account_id = n.id AND q.state = 'queued' AND q.broadcast_id IS NULL
       AND q.not_before <= %(horizon)s AND q.expires_at > %(now)s
     ORDER BY q.not_before LIMIT {COUNTED})
    UNION ALL
    (SELECT q.not_before, b.created_by_id FROM messaging_broadcast b
     JOIN messaging_queuedmessage q ON q.broadcast_id = b.id AND q.state = 'queued'
      AND q.not_before <= %(horizon)s AND q.expires_at > %(now)s
     WHERE b.whatsapp_account_id = n.id AND b.state = 'running' LIMIT {COUNTED})
    UNION ALL
    (SELECT s.due_at, s.created_by_id FROM soon s WHERE s.whatsapp_account_id = n.id LIMIT {COUNTED})
"""
_SOON = """
soon AS MATERIALIZED (
    SELECT s.whatsapp_account_id, r.next_at AS due_at, s.created_by_id
    FROM messaging_scheduledrecipient r JOIN messaging_scheduledmessage s ON s.id = r.scheduled_message_id
    WHERE r.state = 'waiting' AND r.next_at <= %(horizon)s
)"""
# Who paused a number knows that nothing is sent. Who holds it and sends slowly asks for no more meanwhile.
_FIND_DEAD = f"""
WITH RECURSIVE own AS (
    (SELECT whatsapp_account_id AS id FROM messaging_queuedmessage
     WHERE state = 'queued' AND broadcast_id IS NULL ORDER BY whatsapp_account_id LIMIT 1)
    UNION ALL
    SELECT (SELECT q.whatsapp_account_id FROM messaging_queuedmessage q
            WHERE q.state = 'queued' AND q.broadcast_id IS NULL AND q.whatsapp_account_id > own.id
            ORDER BY q.whatsapp_account_id LIMIT 1)
    FROM own WHERE own.id IS NOT NULL
), {_SOON}, numbers AS (
    SELECT id FROM own WHERE id IS NOT NULL
    UNION SELECT whatsapp_account_id FROM messaging_broadcast WHERE state = 'running'
    UNION SELECT whatsapp_account_id FROM soon
)
SELECT n.id, min(due.at), count(*) FROM numbers n JOIN crm_whatsappaccount a ON a.id = n.id
CROSS JOIN LATERAL ({_DUE_OF_NUMBER}) due
WHERE NOT EXISTS (
    SELECT 1 FROM messaging_numberpresence p
    WHERE p.whatsapp_account_id = n.id AND p.may_dispatch AND p.seen_at > %(alive)s
) AND NOT EXISTS (
    SELECT 1 FROM messaging_dispatcher d
    WHERE d.workspace_id = a.workspace_id AND d.whatsapp_account_id = n.id
      AND (d.paused_at IS NOT NULL OR d.lease_until > %(now)s)
)
GROUP BY n.id ORDER BY n.id
"""
# Few rows, each by an index over nothing else.
_FIND_LATE = """
SELECT whatsapp_account_id, min(due_at), least(count(*), %(counted)s) FROM messaging_queuedmessage
WHERE state = 'late' GROUP BY 1 ORDER BY 1
"""
_FIND_UNKNOWN = """
SELECT whatsapp_account_id, min(due_at), least(count(*), %(counted)s) FROM messaging_queuedmessage
WHERE state = 'outcome_unknown' AND coalesce(sending_at, due_at) <= %(unknown_since)s GROUP BY 1 ORDER BY 1
"""
_FIND = {
    WarningKind.NO_INSTANCE: _FIND_DEAD,
    WarningKind.LATE: _FIND_LATE,
    WarningKind.OUTCOME_UNKNOWN: _FIND_UNKNOWN,
}

_RESOLVE = """
UPDATE messaging_dispatchwarning SET resolved_at = %(now)s
WHERE kind = %(kind)s AND resolved_at IS NULL AND NOT whatsapp_account_id = ANY(%(accounts)s::uuid[])
RETURNING id, workspace_id
"""
# Answers what is new or has changed.
_RAISE = """
INSERT INTO messaging_dispatchwarning AS w
       (id, workspace_id, whatsapp_account_id, kind, first_due_at, message_count, raised_at)
SELECT gen_random_uuid(), a.workspace_id, a.id, %(kind)s, v.first_due_at, v.message_count, %(now)s
FROM unnest(%(accounts)s::uuid[], %(firsts)s::timestamptz[], %(counts)s::int[])
     AS v (account, first_due_at, message_count)
JOIN crm_whatsappaccount a ON a.id = v.account ORDER BY a.id
ON CONFLICT (whatsapp_account_id, kind) WHERE resolved_at IS NULL DO UPDATE
SET first_due_at = excluded.first_due_at, message_count = excluded.message_count
WHERE (w.first_due_at, w.message_count) IS DISTINCT FROM (excluded.first_due_at, excluded.message_count)
RETURNING w.id, w.workspace_id, xmax = 0
"""
# How long it is told what people were warned of.
_KEPT = timedelta(days=90)

# Those whose messages wait, and the owner, as far as they want mails of this kind. A warning that came again too soon to
# be mailed is mailed once that is over, if it still stands: nothing else would tell of it.
_NOTE = """
{before}
INSERT INTO messaging_warningmail (id, workspace_id, warning_id, recipient_id, state, attempts, lease_until, noted_at, problem)
SELECT gen_random_uuid(), w.workspace_id, w.id, m.user_id, 'waiting', 0, %(now)s, %(now)s, ''
FROM messaging_dispatchwarning w
JOIN accounts_membership m ON m.workspace_id = w.workspace_id
JOIN accounts_user u ON u.id = m.user_id AND u.is_active AND u.warnings_by_email
WHERE (w.id = ANY(%(warnings)s::uuid[]) OR (w.kind = %(kind)s AND w.resolved_at IS NULL AND w.raised_at > %(young)s))
  AND (m.role = 'owner' OR m.user_id IN ({people}))
  AND NOT EXISTS (
      SELECT 1 FROM messaging_warningmail e JOIN messaging_dispatchwarning o ON o.id = e.warning_id
      WHERE e.recipient_id = m.user_id AND o.whatsapp_account_id = w.whatsapp_account_id AND o.kind = w.kind
        AND e.noted_at > %(quiet)s
  )
ORDER BY w.id, m.user_id
ON CONFLICT (warning_id, recipient_id) DO NOTHING
"""
_IN_STATE = """
SELECT q.created_by_id FROM messaging_queuedmessage q
WHERE q.whatsapp_account_id = w.whatsapp_account_id AND q.state = '{state}'
"""
_NOTE_OF = {
    WarningKind.NO_INSTANCE: _NOTE.format(
        before=f"WITH {_SOON}",
        people=f"SELECT due.person FROM (SELECT w.whatsapp_account_id AS id) n CROSS JOIN LATERAL ({_DUE_OF_NUMBER}) due",
    ),
    WarningKind.LATE: _NOTE.format(before="", people=_IN_STATE.format(state="late")),
    WarningKind.OUTCOME_UNKNOWN: _NOTE.format(before="", people=_IN_STATE.format(state="outcome_unknown")),
}


@transaction.atomic
def warn_in_time() -> dict[str, int]:
    """Raise, update and resolve warnings; answers how many of each kind are new.

    Warnings of a workspace are events, which wake its open extensions. Mails are
    noted in the same transaction and sent by a sweep of their own.
    """
    # Two sweeps at once would only do the same.
    take_turns("dispatch warnings")
    now = timezone.now()
    events: list[tuple] = []
    raised = {kind.value: _bring(kind, now, events) for kind in WarningKind}
    if events:
        Event.objects.bulk_create(Event(**dict(zip(EVENT_COLUMNS, values, strict=True))) for values in events)
        hint_after_commit("messaging.tasks.send_warning_mails")
    return raised


def delete_old_warnings() -> int:
    """Delete what was settled long ago, with its mails; answers how many rows."""
    return DispatchWarning.objects.filter(resolved_at__lt=timezone.now() - _KEPT).delete()[0]


def _bring(kind: WarningKind, now: datetime, events: list[tuple]) -> int:
    times = {
        "now": now,
        "horizon": now + HORIZON,
        "alive": now - ALIVE,
        "unknown_since": now - UNKNOWN_FOR,
        "counted": COUNTED,
        "quiet": now - QUIET,
        "young": now - 2 * QUIET,
        "kind": kind.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND[kind], times)
        found = cursor.fetchall()
        accounts, firsts, counts = (list(column) for column in zip(*found, strict=True)) if found else ([], [], [])
        cursor.execute(_RESOLVE, times | {"accounts": accounts})
        events += [_event("resolved", *row) for row in cursor.fetchall()]
        if not found:
            return 0
        cursor.execute(_RAISE, times | {"accounts": accounts, "firsts": firsts, "counts": counts})
        changed: Sequence[tuple[UUID, UUID, bool]] = cursor.fetchall()
        events += [_event("raised", *row) for *row, is_new in changed if is_new]
        cursor.execute(_NOTE_OF[kind], times | {"warnings": [row[0] for row in changed]})
    return sum(is_new for *_, is_new in changed)


def _event(what: str, warning_id: UUID, workspace_id: UUID) -> tuple:
    return event_values(kind=f"dispatch_warning.{what}", actor=SYSTEM, workspace_id=workspace_id, object_id=warning_id)
