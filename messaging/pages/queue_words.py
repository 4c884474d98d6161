"""What pages say of messages of the queue: to whom they go, why they wait, and whether anybody is there to send them."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Workspace
from crm.models import Chat
from crm.templatetags.crm import chat_title, readable, title
from messaging.models import BroadcastState, Dispatcher, DispatchState, NumberPresence, QueuedMessage, UnreachableChat
from messaging.models.budget import HeldBy
from messaging.services.presence import ALIVE

BEGINNING = 140
_HELD = {**dict(HeldBy.choices)}
TONES = {
    DispatchState.SENT: "good",
    DispatchState.DELIVERED: "good",
    DispatchState.READ: "good",
    DispatchState.PLAYED: "good",
    DispatchState.LATE: "warn",
    DispatchState.OUTCOME_UNKNOWN: "warn",
    DispatchState.FAILED: "warn",
    DispatchState.LEASED: "brand",
    DispatchState.SENDING: "brand",
}


def describe(workspace: Workspace, rows: Sequence[QueuedMessage], now: datetime) -> None:
    """Give rows what pages show of them, by a fixed number of queries.

    `to` is whom it goes to, `beginning` how it begins, `tone` the class of its
    state's badge, `unreachable` the mark of its chat, `waits` why it waits, and
    `is_timed` whether `not_before` is when it goes on.
    """
    chats = {
        (chat.whatsapp_account_id, chat.jid): chat
        for chat in Chat.objects.for_workspace(workspace).filter(_of(rows, "jid"))
    }
    unreachable = {
        (one.whatsapp_account_id, one.chat_jid): one
        for one in UnreachableChat.objects.for_workspace(workspace).filter(_of(rows, "chat_jid"))
    }
    numbers = {row.whatsapp_account_id for row in rows}
    paused = set(
        Dispatcher.objects.for_workspace(workspace)
        .filter(whatsapp_account__in=numbers, paused_at__isnull=False)
        .values_list("whatsapp_account", flat=True)
    )
    alive = set(
        NumberPresence.objects.for_workspace(workspace)
        .filter(whatsapp_account__in=numbers, may_dispatch=True, seen_at__gt=now - ALIVE)
        .values_list("whatsapp_account", flat=True)
    )
    for row in rows:
        chat = chats.get((row.whatsapp_account_id, row.chat_jid))
        row.to = title(row.contact) if row.contact else chat_title(chat) if chat else readable(row.chat_jid)
        line = " ".join(row.body.split())
        row.beginning = line[:BEGINNING] + ("…" if len(line) > BEGINNING else "")
        row.tone = TONES.get(row.state, "")
        row.unreachable = unreachable.get((row.whatsapp_account_id, row.chat_jid))
        row.waits, row.is_timed = "", False
        if row.state == DispatchState.QUEUED:
            row.waits, row.is_timed = _why(
                row, now, row.whatsapp_account_id in paused, row.whatsapp_account_id in alive
            )


def _of(rows: Sequence[QueuedMessage], name: str) -> Q:
    """The chats of some messages; a pair too many is no harm."""
    return Q(
        **{
            "whatsapp_account__in": {row.whatsapp_account_id for row in rows},
            f"{name}__in": {row.chat_jid for row in rows},
        }
    )


def _why(row: QueuedMessage, now: datetime, is_paused: bool, is_alive: bool) -> tuple[str, bool]:
    """Why a message waits, and whether it goes on at `not_before`."""
    if row.broadcast is not None and row.broadcast.state != BroadcastState.RUNNING:
        return _("Its broadcast is not running"), False
    if is_paused:
        return _("Sending from this number is paused"), False
    if row.held_by and row.not_before > now:
        if row.held_by == "in_bin":
            return _("Its contact is in the bin"), False
        return str(_HELD.get(row.held_by, _("It is held back"))), True
    if row.not_before > now:
        return _("Its time has not come"), True
    if not is_alive:
        return _("No device is there to send it"), False
    return _("It goes out in a moment"), False
