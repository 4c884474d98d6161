"""A small HTTP load generator and a web server to point it at.

The client is as cheap as Python allows (keep-alive sockets, prepared bytes),
because it shares two cores with what it measures.
"""

import contextlib
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
def served(application: str, environment: dict[str, str]) -> Iterator[int]:
    """gunicorn as the product runs it (one process, 8 threads) over a WSGI application; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", application, f"--bind=127.0.0.1:{port}", "--worker-class=gthread"]
    command += ["--workers=1", "--threads=8", "--no-control-socket", "--log-level=warning", "--keep-alive=60"]
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
    """One keep-alive connection that sends the same request again and again."""

    def __init__(self, port: int, request: bytes):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", 1 << 18)
        self.request = request

    def ask(self) -> bytes:
        """Send the request; answer the body. Raises `RuntimeError` on another status than 200."""
        self.socket.sendall(self.request)
        status = self.file.readline()
        length = 0
        while (line := self.file.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = self.file.read(length)
        if b" 200 " not in status:
            raise RuntimeError(f"{status!r} {body[:300]!r}")
        return body


def request_bytes(path: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def rate(port: int, request: bytes, seconds: float, connections: int = 4) -> float:
    """Requests a second over some connections at once."""
    counts, end = [0] * connections, time.monotonic() + seconds

    def work(index: int) -> None:
        connection = Connection(port, request)
        while time.monotonic() < end:
            connection.ask()
            counts[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(connections)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - began)
