"""uvicorn, set up for streams that stay open."""

import asyncio
import logging
import resource
import signal
import socket

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from waplus.wakeups.application import Application

HEADER_SECONDS = 10.0  # for sending the first request
SEND_BUFFER = 8 * 1024  # bytes that the kernel and the process each keep for a reader that does not read
GRACE = 2  # seconds between the goodbye and the end
DESCRIPTORS_KEPT = 512  # for the database, logs, and connections that are on their way in or out


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with a bound on what a silent or slow peer costs; h11 itself bounds the headers (64 KB)."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        transport.set_write_buffer_limits(high=SEND_BUFFER)
        if peer := transport.get_extra_info("socket"):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        # Closing waits for the reader; who does not read has to be cut off. The application decides.
        self.app_state = {**self.app_state, "abort": transport.abort}
        super().connection_made(transport)
        self._patience = self.loop.call_later(HEADER_SECONDS, transport.abort)

    def handle_events(self) -> None:
        super().handle_events()
        if self._patience and self.cycle is not None:
            self._patience.cancel()
            self._patience = None


class Server(uvicorn.Server):
    """Says goodbye on the streams before it waits for them to end."""

    async def shutdown(self, sockets=None) -> None:
        self.config.app.end_all()
        await super().shutdown(sockets)


def raise_descriptor_limit() -> int:
    """Allow this process as many descriptors as the system lets it; answers how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        most = 1_048_576
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def serve(host: str, port: int, most_streams: int) -> int:
    """Serve until a signal; answers the exit code. `most_streams` 0: as many as there are descriptors for."""
    room = max(16, raise_descriptor_limit() - DESCRIPTORS_KEPT)
    most_streams = min(most_streams or room, room)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    config = uvicorn.Config(
        Application(most_streams),
        host=host,
        port=port,
        loop="asyncio",
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
    )
    # uvicorn raises the signal again when it is done; asked to stop and stopped is no failure.
    signal.signal(signal.SIGTERM, lambda *_: None)
    server = Server(config)
    server.run()
    return 0 if server.started else 1
