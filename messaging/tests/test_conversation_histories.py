"""Histories that chance makes, uploaded in orders that chance makes, against a model of what must be shown in the end.

A history is what happened: messages that are edited, revoked and answered with
reactions, some of them seen before they could be read. Devices upload pieces
of it under either id of the person, live or reading back, twice, in batches of
any size, and at some moment the CRM learns that the two ids are one person.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from accounts import actors
from crm.services.contacts import add_identity
from messaging.models import ConversationSync, MessageReaction
from messaging.services import observed
from messaging.services.conversations import reading
from messaging.services.conversations.homes import put_all_right
from messaging.services.conversations.ingest import take_messages
from messaging.services.conversations.measuring import completeness, measured
from messaging.services.conversations.work import work_of
from messaging.tests.seen import LID, NOON, PERSON, at, chat, key, message, switch
from messaging.tests.test_conversation_upload import person

pytestmark = pytest.mark.django_db

LAST = 12
LONG_AGO = -100_000
WAITING, PLAIN = "ciphertext", "chat"


@dataclass(frozen=True)
class Piece:
    """One item that a device uploads: in which list, under which id, and of which message."""

    name: str
    jid: str
    id: str
    item: dict = field(compare=False)

    @property
    def is_live(self) -> bool:
        return self.item.get("live", False)


@st.composite
def histories(draw) -> list[Piece]:
    """Pieces of a history in an order of their own, some of them twice."""
    pieces = []
    for index in range(draw(st.integers(1, 4))):
        pieces += draw(_pieces_of(f"3EB0A{index}", 2 * index + 1))
    for _ in range(draw(st.integers(0, 4))):
        pieces.append(_cover(draw(st.sampled_from([PERSON, LID])), *draw(_stretches)))
    pieces = draw(st.permutations(pieces))
    again = draw(st.lists(st.sampled_from(pieces), max_size=3)) if pieces else []
    return [*pieces, *again]


_stretches = st.tuples(st.integers(0, LAST - 1), st.integers(1, LAST), st.booleans())


def _cover(jid: str, start: int, length: int, is_first: bool) -> Piece:
    """A stretch that is whole; who has reached the beginning tells of it from second 0 on."""
    start = 0 if is_first else start
    cover = {"from": at(start), "to": at(min(start + length, LAST)), "reached_start": is_first}
    return Piece("covers", jid, "", {"chat_jid": jid, **cover})


@st.composite
def _pieces_of(draw, id: str, second: int) -> list[Piece]:
    """What devices tell of one message. Each piece goes under one id or under both."""
    mine, is_old = draw(st.booleans()), draw(st.booleans())
    when = second + (LONG_AGO if is_old else 0)
    told: list[tuple[str, dict]] = []
    live = {"live": not is_old and draw(st.booleans())}
    if draw(st.booleans()):
        told.append(("messages", message(id, seconds=when, from_me=mine, type=WAITING, **live)))
    if draw(st.integers(0, 3)):
        told.append(("messages", message(id, seconds=when, from_me=mine, text=f"{id} first", **live)))
    for edit in draw(st.lists(st.integers(1, 5), unique=True, max_size=2)):
        told.append(("edits", key(id, from_me=mine, text=f"{id} edit {edit}", edited_at=at(second + edit))))
    if draw(st.integers(0, 3)) == 0:
        told.append(("revocations", key(id, from_me=mine, revoked_at=at(second + 3))))
    for moment in draw(st.lists(st.integers(1, 5), unique=True, max_size=3)):
        who = draw(st.sampled_from([{"reactor": "me"}, {}]))
        emoji = draw(st.sampled_from(["👍", "🙏", ""]))
        told.append(("reactions", key(id, from_me=mine, emoji=emoji, reacted_at=at(second + moment), **who)))
    pieces = []
    for name, item in told:
        for jid in draw(st.sampled_from([(PERSON,), (LID,), (PERSON, LID)])):
            pieces.append(Piece(name, jid, id, {**item, "chat_jid": jid}))
    return pieces


class Model:
    """What must be shown of one conversation, by what was told of it: any order says the same."""

    def __init__(self, pieces: list[Piece], reached_start: bool):
        self.pieces, self.reached_start = pieces, reached_start

    def _of(self, name: str, id: str) -> list[dict]:
        return [piece.item for piece in self.pieces if piece.name == name and piece.id == id]

    def shown(self) -> list[tuple]:
        """Messages in order: id, type, text, and who reacted how."""
        ids = {piece.id: piece.item["sent_at"] for piece in self.pieces if piece.name == "messages"}
        return [self._shown(id) for id in sorted(ids, key=ids.get)]

    def _shown(self, id: str) -> tuple:
        is_known = any(item["type"] == PLAIN for item in self._of("messages", id))
        first = f"{id} first" if is_known else None
        edits = sorted((item["edited_at"], item["text"]) for item in self._of("edits", id))
        text = edits[-1][1] if edits else first
        latest: dict[str, tuple] = {}
        for item in self._of("reactions", id):
            who = item.get("reactor", "peer")
            latest[who] = max(latest.get(who, ("", "")), (item["reacted_at"], item["emoji"]))
        reactions = {who: emoji for who, (_, emoji) in latest.items() if emoji}
        if self._of("revocations", id):
            text, reactions = None, {}
        return id, PLAIN if is_known else WAITING, text, reactions

    def _marks(self) -> set[int]:
        """Seconds that are covered as even numbers, and as odd ones the time between two of them."""
        marks = set()
        for piece in self.pieces:
            if piece.name == "covers":
                marks |= set(range(2 * second(piece.item["from"]), 2 * second(piece.item["to"]) + 1))
            elif piece.is_live:
                marks.add(2 * second(piece.item["sent_at"]))
        return marks

    def _newest(self) -> int | None:
        """The last message that the CRM heard of."""
        return max((second(piece.item["sent_at"]) for piece in self.pieces if piece.is_live), default=None)

    def missing(self) -> list[tuple]:
        """Stretches to fetch: newer ones, gaps from the newest on, older ones."""
        marks, newest = self._marks(), self._newest()
        if not marks:
            return [(None, None)]
        first, last = min(marks), max(marks)
        ends = [mark for mark in range(first, last) if mark in marks and mark + 1 not in marks]
        starts = [mark for mark in range(first + 1, last + 1) if mark in marks and mark - 1 not in marks]
        stretches = [(last // 2, None)] if newest is not None and 2 * newest > last else []
        stretches += [(end // 2, start // 2) for end, start in zip(ends, starts, strict=True)][::-1]
        return stretches + ([] if self.reached_start else [(None, first // 2)])

    def completeness(self) -> tuple[float | None, str]:
        marks, newest = self._marks(), self._newest()
        if not marks:
            return (None if newest is None else 0.0), "time_so_far"
        basis = "time" if self.reached_start else "time_so_far"
        if not self.missing() and not self._waits():
            return 1.0, basis
        span = max(max(marks), 2 * (newest or 0)) - min(marks)
        covered = 2 * len([mark for mark in marks if mark % 2])
        return min(covered / span if span else 0.0, 0.999), basis

    def _waits(self) -> bool:
        """Whether the text of a message that is shown has not come."""
        revoked = {piece.id for piece in self.pieces if piece.name == "revocations"}
        return any(type == WAITING and text is None and id not in revoked for id, type, text, _ in self.shown())


def second(moment: str) -> int:
    return next(index for index in range(LAST + 6) if at(index) == moment)


class World:
    """The server as it is in a test: what was uploaded to it, by the conversation that it was in then."""

    def __init__(self, alice, acme, number):
        self.acme, self.number, self.actor = acme, number, actors.person(alice)
        self.contact = person(acme, PERSON)
        self.chats = {PERSON: chat(number, PERSON, self.contact), LID: chat(number, LID)}
        self.is_one = False
        self.taken: dict[str, list[Piece]] = {PERSON: [], LID: []}
        self.reached = {PERSON: False, LID: False}
        self.told: list = []
        self.must_tell: dict[str, int] = defaultdict(int)
        self._heard: set[tuple[str, str]] = set()

    def observe(self, workspace, actor, messages) -> None:
        self.told += messages

    def home(self, jid: str) -> str:
        return PERSON if self.is_one else jid

    def upload(self, pieces: list[Piece]) -> None:
        lists: dict[str, list] = defaultdict(list)
        for piece in pieces:
            lists[piece.name].append(piece.item)
            self._expect(piece)
        covers = lists.pop("covers", [])
        taken = take_messages(
            workspace=self.acme, actor=self.actor, account_id=self.number.pk, lists=lists, covers=covers
        )
        outcomes = {one.outcome for results in (*taken.lists.values(), taken.covers) for one in results}
        assert outcomes <= {"stored", "updated", "known"}

    def _expect(self, piece: Piece) -> None:
        home = self.home(piece.jid)
        self.taken[home].append(piece)
        self.reached[home] |= piece.item.get("reached_start", False)
        if piece.name == "messages" and piece.item["type"] == PLAIN and (home, piece.id) not in self._heard:
            self._heard.add((home, piece.id))
            # What a person wrote lately is known again in whatever chat; what is ours, or old, in its conversation.
            lately = piece.item["sent_at"] > at(0)
            if not (lately and not piece.item["from_me"] and self.must_tell[piece.id]):
                self.must_tell[piece.id] += 1

    def become_one(self) -> None:
        """The contact turns out to have a second id. A conversation that nothing came of yet takes nothing away."""
        identity = {"source": "extension", "kind": "lid", "value": LID}
        add_identity(workspace=self.acme, contact_id=self.contact.pk, actor=self.actor, **identity)
        put_all_right()
        if self.taken[LID]:
            self.reached[PERSON] &= self.reached[LID]
        self.taken[PERSON] += self.taken.pop(LID)
        self._heard |= {(PERSON, id) for _, id in self._heard}
        self.is_one = True

    def check(self) -> None:
        models = {jid: Model(pieces, self.reached[jid]) for jid, pieces in self.taken.items()}
        work = work_of(workspace=self.acme, account_id=self.number.pk)
        asked = {one.chat.jid: [(one.after, one.before) for one in one.stretches] for one in work}
        for jid, model in models.items():
            place = reading.conversation_of(workspace=self.acme, chat_id=self.chats[jid].pk)
            rows, has_more = reading.stretch_of(workspace=self.acme, conversation=place, limit=100)
            assert not has_more
            assert [_row(row) for row in rows] == model.shown()
            missing = [tuple(end if end is None else moment(end) for end in stretch) for stretch in model.missing()]
            assert asked.pop(jid, []) == missing
            sync = measured(ConversationSync.objects.filter(chat=self.chats[jid])).get()
            measure = completeness(sync)
            value, basis = model.completeness()
            assert (measure.value, measure.basis) == (pytest.approx(value), basis)
        assert asked == {}
        assert not MessageReaction.objects.filter(message__revoked_at__isnull=False).exists()
        told = defaultdict(int)
        for one in self.told:
            told[one.message_id] += 1
            assert (one.text, one.type) == (f"{one.message_id} first", PLAIN)
        assert told == self.must_tell


def moment(second: int) -> datetime:
    return NOON - timedelta(seconds=3600 - second)


def _row(row) -> tuple:
    text = row.text if row.has_content else None
    return row.message_id, row.type, text, {one.reactor: one.emoji for one in row.reactions.all()}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(pieces=histories(), data=st.data())
def test_show_every_history_as_it_was(alice, acme, number, monkeypatch, pieces, data):
    """Texts, order, reactions, what is missing of it, and that each message was told once."""
    joins_at = data.draw(st.integers(0, len(pieces) + 2))
    size = data.draw(st.integers(1, 6))
    with transaction.atomic():
        switch(number)
        world = World(alice, acme, number)
        monkeypatch.setattr(observed, "_observers", [(1, "test", world.observe)])
        monkeypatch.setattr(observed, "_needs", {})
        for start in range(0, len(pieces), size):
            if not world.is_one and start >= joins_at:
                world.become_one()
            world.upload(pieces[start : start + size])
        if not world.is_one and joins_at <= len(pieces):
            world.become_one()
        world.check()
        event("one conversation" if world.is_one else "two conversations")
        transaction.set_rollback(True)
