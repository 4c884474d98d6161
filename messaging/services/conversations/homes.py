"""Rows of `ConversationSync`: made, locked, and moved when two chats turn out to be one conversation, or one to be two.

Messages move with the chat that they were seen in, so that parting two
contacts who were merged by mistake gives each their messages back.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from accounts.models import Workspace
from crm.models import Chat, ChatKind
from messaging.models import ConversationMessage, ConversationSync, Deleting, MessageReaction
from messaging.services.conversations.coverage import union
from messaging.services.conversations.items import Key
from messaging.services.conversations.places import Place, misplaced, places_of_chats
from messaging.services.conversations.storing import Memory, state_of_message
from messaging.services.conversations.switches import OFF, hold_switches, switches_of
from waplus.lib.ids import uuid7
from waplus.lib.prepared import PreparedStatement

_MAKE = PreparedStatement(
    """
    INSERT INTO messaging_conversationsync (
        id, workspace_id, chat_id, home_id, whatsapp_account_id, deleting, message_count, content_count,
        covered, content_covered, reached_start, content_reached_start
    )
    SELECT uuid, $1::uuid, chat_id, home_id, $2::uuid, '', 0, 0, '[]', '[]', false, false
    FROM unnest($3::uuid[], $4::uuid[], $5::uuid[]) AS v (uuid, chat_id, home_id) ORDER BY chat_id
    ON CONFLICT (chat_id) DO NOTHING RETURNING id
    """
)
# What is in both conversations already stays behind, and is joined message by message.
_MOVE = """
UPDATE messaging_conversationmessage m SET chat_id = %(to)s
WHERE m.workspace_id = %(workspace)s AND m.chat_id = %(from)s AND m.seen_in = %(seen_in)s AND NOT EXISTS (
    SELECT 1 FROM messaging_conversationmessage t WHERE t.chat_id = %(to)s AND t.message_id = m.message_id
      AND t.from_me = m.from_me AND t.participant = m.participant
)
"""
_MOVE_REACTIONS = """
INSERT INTO messaging_messagereaction AS r (id, workspace_id, message_id, reactor, emoji, reacted_at)
SELECT gen_random_uuid(), workspace_id, %(to)s, reactor, emoji, reacted_at FROM messaging_messagereaction
WHERE message_id = %(from)s
ON CONFLICT (message_id, reactor) DO UPDATE SET emoji = excluded.emoji, reacted_at = excluded.reacted_at
WHERE (excluded.reacted_at, excluded.emoji) > (r.reacted_at, r.emoji)
"""


def make_syncs(workspace: Workspace, account_id: UUID, places: Iterable[Place], ids: Iterable[UUID]) -> int:
    """Make the rows that are missing, for chats and for the homes of their conversations; answers how many there were."""
    wanted = {place.chat_id: place.home for place in places}
    for home in set(wanted.values()):
        wanted[home] = home
    chats = sorted(wanted)
    return len(
        _MAKE.fetch([workspace.pk, account_id, [next(ids) for _ in chats], chats, [wanted[chat] for chat in chats]])
    )


def lock_syncs(workspace: Workspace, chat_ids: Collection[UUID]) -> dict[UUID, ConversationSync]:
    """The rows of chats, locked in one order, by chat: nobody else writes to these conversations meanwhile."""
    rows = (
        ConversationSync.objects.for_workspace(workspace)
        .filter(chat__in=chat_ids)
        .order_by("pk")
        .select_for_update(no_key=True)
    )
    return {row.chat_id: row for row in rows}


def put_right(workspace: Workspace, chat_ids: Collection[UUID]) -> int:
    """Move the messages of chats that belong elsewhere now; answers how many chats moved.

    The caller's transaction holds the switches, and goes on with the conversations that it moved locked.
    """
    moves = misplaced(workspace, chat_ids)
    if not moves:
        return 0
    involved = {*chat_ids, *(id for move in moves for id in move)}
    syncs = lock_syncs(workspace, involved)
    switches = switches_of(workspace, {new for _, _, new in moves})
    for chat_id, old, new in moves:
        if chat_id in syncs and syncs[chat_id].home_id == old and new in syncs:
            home = syncs[new]
            # A home of which nothing was synced before: by no rule it would not be asked for.
            if home.metadata_rule_id is None and not home.deleting:
                switch = switches.get(new, OFF)
                home.metadata_rule_id, home.content_rule_id = switch.metadata, switch.content
            _move(workspace, syncs, chat_id, old, new)
    return len(moves)


def _move(workspace: Workspace, syncs: dict[UUID, ConversationSync], chat_id: UUID, old: UUID, new: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, {"workspace": workspace.pk, "from": old, "to": new, "seen_in": chat_id})
    left = ConversationMessage.objects.for_workspace(workspace).filter(chat=old, seen_in=chat_id)
    rows = list(left.order_by("pk"))
    if rows:
        memory = Memory(workspace)
        memory.read((new, row.message_id) for row in rows)
        twins = []
        for row in rows:
            key = Key(row.message_id, row.from_me, row.participant)
            twins.append(memory.take(new, key, state_of_message(row)))
            with connection.cursor() as cursor:
                cursor.execute(_MOVE_REACTIONS, {"from": row.pk, "to": twins[-1].id})
        memory.write()
        # What was revoked under one id may have reactions under the other.
        revoked = [twin.id for twin in twins if twin.state.revoked_at is not None]
        gone = [*(row.pk for row in rows), *revoked]
        MessageReaction.objects.for_workspace(workspace).filter(message__in=gone).delete()
        left.filter(pk__in=[row.pk for row in rows]).delete()
    moved, target = syncs[chat_id], syncs[new]
    moved.home_id = new
    if chat_id == old:
        # A chat that goes into another takes along what was covered of it; what it is parted from keeps its own.
        for name in ("covered", "content_covered"):
            setattr(target, name, union(getattr(target, name), *getattr(moved, name)))
        target.reached_start = target.reached_start and moved.reached_start
        target.content_reached_start = target.content_reached_start and moved.content_reached_start
        moved.covered, moved.content_covered = [], []
        moved.reached_start = moved.content_reached_start = False
    target.whatsapp_count = moved.whatsapp_count = None
    for sync in {moved.chat_id: moved, target.chat_id: target, **({old: syncs[old]} if old in syncs else {})}.values():
        count_again(workspace, sync)


def count_again(workspace: Workspace, sync: ConversationSync) -> None:
    """Save a row with its messages counted anew."""
    messages = ConversationMessage.objects.for_workspace(workspace).filter(chat=sync.chat_id)
    sync.message_count = messages.filter(sent_at__isnull=False).count()
    sync.content_count = messages.filter(has_content=True).count()
    sync.save()


def put_all_right(limit: int = 200) -> int:
    """Move the messages of chats whose contact has changed since something was synced; answers how many chats moved.

    An upload does the same for the chats that it speaks of; this is for those that are silent.
    """
    syncs = ConversationSync.objects.filter(deleting=Deleting.NOTHING)
    parted = syncs.exclude(home=F("chat")).filter(
        Q(chat__contact=None) | Q(home__contact=None) | ~Q(chat__contact=F("home__contact"))
    )
    older = Chat.objects.filter(
        workspace=OuterRef("workspace"),
        contact=OuterRef("chat__contact"),
        whatsapp_account=OuterRef("whatsapp_account"),
        kind=ChatKind.PERSON,
        pk__lt=OuterRef("home"),
    )
    sharing = syncs.filter(Exists(older), chat__kind=ChatKind.PERSON, chat__contact__isnull=False)
    found = {*parted.values_list("workspace", "chat")[:limit], *sharing.values_list("workspace", "chat")[:limit]}
    moved = 0
    for workspace_id, chat_id in sorted(found):
        with transaction.atomic():
            workspace = Workspace.objects.get(pk=workspace_id)
            hold_switches(workspace)
            place = places_of_chats(workspace, [chat_id])[chat_id]
            make_syncs(
                workspace, ConversationSync.objects.get(chat=chat_id).whatsapp_account_id, [place], iter(uuid7, None)
            )
            moved += put_right(workspace, [chat_id, place.home])
    return moved
