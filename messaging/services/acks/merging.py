"""What acknowledgements say of a message when put together. Any order of them, and any repetition, says the same.

Of levels the highest counts, of times the earliest at which somebody told that
a level was reached, of failures the earliest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from messaging.models import DispatchState, MessageAck, QueuedMessage
from messaging.models.dispatch import GONE_OUT
from messaging.services.acks.reports import FAILURE_REASONS, FAILURES, Ack, Level

STATES = {
    Level.SENT: DispatchState.SENT,
    Level.DELIVERED: DispatchState.DELIVERED,
    Level.READ: DispatchState.READ,
    Level.PLAYED: DispatchState.PLAYED,
}
_LEVELS = {state: level for level, state in STATES.items()}
_TIMES = {Level.DELIVERED: "delivered_at", Level.READ: "read_at", Level.PLAYED: "played_at"}
# Handed out and possibly sent, though nobody said so: here a failure is news.
_MAYBE_SENT = (DispatchState.SENDING, DispatchState.OUTCOME_UNKNOWN)


def earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two times, of which each may be unknown."""
    return min(filter(None, (one, other)), default=None)


@dataclass
class Change:
    """What acknowledgements did to one message: the row as it is now, and its rows by participant that changed.

    `rose` says that it went further with a recipient: was delivered, read or played, and not only sent.
    """

    message: QueuedMessage
    acks: list[MessageAck]
    changed: bool = False
    became_sent: bool = False
    rose: bool = False
    became_failed: bool = False
    failure: MessageAck | None = None


def merge(
    message: QueuedMessage,
    acks: Sequence[Ack],
    known: dict[str, MessageAck],
    now: datetime,
) -> Change:
    """Bring acknowledgements of one message to it, in memory. `known` are its rows by participant, "" for the chat.

    Nothing was acknowledged before it was handed out, or later than now.
    """
    change = Change(message, [])
    before = _columns(message)
    rows: dict[str, tuple[MessageAck, tuple]] = {}
    is_group = message.chat_jid.endswith("@g.us")
    for ack in acks:
        at = max(message.claimed_at, min(ack.at, now))
        participant = ack.participant if is_group else ""
        if ack.failed or (participant and ack.level >= Level.DELIVERED):
            row = known.get(participant) or _new(message, participant)
            known[participant] = row
            rows.setdefault(participant, (row, _values(row)))
            _bring_to_row(row, ack, at)
        if ack.level >= Level.SENT:
            _raise(message, change, ack.level, at)
    change.acks = [row for row, values in rows.values() if _values(row) != values]
    if any(ack.failed and not (is_group and ack.participant) for ack in acks):
        _take_failure(message, change, known[""])
    change.changed = _columns(message) != before
    return change


def _new(message: QueuedMessage, participant: str) -> MessageAck:
    return MessageAck(workspace_id=message.workspace_id, message=message, participant=participant)


def _values(row: MessageAck) -> tuple:
    return (row.ack, row.delivered_at, row.read_at, row.played_at, row.failed_at, row.failure, row.failure_code)


def _columns(message: QueuedMessage) -> tuple:
    times = (message.sending_at, message.sent_at, message.delivered_at, message.read_at, message.played_at)
    return (message.state, message.reason_code, message.reason, *times)


def _bring_to_row(row: MessageAck, ack: Ack, at: datetime) -> None:
    if ack.failed:
        told = (at, ack.level, ack.code)
        if row.failure is None or told < (row.failed_at, row.failure, row.failure_code):
            row.failed_at, row.failure, row.failure_code = told
        return
    row.ack = max(row.ack, ack.level)
    _note_times(row, ack.level, at)


def _note_times(row: QueuedMessage | MessageAck, level: int, at: datetime) -> None:
    """Whoever has read a message has received it."""
    for reached, name in _TIMES.items():
        if reached <= level:
            setattr(row, name, earliest(getattr(row, name), at))


def _raise(message: QueuedMessage, change: Change, level: int, at: datetime) -> None:
    if message.state not in GONE_OUT:
        change.became_sent = True
        message.state, message.sent_at = DispatchState.SENT, at
        message.reason_code = message.reason = message.held_by = ""
    message.sent_at = earliest(message.sent_at, at)
    message.sending_at = earliest(message.sending_at, message.sent_at)
    if level > _LEVELS[DispatchState(message.state)]:
        message.state = STATES[Level(level)]
        change.rose = True
    _note_times(message, level, at)


def _take_failure(message: QueuedMessage, change: Change, row: MessageAck) -> None:
    """A failure ends what was never known to be sent. Of what was sent it is kept beside."""
    by_failure = message.state == DispatchState.FAILED and message.reason in FAILURE_REASONS
    if message.state in _MAYBE_SENT:
        change.became_failed = True
    elif not by_failure:
        return
    message.state = DispatchState.FAILED
    message.reason_code, message.reason = row.failure_code, FAILURES[row.failure][1]
    change.failure = row
