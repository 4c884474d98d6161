"""Decisions on incoming messages, in the transaction that takes them in: once for each, and never half.

A decision is a row, and so is every answer in the queue; all of them are
written with the message or not at all, so a crash at any point leaves nothing
to be made up for, and the unique message id keeps a second instance that saw
the same message from deciding again (docs/auto-replies.md).
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.actors import Actor
from accounts.models import Workspace
from messaging.models import AutoReplyDecision, AutoReplySetting, MessageSource, QueuedMessage, Verdict
from messaging.services.auto_replies.acting import Doer, Done
from messaging.services.auto_replies.chats import Key, Known, SeenChat, learn, lock_chats, save_chats
from messaging.services.auto_replies.compiled import Rules, rules_of
from messaging.services.auto_replies.facts import contact_matches
from messaging.services.auto_replies.judging import Incoming, Judgement, judge, near_rules, settle
from messaging.services.auto_replies.matching import folded
from messaging.services.observed import ObservedMessage
from messaging.services.suppression.asking import is_suppressed
from waplus.lib.ids import uuid7
from waplus.lib.jids import InvalidJid, JidKind, parse_jid
from waplus.lib.locks import take_turns
from waplus.lib.prepared import PreparedStatement

# What is no message of a person: nothing answers to it, and it is no sign of a person either.
NOT_SAID = frozenset(
    (
        *("notification", "notification_template", "group_notification", "gp2", "broadcast_notification"),
        *("e2e_notification", "protocol", "pin_message", "keep_in_chat", "reaction", "revoked", "call_log"),
        *("ciphertext", ""),
    )
)
KIND_OF = {JidKind.PERSON: "person", JidKind.LID: "person", JidKind.GROUP: "group"}
# How far back a member's own words are looked at when they come in late.
HUMAN_SINCE = timedelta(days=1)
_SETTING = PreparedStatement(
    "SELECT version, silence_minutes, chat_per_hour, number_per_hour, loop_exchanges, loop_minutes "
    "FROM messaging_autoreplysetting WHERE workspace_id = %s"
)
_SENT_IN_HOUR = PreparedStatement(
    "SELECT whatsapp_account_id, count(*) FROM messaging_autoreplyanswer "
    "WHERE whatsapp_account_id = ANY($1::uuid[]) AND answered_at > $2 AND replied GROUP BY 1"
)
_DECIDE = PreparedStatement("""
INSERT INTO messaging_autoreplydecision (
    id, workspace_id, whatsapp_account_id, contact_id, chat_jid, message_id, verdict, facts, rules, others,
    received_at, decided_at
)
SELECT v.id, $1, v.account, v.contact, v.jid, v.message_id, v.verdict, v.facts, v.rules, v.others, v.received_at, $2
FROM jsonb_to_recordset($3::jsonb) AS v (
    id uuid, account uuid, contact uuid, jid text, message_id text, verdict text, facts jsonb, rules jsonb,
    others jsonb, received_at timestamptz
)
ON CONFLICT (whatsapp_account_id, message_id) DO NOTHING RETURNING id
""")
_ANSWER = PreparedStatement("""
INSERT INTO messaging_autoreplyanswer (
    id, workspace_id, decision_id, rule_id, whatsapp_account_id, contact_id, chat_jid, replied, answered_at
)
SELECT v.id, $1, v.decision, v.rule, v.account, v.contact, v.jid, v.replied, $2
FROM jsonb_to_recordset($3::jsonb) AS v (
    id uuid, decision uuid, rule uuid, account uuid, contact uuid, jid text, replied boolean
)
RETURNING 1
""")


def current_rules(workspace: Workspace) -> tuple[AutoReplySetting, Rules] | None:
    """The settings and the compiled rules as they stand in this transaction; None where nothing is switched on."""
    rows = _SETTING.fetch([workspace.pk])
    if not rows:
        return None
    version, silence, chat, number, exchanges, minutes = rows[0]
    rules = rules_of(workspace, version)
    if not rules.rules:
        return None
    setting = AutoReplySetting(
        workspace_id=workspace.pk,
        version=version,
        silence_minutes=silence,
        chat_per_hour=chat,
        number_per_hour=number,
        loop_exchanges=exchanges,
        loop_minutes=minutes,
    )
    return setting, rules


def reads_text(workspace: Workspace, whatsapp_account_id: UUID) -> bool:
    """Whether a rule that is switched on looks at what people write to a number."""
    found = current_rules(workspace)
    return found is not None and found[1].reads_text(whatsapp_account_id)


def decide_on_messages(workspace: Workspace, actor: Actor, messages: Sequence[ObservedMessage]) -> None:
    """Note what members wrote, and decide on live incoming messages; the caller's transaction is open."""
    found = current_rules(workspace)
    if found is None:
        return
    setting, rules = found
    now = timezone.now()
    said = [(message, kind) for message in messages if (kind := _kind_of(message, rules))]
    incoming = [(message, kind) for message, kind in said if not message.from_me and message.is_live]
    chats = _seen_chats([message for message, _ in incoming])
    _note_ours(chats, [message for message, _ in said if message.from_me and message.sent_at > now - HUMAN_SINCE], now)
    if not chats:
        return
    states = lock_chats(workspace, list(chats.values()))
    if incoming:
        _decide(workspace, setting, rules, chats, states, sorted(incoming, key=lambda one: one[0].sent_at), now)


def _kind_of(message: ObservedMessage, rules: Rules) -> str | None:
    """The kind of a message's chat, if rules may speak there; None for channels, status and what nobody said."""
    if message.type in NOT_SAID:
        return None
    try:
        kind = KIND_OF.get(parse_jid(message.chat_jid).kind)
    except InvalidJid:
        return None
    return None if kind == "group" and not rules.takes_groups else kind


def _chat(chats: dict[Key, SeenChat], message: ObservedMessage) -> SeenChat:
    chat = SeenChat(message.whatsapp_account_id, message.chat_jid, message.contact_id, message.chat_id)
    return chats.setdefault(chat.key, chat)


def _seen_chats(messages: Sequence[ObservedMessage]) -> dict[Key, SeenChat]:
    chats: dict[Key, SeenChat] = {}
    for message in messages:
        chat = _chat(chats, message)
        chat.chat_id = chat.chat_id or message.chat_id
        chat.first_at = min(filter(None, (chat.first_at, message.sent_at)))
        chat.message_ids.append(message.message_id)
    return chats


def _note_ours(chats: dict[Key, SeenChat], messages: Sequence[ObservedMessage], now: datetime) -> None:
    """Tell what members wrote in WhatsApp itself from what the queue sent: the latter has an id that we reserved."""
    if not messages:
        return
    accounts = {message.whatsapp_account_id for message in messages}
    reserved = QueuedMessage.objects.filter(
        whatsapp_account__in=accounts, message_id__in=[message.message_id for message in messages]
    )
    sources = {
        (account, id): source
        for account, id, source in reserved.values_list("whatsapp_account", "message_id", "source")
    }
    for message in messages:
        source = sources.get((message.whatsapp_account_id, message.message_id), MessageSource.DIRECT)
        at = min(message.sent_at, now)
        if source == MessageSource.DIRECT:
            chat = _chat(chats, message)
            chat.human_at = max(filter(None, (chat.human_at, at)))
        elif source == MessageSource.AUTO_REPLY:
            chat = _chat(chats, message)
            chat.reply_at = max(filter(None, (chat.reply_at, at)))


def _incoming(message: ObservedMessage, kind: str, known: Known) -> Incoming:
    plain = folded(message.text) if message.text else None
    return Incoming(
        account_id=message.whatsapp_account_id,
        kind=kind,
        type=message.type,
        text=message.text,
        folded=plain or None,
        mark=salted_hmac(str(message.chat_jid), plain, algorithm="sha256").digest()[:8] if plain else None,
        sent_at=message.sent_at,
        is_ours=message.message_id in known.ours,
    )


def _decide(workspace, setting, rules: Rules, chats, states, messages, now: datetime) -> None:
    asked = [chat for chat in chats.values() if chat.message_ids]
    known = learn(workspace, asked, states, setting=setting, rest=rules.longest_rest, now=now)
    todo: list[tuple[ObservedMessage, Key, Incoming]] = []
    seen: set[tuple[UUID, str]] = set()
    for message, kind in messages:
        key = SeenChat(message.whatsapp_account_id, message.chat_jid, message.contact_id, None).key
        once = (message.whatsapp_account_id, message.message_id)
        if message.message_id not in known[key].decided and once not in seen:
            seen.add(once)
            todo.append((message, key, _incoming(message, kind, known[key])))
    if not todo:
        return
    near = [[rule for rule, _ in near_rules(rules, incoming)[0]] for _, _, incoming in todo]
    places = {place for found in near for rule in found for place in rule.filters}
    matches = contact_matches(workspace, rules, places, {message.contact_id for message, _, _ in todo})
    accounts = {message.whatsapp_account_id for (message, _, _), found in zip(todo, near, strict=True) if found}
    sent = _sent_in_hour(accounts, now)
    judged = []
    for message, key, incoming in todo:
        state = known[key].state
        verdict = judge(
            rules,
            setting,
            incoming,
            state,
            now=now,
            sent_in_hour=sent.get(message.whatsapp_account_id, 0),
            matches=matches[message.contact_id],
            is_suppressed=lambda message=message: is_suppressed(workspace, message.contact_id, message.chat_jid),
        )
        expected = {rule.id: bool(rule.replies) for rule in verdict.follow}
        settle(state, verdict, now, expected)
        sent[message.whatsapp_account_id] = sent.get(message.whatsapp_account_id, 0) + sum(expected.values())
        judged.append((message, verdict, uuid7()))
    _write(workspace, judged, now)
    save_chats({key: known[key].state for _, key, _ in todo})


def _sent_in_hour(accounts: set[UUID], now: datetime) -> dict[UUID, int]:
    """How often each number answered within the hour; whoever counts the same number waits, so that the cap holds."""
    if not accounts:
        return {}
    for account in sorted(accounts, key=str):
        take_turns("auto_reply_number", account)
    return dict(_SENT_IN_HOUR.fetch([list(accounts), now - timedelta(hours=1)]))


def _write(workspace: Workspace, judged: list[tuple[ObservedMessage, Judgement, UUID]], now: datetime) -> None:
    """Write the decisions, do what was decided, and write what became of it."""
    rows = [
        {
            "id": str(id),
            "account": str(message.whatsapp_account_id),
            "contact": message.contact_id and str(message.contact_id),
            "jid": message.chat_jid,
            "message_id": message.message_id,
            "verdict": verdict.verdict,
            "facts": verdict.facts,
            "rules": verdict.rules,
            "others": verdict.others,
            "received_at": message.sent_at.isoformat(),
        }
        for message, verdict, id in judged
    ]
    written = {row[0] for row in _DECIDE.fetch([workspace.pk, now, json.dumps(rows)])}
    answers = []
    for message, verdict, id in judged:
        if id not in written or not verdict.follow:
            continue
        decision = AutoReplyDecision(
            pk=id,
            workspace=workspace,
            whatsapp_account_id=message.whatsapp_account_id,
            contact_id=message.contact_id,
            chat_jid=message.chat_jid,
        )
        done = Doer(workspace, decision, now).follow(verdict.follow)
        answers += [
            {
                "id": str(uuid7()),
                "decision": str(id),
                "rule": str(rule_id),
                "account": str(message.whatsapp_account_id),
                "contact": message.contact_id and str(message.contact_id),
                "jid": message.chat_jid,
                "replied": each.replied,
            }
            for rule_id, each in done.items()
        ]
        _tell(workspace, id, verdict, done)
    if answers:
        _ANSWER.fetch([workspace.pk, now, json.dumps(answers)])


def _tell(workspace: Workspace, id: UUID, judged: Judgement, done: dict[UUID, Done]) -> None:
    """Correct the trace where something could not be done."""
    if not any(each.missing or each.failed for each in done.values()):
        return
    for told in judged.rules:
        each = done.get(UUID(told["rule"]))
        if each is not None and each.missing:
            told |= {"why": "missing_variable", "name": each.missing}
        if each is not None and each.failed:
            told["failed"] = list(each.failed)
    missing = next((each.missing for each in done.values() if each.missing), "")
    acted = any(len(each.failed) < len(rule.actions) for rule, each in zip(judged.follow, done.values(), strict=True))
    if any(each.replied for each in done.values()):
        verdict, facts = Verdict.ANSWERED, {}
    elif missing:
        verdict, facts = Verdict.MISSING_VARIABLE, {"name": missing}
    else:
        verdict, facts = (Verdict.ACTED if acted else Verdict.FAILED), {}
    AutoReplyDecision.objects.for_workspace(workspace).filter(pk=id).update(
        verdict=verdict, facts=facts, rules=judged.rules
    )


def delete_old_decisions(*, limit: int = 5_000) -> int:
    """Delete decisions of more than thirty days ago, with their answers; answers how many decisions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH old AS (SELECT id FROM messaging_autoreplydecision WHERE decided_at < %s LIMIT %s "
            "FOR UPDATE SKIP LOCKED), answers AS (DELETE FROM messaging_autoreplyanswer a USING old "
            "WHERE a.decision_id = old.id) DELETE FROM messaging_autoreplydecision d USING old WHERE d.id = old.id",
            [timezone.now() - timedelta(days=30), limit],
        )
        return cursor.rowcount
