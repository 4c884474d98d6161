"""A small HTTP load generator and a web server to point it at.

The client is as cheap as Python allows (keep-alive sockets, prepared bytes),
because it shares two cores with what it measures.
"""

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def served(application: str, environment: dict[str, str], processes: int = 1) -> Iterator[int]:
    """gunicorn as `make run` starts it (one process, 8 threads) over a WSGI application; yields its port.

    The image starts two processes, about one per core.
    """
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", application, f"--bind=127.0.0.1:{port}", "--worker-class=gthread"]
    command += [
        f"--workers={processes}",
        "--threads=8",
        "--no-control-socket",
        "--log-level=warning",
        "--keep-alive=60",
    ]
    with subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **environment}) as process:
        try:
            _wait(port, process)
            yield port
        finally:
            process.terminate()


def _wait(port: int, process: subprocess.Popen) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("the web server did not start")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError("the web server does not answer")


class Connection:
    """One keep-alive connection; `request` is what it sends where nothing else is given."""

    def __init__(self, port: int, request: bytes = b""):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", 1 << 18)
        self.request = request

    def ask(self, request: bytes = b"") -> bytes:
        """Send a request; answer the body. Raises `RuntimeError` on another status than 200 and 201."""
        self.socket.sendall(request or self.request)
        status = self.file.readline()
        length = 0
        while (line := self.file.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = self.file.read(length)
        if status[9:13] not in (b"200 ", b"201 "):
            raise RuntimeError(f"{status!r} {body[:300]!r}")
        return body


def request_bytes(path: str, headers: dict[str, str], body: bytes | None = None) -> bytes:
    """A GET, or with a body a POST of JSON."""
    method, own = "GET", {"Host": "127.0.0.1"}
    if body is not None:
        method, own = "POST", {**own, "Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**own, **headers}.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


def rate(port: int, request: bytes | Iterator[bytes], seconds: float, connections: int = 4) -> float:
    """Requests a second over some connections at once: the same request again and again, or the next one of an iterator in C."""
    requests = itertools.repeat(request) if isinstance(request, bytes) else request
    counts, end = [0] * connections, time.monotonic() + seconds

    def work(index: int) -> None:
        connection = Connection(port)
        while time.monotonic() < end:
            connection.ask(next(requests))
            counts[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(connections)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - began)
