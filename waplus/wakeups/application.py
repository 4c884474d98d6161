"""The channel as an ASGI application: one route, its refusals, and health."""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

from django.conf import settings
from django.db import Error

from accounts.services.tokens import ended_sessions
from waplus.lib.api.problem_documents import CONTENT_TYPE, problem
from waplus.lib.api.versions import HEADER, refuse_old_version
from waplus.lib.errors import CODES, Refused
from waplus.lib.ids import uuid7
from waplus.lib.request_id import WELL_FORMED
from waplus.wakeups.admission import Admission, admit, with_connection
from waplus.wakeups.hub import Hub
from waplus.wakeups.listener import Listener
from waplus.wakeups.streams import Poll, Stream

PATH = "/api/v1/sync/events"
METHODS = "GET, OPTIONS"
POLL_SECONDS = 25.0  # below the 30 seconds for which a browser lets a service worker wait for an answer
LOOKS_AT_ONCE = 2  # threads, each with a connection
MOST_WAITING = 4_000  # requests that wait for a look at their token
RECHECK_EVERY = 2.0
RECHECK_SHARE = 0.05  # of the time, at most

Headers = list[tuple[bytes, bytes]]
Send = Callable[[dict], Awaitable[None]]
Receive = Callable[[], Awaitable[dict]]

logger = logging.getLogger(__name__)


class Application:
    """Serves `GET /api/v1/sync/events` to at most `most_streams` extensions at once."""

    def __init__(self, most_streams: int):
        self._most_streams = most_streams
        self._waiting = 0
        self._threads = ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="look")
        self._origins = {origin.encode() for origin in settings.CORS_ALLOWED_ORIGINS}

    async def __call__(self, scope: dict, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"] in ("/health/live", "/health/ready"):
            await self._health(scope["path"], send)
        elif stream := await _Request(scope, receive, send, self).answer():
            # Here and not below: a stream keeps every call that it waits in, and all that belongs to it.
            try:
                while (await receive())["type"] != "http.disconnect":
                    pass
            finally:
                self.hub.leave(stream)

    def end_all(self) -> None:
        """Say goodbye to everybody, because this process ends."""
        self.hub.end_all("unavailable")

    async def admit(self, authorization: bytes) -> Admission:
        """See `admission.admit`; refuses as `unavailable` what the database cannot answer now."""
        if self._waiting >= MOST_WAITING or len(self.hub.all) + self._waiting >= self._most_streams:
            raise Refused("unavailable", "Too many extensions listen here already.")
        self._waiting += 1
        try:
            return await self._look(admit, authorization)
        except Error as error:
            raise Refused("unavailable") from error
        finally:
            self._waiting -= 1

    def cors(self, origin: bytes | None) -> Headers:
        """The headers by which a browser lets the extension, and nobody else, read the answer."""
        if origin not in self._origins:
            return [(b"vary", b"origin")]
        return [
            (b"vary", b"origin"),
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", ", ".join(settings.CORS_EXPOSE_HEADERS).encode()),
        ]

    async def _look(self, function: Callable, *arguments):
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, with_connection, function, *arguments)

    async def _live(self, receive: Receive, send: Send) -> None:
        """From the server's start to its end."""
        await receive()
        loop = asyncio.get_running_loop()
        self.hub = Hub()
        self._listener = Listener(
            wake=lambda workspace_ids: loop.call_soon_threadsafe(self.hub.wake, workspace_ids),
            wake_all=lambda: loop.call_soon_threadsafe(self.hub.wake_all),
        )
        self._listener.start()
        chores = [loop.create_task(self._tick()), loop.create_task(self._recheck())]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for chore in chores:
            chore.cancel()
        await loop.run_in_executor(None, self._listener.stop)
        self._threads.shutdown(wait=False, cancel_futures=True)
        await send({"type": "lifespan.shutdown.complete"})

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.hub.tick()

    async def _recheck(self) -> None:
        """End the streams of sessions that ended, by whichever path: one question for all, every few seconds."""
        loop = asyncio.get_running_loop()
        pause = RECHECK_EVERY
        while True:
            await asyncio.sleep(pause)
            began = loop.time()
            try:
                self.hub.end_sessions(await self._look(ended_sessions, self.hub.marks()))
            except Error as error:
                logger.warning("sessions cannot be checked now: %s", str(error).strip())
            pause = max(RECHECK_EVERY, (loop.time() - began) / RECHECK_SHARE)

    async def _health(self, path: str, send: Send) -> None:
        fine = path == "/health/live" or self._listener.connected
        body = b'{"status": "%s"}' % ((b"alive" if path == "/health/live" else b"ready") if fine else b"not ready")
        headers = [(b"cache-control", b"no-store")]
        await _send_whole(send, 200 if fine else 503, headers, b"application/json", body)


class _Request:
    """One request for wake-ups."""

    def __init__(self, scope: dict, receive: Receive, send: Send, application: Application):
        self._scope, self._receive, self._send, self._application = scope, receive, send, application
        self._given = dict(scope["headers"])
        offered = self._given.get(b"x-request-id", b"").decode("latin-1")
        self._id = offered if WELL_FORMED.fullmatch(offered) else uuid7().hex
        self._headers = [
            (b"x-request-id", self._id.encode()),
            (b"cache-control", b"private, no-store"),
            (b"x-content-type-options", b"nosniff"),
            *application.cors(self._given.get(b"origin")),
        ]

    async def answer(self) -> Stream | None:
        """Answer, or begin to: a stream that is open now is the caller's, who lets it leave the hub in the end."""
        try:
            return await self._answer()
        except Refused as refusal:
            await self._refuse(refusal)

    async def _answer(self) -> Stream | None:
        if self._scope["path"] != PATH:
            raise Refused("not_found", "There is nothing at this address.")
        if self._scope["method"] == "OPTIONS":
            return await self._preflight()
        version = self._given.get(HEADER.lower().encode())
        refuse_old_version(None if version is None else version.decode("latin-1"))
        if self._scope["method"] != "GET":
            raise Refused("method_not_allowed")
        admission = await self._application.admit(self._given.get(b"authorization", b""))
        if wait := self._application.hub.may_open(admission.instance_id):
            raise Refused("rate_limited", extra={"retry_after": round(wait + 0.5)})
        # They are of no more use, and thousands of streams keep them.
        self._given.clear()
        self._scope["headers"].clear()
        if b"1" in parse_qs(self._scope["query_string"]).get(b"once", ()):
            return await self._poll(admission)
        return await self._stream(admission)

    async def _stream(self, admission: Admission) -> Stream:
        hub = self._application.hub
        stream = Stream(admission, asyncio.get_running_loop().time(), self._send, self._scope["state"]["abort"])
        hub.enter(stream)
        headers = [*self._headers, (b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no")]
        # Spread, so that after a restart not everybody comes back in one moment.
        try:
            await stream.open(headers, random.randint(1_000, 5_000))  # noqa: S311 - no secret
        except asyncio.CancelledError:
            hub.leave(stream)
            raise
        return stream

    async def _poll(self, admission: Admission) -> None:
        hub = self._application.hub
        poll = Poll(admission, asyncio.get_running_loop().time())
        hub.enter(poll)
        gone = asyncio.ensure_future(_gone(self._receive))
        try:
            await asyncio.wait({poll.outcome, gone}, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Before the answer: what happens from now on is news to the next poll.
            hub.leave(poll, is_told=not gone.done())
            gone.cancel()
        outcome = poll.outcome.result() if poll.outcome.done() else ""
        if outcome == "changed":
            await _send_whole(self._send, 200, self._headers, b"application/json", b'{"event": "changed"}')
        elif not outcome:
            await _send_whole(self._send, 204, self._headers, b"", b"")
        elif outcome == "replaced":
            raise Refused("conflict", "This instance listens elsewhere by now.")
        else:
            raise Refused(outcome)

    async def _preflight(self) -> None:
        self._headers += [(b"allow", METHODS.encode())]
        if any(name == b"access-control-allow-origin" for name, _ in self._headers):
            self._headers += [
                (b"access-control-allow-methods", METHODS.encode()),
                (b"access-control-allow-headers", ", ".join(settings.CORS_ALLOW_HEADERS).encode()),
                (b"access-control-max-age", str(settings.CORS_PREFLIGHT_MAX_AGE).encode()),
            ]
        await _send_whole(self._send, 204, self._headers, b"", b"")

    async def _refuse(self, refusal: Refused) -> None:
        body = problem(self._id, refusal.code, refusal.detail, extra=refusal.extra)
        # It is asked again later, if at all: no descriptor is kept for it.
        self._headers.append((b"connection", b"close"))
        if refusal.code == "rate_limited":
            self._headers.append((b"retry-after", str(body.pop("retry_after")).encode()))
        if refusal.code == "unavailable":
            self._headers.append((b"retry-after", str(random.randint(3, 10)).encode()))  # noqa: S311 - no secret
        if refusal.code == "method_not_allowed":
            self._headers.append((b"allow", METHODS.encode()))
        if CODES[refusal.code].status == 401:
            self._headers.append((b"www-authenticate", b"Bearer"))
        await _send_whole(self._send, body["status"], self._headers, CONTENT_TYPE.encode(), json.dumps(body).encode())


async def _send_whole(send: Send, status: int, headers: Headers, content_type: bytes, body: bytes) -> None:
    if status != 204:
        headers = [*headers, (b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _gone(receive: Receive) -> None:
    """Wait until the client is gone or the answer is complete; whatever it sends meanwhile is dropped."""
    while (await receive())["type"] != "http.disconnect":
        pass
