"""What rules would have done: on samples, and on synced messages of the past, with the guards at the messages' own times.

Nothing is written: the transaction is a read-only one, so the database itself
would refuse. Contacts are taken as they are today.
"""

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Workspace
from crm.models import Chat, Contact, WhatsAppAccount
from messaging.models import AutoReplyRule, ContentPart, ConversationMessage, MessageSource, QueuedMessage
from messaging.services.auto_replies.compiled import Rules, compile_rules, counted_parts
from messaging.services.auto_replies.deciding import NOT_SAID
from messaging.services.auto_replies.facts import contact_matches
from messaging.services.auto_replies.judging import ChatState, Incoming, Judgement, judge, settle
from messaging.services.auto_replies.matching import folded
from messaging.services.auto_replies.rules import checked_parts, clean_rule
from messaging.services.auto_replies.versions import setting_of
from messaging.services.suppression.asking import is_suppressed
from waplus.lib.errors import UNKNOWN_ID, Invalid
from waplus.lib.ids import uuid7

MAX_MESSAGES = 5_000
MAX_SHOWN = 200
SECONDS = 5.0
BEGINNING = 200


@dataclass(frozen=True)
class Tried:
    """What would have been decided on one message; `text` is its beginning."""

    text: str
    chat_jid: str
    sent_at: datetime
    judged: Judgement


@dataclass
class Simulation:
    """What came of it. `stopped_by` is `messages` or `time` if not all of the past was looked at."""

    looked_at: int = 0
    stopped_by: str | None = None
    verdicts: Counter = field(default_factory=Counter)
    answered: Counter = field(default_factory=Counter)
    names: dict[UUID, str] = field(default_factory=dict)
    samples: list[Tried] = field(default_factory=list)
    messages: list[Tried] = field(default_factory=list)


def simulate(
    *,
    workspace: Workspace,
    rules: Sequence[UUID] | None = None,
    rule: dict | None = None,
    samples: Sequence[str] = (),
    at: datetime | None = None,
    contact: Contact | None = None,
    account: WhatsAppAccount | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    budget: float = SECONDS,
) -> Simulation:
    """Try rules (by id, all that are on, or one as it is given) on samples, and on the past from `since` until `until`."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
        compiled, says = _rules(workspace, rules, rule)
        run = _Run(workspace, compiled, says, Simulation(names={each.id: each.name for each in compiled.rules}))
        now = timezone.now()
        for text in samples:
            run.try_sample(text, at or now, contact, account)
        if since is not None:
            run.try_past(since, min(until or now, now), account, time.monotonic() + budget)
        return run.found


def _rules(workspace: Workspace, ids, given: dict | None) -> tuple[Rules, dict[UUID, list[str]]]:
    if given is not None:
        values = clean_rule(workspace, {name: value for name, value in given.items() if name != "parts"})
        parts = checked_parts(workspace, given.get("parts"))
        one = AutoReplyRule(id=uuid7(), workspace=workspace, **{"name": "", **values})
        says = {one.pk: [part["body"] for part in parts]}
        return compile_rules(workspace, [one], {one.pk: len(parts)}), says
    rows = AutoReplyRule.objects.for_workspace(workspace).order_by("position", "id")
    rows = list(rows.filter(enabled=True) if ids is None else rows.filter(pk__in=ids))
    known = {row.pk for row in rows}
    for index, id in enumerate(ids or ()):
        if id not in known:
            raise Invalid(f"rules.{index}", "does_not_exist", UNKNOWN_ID)
    says: dict[UUID, list[str]] = {}
    parts = ContentPart.objects.for_workspace(workspace).filter(auto_reply_rule__isnull=False)
    for rule_id, body in parts.values_list("auto_reply_rule", "body"):
        says.setdefault(rule_id, []).append(body)
    return compile_rules(workspace, rows, counted_parts(workspace)), says


class _Run:
    """One simulation under way: what is known of each chat as the messages go by."""

    def __init__(self, workspace: Workspace, rules: Rules, says: dict[UUID, list[str]], found: Simulation):
        self.workspace, self.rules, self.found = workspace, rules, found
        self.setting = setting_of(workspace)
        self._texts = {rule: [folded(body) for body in bodies if body] for rule, bodies in says.items()}
        self._states: dict[UUID, ChatState] = {}
        self._sent: dict[UUID, deque] = {}
        self._matches: dict[UUID | None, dict[int, bool]] = {}
        self._suppressed: dict[tuple, bool] = {}

    def try_sample(self, text: str, at: datetime, contact: Contact | None, account: WhatsAppAccount | None) -> None:
        """Judge a text by itself, as the first one of a chat."""
        self._learn({contact.pk if contact else None})
        rules = self.rules
        if account is None:
            rules = replace(rules, rules=[replace(rule, accounts=frozenset()) for rule in rules.rules])
        message = _incoming(account.pk if account else self.workspace.pk, "person", "chat", text, at)
        judged = judge(
            rules,
            self.setting,
            message,
            ChatState(),
            now=at,
            sent_in_hour=0,
            matches=self._matches[contact.pk if contact else None],
            is_suppressed=lambda: contact is not None and is_suppressed(self.workspace, contact),
        )
        self.found.samples.append(Tried(text[:BEGINNING], "", at, judged))

    def try_past(self, since: datetime, until: datetime, account: WhatsAppAccount | None, deadline: float) -> None:
        """Judge synced messages one after the other, in the order in which they were sent."""
        rows = ConversationMessage.objects.for_workspace(self.workspace).filter(sent_at__gte=since, sent_at__lt=until)
        if account is not None:
            rows = rows.filter(chat__whatsapp_account=account)
        rows = list(
            rows.select_related("chat")
            .only("chat", "message_id", "from_me", "type", "sent_at", "text", "has_content")
            .order_by("sent_at", "id")[: MAX_MESSAGES + 1]
        )
        if len(rows) > MAX_MESSAGES:
            self.found.stopped_by = "messages"
        rows = rows[:MAX_MESSAGES]
        chats = {row.chat_id: row.chat for row in rows}
        self._begin(chats, since)
        self._learn({chat.contact_id for chat in chats.values()})
        sources = self._sources(rows)
        for row in rows:
            if time.monotonic() > deadline:
                self.found.stopped_by = "time"
                break
            self._pass(row, chats[row.chat_id], sources.get(row.message_id))

    def _begin(self, chats: dict[UUID, Chat], since: datetime) -> None:
        """What came last in each chat before the time that is looked at."""
        before = ConversationMessage.objects.for_workspace(self.workspace).filter(chat__in=chats, sent_at__lt=since)
        for chat_id, from_me, last in (
            before.values("chat", "from_me").annotate(last=Max("sent_at")).values_list("chat", "from_me", "last")
        ):
            state = self._states.setdefault(chat_id, ChatState())
            if from_me:
                state.outbound_at = last
            else:
                state.inbound_at, state.had_messages = last, True

    def _learn(self, contacts: set[UUID | None]) -> None:
        places = {place for rule in self.rules.rules for place in rule.filters}
        self._matches |= contact_matches(self.workspace, self.rules, places, contacts - set(self._matches))

    def _sources(self, rows: Sequence[ConversationMessage]) -> dict[str, str]:
        """By id, what wanted messages to be sent that went through the queue; members wrote all others of ours."""
        ours = [row.message_id for row in rows if row.from_me]
        queued = QueuedMessage.objects.for_workspace(self.workspace).filter(
            whatsapp_account__in={row.chat.whatsapp_account_id for row in rows if row.from_me}, message_id__in=ours
        )
        return dict(queued.values_list("message_id", "source"))

    def _pass(self, row: ConversationMessage, chat: Chat, source: str | None) -> None:
        state = self._states.setdefault(row.chat_id, ChatState())
        if row.type in NOT_SAID:
            return
        if row.from_me:
            if source != MessageSource.AUTO_REPLY:
                state.outbound_at = row.sent_at
            if source in (None, MessageSource.DIRECT):
                state.human_at = row.sent_at
        elif chat.kind in ("person", "group"):
            self._judge(row, chat, state)

    def _judge(self, row: ConversationMessage, chat: Chat, state: ChatState) -> None:
        now, account = row.sent_at, chat.whatsapp_account_id
        sent = self._sent.setdefault(account, deque())
        while sent and now - sent[0] >= timedelta(hours=1):
            sent.popleft()
        judged = judge(
            self.rules,
            self.setting,
            _incoming(account, chat.kind, row.type, row.text if row.has_content else None, now),
            state,
            now=now,
            sent_in_hour=len(sent),
            matches=self._matches.get(chat.contact_id, {}),
            is_suppressed=lambda: self._is_suppressed(chat),
        )
        replied = {rule.id: bool(rule.replies) for rule in judged.follow}
        settle(state, judged, now, replied)
        sent.extend([now] * sum(replied.values()))
        for rule in judged.follow:
            state.our_texts = [*state.our_texts, *self._texts.get(rule.id, [])][-20:]
        self.found.looked_at += 1
        self.found.verdicts[str(judged.verdict)] += 1
        self.found.answered.update(rule.id for rule in judged.follow)
        if len(self.found.messages) < MAX_SHOWN:
            self.found.messages.append(Tried(row.text[:BEGINNING], chat.jid, now, judged))

    def _is_suppressed(self, chat: Chat) -> bool:
        key = chat.contact_id, chat.jid
        if key not in self._suppressed:
            self._suppressed[key] = is_suppressed(self.workspace, chat.contact_id, chat.jid)
        return self._suppressed[key]


def _incoming(account_id: UUID, kind: str, type: str, text: str | None, at: datetime) -> Incoming:
    plain = folded(text) if text else None
    # The text itself serves as its own mark: it stays in this process.
    mark = plain.encode() if plain else None
    return Incoming(account_id, kind, type, text, plain or None, mark, at)


def answered_by(found: Simulation) -> Iterator[tuple[UUID, str, int]]:
    """How often each rule would have been followed, the most frequent first."""
    for rule_id, count in found.answered.most_common():
        yield rule_id, found.names.get(rule_id, ""), count
