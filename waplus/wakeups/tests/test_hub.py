"""The parts that decide, without sockets and without a database."""

import asyncio
import time
from types import SimpleNamespace
from uuid import UUID

import pytest

from waplus.wakeups import application, hub, streams
from waplus.wakeups.admission import Admission
from waplus.wakeups.application import _Request
from waplus.wakeups.hub import Hub
from waplus.wakeups.pending import Pending
from waplus.wakeups.streams import Poll, Stream

ACME, OTHER = UUID(int=1), UUID(int=2)


def admission(instance: int, workspace: UUID = ACME, expires_in: float = 900) -> Admission:
    return Admission(workspace, UUID(int=instance), UUID(int=instance), f"{instance:064x}", time.time() + expires_in)


class Wire:
    """The far end of a stream: what was written, or a reader who does not read."""

    def __init__(self):
        self.written: list[bytes] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.aborted = False

    async def send(self, message: dict) -> None:
        await self.reads.wait()
        self.written.append(message.get("body", b""))

    def abort(self) -> None:
        self.aborted = True


async def listening(hub: Hub, instance: int, workspace: UUID = ACME, **given) -> tuple[Stream, Wire]:
    wire = Wire()
    stream = Stream(admission(instance, workspace, **given), asyncio.get_running_loop().time(), wire.send, wire.abort)
    hub.enter(stream)
    await stream.open([], 1000)
    wire.written.clear()
    return stream, wire


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


# --- The horizon ---------------------------------------------------------------------------------


def test_releases_workspace_once_the_horizon_has_passed_its_change():
    pending = Pending()
    assert pending.note(f"{ACME}:100")
    assert pending.note(f"{OTHER}:120")
    assert pending.release(100) == []
    assert pending.release(101) == [ACME]
    assert pending.release(101) == []
    assert pending.release(2**64) == [OTHER]
    assert not pending


def test_releases_workspace_in_which_somebody_writes_without_a_pause():
    """The newest transaction is always ahead of the horizon; those below it can be read."""
    pending = Pending()
    for xid in (110, 100, 105):
        pending.note(f"{ACME}:{xid}")
    assert pending.release(106) == [ACME]
    assert pending.release(110) == []
    pending.note(f"{ACME}:120")
    assert pending.release(111) == [ACME]
    assert pending
    assert pending.release(121) == [ACME]
    assert not pending


def test_keeps_count_of_some_transactions_and_waits_for_the_newest_of_all_others():
    pending = Pending()
    for xid in range(1_000, 0, -1):
        pending.note(f"{ACME}:{xid}")
    assert pending.release(100) == [ACME]
    assert pending.release(1_000) == []
    assert pending.release(1_001) == [ACME]
    assert not pending


def test_gap_is_over_once_all_that_went_unheard_can_be_read():
    pending = Pending()
    pending.note(f"{ACME}:90")
    pending.begin(100)
    assert pending
    assert pending.release(2**64) == []
    assert not pending.is_over_gap(99)
    assert pending.is_over_gap(100)
    assert not pending.is_over_gap(100)
    assert not pending


@pytest.mark.parametrize(
    "payload", ["", ":", "x:1", f"{ACME}:", f"{ACME}:-1", f"{ACME}:1\n", f"{ACME}:١", f"{ACME}:{'9' * 21}", f"{ACME}"]
)
def test_ignores_foreign_notifications(payload):
    pending = Pending()
    assert pending.note(payload) is False
    assert not pending


# --- The hub -------------------------------------------------------------------------------------


def test_wakes_one_workspace_at_most_every_so_often(monkeypatch):
    monkeypatch.setattr(hub, "AT_MOST_EVERY", 0.05)

    async def run():
        rooms = Hub()
        _, alice = await listening(rooms, 1)
        _, charlie = await listening(rooms, 2, OTHER)
        for _ in range(10):
            rooms.wake([ACME])
            await settle()
        assert alice.written == [streams.CHANGED]
        await asyncio.sleep(0.1)
        assert alice.written == [streams.CHANGED] * 2  # the nine others, in one
        assert charlie.written == []

    asyncio.run(run())


def test_ends_expired_streams_and_beats_in_the_others():
    async def run():
        rooms = Hub()
        stream, alice = await listening(rooms, 1)
        _, bob = await listening(rooms, 2, expires_in=-1)
        stream.beat_at = 0
        rooms.tick()
        await settle()
        assert alice.written == [streams.BEAT]
        assert bob.written == [b'event: bye\ndata: {"code": "token_expired"}\n\n']
        rooms.tick()
        rooms.wake([ACME])
        await settle()
        assert alice.written == [streams.BEAT, streams.CHANGED]
        assert len(bob.written) == 1  # after goodbye nothing follows

    asyncio.run(run())


def test_forgets_who_left():
    async def run():
        rooms = Hub()
        stream, wire = await listening(rooms, 1)
        rooms.leave(stream)
        rooms.wake([ACME])
        await settle()
        assert (wire.written, rooms.all, rooms.marks()) == ([], set(), {})

    asyncio.run(run())


def test_tells_a_change_that_comes_before_the_stream_is_open():
    async def run():
        rooms, wire = Hub(), Wire()
        stream = Stream(admission(1), 0, wire.send, wire.abort)
        rooms.enter(stream)
        rooms.wake([ACME])
        await settle()
        assert wire.written == []
        await stream.open([], 1000)
        await settle()
        assert wire.written == [b"", b"retry: 1000\n" + streams.HELLO, streams.CHANGED]

    asyncio.run(run())


def test_keeps_one_wake_up_for_a_slow_reader_and_cuts_off_who_never_reads(monkeypatch):
    monkeypatch.setattr(hub, "AT_MOST_EVERY", 0)

    async def run():
        rooms = Hub()
        _, slow = await listening(rooms, 1)
        slow.reads.clear()
        for _ in range(1000):
            rooms.wake([ACME])
            await asyncio.sleep(0)
        slow.reads.set()
        await settle()
        assert slow.written == [streams.CHANGED] * 2  # the one that waited, and one for all after it
        rooms.tick()
        slow.reads.clear()
        rooms.wake([ACME])
        rooms.tick()
        assert not slow.aborted
        monkeypatch.setattr(streams, "SLOW_AFTER", -1)
        rooms.tick()
        assert slow.aborted

    asyncio.run(run())


# --- Long polls ----------------------------------------------------------------------------------


def test_answers_poll_at_once_if_something_happened_since_the_last_one():
    async def run():
        rooms = Hub()

        def poll() -> bool:
            asked = Poll(admission(1), 0)
            rooms.enter(asked)
            rooms.leave(asked)
            return asked.outcome.done()

        assert poll() is True  # nothing is known of an earlier one
        await asyncio.sleep(0.01)
        assert poll() is False
        rooms.wake([ACME])
        assert poll() is True
        await asyncio.sleep(0.01)
        assert poll() is False
        rooms.wake_all()
        assert poll() is True

    asyncio.run(run())


def test_answers_poll_with_nothing_after_a_while(monkeypatch):
    monkeypatch.setattr(application, "POLL_SECONDS", 0.02)
    sent = []

    async def send(message: dict) -> None:
        sent.append(message)

    async def run():
        served = SimpleNamespace(hub=Hub(), cors=lambda origin: [])
        request = _Request({"headers": []}, asyncio.Event().wait, send, served)
        await request._poll(admission(1))
        await request._poll(admission(1))
        assert served.hub.all == set()

    asyncio.run(run())
    assert [message["status"] for message in sent if "status" in message] == [200, 204]
