"""Chats: what the extension reports of them, and what members change."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.changes import set_changed
from accounts.services.events import hint_at_changes, record_event
from crm.models import Chat, ChatKind
from crm.services.chat_links import hold_contacts
from crm.services.reports import (
    ItemRefused,
    Outcome,
    account_id_of,
    check_names,
    check_size,
    count_of,
    flag_of,
    known_accounts,
    moment_of,
    refused,
    text_of,
)
from waplus.lib.errors import NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.jids import InvalidJid, Jid, JidKind, parse_jid
from waplus.lib.text import fold, searchable

TEXTS, FLAGS = ("name", "description"), ("archived", "pinned")
MOMENTS = ("last_message_at", "last_inbound_at", "last_outbound_at")
NAMES = ("whatsapp_account", "jid", "unread_count", *TEXTS, *FLAGS, *MOMENTS)
STORED = (
    "name",
    "description",
    "contact_id",
    "unread_count",
    *MOMENTS,
    "awaiting_reply",
    "archived",
    "pinned",
    "search_text",
)
ATTEMPTS = 4
MAX_DESCRIPTION = 4096
_KINDS = {
    JidKind.PERSON: ChatKind.PERSON,
    JidKind.LID: ChatKind.PERSON,
    JidKind.GROUP: ChatKind.GROUP,
    JidKind.CHANNEL: ChatKind.CHANNEL,
    JidKind.BROADCAST: ChatKind.BROADCAST,
}
_TYPES = {
    "id": "uuid", "whatsapp_account_id": "uuid", "jid": "text", "kind": "text", "name": "text", "description": "text",
    "contact_id": "uuid", "unread_count": "int", **dict.fromkeys(MOMENTS, "timestamptz"), "awaiting_reply": "bool",
    "archived": "bool", "pinned": "bool", "search_text": "text",
}  # fmt: skip
_ROWS = f"jsonb_to_recordset(%(rows)s::jsonb) AS v ({', '.join(f'{name} {kind}' for name, kind in _TYPES.items())})"
_INSERT = f"""
INSERT INTO crm_chat (workspace_id, created_at, {", ".join(_TYPES)})
SELECT %(workspace)s, %(now)s, {", ".join(f"v.{name}" for name in _TYPES)} FROM {_ROWS}
ORDER BY v.whatsapp_account_id, v.jid
ON CONFLICT DO NOTHING
"""
_UPDATE = f"""
UPDATE crm_chat c SET {", ".join(f"{name} = v.{name}" for name in STORED)} FROM {_ROWS}
WHERE c.workspace_id = %(workspace)s AND c.id = v.id
"""


class Overtaken(Exception):
    """Somebody wrote the same chats meanwhile: look again."""


@dataclass(frozen=True)
class ChatReport:
    """One item: the chat, and the columns that the item speaks of."""

    account_id: UUID
    jid: Jid
    values: Mapping[str, object]

    @property
    def key(self) -> tuple[UUID, str]:
        return self.account_id, str(self.jid)


def chat_of(*, workspace: Workspace, chat_id: UUID, lock: bool = False) -> Chat:
    """A chat by id, within the workspace."""
    chats = Chat.objects.for_workspace(workspace)
    chat = (chats.select_for_update(no_key=True) if lock else chats).filter(pk=chat_id).first()
    if chat is None:
        raise NotFound
    return chat


def report_chats(*, workspace: Workspace, actor: Actor, items: list) -> list[Outcome]:
    """Take the state of chats as WhatsApp Web shows it, and answer what became of each item, in their order.

    An item is `{whatsapp_account, jid, name, description, unread_count,
    last_message_at, last_inbound_at, last_outbound_at, archived, pinned}`; what
    it does not speak of stays. Times only move forward, so that a late report
    turns nothing back. `row_id` of an outcome is the chat's; the outcome is
    `created`, `updated`, `unchanged` or `refused`.
    """
    check_size(items)
    accounts = known_accounts(workspace, items)
    read = [_read(item, accounts) for item in items]
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return _record(workspace, actor, read)
        except Overtaken:
            continue
    raise Refused("conflict", "Others are reporting the same chats just now: try again.")


def _read(item, accounts: set[UUID]) -> ChatReport | ItemRefused:
    try:
        check_names(item, NAMES)
        account_id, text = account_id_of(item, accounts), text_of(item, "jid", limit=200)
        if account_id is None or not text:
            raise ItemRefused("required", "Say which chat it is: whatsapp_account and jid.")
        jid = parse_jid(text)
        values = {
            "name": text_of(item, "name"),
            "description": text_of(item, "description", MAX_DESCRIPTION, lines=True),
            "unread_count": count_of(item, "unread_count"),
            **{name: flag_of(item, name) for name in FLAGS},
            **{name: moment_of(item, name) for name in MOMENTS},
        }
        return ChatReport(account_id, jid, {name: value for name, value in values.items() if value is not None})
    except InvalidJid as error:
        return ItemRefused("invalid_jid", str(error))
    except ItemRefused as error:
        return error


def _record(workspace: Workspace, actor: Actor, read: list) -> list[Outcome]:
    reports = [item for item in read if isinstance(item, ChatReport)]
    known = _known(workspace, reports)
    lonely = {report.jid for report in reports if (chat := known.get(report.key)) is None or chat.contact_id is None}
    owners = hold_contacts(workspace=workspace, jids=lonely)
    outcomes, new, changed = _bring(workspace, read, known, owners)
    if changed:
        # What changes is read again behind a lock, for another report may have come between.
        locked = {chat.pk for chat in changed}
        _lock(workspace, locked)
        outcomes, new, changed = _bring(workspace, read, _known(workspace, reports), owners)
        if not {chat.pk for chat in changed} <= locked:
            raise Overtaken("another chat has changed")
    _write(workspace, actor, new, changed)
    return outcomes


def _bring(workspace: Workspace, read: list, chats: dict, owners: dict) -> tuple[list[Outcome], list[Chat], list[Chat]]:
    """Bring reports to chats in memory; answers the outcomes, new chats, and those that were there and change."""
    before = {chat.pk: _columns(chat) for chat in chats.values()}
    outcomes = []
    for item in read:
        if isinstance(item, ItemRefused):
            outcomes.append(refused(item))
            continue
        chat = chats.get(item.key)
        is_new = chat is None
        if is_new:
            chat = chats[item.key] = _new(workspace, item)
        changes = _apply(chat, item, owners)
        outcomes.append(Outcome("created" if is_new else "updated" if changes else "unchanged", chat.pk))
    new = [chat for chat in chats.values() if chat.pk not in before]
    changed = [chat for chat in chats.values() if chat.pk in before and _columns(chat) != before[chat.pk]]
    return outcomes, new, changed


def _known(workspace: Workspace, reports: list[ChatReport]) -> dict[tuple[UUID, str], Chat]:
    """Chats that are there already, by number and JID: one statement."""
    wanted = {report.key for report in reports}
    found = Chat.objects.for_workspace(workspace).filter(
        whatsapp_account__in={account_id for account_id, _ in wanted}, jid__in={jid for _, jid in wanted}
    )
    chats = {(chat.whatsapp_account_id, chat.jid): chat for chat in found.order_by("id")}
    return {key: chat for key, chat in chats.items() if key in wanted}


def _lock(workspace: Workspace, ids: set[UUID]) -> None:
    rows = Chat.objects.for_workspace(workspace).filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    if len(rows.values_list("pk")) < len(ids):
        raise Overtaken("a chat has gone")


def _new(workspace: Workspace, report: ChatReport) -> Chat:
    return Chat(
        id=uuid7(),
        workspace=workspace,
        whatsapp_account_id=report.account_id,
        jid=str(report.jid),
        kind=_KINDS[report.jid.kind],
        search_text="",
    )


def _columns(chat: Chat) -> tuple:
    return tuple(getattr(chat, name) for name in STORED)


def _apply(chat: Chat, report: ChatReport, owners: Mapping[str, UUID]) -> bool:
    """Bring a report to a chat; whether it changes anything. `owners` are contacts by JID."""
    before = _columns(chat)
    if chat.contact_id is None:
        chat.contact_id = owners.get(chat.jid)
    for name, value in report.values.items():
        if name not in MOMENTS:
            setattr(chat, name, value)
    for name in MOMENTS:
        setattr(chat, name, _later(getattr(chat, name), report.values.get(name)))
    chat.last_message_at = _later(_later(chat.last_message_at, chat.last_inbound_at), chat.last_outbound_at)
    chat.awaiting_reply = awaits_reply(chat)
    chat.search_text = search_text_of(chat)
    return _columns(chat) != before


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


def awaits_reply(chat: Chat) -> bool:
    """Whether a person wrote last. Groups, channels and lists expect no answer."""
    if chat.kind != ChatKind.PERSON or chat.last_inbound_at is None:
        return False
    return chat.last_outbound_at is None or chat.last_outbound_at < chat.last_inbound_at


def search_text_of(chat: Chat) -> str:
    """What search looks into: both names, folded, each behind one space."""
    return searchable(*dict.fromkeys((fold(chat.own_name), fold(chat.name))))


def _write(workspace: Workspace, actor: Actor, new: list[Chat], changed: list[Chat]) -> None:
    scope = {"workspace": workspace.pk, "now": timezone.now()}
    with connection.cursor() as cursor:
        if new:
            cursor.execute(_INSERT, {**scope, "rows": _rows(new)})
            if cursor.rowcount != len(new):
                raise Overtaken("a chat was added")
        if changed:
            cursor.execute(_UPDATE, {**scope, "rows": _rows(changed)})
    if new:
        obj = new[0] if len(new) == 1 else None
        record_event(kind="chat.added", actor=actor, workspace=workspace, obj=obj, count=len(new))
    elif changed:
        hint_at_changes(workspace)


def _rows(chats: list[Chat]) -> str:
    return json.dumps([{name: getattr(chat, name) for name in _TYPES} for chat in chats], default=str)


@transaction.atomic
def update_chat(
    *, workspace: Workspace, chat_id: UUID, actor: Actor, precondition=lambda chat: None, own_name: str
) -> Chat:
    """Give a chat a name of the members' own, or with an empty one WhatsApp's again.

    `precondition` is called with the locked row and may refuse.
    """
    chat = chat_of(workspace=workspace, chat_id=chat_id, lock=True)
    precondition(chat)
    changed = set_changed(chat, {"own_name": " ".join(own_name.split())})
    if changed:
        chat.search_text = search_text_of(chat)
        chat.save(update_fields=[*changed, "search_text"])
        record_event(kind="chat.updated", actor=actor, workspace=workspace, obj=chat, changed=changed)
    return chat
