"""`with-postgres`: a cluster for one command, gone afterwards."""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from waplus.local import addresses
from waplus.local.children import die_with_parent, exit_code
from waplus.local.postgres import Cluster


def run_with_postgres(command: list[str], *, keep: bool = False) -> int:
    """Run a command with DATABASE_URL set to a database of its own; returns its exit code.

    With TEST_DATABASE_URL in the environment that server is used and nothing is
    started. Raises `MachineError` where a cluster cannot be started.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return _run(command, given)
    with throwaway_cluster(keep=keep) as cluster:
        return _run(command, cluster.url())


@contextlib.contextmanager
def throwaway_cluster(*, keep: bool = False, folder: Path | None = None) -> Iterator[Cluster]:
    """A running cluster under `.local/test-…` that is removed at the end, as are those of callers that died."""
    folder = addresses.make_directory(folder or addresses.LOCAL)
    # One at a time between "the folder exists" and "its lock is held", or a neighbour would sweep it away.
    with _locked(folder / "test.lock"):
        _remove_leftovers(folder)
        directory = addresses.make_directory(folder / f"test-{os.getpid()}-{secrets.token_hex(4)}")
        owner = _lock(directory / "owner", wait=False)
    cluster = Cluster(directory, durable=False, max_connections=200)
    try:
        cluster.start()
        cluster.create_database()
        yield cluster
    finally:
        cluster.stop()
        if keep:
            print(f"Kept: {directory} (the next call removes it)", file=sys.stderr)
        else:
            shutil.rmtree(directory, ignore_errors=True)
        os.close(owner)


def _remove_leftovers(folder: Path) -> None:
    for directory in folder.glob("test-*"):
        try:
            owner = _lock(directory / "owner", wait=False)
        except OSError:  # its owner lives, or it belongs to another user
            continue
        with contextlib.suppress(Exception):
            Cluster(directory).stop()
        shutil.rmtree(directory, ignore_errors=True)
        os.close(owner)


def _lock(path: Path, *, wait: bool) -> int:
    """Lock a file until the returned descriptor is closed or this process ends in any way."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = _lock(path, wait=True)
    try:
        yield
    finally:
        os.close(descriptor)


def _run(command: list[str], database_url: str) -> int:
    """Run the command in the foreground and pass signals on to it."""
    process: subprocess.Popen | None = None

    def forward(number: int, _frame: object) -> None:
        # Ctrl-C in a terminal reaches the command by itself; twice would cut its tidying up short.
        if process and not (number == signal.SIGINT and sys.stdin and sys.stdin.isatty()):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, forward) for number in numbers}
    try:
        try:
            process = subprocess.Popen(
                command,
                env={**os.environ, "DATABASE_URL": database_url},
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no threads here
            )
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr)
            return 127
        return exit_code(process.wait())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
