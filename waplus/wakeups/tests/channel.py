"""The channel's process, and a client over a bare socket."""

import json
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import psycopg2
import pytest
from django.conf import settings
from django.db import connection, transaction

from accounts import actors
from accounts.services.events import record_event
from waplus.local import addresses
from waplus.local.health import Health
from waplus.local.machine import free_port
from waplus.tests.end_to_end.product import environment_of, wait_for
from waplus.wakeups.streams import BEAT

PATH = "/api/v1/sync/events"
LONG = 30  # seconds after which a wait gives up; nothing is measured
ORIGIN = "chrome-extension://waplusdevelopmentextensionaaaaaa"


class Channel:
    """A running process. Use `running`."""

    def __init__(self, process: subprocess.Popen, port: int):
        self.process, self.port = process, port

    def open(self, device, query: str = "", **headers: str) -> "Client":
        """Ask for wake-ups with a device's token."""
        return self.ask("GET", PATH + query, Authorization=f"Bearer {device.pair.access_token}", **headers)

    def listen(self, device) -> "Client":
        """Open a stream, and wait until it listens and has told of what the test did before."""
        client = self.open(device)
        assert (client.status, client.event()) == (200, ("hello", {}))
        while not client.is_silent(0.5):
            assert client.event() == ("changed", {})
        return client

    def ask(self, method: str, path: str = PATH, **headers: str) -> "Client":
        lines = [f"{method} {path} HTTP/1.1", "Host: crm.example.com"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return Client(self.port, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), method)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LONG)


class Client:
    """One request and its answer, event by event."""

    def __init__(self, port: int, request: bytes, method: str = "GET"):
        self.socket = socket.create_connection(("127.0.0.1", port), LONG)
        self.socket.sendall(request)
        # Unbuffered, so that the socket alone tells whether there is more.
        self._file = self.socket.makefile("rb", buffering=0)
        self._ahead: bytes | None = None
        self.status = int(self._file.readline().split()[1])
        self.headers = {}
        while (line := self._file.readline()) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            self.headers[name.lower()] = value.strip()
        length = int(self.headers.get("content-length", 0))
        self.body = self._read(length) if length and method != "HEAD" else b""
        if self.headers.get("content-type") != "text/event-stream":
            self.close()

    def problem(self) -> dict:
        assert self.headers["content-type"] == "application/problem+json"
        return json.loads(self.body)

    def event(self) -> tuple[str, dict] | None:
        """The next event with its data; none at the end of the stream."""
        chunk, self._ahead = self._chunk() if self._ahead is None else self._ahead, None
        if not chunk:
            return None
        # One write may tell two things: a change, and goodbye.
        first, _, rest = chunk.partition(b"\n\n")
        self._ahead = rest or None
        lines = dict(line.split(": ", 1) for line in first.decode().splitlines())
        return lines["event"], json.loads(lines["data"])

    def rest(self) -> list[str]:
        """The names of all events until the stream ends, the farewell with its code."""
        names = []
        while found := self.event():
            name, data = found
            names.append(f"bye {data['code']}" if name == "bye" else name)
        return names

    def is_silent(self, seconds: float) -> bool:
        """Whether no event comes for a while; no proof by itself, so look at what comes afterwards."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            while self._ahead is None:
                if not selector.select(max(0, deadline - time.monotonic())):
                    return True
                chunk = self._raw_chunk()
                self._ahead = None if chunk == BEAT else chunk
        return False

    def _chunk(self) -> bytes:
        while (chunk := self._raw_chunk()) == BEAT:
            pass
        return chunk

    def _raw_chunk(self) -> bytes:
        return self._read(int(self._file.readline(), 16) + 2)[:-2]

    def _read(self, length: int) -> bytes:
        found = b""
        while len(found) < length:
            found += self._file.read(length - len(found)) or pytest.fail("the answer ends too early")
        return found

    def close(self) -> None:
        self._file.close()
        self.socket.close()


@contextmanager
def running(folder, **environment: str):
    """The channel's process on the tests' database."""
    port = free_port()
    given = {"SECRET_KEY": settings.SECRET_KEY, "EXTENSION_ORIGINS": ORIGIN, **environment}
    log = folder / "wakeups.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "waplus.wakeups", f"--port={port}"],
            env=environment_of(folder, connection.settings_dict["NAME"], **given),
            cwd=addresses.PROJECT,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(Health(f"http://127.0.0.1:{port}/health/ready", {}), "the channel is ready", LONG)
        yield Channel(process, port)
    finally:
        process.kill()
        process.wait()
        text = log.read_text()
        assert "Traceback" not in text, text


def change(workspace) -> None:
    """Something happens in a workspace."""
    with transaction.atomic():
        record_event(kind="contact.updated", actor=actors.SYSTEM, workspace=workspace)


def database(name: str = ""):
    """A connection of its own to the tests' database, or to another one of its server."""
    where = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    return psycopg2.connect(**{key: where[key] for key in names if key in where} | ({"dbname": name} if name else {}))
