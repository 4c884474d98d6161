"""Who listens in which workspace, and the waking of them. All of it belongs to the event loop's thread."""

import asyncio
import random
import time
from collections.abc import Iterable
from uuid import UUID

from waplus.wakeups.streams import Listening, Poll

AT_MOST_EVERY = 0.2  # seconds between two wake-ups of one workspace
SPREAD = 1.0  # seconds over which everybody is woken after a gap
REMEMBERED = 60.0  # seconds for which it is known what a poll was last told
OPENINGS_A_MINUTE = 60  # of one instance


class Room:
    """A workspace in which somebody listens, or in which something happened a moment ago."""

    __slots__ = ("fired_at", "listening", "timer")

    def __init__(self):
        self.listening: set[Listening] = set()
        self.fired_at = float("-inf")
        self.timer: asyncio.TimerHandle | None = None


class Hub:
    """All open streams and polls of this process."""

    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._rooms: dict[UUID, Room] = {}
        self._instances: dict[UUID, Listening] = {}
        self._answered: dict[UUID, float] = {}
        self._openings: dict[UUID, int] = {}
        self._minute = 0
        self.all: set[Listening] = set()

    def may_open(self, instance_id: UUID) -> float:
        """Count an opening; the seconds that the instance has to wait, or 0 if it need not."""
        minute, rest = divmod(self._loop.time(), 60)
        if minute != self._minute:
            self._minute = minute
            self._openings.clear()
        count = self._openings[instance_id] = self._openings.get(instance_id, 0) + 1
        return 0.0 if count <= OPENINGS_A_MINUTE else 60 - rest

    def enter(self, listening: Listening) -> None:
        """Let somebody listen; what the same instance held before ends.

        A poll is answered at once if its workspace was woken since the
        instance's last one, or if nothing is known of a last one: between two
        polls nobody listens, and what happened then must not be missed.
        """
        admission = listening.admission
        self.all.add(listening)
        room = self._rooms.setdefault(admission.workspace_id, Room())
        room.listening.add(listening)
        if former := self._instances.get(admission.instance_id):
            former.end("replaced")
        self._instances[admission.instance_id] = listening
        if isinstance(listening, Poll):
            answered = self._answered.pop(admission.instance_id, None)
            if answered is None or room.fired_at >= answered:
                listening.changed()

    def leave(self, listening: Listening, *, is_told: bool = True) -> None:
        """Forget who listened. Where a poll's client is gone without an answer, its next poll is answered at once."""
        admission = listening.admission
        self.all.discard(listening)
        room = self._rooms[admission.workspace_id]
        room.listening.discard(listening)
        if self._instances.get(admission.instance_id) is listening:
            del self._instances[admission.instance_id]
        if isinstance(listening, Poll) and is_told:
            self._answered[admission.instance_id] = self._loop.time()

    def wake(self, workspace_ids: Iterable[UUID]) -> None:
        """Tell everybody in these workspaces that something changed; many calls in a moment become one."""
        now = self._loop.time()
        for workspace_id in workspace_ids:
            room = self._rooms.setdefault(workspace_id, Room())
            self._fire_in(room, room.fired_at + AT_MOST_EVERY - now)

    def wake_all(self) -> None:
        """Tell everybody, spread over a moment: something may have been missed."""
        self._answered.clear()
        for room in self._rooms.values():
            self._fire_in(room, SPREAD * random.random())  # noqa: S311 - no secret

    def marks(self) -> dict[UUID, str]:
        """The sessions that are open, each with the mark of the credentials that opened it."""
        return {one.admission.session_id: one.admission.credentials_mark for one in self.all if not one.ending}

    def end_sessions(self, session_ids: Iterable[UUID]) -> None:
        """End what these sessions hold."""
        ended = set(session_ids)
        for listening in self.all:
            if listening.admission.session_id in ended:
                listening.end("session_ended")

    def end_all(self, code: str) -> None:
        """End everything."""
        for listening in self.all:
            listening.end(code)

    def tick(self) -> None:
        """Once a second: end those whose token expired, cut off who does not read, send heartbeats that are due, forget
        what is long past."""
        now, clock = self._loop.time(), time.time()
        for listening in self.all:
            listening.cut_if_stuck(now)
            if listening.ending:
                continue
            if clock >= listening.admission.expires_at:
                listening.end("token_expired")
            elif now >= listening.beat_at:
                listening.beat(now)
        past = now - REMEMBERED
        for workspace_id in [id for id, room in self._rooms.items() if not room.listening and room.fired_at < past]:
            if self._rooms[workspace_id].timer is None:
                del self._rooms[workspace_id]
        for instance_id in [id for id, answered in self._answered.items() if answered < past]:
            del self._answered[instance_id]

    def _fire_in(self, room: Room, seconds: float) -> None:
        if room.timer is None:
            if seconds <= 0:
                self._fire(room)
            else:
                room.timer = self._loop.call_later(seconds, self._fire, room)

    def _fire(self, room: Room) -> None:
        room.timer = None
        room.fired_at = self._loop.time()
        for listening in room.listening:
            if not listening.ending:
                listening.changed()
