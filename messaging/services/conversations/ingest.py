"""Taking in what an extension saw: stored where it is switched on, told to whatever listens, each message once.

One upload is one transaction. Locks are taken in one order: contacts, chats,
the switches (shared), then the conversations.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from crm.models import WhatsAppAccount
from crm.services.chats import report_chats
from crm.services.identities import identity_of, settled
from crm.services.reports import ItemRefused, Outcome, check_size, refused
from messaging.models import ConversationSync, MediaFile
from messaging.services.conversations.coverage import union
from messaging.services.conversations.homes import lock_syncs, make_syncs, put_right
from messaging.services.conversations.items import Item, Upload, read_upload, with_seen
from messaging.services.conversations.places import Place, places_of
from messaging.services.conversations.seen import KEPT, key_hash, note_seen
from messaging.services.conversations.states import MessageState, says_more
from messaging.services.conversations.storing import Memory, Stored
from messaging.services.conversations.switches import OFF, Switch, hold_switches, switches_of
from messaging.services.observed import ObservedMessage, needs_text, tell_observers
from waplus.lib.errors import NotFound
from waplus.lib.ids import uuid7
from waplus.lib.jids import Jid, JidKind, parse_jid
from waplus.lib.locks import Hold, held

MAX_ITEMS = 500
LISTS = ("messages", "edits", "revocations", "reactions")
NOT_NEEDED = "This chat is not switched on, so nothing of it is stored."
NO_CONTENT = "The text was not taken: the content of this chat is not switched on, and no feature reads it in passing."
_REACT = """
INSERT INTO messaging_messagereaction AS r (id, workspace_id, message_id, reactor, emoji, reacted_at)
SELECT gen_random_uuid(), %(workspace)s, v.* FROM unnest(
    %(messages)s::uuid[], %(reactors)s::text[], %(emojis)s::text[], %(times)s::timestamptz[]
) AS v (message_id, reactor, emoji, reacted_at)
ON CONFLICT (message_id, reactor) DO UPDATE SET emoji = excluded.emoji, reacted_at = excluded.reacted_at
WHERE (excluded.reacted_at, excluded.emoji) > (r.reacted_at, r.emoji)
"""
# By hand: the ORM's update of many rows is compiled anew for each row and column, which costs more than a batch's COPY.
_SYNC_TYPES = {
    "id": "uuid", "message_count": "int", "content_count": "int", "metadata_rule_id": "uuid",
    "content_rule_id": "uuid", "synced_at": "timestamptz", "covered": "jsonb", "content_covered": "jsonb",
    "reached_start": "bool", "content_reached_start": "bool", "whatsapp_count": "int",
}  # fmt: skip
_SAVE_SYNCS = f"""
UPDATE messaging_conversationsync s SET {", ".join(f"{name} = v.{name}" for name in _SYNC_TYPES if name != "id")}
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v ({", ".join(f"{name} {kind}" for name, kind in _SYNC_TYPES.items())})
WHERE s.workspace_id = %(workspace)s AND s.id = v.id
"""
_FORGET_REACTIONS = "DELETE FROM messaging_messagereaction WHERE workspace_id = %s AND message_id = ANY(%s::uuid[])"


@dataclass(frozen=True)
class Taken:
    """Outcomes of each list in the order of its items, and of `covers`; `told` is how many messages were news."""

    lists: dict[str, list[Outcome]]
    covers: list[Outcome]
    told: int = 0


@dataclass
class _Scene:
    """What an upload is judged by: chats, switches and locked conversations."""

    places: dict[str, Place]
    switches: dict[UUID, Switch] = field(default_factory=dict)
    syncs: dict[UUID, ConversationSync] = field(default_factory=dict)
    files: frozenset[UUID] = frozenset()

    def place(self, jid: Jid) -> Place | None:
        return self.places.get(str(jid))

    def switch(self, place: Place | None) -> Switch:
        """What is on of a place; while a chat is being deleted nothing is."""
        if place is None:
            return OFF
        sync = self.syncs.get(place.home)
        return OFF if sync is None or sync.deleting else self.switches.get(place.home, OFF)


@transaction.atomic
def take_messages(
    *, workspace: Workspace, actor: Actor, account_id: UUID, lists: Mapping[str, list], covers: Sequence = ()
) -> Taken:
    """Take in messages, edits, revocations and reactions of one WhatsApp number, and the stretches that they cover.

    Outcomes of messages are `stored`, `updated`, `known`, `not_needed` (the chat
    is off), `content_not_needed` (the text was refused; metadata is stored
    where it is on) or `refused` with a code. `row_id` is the message's, where it
    is stored.
    """
    check_size([item for items in lists.values() for item in items], MAX_ITEMS, "messages")
    check_size(covers, MAX_ITEMS, "covers")
    hold_account(workspace, account_id)
    upload = read_upload(lists, list(covers))
    places = _report(workspace, actor, account_id, upload)
    hold_switches(workspace)
    scene = _scene(workspace, account_id, upload, places)
    work = _Work(workspace, actor, account_id, scene)
    return work.take(upload)


def hold_account(workspace: Workspace, account_id: UUID) -> None:
    """Keep a number from being removed until the transaction ends, or raise `NotFound`."""
    if not held(WhatsAppAccount.objects.for_workspace(workspace).filter(pk=account_id), Hold.FROM_DELETION):
        raise NotFound


def _report(workspace: Workspace, actor: Actor, account_id: UUID, upload: Upload) -> dict[str, Place]:
    """Let the CRM know of chats that are new, and of when the last messages came; answers where each chat is."""
    jids = {str(item.jid) for item in upload.items} | {
        str(cover.jid) for cover in upload.covers if not isinstance(cover, ItemRefused)
    }
    places = places_of(workspace, account_id, jids)
    reports: dict[str, dict] = {}
    for item in upload.items:
        if item.jid.kind in (JidKind.PERSON, JidKind.LID, JidKind.GROUP):
            jid = str(item.jid)
            if item.is_live:
                name = "last_outbound_at" if item.key.from_me else "last_inbound_at"
                times = reports.setdefault(jid, {})
                times[name] = max(times.get(name, item.state.sent_at), item.state.sent_at)
            elif jid not in places:
                reports.setdefault(jid, {})
    if not reports:
        return places
    items = [
        {"whatsapp_account": str(account_id), "jid": jid, **{name: at.isoformat() for name, at in times.items()}}
        for jid, times in reports.items()
    ]
    report_chats(workspace=workspace, actor=actor, items=items)
    return places if reports.keys() <= places.keys() else places_of(workspace, account_id, jids)


def _scene(workspace: Workspace, account_id: UUID, upload: Upload, places: dict[str, Place]) -> _Scene:
    scene = _Scene(places)
    able = [place for place in places.values() if place.may_sync]
    scene.switches = switches_of(workspace, {place.home for place in able})
    on = [place for place in able if scene.switches.get(place.home, OFF).metadata]
    if on:
        make_syncs(workspace, account_id, on, iter(uuid7, None))
        put_right(workspace, {id for place in on for id in (place.chat_id, place.home)})
        scene.syncs = lock_syncs(workspace, {place.home for place in on})
    named = {item.state.media_id for item in upload.items if item.state.media_id}
    if named:
        files = MediaFile.objects.for_workspace(workspace).filter(pk__in=named).order_by("pk").only("pk")
        scene.files = frozenset(file.pk for file in held(files, Hold.FROM_DELETION))
    return scene


class _Work:
    """One upload on its way: what is stored of it, and what is told."""

    def __init__(self, workspace: Workspace, actor: Actor, account_id: UUID, scene: _Scene):
        self.workspace, self.actor, self.account_id, self.scene = workspace, actor, account_id, scene
        self.memory = Memory(workspace)
        self._needs_text: bool | None = None
        self._reactions: list[tuple[Stored, Item]] = []
        self._heard: list[tuple[Item, str | None]] = []

    def take(self, upload: Upload) -> Taken:
        self.memory.persons = self._persons(upload)
        self.memory.read(self._keys(upload))
        outcomes = {name: [self._judge(item) for item in items] for name, items in upload.lists.items()}
        self.memory.write()
        self._react()
        for cover in upload.covers:
            if not isinstance(cover, ItemRefused):
                self._cover(cover)
        self._contiguous(upload)
        covers = [refused(one) if isinstance(one, ItemRefused) else self._covered(one) for one in upload.covers]
        self._save_syncs()
        told = self._tell()
        return Taken(outcomes, covers, told)

    def _keys(self, upload: Upload) -> list[tuple[UUID, str]]:
        keys = []
        for item in upload.items:
            place = self.scene.place(item.jid)
            if place is not None and self.scene.switch(place).metadata:
                keys.append((place.home, item.key.message_id))
                if item.previous_id:
                    keys.append((place.home, item.previous_id))
        return keys

    def _persons(self, upload: Upload) -> dict[str, UUID]:
        """The contacts of participants: a group shows one person by several ids."""
        shown = {item.key.participant for item in upload.items} - {""}
        if not shown:
            return {}
        identities = [identity_of(parse_jid(jid).kind.value, jid) for jid in shown if parse_jid(jid).is_person]
        settled_ones, owners = settled(self.workspace, identities)
        return {one.value: owners[one.match_key] for one in settled_ones if one.match_key in owners}

    def _judge(self, item: Item | ItemRefused):
        """What becomes of an item: an outcome, or a stored message with what it was before this item."""
        if isinstance(item, ItemRefused):
            return refused(item)
        if item.state.media_id and item.state.media_id not in self.scene.files:
            return Outcome("refused", code="does_not_exist", detail="No file with this id is visible to you.")
        place = self.scene.place(item.jid)
        switch = self.scene.switch(place)
        carries = item.has_content or bool(item.emoji)
        passing = item.state.text if item.state.has_content and self._in_passing(item) else None
        text = item.state.text if switch.content else passing
        is_refused = carries and not switch.content and passing is None
        if not switch.metadata:
            self._hear(item, text)
            return (
                Outcome("content_not_needed", code="content_not_needed", detail=NO_CONTENT)
                if is_refused
                else Outcome("not_needed", code="not_needed", detail=NOT_NEEDED)
            )
        if item.kind == "reaction" and not switch.content:
            return Outcome("content_not_needed", code="content_not_needed", detail=NO_CONTENT)
        state = with_seen(item, place.chat_id)
        stored, before = self._take(place.home, item, state if switch.content else state.without_content())
        # What is stored was told, under whatever id: hashes know nothing of chats that have become one since.
        if before is None or not before.is_told:
            self._hear(item, text)
        outcome = "stored" if before is None else "updated" if says_more(stored.state, before) else "known"
        if item.kind == "reaction":
            self._reactions.append((stored, item))
            outcome = "stored" if stored.state.revoked_at is None else "known"
        if is_refused:
            return Outcome("content_not_needed", stored.id, "content_not_needed", NO_CONTENT)
        return Outcome(outcome, stored.id)

    def _take(self, home: UUID, item: Item, state: MessageState) -> tuple[Stored, MessageState | None]:
        known = self.memory.peek(home, item.key)
        before = known.state if known is not None else None
        return self.memory.take(home, item.key, state), before

    def _in_passing(self, item: Item) -> bool:
        """Whether some feature reads the text of a message that has just come, without storing it."""
        if item.kind != "message" or not item.is_live or item.key.from_me:
            return False
        if self._needs_text is None:
            self._needs_text = needs_text(self.workspace, self.account_id)
        return self._needs_text

    def _hear(self, item: Item, text: str | None) -> None:
        if item.kind == "message" and item.state.is_told:
            self._heard.append((item, text))

    def _tell(self) -> int:
        """Tell what nobody was told of; what is recent or not stored is told by its hash, so that a second device adds nothing."""
        since = timezone.now() - KEPT
        hashed, news = [], []
        for item, text in self._heard:
            place = self.scene.place(item.jid)
            if item.is_live or item.state.sent_at > since or not self.scene.switch(place).metadata:
                hashed.append((key_hash(self.account_id, str(place.home if place else item.jid), item), item, text))
            else:
                news.append((item, text))
        fresh = note_seen(self.workspace, self.account_id, [one[0] for one in hashed])
        for digest, item, text in hashed:
            if digest in fresh:
                fresh.discard(digest)
                news.append((item, text))
        if news:
            news.sort(key=lambda one: one[0].state.sent_at)
            tell_observers(self.workspace, self.actor, [self._observed(item, text) for item, text in news])
        return len(news)

    def _observed(self, item: Item, text: str | None) -> ObservedMessage:
        place = self.scene.place(item.jid)
        return ObservedMessage(
            whatsapp_account_id=self.account_id,
            chat_jid=str(item.jid),
            chat_id=place and place.chat_id,
            contact_id=place and place.contact_id,
            from_me=item.key.from_me,
            message_id=item.key.message_id,
            participant=item.key.participant,
            type=item.state.type,
            text=text,
            sent_at=item.state.sent_at,
            is_live=item.is_live,
        )

    def _react(self) -> None:
        """The latest reaction of each person to each message; a revoked message has none."""
        latest: dict[tuple[UUID, str], Item] = {}
        for stored, item in self._reactions:
            key = stored.id, item.reactor
            if stored.state.revoked_at is None and (
                key not in latest or (item.reacted_at, item.emoji) > (latest[key].reacted_at, latest[key].emoji)
            ):
                latest[key] = item
        revoked = self.memory.revoked()
        with connection.cursor() as cursor:
            if latest:
                cursor.execute(
                    _REACT,
                    {
                        "workspace": self.workspace.pk,
                        "messages": [str(id) for id, _ in latest],
                        "reactors": [reactor for _, reactor in latest],
                        "emojis": [item.emoji for item in latest.values()],
                        "times": [item.reacted_at for item in latest.values()],
                    },
                )
            if revoked:
                cursor.execute(_FORGET_REACTIONS, [self.workspace.pk, [str(id) for id in revoked]])

    def _sync(self, jid: Jid) -> tuple[ConversationSync | None, Switch]:
        place = self.scene.place(jid)
        switch = self.scene.switch(place)
        return (self.scene.syncs[place.home] if switch.metadata else None), switch

    def _cover(self, cover) -> None:
        sync, switch = self._sync(cover.jid)
        if sync is None:
            return
        self._extend(sync, switch, cover.start, cover.end)
        if cover.reached_start and cover.start <= sync.covered[0][0]:
            sync.reached_start = True
            sync.content_reached_start = sync.content_reached_start or bool(switch.content)
        if cover.whatsapp_count is not None:
            sync.whatsapp_count = cover.whatsapp_count

    def _covered(self, cover) -> Outcome:
        sync, _ = self._sync(cover.jid)
        return (
            Outcome("not_needed", code="not_needed", detail=NOT_NEEDED)
            if sync is None
            else Outcome("stored", sync.chat_id)
        )

    def _contiguous(self, upload: Upload) -> None:
        """Live messages cover the time since the one before them, if that is known; else only themselves, and a gap remains."""
        stretches: dict[Jid, list[tuple[float, float]]] = defaultdict(list)
        for item in upload.lists["messages"]:
            if isinstance(item, ItemRefused) or not item.is_live:
                continue
            sync, _ = self._sync(item.jid)
            if sync is None:
                continue
            at = item.state.sent_at.timestamp()
            before = self.memory.find(sync.chat_id, item.previous_id) if item.previous_id else None
            known = before is not None and before.state.sent_at is not None
            start = min(before.state.sent_at.timestamp(), at) if known else at
            stretches[item.jid].append((start, at))
        for jid, ranges in stretches.items():
            sync, switch = self._sync(jid)
            for start, end in ranges:
                self._extend(sync, switch, start, end)

    def _extend(self, sync: ConversationSync, switch: Switch, start: float, end: float) -> None:
        sync.covered = union(sync.covered, (start, end))
        if switch.content:
            sync.content_covered = union(sync.content_covered, (start, end))

    def _save_syncs(self) -> None:
        now = timezone.now()
        changed = self.memory.changes()
        rows = []
        for home, sync in self.scene.syncs.items():
            if sync.deleting:
                continue
            switch = self.scene.switches.get(home, OFF)
            messages, contents = changed.get(home, (0, 0))
            sync.message_count += messages
            sync.content_count += contents
            sync.metadata_rule_id, sync.content_rule_id, sync.synced_at = switch.metadata, switch.content, now
            rows.append(sync)
        if rows:
            values = [{name: getattr(row, name) for name in _SYNC_TYPES} for row in rows]
            with connection.cursor() as cursor:
                cursor.execute(_SAVE_SYNCS, {"workspace": self.workspace.pk, "rows": json.dumps(values, default=str)})
