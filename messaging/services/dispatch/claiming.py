"""Handing out: what an instance gets when it asks for messages of a number.

Two statements over a set carry the work: one finds and locks the candidates
with everything that is checked of them, one leases those that may go and makes
the answer. What is decided in between stands in `verdicts`. What is leased goes
into its statement as one text a column (`{a,b,c}`): adapting a hundred values
one by one takes longer than writing their rows.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.actors import SYSTEM
from accounts.models import ExtensionInstance, Workspace
from accounts.services.events import record_event
from messaging.models import Dispatcher, QueuedMessage
from messaging.services.broadcasts.hours import open_now_sql
from messaging.services.budget import budget_of_id, is_new_sql
from messaging.services.dispatch.documents import HANDED_OUT, array_sql, with_files
from messaging.services.dispatch.moves import LEASE
from messaging.services.dispatch.numbers import (
    claim_params,
    hold_number,
    locked_dispatcher,
    save_claim,
    save_claim_sql,
)
from messaging.services.dispatch.verdicts import Candidate, Verdicts, judge
from messaging.services.presence import note_presence_sql
from messaging.services.reachability import unreachable_sql
from messaging.services.suppression import suppressed_sql
from messaging.services.suppression.keys import IPAD, OPAD, pads
from waplus.lib.prepared import PreparedStatement

MAX_CLAIM = 100
# How often a claim looks behind messages that are all held back: by quiet hours, say.
MAX_LOOKS = 5
# How long an instance that got nothing may wait before it asks again.
NEXT_CLAIM_MS = 5_000

# How far apart messages go is no secret: no system call for each.
_chance = random.Random()  # noqa: S311

# Claims for one number take turns already, so a locked row is not skipped: somebody looks at that message (to edit
# it, say) and will be done in a moment, and the next message of its chat must not overtake it meanwhile. A message
# waits while another one of its chat is under way or unknown, and while an earlier one of its chat is held back.
_FREE = """NOT EXISTS (
    SELECT 1 FROM messaging_queuedmessage e
    WHERE e.whatsapp_account_id = q.whatsapp_account_id AND e.chat_key = q.chat_key AND e.id <> q.id
      AND e.state IN ('queued', 'leased', 'sending', 'outcome_unknown')
      AND (e.state <> 'queued' OR (
          {held} AND e.expires_at > $2
          AND (e.due_at, e.origin_id, e.position) < (q.due_at, q.origin_id, q.position)
          AND (e.broadcast_id IS NULL OR q.broadcast_id IS NOT NULL)
      ))
)"""
_BEHIND_HELD = _FREE.format(held="e.not_before > q.not_before")
# What goes at once is looked for before the rest, and may pass it; but not what is earlier in its own chat.
_BEHIND_ANY = _FREE.format(held="TRUE")
_IN_TURN = "q.not_before, q.due_at, q.origin_id, q.position, q.id"
# What the checks and the order of the candidates need of each.
_CHECKED = (
    "q.id, q.workspace_id, q.whatsapp_account_id, q.chat_key, q.chat_jid, q.contact_id, q.source, q.recipient_zone,"
    " q.origin_id, q.occurrence_at, q.position, q.not_before, q.due_at"
)

# Asked once a statement: of most numbers no chat is unreachable.
_ANY_UNREACHABLE = (
    "EXISTS (SELECT 1 FROM messaging_unreachablechat n WHERE n.workspace_id = $4 AND n.whatsapp_account_id = $1)"
)


def _candidates_sql() -> str:
    suppressed, _ = suppressed_sql("q", workspace="$4::uuid", pads_at=("$5", "$6"))
    in_hours = open_now_sql(broadcast="running", message="q", now="$2::timestamptz")
    due = "q.state = 'queued' AND q.not_before <= $2 AND q.expires_at > $2"
    return f"""
WITH urgent AS (
    SELECT {_CHECKED} FROM messaging_queuedmessage q
    WHERE q.whatsapp_account_id = $1 AND q.source IN ('direct', 'auto_reply') AND {due} AND {_BEHIND_ANY}
    ORDER BY q.not_before, q.due_at, q.origin_id, q.position LIMIT $3 FOR NO KEY UPDATE OF q
), own AS (
    SELECT {_CHECKED} FROM messaging_queuedmessage q
    WHERE q.whatsapp_account_id = $1 AND q.broadcast_id IS NULL AND {due} AND {_BEHIND_HELD}
      AND q.id <> ALL (ARRAY(SELECT id FROM urgent))
    ORDER BY q.not_before, q.due_at, q.origin_id, q.position
    LIMIT $3 - (SELECT count(*) FROM urgent) FOR NO KEY UPDATE OF q
), running AS (
    SELECT b.id, b.time_zone, b.hours_of, b.hours_days, b.hours_from, b.hours_to
    FROM messaging_broadcast b WHERE b.whatsapp_account_id = $1 AND b.state = 'running' FOR SHARE OF b
), mass AS (
    SELECT q.* FROM running CROSS JOIN LATERAL (
        SELECT {_CHECKED} FROM messaging_queuedmessage q
        WHERE q.broadcast_id = running.id AND {due} AND {in_hours} AND {_BEHIND_HELD}
        ORDER BY q.not_before, q.id
        LIMIT $3 - (SELECT count(*) FROM urgent) - (SELECT count(*) FROM own) FOR NO KEY UPDATE OF q
    ) q
), due AS (
    SELECT *, 0 AS turn FROM urgent UNION ALL SELECT *, 1 FROM own UNION ALL SELECT *, 2 FROM mass
)
SELECT q.id::text, q.chat_key, q.source, q.recipient_zone,
       EXISTS (SELECT 1 FROM crm_contact c WHERE c.id = q.contact_id AND c.deleted_at IS NOT NULL),
       {suppressed}, ({_ANY_UNREACHABLE} AND {unreachable_sql("q")}), $7 AND {is_new_sql("q")}
FROM due q ORDER BY q.turn, {_IN_TURN} LIMIT $3
"""  # noqa: S608


# What people want goes before broadcasts. A running broadcast's row is locked, so that pausing it waits for this claim
# and nothing is handed out afterwards.
_CANDIDATES = PreparedStatement(_candidates_sql(), planned_once=True)
# No lease outlives the time until which a message may be sent, so that nobody begins to send it later than that.
_HAND_OUT = PreparedStatement(
    f"""
WITH chosen AS (
    SELECT id, at, is_new, place
    FROM unnest($1::uuid[], $2::timestamptz[], $3::boolean[]) WITH ORDINALITY AS t(id, at, is_new, place)
), q AS (
    UPDATE messaging_queuedmessage m
    SET state = 'leased', fence = m.fence + 1, claim_id = $4, instance_id = $5, claimed_at = $7, held_by = '',
        not_before = greatest(m.not_before, chosen.at), is_new_contact = m.is_new_contact OR chosen.is_new,
        lease_until = least(chosen.at + $6::interval, m.expires_at)
    FROM chosen WHERE m.id = chosen.id
    RETURNING m.*, chosen.place
), number AS (
    {save_claim_sql(8)}
)
SELECT {array_sql(HANDED_OUT.format(now="$7::timestamptz"), "place")} FROM q
""",  # noqa: S608
    planned_once=True,
)
_AGAIN = PreparedStatement(
    f"""
SELECT {array_sql(HANDED_OUT.format(now="$4::timestamptz"), f"(q.broadcast_id IS NOT NULL), {_IN_TURN}")}
FROM messaging_queuedmessage q
WHERE q.whatsapp_account_id = $1 AND q.instance_id = $2 AND q.claim_id = $3 AND q.state = 'leased'
  AND q.lease_until > $4
"""  # noqa: S608
)
# What every claim does: it tells that the instance is there, asks it for the outcomes that it alone can tell, and looks
# whether the plan allows the number. A number beyond what the plan allows sends nothing; the older ones are within.
_OPENING = PreparedStatement(
    f"""
WITH presence AS ({note_presence_sql(account="$1", instance="$2", now="$3")})
SELECT (
    SELECT {array_sql("document", "due_at, origin_id, position")} FROM (
        SELECT {HANDED_OUT.format(now="$3::timestamptz")} AS document, q.due_at, q.origin_id, q.position
        FROM messaging_queuedmessage q
        WHERE q.workspace_id = $4 AND q.whatsapp_account_id = $1 AND q.instance_id = $2 AND q.state = 'outcome_unknown'
        ORDER BY q.due_at, q.origin_id, q.position LIMIT {MAX_CLAIM}
    ) unknown
), (
    SELECT (SELECT count(*) FROM crm_whatsappaccount o
            WHERE o.workspace_id = $4 AND (o.created_at, o.id) < (a.created_at, a.id)) < p.max_whatsapp_numbers
    FROM crm_whatsappaccount a JOIN accounts_workspace w ON w.id = a.workspace_id
    JOIN accounts_plan p ON p.id = w.plan_id
    WHERE a.workspace_id = $4 AND a.id = $1
)
""",  # noqa: S608
    planned_once=True,
)
_HOLD = PreparedStatement(
    """
UPDATE messaging_queuedmessage q SET not_before = held.until, held_by = held.code
FROM unnest($1::text[]::uuid[], $2::timestamptz[], $3::text[]) AS held(id, until, code) WHERE q.id = held.id RETURNING 1
"""
)
_SKIP = PreparedStatement(
    """
UPDATE messaging_queuedmessage q SET state = 'skipped', reason_code = skipped.code, reason = skipped.reason
FROM unnest($1::text[]::uuid[], $2::text[], $3::text[]) AS skipped(id, code, reason) WHERE q.id = skipped.id RETURNING 1
"""
)


@dataclass(frozen=True)
class Claim:
    """The answer to a claim. `messages` and `reconcile` are JSON arrays of what docs/dispatch.md describes.

    `is_holder` tells whether the asking instance holds the number; `hold` why
    the whole number gets nothing more now; `next_at` when asking again makes sense.
    """

    dispatcher: Dispatcher
    is_holder: bool
    now: datetime
    messages: str = "[]"
    reconcile: str = "[]"
    hold: str = ""
    next_at: datetime | None = None

    @property
    def next_claim_ms(self) -> int:
        """Milliseconds after which the next claim may bring something."""
        if self.next_at is None:
            return NEXT_CLAIM_MS
        return max(0, min(NEXT_CLAIM_MS, int((self.next_at - self.now).total_seconds() * 1000)))


@transaction.atomic
def claim_messages(
    *, workspace: Workspace, account_id: UUID, instance: ExtensionInstance, claim_id: UUID, limit: int
) -> Claim:
    """Lease due messages of a number to the instance that holds it, or may hold it from now on.

    A repeat with the `claim_id` of the last hand-out answers what is still
    leased under it, for a lost answer. An instance that does not hold the
    number gets no messages, but is asked for the outcomes that it alone can tell.
    """
    now = timezone.now()
    dispatcher = locked_dispatcher(workspace=workspace, account_id=account_id)
    last_claim_id = dispatcher.last_claim_id
    is_holder = hold_number(dispatcher, instance, now)
    [(reconcile, is_within_plan)] = _OPENING.fetch([account_id, instance.pk, now, workspace.pk])
    answer = {
        "dispatcher": dispatcher,
        "now": now,
        "is_holder": is_holder,
        "reconcile": with_files(workspace, reconcile),
    }
    if not is_holder:
        return Claim(**answer, next_at=dispatcher.lease_until)
    if dispatcher.paused_at is not None or not is_within_plan:
        save_claim(dispatcher)
        hold = "paused" if dispatcher.paused_at is not None else "plan"
        return Claim(**answer, hold=hold)
    if last_claim_id == claim_id:
        save_claim(dispatcher)
        [(messages,)] = _AGAIN.fetch([account_id, instance.pk, claim_id, now])
        return Claim(**answer, messages=with_files(workspace, messages))
    verdicts = _decide(workspace, dispatcher, now, limit)
    messages = _hand_out(verdicts, dispatcher, claim_id, instance, now)
    next_at = verdicts.next_at or (now if len(verdicts.handed) == limit else None)
    return Claim(**answer, messages=with_files(workspace, messages), hold=verdicts.stopped_by, next_at=next_at)


def _decide(workspace: Workspace, dispatcher: Dispatcher, now: datetime, limit: int) -> Verdicts:
    """Verdicts over what is due; where all that was found is held back, over what stands behind it, too."""
    account_id = dispatcher.whatsapp_account_id
    budget = budget_of_id(workspace.pk, account_id, now)
    key = pads()
    for look in range(MAX_LOOKS):
        params = [
            account_id,
            now,
            limit if look == 0 else MAX_CLAIM,
            workspace.pk,
            key[IPAD],
            key[OPAD],
            budget.asks_for_new,
        ]
        found = [*map(Candidate._make, _CANDIDATES.fetch(params))]
        verdicts = judge(found, budget, now=now, next_send_at=dispatcher.next_send_at, chance=_chance, most=limit)
        if verdicts.held:
            _HOLD.fetch([list(column) for column in zip(*verdicts.held, strict=True)])
        if verdicts.skipped:
            _skip(verdicts.skipped, workspace)
        if verdicts.handed or verdicts.stopped_by or not found:
            break
    return verdicts


def _hand_out(
    verdicts: Verdicts, dispatcher: Dispatcher, claim_id: UUID, instance: ExtensionInstance, now: datetime
) -> str:
    """Lease what may go, with the row of the number's lease, as a JSON array."""
    if not verdicts.handed:
        save_claim(dispatcher)
        return "[]"
    dispatcher.last_claim_id = claim_id
    dispatcher.next_send_at = verdicts.next_send_at
    ids, times, news = zip(*verdicts.handed, strict=True)
    sets = (_array(ids), _array(at.isoformat() for at in times), _array("t" if new else "f" for new in news))
    [(messages,)] = _HAND_OUT.fetch([*sets, claim_id, instance.pk, LEASE, now, *claim_params(dispatcher)])
    return messages


def _array(texts: Iterable[str]) -> str:
    """An array as PostgreSQL writes it, of texts without anything to quote."""
    return f"{{{','.join(texts)}}}"


def _skip(skipped: list[tuple[str, str, str]], workspace: Workspace) -> None:
    _SKIP.fetch([list(column) for column in zip(*skipped, strict=True)])
    for message_id, *_ in skipped:
        record_event(
            kind="message.skipped",
            actor=SYSTEM,
            workspace=workspace,
            obj=QueuedMessage(pk=message_id),
            changed=["state"],
        )
