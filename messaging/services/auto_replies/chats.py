"""What is known of chats: read, locked and written for many at once; taken over and given back by members."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from crm.models import WhatsAppAccount
from messaging.models import AutoReplyChat, AutoReplySetting
from messaging.services.addressing import address_for
from messaging.services.auto_replies.judging import KNOWN_BEFORE, ChatState
from messaging.services.auto_replies.matching import folded
from waplus.lib.errors import NotFound
from waplus.lib.ids import uuid7
from waplus.lib.prepared import PreparedStatement

Key = tuple[UUID, str]


@dataclass
class SeenChat:
    """A chat in a batch: its addresses, what members and we ourselves wrote in it, and the ids of its incoming messages."""

    account_id: UUID
    chat_jid: str
    contact_id: UUID | None
    chat_id: UUID | None
    human_at: datetime | None = None
    reply_at: datetime | None = None
    first_at: datetime | None = None
    message_ids: list[str] = field(default_factory=list)

    @property
    def key(self) -> Key:
        return self.account_id, str(self.contact_id) if self.contact_id else self.chat_jid


# A row a chat, locked until the transaction ends: who decides in a chat, decides alone.
_LOCK = PreparedStatement("""
INSERT INTO messaging_autoreplychat AS t (
    id, workspace_id, whatsapp_account_id, contact_id, chat_jid, last_human_at, last_reply_at,
    taken_over, quick_count, same_count, was_answered
)
SELECT v.id, $1, v.account, v.contact, v.jid, v.human_at, v.reply_at, FALSE, 0, 0, FALSE
FROM jsonb_to_recordset($2::jsonb) AS v (
    id uuid, account uuid, contact uuid, jid text, human_at timestamptz, reply_at timestamptz
)
ON CONFLICT (whatsapp_account_id, chat_key) DO UPDATE SET
    chat_jid = EXCLUDED.chat_jid,
    last_human_at = greatest(t.last_human_at, EXCLUDED.last_human_at),
    last_reply_at = greatest(t.last_reply_at, EXCLUDED.last_reply_at)
RETURNING t.whatsapp_account_id, t.chat_key, t.last_inbound_at, t.last_human_at, t.last_reply_at, t.taken_over,
          t.taken_over_until, t.muted_until, t.quick_count, t.same_count, t.last_mark,
          t.was_answered
""")
# Beside the row: the chat in the CRM, the row from before its contact was known, what members queued, what was
# answered, what that said, and which messages were decided on or are our own.
_FACTS = PreparedStatement(
    """
SELECT v.account, v.key, chat.last_inbound_at, chat.last_outbound_at, chat.created_at,
       old.last_inbound_at, old.last_human_at, old.taken_over, old.taken_over_until, old.muted_until,
       (SELECT max(q.queued_at) FROM messaging_queuedmessage q
        WHERE q.whatsapp_account_id = v.account AND q.chat_key IN (v.key, v.jid) AND q.source = 'direct'
          AND q.queued_at > $3 AND q.state NOT IN ('cancelled', 'skipped', 'failed')),
       (SELECT jsonb_agg(jsonb_build_array(a.rule_id, a.answered_at, a.replied)) FROM messaging_autoreplyanswer a
        WHERE a.whatsapp_account_id = v.account AND a.chat_key IN (v.key, v.jid) AND a.answered_at > $4),
       (SELECT jsonb_agg(said.body) FROM (
            SELECT q.body FROM messaging_autoreplyanswer a JOIN messaging_queuedmessage q ON q.origin_id = a.decision_id
            WHERE a.whatsapp_account_id = v.account AND a.chat_key IN (v.key, v.jid) AND a.replied
              AND a.answered_at > $5 AND q.body <> '' ORDER BY a.answered_at DESC LIMIT 20) said),
       (SELECT jsonb_agg(d.message_id) FROM messaging_autoreplydecision d
        WHERE d.whatsapp_account_id = v.account AND d.message_id IN (SELECT jsonb_array_elements_text(v.ids))),
       (SELECT jsonb_agg(q.message_id) FROM crm_whatsappaccount w JOIN messaging_queuedmessage q
            ON q.whatsapp_account_id = w.id AND q.message_id IN (SELECT jsonb_array_elements_text(v.ids))
        WHERE w.workspace_id = $1)
FROM jsonb_to_recordset($2::jsonb) AS v (account uuid, key text, jid text, chat uuid, ids jsonb)
LEFT JOIN crm_chat chat ON chat.workspace_id = $1 AND chat.id = v.chat
LEFT JOIN messaging_autoreplychat old
    ON old.whatsapp_account_id = v.account AND old.chat_key = v.jid AND v.jid <> v.key
""",
    planned_once=True,
)
_SAVE = PreparedStatement("""
UPDATE messaging_autoreplychat t SET
    last_inbound_at = greatest(t.last_inbound_at, v.inbound_at), last_reply_at = v.reply_at,
    muted_until = v.muted_until, quick_count = v.quick, same_count = v.same,
    was_answered = v.was_answered, last_mark = decode(v.mark, 'hex')
FROM jsonb_to_recordset($1::jsonb) AS v (
    account uuid, key text, inbound_at timestamptz, reply_at timestamptz, muted_until timestamptz,
    quick int, same int, was_answered boolean, mark text
)
WHERE t.whatsapp_account_id = v.account AND t.chat_key = v.key RETURNING 1
""")


@dataclass
class Known:
    """A chat as it is known, and which of its messages were decided on, or are our own words from another number."""

    state: ChatState
    decided: set[str] = field(default_factory=set)
    ours: set[str] = field(default_factory=set)


def lock_chats(workspace: Workspace, chats: Sequence[SeenChat]) -> dict[Key, ChatState]:
    """Lock the rows of chats, make those that are missing, and note who wrote; answers what stands in them."""
    rows = [
        {
            "id": str(uuid7()),
            "account": str(chat.account_id),
            "contact": chat.contact_id and str(chat.contact_id),
            "jid": chat.chat_jid,
            "human_at": chat.human_at and chat.human_at.isoformat(),
            "reply_at": chat.reply_at and chat.reply_at.isoformat(),
        }
        for chat in sorted(chats, key=lambda chat: (str(chat.account_id), chat.key[1]))
    ]
    found = {}
    for account, key, inbound, human, reply, taken, until, muted, quick, same, mark, answered in _LOCK.fetch(
        [workspace.pk, json.dumps(rows)]
    ):
        found[account, key] = ChatState(
            inbound_at=inbound,
            human_at=human,
            reply_at=reply,
            taken_over=taken,
            taken_over_until=until,
            muted_until=muted,
            quick=quick,
            same=same,
            was_answered=answered,
            mark=None if mark is None else bytes(mark),
        )
    return found


def learn(
    workspace: Workspace,
    chats: Sequence[SeenChat],
    states: Mapping[Key, ChatState],
    *,
    setting: AutoReplySetting,
    rest: timedelta,
    now: datetime,
) -> dict[Key, Known]:
    """What else is known of locked chats, in one statement. `rest` is the longest that any rule rests."""
    rows = [
        {
            "account": str(chat.account_id),
            "key": chat.key[1],
            "jid": chat.chat_jid,
            "chat": chat.chat_id and str(chat.chat_id),
            "ids": chat.message_ids,
        }
        for chat in chats
    ]
    hour = timedelta(hours=1)
    since = now - max(rest, hour, timedelta(minutes=setting.loop_minutes))
    silence = timedelta(minutes=setting.silence_minutes)
    first_at = {chat.key: chat.first_at for chat in chats}
    found = {}
    for row in _FACTS.fetch([workspace.pk, json.dumps(rows), now - silence, since, now - hour]):
        account, key, inbound, outbound, created, old_inbound, old_human, old_taken, old_until, old_muted = row[:10]
        queued_at = row[10]
        # Documents come as texts in a statement of our own.
        answers, bodies, decided, ours = (json.loads(each or "[]") for each in row[11:])
        state, first = states[account, key], first_at[account, key]
        # The chat's time may be that of the very message, if the chat was reported first.
        earlier = (
            inbound if inbound is not None and first is not None and inbound < first - timedelta(seconds=1) else None
        )
        state.inbound_at = max(filter(None, (state.inbound_at, old_inbound, earlier)), default=None)
        state.had_messages = inbound is not None and first is not None and created < first - KNOWN_BEFORE
        state.outbound_at = outbound
        state.human_at = max(filter(None, (state.human_at, old_human, queued_at)), default=None)
        if old_taken and not state.taken_over:
            state.taken_over, state.taken_over_until = True, old_until
        state.muted_until = max(filter(None, (state.muted_until, old_muted)), default=None)
        state.answers = [(UUID(rule), datetime.fromisoformat(at), sent) for rule, at, sent in answers]
        state.our_texts = [folded(body) for body in bodies]
        found[account, key] = Known(state, set(decided), set(ours))
    return found


def save_chats(states: Mapping[Key, ChatState]) -> None:
    """Write what was learned of locked chats."""
    rows = [
        {
            "account": str(account),
            "key": key,
            "inbound_at": state.inbound_at and state.inbound_at.isoformat(),
            "reply_at": state.reply_at and state.reply_at.isoformat(),
            "muted_until": state.muted_until and state.muted_until.isoformat(),
            "quick": min(state.quick, 1_000),
            "same": min(state.same, 1_000),
            "was_answered": state.was_answered,
            "mark": state.mark and state.mark.hex(),
        }
        for (account, key), state in states.items()
    ]
    if rows:
        _SAVE.fetch([json.dumps(rows)])


# --- Members -----------------------------------------------------------------------------------------------------


def _locked_chat(workspace: Workspace, account: WhatsAppAccount, chat_jid: str) -> AutoReplyChat:
    address = address_for(workspace=workspace, account=account, chat_jid=chat_jid)
    seen = SeenChat(account.pk, address.chat_jid, address.contact and address.contact.pk, None)
    lock_chats(workspace, [seen])
    return AutoReplyChat.objects.for_workspace(workspace).get(whatsapp_account=account, chat_key=seen.key[1])


@transaction.atomic
def take_over_chat(
    *, workspace: Workspace, account: WhatsAppAccount, chat_jid: str, actor: Actor, minutes: int | None = None
) -> AutoReplyChat:
    """Keep automatic replies out of a chat: for some minutes, or until it is given back."""
    chat = _locked_chat(workspace, account, chat_jid)
    chat.taken_over, chat.taken_over_by_id = True, actor.user_id
    chat.taken_over_until = timezone.now() + timedelta(minutes=minutes) if minutes else None
    chat.save(update_fields=["taken_over", "taken_over_until", "taken_over_by"])
    record_event(kind="auto_reply_chat.taken_over", actor=actor, workspace=workspace, obj=chat, changed=["taken_over"])
    return chat


@transaction.atomic
def give_back_chat(*, workspace: Workspace, account: WhatsAppAccount, chat_jid: str, actor: Actor) -> AutoReplyChat:
    """Let automatic replies speak in a chat again: neither taken over nor muted, and what members wrote is past."""
    chat = _locked_chat(workspace, account, chat_jid)
    before = AutoReplyChat.objects.for_workspace(workspace).filter(
        whatsapp_account=account, chat_key__in=[chat.chat_key, chat.chat_jid]
    )
    before.update(
        taken_over=False,
        taken_over_until=None,
        taken_over_by=None,
        muted_until=None,
        last_human_at=None,
        quick_count=0,
        same_count=0,
    )
    record_event(kind="auto_reply_chat.given_back", actor=actor, workspace=workspace, obj=chat, changed=["taken_over"])
    chat.refresh_from_db()
    return chat


def chat_state_of(*, workspace: Workspace, chat_id: UUID) -> AutoReplyChat:
    """The row of a chat by its id, within the workspace."""
    chat = AutoReplyChat.objects.for_workspace(workspace).filter(pk=chat_id).first()
    if chat is None:
        raise NotFound
    return chat


def forget_marks(*, limit: int = 10_000) -> int:
    """Delete the marks of texts that are a day old; answers how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_autoreplychat SET last_mark = NULL WHERE id IN (SELECT id FROM messaging_autoreplychat "
            "WHERE last_mark IS NOT NULL AND last_inbound_at < %s LIMIT %s FOR UPDATE SKIP LOCKED)",
            [timezone.now() - timedelta(days=1), limit],
        )
        return cursor.rowcount
