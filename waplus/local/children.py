"""Child processes: one way to start them, and one way to end them with all that they started."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
# Looked up here and not in the child: between fork and exec a child should do as little as it can.
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """What to start. `account` is (user id, group id), `log` a file that takes the output instead of the console."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    directory: Path | None = None
    account: tuple[int, int] | None = None
    log: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM


def spawn(program: Program) -> subprocess.Popen:
    """Start a program in a session of its own; its output goes to its log, or else to the pipe `.stdout`.

    A session of its own, so that Ctrl-C in the terminal reaches the parent
    alone, which then decides the order, and so that the whole group can be
    ended together. Call it from the main thread only: Linux sends the death
    signal when the *thread* that made the child ends. Raises `OSError`.
    """
    account = {}
    if program.account:
        user, group = program.account
        account = {"user": user, "group": group, "extra_groups": []}
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(program.log.open("ab")) if program.log else subprocess.PIPE
        return subprocess.Popen(
            program.argv,
            env=None if program.environment is None else dict(program.environment),
            cwd=program.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(program.stop_signal),  # noqa: PLW1509 - no threads here
            **account,
        )


def die_with_parent(number: signal.Signals):
    """A function for the child that asks Linux for this signal at its parent's death (elsewhere it does nothing).

    Without it a parent that was killed outright would leave its children
    behind, holding the port and the database. Other systems know nothing of
    the kind. Changing the user clears the wish, so it must come afterwards,
    which is when `subprocess` calls it.
    """
    if _prctl is None:
        return None
    parent = os.getpid()

    def ask() -> None:
        _prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os.kill(os.getpid(), signal.SIGKILL)

    return ask


def kill_group(process: subprocess.Popen) -> None:
    """Kill what is left of the group that `spawn` made, the leader dead or not."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def end(process: subprocess.Popen, number: signal.Signals, seconds: float) -> None:
    """Ask the leader to stop, wait up to `seconds`, then kill the whole group."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    kill_group(process)
    process.wait()


def exit_code(returncode: int) -> int:
    """The code that a shell would show: 128 + the signal's number for a process that a signal ended."""
    return returncode if returncode >= 0 else 128 - returncode
