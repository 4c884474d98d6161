"""Acknowledgements of our own messages in synced conversations."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Workspace
from messaging.models import ConversationSync
from messaging.services.conversations.homes import lock_syncs
from messaging.services.conversations.items import Key
from messaging.services.conversations.places import places_of
from messaging.services.conversations.states import MessageState
from messaging.services.conversations.storing import Memory
from messaging.services.conversations.switches import OFF, hold_switches, switches_of


@dataclass(frozen=True)
class SeenAck:
    """An acknowledgement of a message that we sent: its bare id, and the level as WhatsApp Web counts (−7 … 4)."""

    chat_jid: str
    message_id: str
    level: int


@transaction.atomic
def raise_acks(*, workspace: Workspace, account_id: UUID, acks: Sequence[SeenAck]) -> int:
    """Raise acknowledgements of synced messages, never lower one; answers how many rows changed or were made.

    `chat_jid` is canonical (`waplus.lib.jids`). An acknowledgement that comes
    before its message waits for it as a stub. Chats that are off are left out;
    so are acknowledgements of single participants of a group, which the caller
    does not pass.
    """
    wanted = {ack.chat_jid for ack in acks}
    places = {jid: place for jid, place in places_of(workspace, account_id, wanted).items() if place.may_sync}
    if not places:
        return 0
    hold_switches(workspace)
    switches = switches_of(workspace, {place.home for place in places.values()})
    homes = {place.home for place in places.values() if switches.get(place.home, OFF).metadata}
    syncs = {home: sync for home, sync in lock_syncs(workspace, homes).items() if not sync.deleting} if homes else {}
    memory = Memory(workspace)
    on = [(ack, places[ack.chat_jid]) for ack in acks if ack.chat_jid in places and places[ack.chat_jid].home in syncs]
    memory.read((place.home, ack.message_id) for ack, place in on)
    for ack, place in on:
        memory.take(place.home, Key(ack.message_id, True, ""), MessageState(place.chat_id, ack=ack.level))
    written = memory.write()
    if written:
        ConversationSync.objects.for_workspace(workspace).filter(home__in=syncs).update(synced_at=timezone.now())
    return written
