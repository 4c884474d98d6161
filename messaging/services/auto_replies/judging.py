"""What is decided on one incoming message, from what is known: no database here, so that the past can be judged alike.

The guards stand in one order, and the first that holds is the one that is told.
Rules are looked at in any case, so that the trace says which would have answered.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from messaging.models import AutoReplySetting, Verdict
from messaging.services.auto_replies.compiled import CompiledRule, Rules

OLD_AFTER = timedelta(minutes=10)
MUTE = timedelta(days=1)
# Who answers within so many seconds of us, so often in a row, is no person; nor who says the same that often.
QUICK = timedelta(seconds=5)
QUICK_TIMES = 3
SAME_TIMES = 3
# Clocks of devices differ a little.
SKEW = timedelta(seconds=2)
# A chat that the CRM knew for longer than this had messages before the one that is looked at.
KNOWN_BEFORE = timedelta(minutes=10)


@dataclass(frozen=True)
class Incoming:
    """An incoming message: `folded` is its text as it is compared, None without one; `kind` is of its chat."""

    account_id: UUID
    kind: str
    type: str
    text: str | None
    folded: str | None
    mark: bytes | None
    sent_at: datetime
    is_ours: bool = False

    @property
    def says_something(self) -> bool:
        """Whether there are words in it, given or not: rules without `any` answer to nothing else."""
        return bool(self.folded) or (self.type == "chat" and self.text is None)


@dataclass
class ChatState:
    """What is known of a chat before a message. `answers` are (rule, when, whether something was sent);
    `was_answered` tells whether the last message got one."""

    inbound_at: datetime | None = None
    outbound_at: datetime | None = None
    had_messages: bool = False
    human_at: datetime | None = None
    reply_at: datetime | None = None
    taken_over: bool = False
    taken_over_until: datetime | None = None
    muted_until: datetime | None = None
    quick: int = 0
    same: int = 0
    was_answered: bool = False
    mark: bytes | None = None
    answers: list[tuple[UUID, datetime, bool]] = field(default_factory=list)
    our_texts: list[str] = field(default_factory=list)


@dataclass
class Judgement:
    """The verdict, the numbers of its sentence, what became of each rule that was near, and the rest by reason."""

    verdict: Verdict
    facts: dict = field(default_factory=dict)
    rules: list[dict] = field(default_factory=list)
    others: Counter = field(default_factory=Counter)
    follow: list[CompiledRule] = field(default_factory=list)


def minutes_between(earlier: datetime, later: datetime) -> int:
    return max(0, int((later - earlier).total_seconds() // 60))


def judge(
    rules: Rules,
    setting: AutoReplySetting,
    message: Incoming,
    state: ChatState,
    *,
    now: datetime,
    sent_in_hour: int,
    matches: Mapping[int, bool],
    is_suppressed: Callable[[], bool],
) -> Judgement:
    """Decide on a message; notes on `state` that it came, and mutes the chat where a robot writes."""
    if now - message.sent_at > OLD_AFTER:
        return Judgement(Verdict.OLD, {"minutes": minutes_between(message.sent_at, now)})
    judged = _fitting(rules, message, state, now, matches)
    refused = _silence(setting, message, state, now) or _robot(message, state, now)
    _note(state, message)
    if refused is None and judged.follow:
        refused = _caps(setting, judged, state, now, sent_in_hour) or (
            (Verdict.OPTED_OUT, {}) if is_suppressed() else None
        )
    if refused is not None:
        judged.verdict, judged.facts = refused
        judged.follow = []
    return judged


def settle(state: ChatState, judged: Judgement, now: datetime, replied: Mapping[UUID, bool]) -> None:
    """Note on a chat what was done; `replied` says of each rule that was followed whether something was sent."""
    for rule_id, sent in replied.items():
        state.answers.append((rule_id, now, sent))
        if sent:
            state.reply_at = now
            state.was_answered = True


# --- Rules -------------------------------------------------------------------------------------------------------


def near_rules(rules: Rules, message: Incoming) -> tuple[list[tuple[CompiledRule, str]], Counter]:
    """Rules for the number and kind of chat whose words stand in the message, with the keyword; the rest by reason."""
    found = rules.texts.found_in(message.text) if message.text and message.folded else {}
    near, others = [], Counter()
    for rule in rules.rules:
        if rule.accounts and message.account_id not in rule.accounts:
            others["number"] += 1
        elif message.kind not in rule.kinds:
            others["chat_kind"] += 1
        elif any(slot not in found for slot in rule.texts) or not (message.says_something or rule.takes_any):
            others["text"] += 1
        else:
            near.append((rule, next((found[slot] for slot in rule.texts if found[slot]), "")))
    return near, others


def _fitting(rules: Rules, message: Incoming, state: ChatState, now: datetime, matches) -> Judgement:
    near, others = near_rules(rules, message)
    judged = Judgement(Verdict.NO_MATCH, others=others)
    resting, stopped = [], False
    for rule, keyword in near:
        told = {"rule": str(rule.id)} | ({"keyword": keyword} if keyword else {})
        judged.rules.append(told)
        if stopped:
            told["why"] = "stopped"
            continue
        if why := _missing(rules, rule, message, state, matches):
            told |= why
            continue
        stopped = rule.stops
        last = max((at for id, at, _ in state.answers if id == rule.id), default=None)
        if last is not None and now - last < rule.cool_down:
            resting.append(minutes_between(last, now))
            told |= {"why": "cool_down", "minutes": resting[-1]}
            continue
        told["why"] = "fits"
        judged.follow.append(rule)
    if judged.follow:
        judged.verdict = Verdict.ANSWERED if any(rule.replies for rule in judged.follow) else Verdict.ACTED
    elif resting:
        judged.verdict, judged.facts = Verdict.COOL_DOWN, {"minutes": min(resting)}
    return judged


def _missing(rules: Rules, rule: CompiledRule, message: Incoming, state: ChatState, matches) -> dict | None:
    """The first condition beside the text that does not hold."""
    at = message.sent_at
    for hours_id, inside in rule.hours:
        opening = rules.openings.get(hours_id)
        if opening is None or opening.is_open(at) != inside:
            return {"why": "outside" if inside else "inside", "name": opening.name if opening else ""}
    if rule.is_first and not _is_first(rule, state, at):
        return {"why": "first_message"} | ({"days": rule.first_in_days} if rule.first_in_days else {})
    if rule.outbound_hours is not None:
        last = max(filter(None, (state.outbound_at, state.human_at, state.reply_at)), default=None)
        if last is not None and at - last < timedelta(hours=rule.outbound_hours):
            return {"why": "last_outbound", "hours": rule.outbound_hours}
    if not all(matches.get(place, False) for place in rule.filters):
        return {"why": "contact"}
    return None


def _is_first(rule: CompiledRule, state: ChatState, at: datetime) -> bool:
    if rule.first_in_days is not None and state.inbound_at is not None:
        return at - state.inbound_at >= timedelta(days=rule.first_in_days)
    return state.inbound_at is None and not state.had_messages


# --- Guards ------------------------------------------------------------------------------------------------------

Refusal = tuple[Verdict, dict] | None


def _silence(setting: AutoReplySetting, message: Incoming, state: ChatState, now: datetime) -> Refusal:
    if state.muted_until is not None and now < state.muted_until:
        return Verdict.MUTED, {"until": state.muted_until.isoformat()}
    if state.taken_over and (state.taken_over_until is None or now < state.taken_over_until):
        until = {"until": state.taken_over_until.isoformat()} if state.taken_over_until else {}
        return Verdict.TAKEN_OVER, until
    if state.human_at is not None and now - state.human_at < timedelta(minutes=setting.silence_minutes):
        return Verdict.MEMBER_WROTE, {"minutes": minutes_between(state.human_at, now)}
    if message.is_ours or (message.folded and message.folded in state.our_texts):
        return Verdict.ECHO, {"why": "id" if message.is_ours else "text"}
    return None


def _robot(message: Incoming, state: ChatState, now: datetime) -> Refusal:
    """Two robots: somebody who is at once behind each of our answers, or says the same to every one.

    Several lines in a row after one answer are a person's.
    """
    if state.muted_until is not None:
        state.muted_until, state.quick, state.same = None, 0, 0
    answered = state.reply_at if state.human_at is None or (state.reply_at or now) > state.human_at else None
    if state.was_answered and answered is not None:
        state.quick = state.quick + 1 if -SKEW <= message.sent_at - answered <= QUICK else 0
    if message.mark is None or message.mark != state.mark:
        state.same = 0
    elif state.was_answered and answered is not None:
        state.same += 1
    if state.quick >= QUICK_TIMES:
        return _mute(state, now, "quick", state.quick)
    if state.same >= SAME_TIMES:
        return _mute(state, now, "same", state.same + 1)
    return None


def _mute(state: ChatState, now: datetime, why: str, count: int) -> tuple[Verdict, dict]:
    state.muted_until = now + MUTE
    return Verdict.LOOP, {"why": why, "count": count}


def _note(state: ChatState, message: Incoming) -> None:
    state.inbound_at = max(filter(None, (state.inbound_at, message.sent_at)))
    state.had_messages = True
    state.mark = message.mark
    state.was_answered = False


def _caps(setting: AutoReplySetting, judged: Judgement, state: ChatState, now: datetime, sent_in_hour: int) -> Refusal:
    wanted = sum(1 for rule in judged.follow if rule.replies)
    if not wanted:
        return None
    sent = [at for _, at, replied in state.answers if replied]
    since = max(filter(None, (now - timedelta(minutes=setting.loop_minutes), state.human_at)))
    exchanges = sum(1 for at in sent if at > since)
    if exchanges >= setting.loop_exchanges:
        return _mute(state, now, "many", exchanges)
    in_chat = sum(1 for at in sent if now - at < timedelta(hours=1))
    if in_chat + wanted > setting.chat_per_hour:
        return Verdict.CHAT_CAP, {"limit": setting.chat_per_hour}
    if sent_in_hour + wanted > setting.number_per_hour:
        return Verdict.NUMBER_CAP, {"limit": setting.number_per_hour}
    return None
