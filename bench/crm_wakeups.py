"""Idle wake-up channels: the memory of each, what they cost while nothing happens, how soon all are woken, and the most of one process.

2,000 streams are held by the product's process and, as the raw limit, by a
bare asyncio stream server that holds the same sockets and does nothing else.
The ratio is the memory of one stream, the growth of the process divided by
the number of streams. Kernel memory is the same for both and printed apart.
"""

import contextlib
import os
import resource
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil

from bench._figures import figure
from bench._load import PROJECT, free_port

GOAL = 2.5  # times the memory of a bare stream: HTTP, a token, a workspace and a deadline belong to ours
STREAMS = 2_000
MOST = 30_000  # devices that are made for finding the most
IDLE_SECONDS = 30
ROUNDS = 5
PAUSE = 0.5  # seconds between two rounds, more than wake-ups of one workspace are apart
BATCH = 250
PATIENCE = 60.0  # seconds


def run() -> None:
    """Prepare, measure, print."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waplus.settings")
    os.environ["WAPLUS_ENV"] = "development"
    os.environ["LOG_LEVEL"] = "WARNING"
    import django

    django.setup()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    rooms, apart, together = _prepare(min(MOST, limit))
    with _serving("bench._bare_streams", "{port}") as (port, process):
        bare = _hold(port, process, apart)
        bare[0].close()
    with _serving("waplus.wakeups", "--port={port}") as (port, process):
        print(f"one process, {process.memory_info().rss / 2**20:.0f} MB before the first stream")
        streams, memory, kernel = _hold(port, process, apart)
        _print_memory(memory, kernel, bare)
        _idle(process, streams)
        _wake(rooms, streams, f"{STREAMS:,} workspaces")
        streams.close()
        time.sleep(2)
        streams, *_ = _hold(port, process, together[:STREAMS])
        _wake(rooms[:1], streams, "one workspace")
        _most(port, process, streams, rooms[:1], together[STREAMS:])
    figure("crm_wakeups_memory", memory / bare[1], GOAL, at_most=True)


class Streams:
    """Open streams of the client's side."""

    def __init__(self):
        self._selector = selectors.EpollSelector()
        self.sockets: list[socket.socket] = []

    def open(self, port: int, tokens: list[str]) -> int:
        """Open streams, some at a time; answers how many were let in before the first refusal."""
        began = len(self.sockets)
        for start in range(0, len(tokens), BATCH):
            fresh = []
            for token in tokens[start : start + BATCH]:
                try:
                    fresh.append(socket.create_connection(("127.0.0.1", port), PATIENCE))
                except OSError:  # this process has no descriptors left
                    break
                fresh[-1].sendall(_request(token))
            answers = [_first_event(each) for each in fresh]
            for each, answer in zip(fresh, answers, strict=True):
                if b" 200 " in answer:
                    self._selector.register(each, selectors.EVENT_READ)
                    self.sockets.append(each)
                else:
                    each.close()
            if len(fresh) < len(tokens[start : start + BATCH]) or any(b" 200 " not in answer for answer in answers):
                break
        return len(self.sockets) - began

    def woken(self) -> float:
        """Wait until every stream was told of a change; answers when the last one was (`time.monotonic`)."""
        left, deadline = len(self.sockets), time.monotonic() + PATIENCE
        while left and time.monotonic() < deadline:
            for key, _ in self._selector.select(1):
                left -= key.fileobj.recv(4096).count(b"event: changed")
        if left:
            raise RuntimeError(f"{left} streams were not woken")
        return time.monotonic()

    def drain(self) -> None:
        """Read what has come."""
        for key, _ in self._selector.select(0):
            key.fileobj.recv(4096)

    def close(self) -> None:
        self._selector.close()
        for each in self.sockets:
            each.close()


def _request(token: str) -> bytes:
    """What a browser sends with a `fetch` of the extension."""
    lines = [
        "GET /api/v1/sync/events HTTP/1.1",
        "Host: crm.example.com",
        f"Authorization: Bearer {token}",
        "X-Client-Version: 2.0.0",
        "Origin: chrome-extension://waplusdevelopmentextensionaaaaaa",
        "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36",
        "Accept: text/event-stream",
        "Accept-Encoding: gzip, deflate, br, zstd",
        "Accept-Language: en",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _first_event(each: socket.socket) -> bytes:
    answer = b""
    while b"hello" not in answer and b"code" not in answer:
        part = each.recv(4096)
        if not part:
            break
        answer += part
    return answer


def _hold(port: int, process: psutil.Process, tokens: list[str]) -> tuple[Streams, float, float | None]:
    """Hold streams; answers them and the bytes that each costs, in the process and in the kernel (both ends)."""
    warm = Streams()
    warm.open(port, tokens[:BATCH])
    warm.close()
    time.sleep(1.5)
    streams, before, kernel = Streams(), process.memory_info().rss, _kernel_bytes()
    count = streams.open(port, tokens)
    if count != len(tokens):
        raise RuntimeError(f"only {count} of {len(tokens)} streams were let in")
    time.sleep(1.5)
    grown = None if kernel is None else (_kernel_bytes() - kernel) / count
    return streams, (process.memory_info().rss - before) / count, grown


def _kernel_bytes() -> int | None:
    """Memory of the kernel's TCP buffers, if it tells."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/net/sockstat").read_text().splitlines():
            if line.startswith("TCP:"):
                return int(line.split(" mem ")[1]) * resource.getpagesize()
    return None


def _print_memory(memory: float, kernel: float | None, bare: tuple) -> None:
    print(f"{STREAMS:,} idle streams: {'':<10} {'product':>10} {'bare':>10} {'ratio':>6}")
    print(f"{'memory of each':<33} {memory / 1024:>7.1f} kB {bare[1] / 1024:>7.1f} kB {memory / bare[1]:>6.2f}")
    if kernel is not None and bare[2] is not None:
        print(f"{'kernel, both ends, whole machine':<33} {kernel / 1024:>7.1f} kB {bare[2] / 1024:>7.1f} kB")


def _idle(process: psutil.Process, streams: Streams) -> None:
    """What it costs to hold them: heartbeats, and the look whether their sessions still live."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        database = [psutil.Process(pid) for (pid,) in cursor]
    began = _cpu([process]), _cpu(database)
    time.sleep(IDLE_SECONDS)
    ours, theirs = _cpu([process]) - began[0], _cpu(database) - began[1]
    streams.drain()
    print(
        f"{IDLE_SECONDS} s of nothing: {ours / IDLE_SECONDS:.1%} of a core in the process, "
        f"{theirs / IDLE_SECONDS:.1%} in PostgreSQL"
    )


def _cpu(processes: list[psutil.Process]) -> float:
    return sum(times.user + times.system for times in (each.cpu_times() for each in processes))


def _wake(rooms: list, streams: Streams, where: str) -> None:
    """From the commit of a change until the last stream was told."""
    found = []
    for _ in range(ROUNDS):
        time.sleep(PAUSE)
        streams.drain()
        found.append(_change(rooms, streams))
    print(
        f"commit until the last of {len(streams.sockets):,} in {where} is woken: "
        f"{statistics.median(found) * 1000:.0f} ms, at worst {max(found) * 1000:.0f} ms"
    )


def _change(rooms: list, streams: Streams) -> float:
    from django.db import transaction

    from accounts.models import Event

    with transaction.atomic():
        Event.objects.bulk_create(
            [
                Event(kind="contact.updated", workspace=room, actor_kind="system", object_type="contact")
                for room in rooms
            ],
            batch_size=500,
        )
    return -time.monotonic() + streams.woken()


def _most(port: int, process: psutil.Process, streams: Streams, rooms: list, tokens: list[str]) -> None:
    """Open more until it refuses."""
    began = time.monotonic()
    opened = streams.open(port, tokens)
    seconds = time.monotonic() - began
    count, files = len(streams.sockets), resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    print(
        f"the most of one process: {count:,} streams, {process.memory_info().rss / 2**20:.0f} MB "
        f"(it may have {files:,} open files); {opened / seconds:.0f} were opened a second"
    )
    _wake(rooms, streams, "one workspace")
    streams.close()


@contextlib.contextmanager
def _serving(module: str, argument: str) -> Iterator[tuple[int, psutil.Process]]:
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", module, argument.format(port=port)], cwd=PROJECT) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{module} does not start")
                time.sleep(0.1)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()


def _prepare(most: int) -> tuple[list, list[str], list[str]]:
    """Workspaces; the tokens of a device in each; and those of as many devices as there may be in the first."""
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from accounts.models import Membership, Plan, Role, User, Workspace
    from waplus.lib.ids import uuid7

    call_command("migrate", verbosity=0)
    user = User.objects.create_user(f"bench-{uuid7().hex}@example.com")
    plan = Plan.objects.get(code="business")
    rooms = Workspace.objects.bulk_create([Workspace(name="Bench", plan=plan) for _ in range(STREAMS)])
    members = Membership.objects.bulk_create([Membership(workspace=room, user=user, role=Role.OWNER) for room in rooms])
    ends = timezone.now() + timedelta(hours=1)
    apart = _devices(user, members, ends)
    together = _devices(user, members[:1] * most, ends)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return rooms, apart, together


def _devices(user, members: list, ends) -> list[str]:
    """A device that is logged in for each of the memberships; answers their access tokens."""
    from accounts.models import AccessToken, ExtensionInstance, InstanceSession
    from waplus.lib.hashing import hash_secret
    from waplus.lib.ids import uuid7

    now, known, auth_hash = ends - timedelta(hours=1), b"0" * 32, user.get_session_auth_hash()
    devices = [
        ExtensionInstance(id=uuid7(), secret_hash=known, user=user, version="2.0.0", installed_at=now, seen_at=now)
        for _ in members
    ]
    sessions = [
        InstanceSession(
            id=uuid7(), workspace_id=member.workspace_id, membership=member, instance=device,
            auth_hash=auth_hash, refreshed_at=now, expires_at=ends,
        )
        for member, device in zip(members, devices, strict=True)
    ]  # fmt: skip
    tokens = [f"wapa_{session.pk}" for session in sessions]
    ExtensionInstance.objects.bulk_create(devices, batch_size=2_000)
    InstanceSession.objects.bulk_create(sessions, batch_size=2_000)
    AccessToken.objects.bulk_create(
        [
            AccessToken(token_hash=hash_secret(token), session=session, expires_at=ends)
            for token, session in zip(tokens, sessions, strict=True)
        ],
        batch_size=2_000,
    )
    return tokens
