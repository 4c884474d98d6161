"""What an open extension holds: a stream of events, or one long poll."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable

from waplus.wakeups.admission import Admission

HEARTBEAT = 25.0  # seconds; below the time-outs of proxies (nginx: 60) and of a browser's service worker (30)
SLOW_AFTER = 10.0  # seconds for which a reader may leave a few bytes unread

HELLO, CHANGED, BEAT = b"event: hello\ndata: {}\n\n", b"event: changed\ndata: {}\n\n", b":\n\n"


class Listening:
    """One open request of an instance. `end` takes a code: why it ends, for the client."""

    __slots__ = ("admission", "beat_at", "ending")

    def __init__(self, admission: Admission, now: float):
        self.admission = admission
        self.ending = ""
        # Streams that came together do not all beat together.
        self.beat_at = now + HEARTBEAT * random.random()  # noqa: S311 - no secret

    def changed(self) -> None:
        raise NotImplementedError

    def beat(self, now: float) -> None:
        raise NotImplementedError

    def end(self, code: str) -> None:
        raise NotImplementedError

    def cut_if_stuck(self, now: float) -> None:
        """Cut a reader off that has left a few bytes unread for long."""


class Stream(Listening):
    """Server-sent events over ASGI's `send`. Nobody waits for its reader, and nothing piles up for a slow one."""

    __slots__ = ("_abort", "_beating", "_changed", "_open", "_send", "_writing", "_writing_since")

    def __init__(
        self, admission: Admission, now: float, send: Callable[[dict], Awaitable[None]], abort: Callable[[], None]
    ):
        super().__init__(admission, now)
        self._send, self._abort = send, abort
        self._changed = self._beating = self._open = False
        self._writing: asyncio.Task | None = None
        self._writing_since = now

    def changed(self) -> None:
        self._changed = True
        self._write_soon()

    def beat(self, now: float) -> None:
        self.beat_at = now + HEARTBEAT
        self._beating = True
        self._write_soon()

    def end(self, code: str) -> None:
        if not self.ending:
            self.ending = code
            self._write_soon()

    def cut_if_stuck(self, now: float) -> None:
        if self._writing is not None and now - self._writing_since > SLOW_AFTER:
            self._abort()

    async def open(self, headers: list[tuple[bytes, bytes]], retry: int) -> None:
        """Start the answer; what was said to the stream before follows. `retry` in milliseconds."""
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._body(b"retry: %d\n%s" % (retry, HELLO))
        self._open = True
        if self._changed or self.ending:
            self._write_soon()

    def _write_soon(self) -> None:
        if self._open and self._writing is None:
            loop = asyncio.get_running_loop()
            self._writing_since = loop.time()
            self._writing = loop.create_task(self._write())

    async def _write(self) -> None:
        while self._changed or self._beating or self.ending:
            body = CHANGED if self._changed else b"" if self.ending else BEAT
            self._changed = self._beating = False
            if self.ending:
                farewell = b"event: bye\ndata: %s\n\n" % json.dumps({"code": self.ending}).encode()
                await self._body(body + farewell, more=False)
                break
            await self._body(body)
        self._writing = None

    async def _body(self, body: bytes, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


class Poll(Listening):
    """A long poll: `outcome` is done once there is an answer: `changed`, or the code of an end."""

    __slots__ = ("outcome",)

    def __init__(self, admission: Admission, now: float):
        super().__init__(admission, now)
        self.outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def changed(self) -> None:
        self._settle("changed")

    def beat(self, now: float) -> None:
        self.beat_at = now + HEARTBEAT

    def end(self, code: str) -> None:
        self.ending = self.ending or code
        self._settle(self.ending)

    def _settle(self, outcome: str) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)
