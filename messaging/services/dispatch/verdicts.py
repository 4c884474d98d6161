"""What is decided about each candidate of a claim: hand it out, hold it back, or skip it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_noop

IN_BIN = gettext_noop("Its contact is in the bin.")
OPTED_OUT = gettext_noop("The person does not want to be written to.")
UNREACHABLE = gettext_noop("The chat cannot be reached any more.")
# A contact in the bin may be taken back: its messages are looked at again after as long.
BIN_LOOK = timedelta(seconds=15)
# Messages are handed out with the time at which each may go; none with one further ahead, so that a lease covers it.
MAX_AHEAD = timedelta(seconds=20)


@dataclass(frozen=True)
class Limits:
    """What a number may still send now. None stands for no limit; seconds for the distance between messages."""

    left_hour: int | None = None
    left_day: int | None = None
    left_new: int | None = None
    hour_ends_at: datetime | None = None
    day_ends_at: datetime | None = None
    cold_held_until: datetime | None = None
    cold_held_by: str = ""
    spacing: float = 0.0
    jitter: float = 0.0


@dataclass(frozen=True)
class Candidate:
    """A due message as a claim found it, in the order in which it would go."""

    id: UUID
    chat_key: str
    source: str
    in_bin: bool
    suppressed: bool
    unreachable: bool
    is_new: bool
    quiet_until: datetime | None


@dataclass
class Verdicts:
    """What becomes of the candidates of one claim.

    `next_at` is when the first of those that only wait for their distance to
    the message before may be asked for again, or None.
    """

    handed: list[tuple[UUID, datetime, bool]] = field(default_factory=list)
    held: list[tuple[UUID, datetime, str]] = field(default_factory=list)
    skipped: list[tuple[UUID, str, str]] = field(default_factory=list)
    next_send_at: datetime | None = None
    next_at: datetime | None = None
    stopped_by: str = ""


def judge(
    candidates: Sequence[Candidate],
    limits: Limits,
    *,
    now: datetime,
    next_send_at: datetime | None = None,
    chance: random.Random,
) -> Verdicts:
    """Decide over candidates in their order.

    Once one of a chat is held or left, the later ones of that chat wait with
    it, so that no message overtakes another one of its chat.
    """
    verdicts = Verdicts(next_send_at=next_send_at)
    left = _Left(limits)
    waiting_chats: set[str] = set()
    for one in candidates:
        if one.chat_key in waiting_chats:
            continue
        if one.suppressed:
            verdicts.skipped.append((one.id, "opted_out", OPTED_OUT))
        elif one.unreachable:
            verdicts.skipped.append((one.id, "unreachable", UNREACHABLE))
        elif hold := _hold(one, limits, left, now):
            code, until = hold
            verdicts.held.append((one.id, until, code))
            waiting_chats.add(one.chat_key)
        elif left.stop:
            verdicts.stopped_by, verdicts.next_at = left.stop
            break
        else:
            at, next_send_at = _send_at(one, limits, verdicts.next_send_at, now, chance)
            if at > now + MAX_AHEAD:
                verdicts.next_at = at - MAX_AHEAD / 2
                verdicts.stopped_by = "spacing"
                break
            is_new = one.is_new and one.chat_key not in left.new_chats
            left.take(one, is_new)
            verdicts.next_send_at = next_send_at
            verdicts.handed.append((one.id, at, is_new))
    return verdicts


def _hold(one: Candidate, limits: Limits, left: "_Left", now: datetime) -> tuple[str, datetime] | None:
    """Why a message waits while others may go, and until when."""
    if one.in_bin:
        return "in_bin", now + BIN_LOOK
    if one.quiet_until is not None and one.quiet_until > now:
        return "quiet_hours", one.quiet_until
    if one.is_new and one.chat_key not in left.new_chats:
        if limits.cold_held_until is not None and limits.cold_held_until > now:
            return limits.cold_held_by, limits.cold_held_until
        if left.new == 0:
            return "new_contacts", limits.day_ends_at
    return None


def _send_at(
    one: Candidate, limits: Limits, next_send_at: datetime | None, now: datetime, chance: random.Random
) -> tuple[datetime, datetime]:
    """When a message may go, and when the next one may: at once where a person waits for it, else at its distance."""
    follows = max(now, next_send_at or now)
    distance = timedelta(seconds=limits.spacing + chance.random() * limits.jitter)
    return now if one.source in ("direct", "auto_reply") else follows, follows + distance


class _Left:
    """What is left of the budget while it is given out."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self.hour, self.day, self.new = limits.left_hour, limits.left_day, limits.left_new
        self.new_chats: set[str] = set()

    @property
    def stop(self) -> tuple[str, datetime] | None:
        """What of the whole number is used up, and until when."""
        if self.day is not None and self.day <= 0:
            return "day", self.limits.day_ends_at
        if self.hour is not None and self.hour <= 0:
            return "hour", self.limits.hour_ends_at
        return None

    def take(self, one: Candidate, is_new: bool) -> None:
        if self.hour is not None:
            self.hour -= 1
        if self.day is not None:
            self.day -= 1
        if is_new:
            self.new_chats.add(one.chat_key)
            if self.new is not None:
                self.new -= 1
