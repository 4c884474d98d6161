"""What is decided about each candidate of a claim: hand it out, hold it back, or skip it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext_noop

from messaging.models import HeldBy
from messaging.models.dispatch import AT_ONCE
from messaging.services.budget import BudgetNow, Hold, verdict

IN_BIN = gettext_noop("Its contact is in the bin.")
OPTED_OUT = gettext_noop("The person does not want to be written to.")
UNREACHABLE = gettext_noop("The chat cannot be reached any more.")
# A contact in the bin may be taken back: its messages are looked at again after as long.
BIN_LOOK = timedelta(seconds=15)
# Messages are handed out with the time at which each may go; none with one further ahead, so that a lease covers it.
MAX_AHEAD = timedelta(seconds=20)
# What holds every message that does not go at once.
_WHOLE_NUMBER = frozenset({HeldBy.HOUR, HeldBy.DAY})


class Candidate(NamedTuple):
    """A due message as a claim found it. `is_new` is only looked for where a budget asks for it.

    The id is the text of it: a hundred of them go from one statement to the next.
    """

    id: str
    chat_key: str
    source: str
    recipient_zone: str
    in_bin: bool
    suppressed: bool
    unreachable: bool
    is_new: bool


@dataclass
class Verdicts:
    """What becomes of the candidates of one claim.

    `handed` has the moment at which each may go and whether it is the first to
    a new contact; `held` until when and by what; `skipped` code and sentence.
    `stopped_by` tells what stops the whole number, until `next_at`.
    """

    handed: list[tuple[str, datetime, bool]] = field(default_factory=list)
    held: list[tuple[str, datetime, str]] = field(default_factory=list)
    skipped: list[tuple[str, str, str]] = field(default_factory=list)
    next_send_at: datetime | None = None
    next_at: datetime | None = None
    stopped_by: str = ""


def judge(
    candidates: Sequence[Candidate],
    budget: BudgetNow,
    *,
    now: datetime,
    next_send_at: datetime | None = None,
    chance: random.Random,
    most: int,
) -> Verdicts:
    """Decide over candidates in their order, until as many as `most` may go.

    Once one of a chat is held, the later ones of that chat wait with it, so
    that no message overtakes another one of its chat.
    """
    verdicts = Verdicts(next_send_at=next_send_at)
    waiting_chats: set[str] = set()
    new_chats: set[str] = set()
    for one in candidates:
        if len(verdicts.handed) == most:
            break
        if one.chat_key in waiting_chats:
            continue
        is_new = one.is_new and one.chat_key not in new_chats
        if one.suppressed:
            verdicts.skipped.append((one.id, "opted_out", OPTED_OUT))
        elif one.unreachable:
            verdicts.skipped.append((one.id, "unreachable", UNREACHABLE))
        elif hold := _hold(one, is_new, budget, now):
            if hold.code in _WHOLE_NUMBER:
                verdicts.stopped_by, verdicts.next_at = hold.code, hold.until
                break
            verdicts.held.append((one.id, hold.until, hold.code))
            waiting_chats.add(one.chat_key)
        else:
            at, following = _send_at(one, budget, verdicts.next_send_at, now, chance)
            if at > now + MAX_AHEAD:
                verdicts.stopped_by, verdicts.next_at = "spacing", at - MAX_AHEAD / 2
                break
            if is_new:
                new_chats.add(one.chat_key)
            verdicts.next_send_at = following
            verdicts.handed.append((one.id, at, is_new))
            budget = _less(budget, is_new)
    return verdicts


def _hold(one: Candidate, is_new: bool, budget: BudgetNow, now: datetime) -> Hold | None:
    if one.in_bin:
        return Hold("in_bin", now + BIN_LOOK)
    return verdict(source=one.source, is_new=is_new, recipient_zone=one.recipient_zone, budget=budget, now=now)


def _less(budget: BudgetNow, is_new: bool) -> BudgetNow:
    """The budget after one more message. None goes below nothing: what is at once goes all the same."""
    if budget.left_hour is budget.left_day is budget.left_new is None:
        return budget
    left = {name: getattr(budget, name) for name in ("left_hour", "left_day", *(("left_new",) if is_new else ()))}
    return replace(budget, **{name: max(0, count - 1) for name, count in left.items() if count is not None})


def _send_at(
    one: Candidate, budget: BudgetNow, next_send_at: datetime | None, now: datetime, chance: random.Random
) -> tuple[datetime, datetime]:
    """When a message may go, and when the next one may: at once where a person waits for it, else at its distance."""
    follows = max(now, next_send_at or now)
    distance = timedelta(seconds=budget.spacing + chance.random() * budget.jitter)
    return now if one.source in AT_ONCE else follows, follows + distance
