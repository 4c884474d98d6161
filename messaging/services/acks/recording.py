"""Recording acknowledgements: a batch of them is one transaction and a fixed number of statements."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Event, Workspace
from accounts.services.events import EVENT_COLUMNS, event_values, hint_at_changes
from crm.models import WhatsAppAccount
from crm.services.reports import ItemRefused, check_size
from messaging.models import Dispatcher, MessageAck, QueuedMessage
from messaging.services.acks.merging import Change, merge
from messaging.services.acks.reports import Ack, Level, read_ack
from messaging.services.dispatch.attempts import ended_attempts_sql
from messaging.services.reachability import Failure, Life, note_failures, note_life


@dataclass(frozen=True)
class AckOutcome:
    """What became of an item: `updated`, `unchanged`, `unknown` (no message of ours has this id) or `refused`."""

    outcome: str
    message: UUID | None = None
    state: str = ""
    code: str = ""
    detail: str = ""


@transaction.atomic
def record_acks(
    *, workspace: Workspace, whatsapp_account: WhatsAppAccount, items: list, actor: Actor
) -> list[AckOutcome]:
    """Take acknowledgements of messages of one number, from whichever instance; answers what became of each item.

    An item is `{message_id, ack, scheme, participant, at, code}`. Whoever tells
    that WhatsApp has a message has told that it was sent, like a late "sent".
    """
    check_size(items, field="acks")
    read = [_read(item) for item in items]
    acks = [_of_recipient(one, whatsapp_account) for one in read if isinstance(one, Ack)]
    now = timezone.now()
    # Claims take turns on this row before they lock messages, in an order of their own.
    Dispatcher.objects.for_workspace(workspace).filter(whatsapp_account=whatsapp_account).select_for_update(
        no_key=True, of=("self",)
    ).first()
    messages = _messages(workspace, whatsapp_account, acks)
    known = _known(workspace, messages)
    by_message: dict[str, list[Ack]] = {}
    for ack in acks:
        by_message.setdefault(ack.message_id, []).append(ack)
    changes = {
        message.message_id: merge(message, by_message[message.message_id], known.get(message.pk, {}), now)
        for message in messages.values()
    }
    _write(workspace, whatsapp_account, [change for change in changes.values() if _is_news(change)], actor)
    return [_outcome(one, changes) for one in read]


def _read(item) -> Ack | ItemRefused:
    try:
        return read_ack(item)
    except ItemRefused as error:
        return error


def _of_recipient(ack: Ack, account: WhatsAppAccount) -> Ack:
    """The person's own other devices are no recipients: that they have a message says that it was sent."""
    if ack.participant and ack.participant in (account.jid, account.lid) and not ack.failed:
        return Ack(ack.message_id, "", min(ack.level, Level.SENT), ack.at)
    return ack


def _messages(workspace: Workspace, account: WhatsAppAccount, acks: Sequence[Ack]) -> dict[str, QueuedMessage]:
    """The messages by their bare ids, locked in one order. What was never handed out cannot have been sent."""
    rows = QueuedMessage.objects.for_workspace(workspace).filter(
        whatsapp_account=account, message_id__in={ack.message_id for ack in acks}, fence__gte=1
    )
    locked = rows.defer("body").order_by("pk").select_for_update(no_key=True, of=("self",))
    return {message.message_id: message for message in locked}


def _known(workspace: Workspace, messages: dict[str, QueuedMessage]) -> dict[UUID, dict[str, MessageAck]]:
    known: dict[UUID, dict[str, MessageAck]] = {}
    ids = [message.pk for message in messages.values()]
    for row in MessageAck.objects.for_workspace(workspace).filter(message__in=ids):
        known.setdefault(row.message_id, {})[row.participant] = row
    return known


def _is_news(change: Change) -> bool:
    return change.changed or bool(change.acks)


def _outcome(one: Ack | ItemRefused, changes: dict[str, Change]) -> AckOutcome:
    if isinstance(one, ItemRefused):
        return AckOutcome("refused", code=one.code, detail=one.detail)
    change = changes.get(one.message_id)
    if change is None:
        return AckOutcome("unknown")
    return AckOutcome("updated" if _is_news(change) else "unchanged", change.message.pk, change.message.state)


_TIMES = ("sending_at", "sent_at", "delivered_at", "read_at", "played_at")
# Whatever an acknowledgement moves is in nobody's hands any more.
_UPDATE = f"""
UPDATE messaging_queuedmessage q
SET state = v.state, reason_code = v.reason_code, reason = v.reason, lease_until = NULL, held_by = v.held_by,
    {", ".join(f"{name} = v.{name}" for name in _TIMES)}
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (
    id uuid, state text, reason_code text, reason text, held_by text, {", ".join(f"{name} timestamptz" for name in _TIMES)}
)
WHERE q.workspace_id = %(workspace)s AND q.id = v.id
"""
# As a late "sent" does: the last attempt has sent it, whether it was under way or had ended otherwise.
_ENDED = """unnest(%(messages)s::uuid[], %(outcomes)s::text[], %(reasons)s::text[]) AS v (message, outcome, reason)
JOIN messaging_queuedmessage q ON q.workspace_id = %(workspace)s AND q.id = v.message"""
_END_ATTEMPTS = f"""{ended_attempts_sql(_ENDED, outcome="v.outcome", reason="v.reason")}
ON CONFLICT (message_id, fence) DO UPDATE
SET outcome = excluded.outcome, reason = excluded.reason, ended_at = excluded.ended_at
WHERE (a.outcome, a.reason) <> (excluded.outcome, excluded.reason)
"""
_ACK_COLUMNS = {
    "id": "uuid", "message_id": "uuid", "participant": "text", "ack": "int", "delivered_at": "timestamptz",
    "read_at": "timestamptz", "played_at": "timestamptz", "failure": "int", "failure_code": "text",
    "failed_at": "timestamptz",
}  # fmt: skip
_ACKS = f"""
INSERT INTO messaging_messageack (workspace_id, {", ".join(_ACK_COLUMNS)})
SELECT %(workspace)s, {", ".join(f"v.{name}" for name in _ACK_COLUMNS)}
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v ({", ".join(f"{name} {kind}" for name, kind in _ACK_COLUMNS.items())})
ON CONFLICT (message_id, participant) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in list(_ACK_COLUMNS)[3:])}
"""


def _write(workspace: Workspace, account: WhatsAppAccount, changes: list[Change], actor: Actor) -> None:
    if not changes:
        return
    moved = [change for change in changes if change.became_sent or change.became_failed]
    with connection.cursor() as cursor:
        if rows := [_row(change.message) for change in changes if change.changed]:
            cursor.execute(_UPDATE, {"workspace": workspace.pk, "rows": json.dumps(rows)})
        if rows := [_ack_row(row) for change in changes for row in change.acks]:
            cursor.execute(_ACKS, {"workspace": workspace.pk, "rows": json.dumps(rows)})
        if ended := [change for change in changes if change.became_sent or change.failure]:
            _end_attempts(cursor, workspace, ended)
    if moved:
        Event.objects.bulk_create(_event(workspace, change, actor) for change in moved)
    else:
        # Ticks are no news for people; an event for each would bury all others.
        hint_at_changes(workspace)
    _tell_reachability(workspace, account, changes, actor)


def _row(message: QueuedMessage) -> dict:
    names = ("state", "reason_code", "reason", "held_by")
    return {"id": str(message.pk), **{name: str(getattr(message, name)) for name in names}, **_times(message, _TIMES)}


def _times(row, names: Sequence[str]) -> dict:
    return {name: (moment := getattr(row, name)) and moment.isoformat() for name in names}


def _ack_row(row: MessageAck) -> dict:
    names = ("participant", "ack", "failure", "failure_code")
    return {
        "id": str(row.pk),
        "message_id": str(row.message_id),
        **{name: getattr(row, name) for name in names},
        **_times(row, ("delivered_at", "read_at", "played_at", "failed_at")),
    }


def _end_attempts(cursor, workspace: Workspace, ended: list[Change]) -> None:
    cursor.execute(
        _END_ATTEMPTS,
        {
            "workspace": workspace.pk,
            "now": timezone.now(),
            "messages": [change.message.pk for change in ended],
            "outcomes": ["sent" if change.became_sent else "failed" for change in ended],
            "reasons": ["" if change.became_sent else change.message.reason for change in ended],
        },
    )


def _event(workspace: Workspace, change: Change, actor: Actor) -> Event:
    values = event_values(
        kind="message.sent" if change.became_sent else "message.failed",
        actor=actor,
        workspace_id=workspace.pk,
        object_id=change.message.pk,
        changed=["state"],
    )
    return Event(**dict(zip(EVENT_COLUMNS, values, strict=True)))


def _tell_reachability(workspace: Workspace, account: WhatsAppAccount, changes: list[Change], actor: Actor) -> None:
    """What arrives shows that a chat can be reached; what fails with such a code that it cannot. The later one counts.

    One tick is WhatsApp's server alone, which also takes what is written to somebody who has blocked the number.
    """
    signs = [_life(change.message) for change in changes if change.rose]
    if signs:
        note_life(workspace=workspace, account_id=account.pk, signs=signs, actor=actor)
    lively = {sign.chat_jid: sign.at for sign in sorted(signs, key=attrgetter("at"))}
    failed = {}
    for change in sorted((change for change in changes if change.became_failed), key=attrgetter("failure.failed_at")):
        chat_jid, at = change.message.chat_jid, change.failure.failed_at
        if chat_jid not in lively or lively[chat_jid] < at:
            failed[chat_jid] = Failure(change.message.reason_code, at)
    if failed:
        note_failures(workspace=workspace, account_id=account.pk, failures=failed, actor=actor)


def _life(message: QueuedMessage) -> Life:
    """What a message that was delivered tells of its chat. In a group, of nobody's other chats."""
    reached = max(filter(None, (message.delivered_at, message.read_at, message.played_at)))
    is_group = message.chat_jid.endswith("@g.us")
    return Life(message.chat_jid, reached, None if is_group else message.contact_id)
