"""One supervisor over a handful of named processes.

Of our own, because honcho does not start a process again that died, and circus is no longer looked after.

It works in one thread: children are told of their parent's death by the
thread that made them (see `children.spawn`).
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from waplus.local.children import Program, end, exit_code, kill_group, spawn

FIRST_DELAY = 1.0  # seconds before a dead process is started again; doubled each time
LONGEST_DELAY = 30.0
STEADY_AFTER = 60.0  # seconds after which a process counts as healthy and the delay starts anew
STOP_SECONDS = 20.0  # what each process gets between the polite signal and the kill
IMPATIENT_AFTER = 1.0  # before that, a second signal is the same wish come twice (from the terminal and from make)
LONGEST_LINE = 64 * 1024  # bytes
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopAsked(Exception):
    """A signal asked to stop while something else was being waited for."""


@dataclass
class _Watched:
    program: Program
    keep_running: bool
    process: subprocess.Popen | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    delay: float = 0.0
    rest: bytes = b""


class Supervisor:
    """Starts programs, prints their lines under their names, starts them again when they die, ends them together.

    Used as a context manager in the main thread: inside, SIGINT, SIGTERM and
    SIGHUP mean "stop", and leaving it stops everything, the last started first.
    """

    def __init__(
        self,
        *,
        output: TextIO | None = None,
        width: int = 8,
        first_delay: float = FIRST_DELAY,
        longest_delay: float = LONGEST_DELAY,
        steady_after: float = STEADY_AFTER,
        stop_seconds: float = STOP_SECONDS,
    ):
        self._output = output or sys.stdout
        self._coloured = self._output.isatty() and "NO_COLOR" not in os.environ
        self._width = width
        self._first_delay = first_delay
        self._longest_delay = longest_delay
        self._steady_after = steady_after
        self._stop_seconds = stop_seconds
        self._watched: list[_Watched] = []
        self._colours: dict[str, int] = {}
        self._selector = selectors.DefaultSelector()
        self._stop_asked = False
        self._stopping_since: float | None = None
        self._last_code = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Supervisor":
        # A signal writes a byte into this pipe, so that the wait below ends at once and none is overlooked.
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._before_wake = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            self._before[number] = signal.signal(number, self._ask_to_stop)
        # Python sees the death of a child only if something listens for it.
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._before_wake)
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def start(self, program: Program) -> None:
        """Start a program and keep it running. Raises `OSError` if it cannot be started even once."""
        watched = _Watched(program, keep_running=True)
        self._watched.append(watched)
        self._spawn(watched)

    def run_once(self, program: Program) -> int:
        """Run a program to its end, the others going on meanwhile; returns its exit code. May raise `StopAsked`."""
        watched = _Watched(program, keep_running=False)
        self._watched.append(watched)
        self._spawn(watched)
        while watched.process:
            self._turn(1.0)
        self._watched.remove(watched)
        return self._last_code

    def wait_until(self, condition: Callable[[], bool], *, seconds: float, every: float = 0.2) -> bool:
        """Wait for a condition; false when it did not come true in time. May raise `StopAsked`."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            pause = time.monotonic() + every
            while (left := pause - time.monotonic()) > 0:
                self._turn(left)
        return True

    def supervise(self) -> None:
        """Keep everything running until a signal asks to stop."""
        with contextlib.suppress(StopAsked):
            while True:
                self._turn(60.0)

    def say(self, line: str, name: str = "waplus") -> None:
        """Print a line under a name. A console that is gone is a reason to stop, and none to fail."""
        label = f"{name:<{self._width}} |"
        if self._coloured:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            label = f"\x1b[{colour}m{label}\x1b[0m"
        try:
            self._output.write(f"{label} {line}\n")
            self._output.flush()
        except (OSError, ValueError):
            self._stop_asked = True

    def stop(self) -> None:
        """End all processes in reverse order, each with all that it started; a second Ctrl-C skips the waiting."""
        self._stopping_since = time.monotonic()
        self._stop_asked = False
        for watched in reversed(self._watched):
            watched.keep_running = False
            if not watched.process:
                continue
            with contextlib.suppress(ProcessLookupError):
                watched.process.send_signal(watched.program.stop_signal)
            deadline = time.monotonic() + self._stop_seconds
            while watched.process and time.monotonic() < deadline and not self._stop_asked:
                self._look(max(0.0, deadline - time.monotonic()))
            if watched.process:
                self.say(f"{watched.program.name} does not stop and is killed")
                end(watched.process, signal.SIGKILL, 0)
                self._bury(watched)
        self._watched.clear()

    def _ask_to_stop(self, _number: int, _frame: object) -> None:
        if self._stopping_since is None or time.monotonic() - self._stopping_since > IMPATIENT_AFTER:
            self._stop_asked = True

    def _turn(self, seconds: float) -> None:
        """One round: print what there is to print, note deaths, start again what is due."""
        due = [watched.start_at for watched in self._watched if not watched.process]
        if due:
            seconds = min(seconds, max(0.0, min(due) - time.monotonic()))
        self._look(seconds)
        if self._stop_asked:
            raise StopAsked
        for watched in self._watched:
            if not watched.process and watched.keep_running and watched.start_at <= time.monotonic():
                try:
                    self._spawn(watched)
                except OSError as error:
                    self._schedule(watched, f"cannot be started ({error})")

    def _look(self, seconds: float) -> None:
        for key, _events in self._selector.select(seconds):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)
            else:
                self._read(key.data)
        for watched in self._watched:
            if watched.process and watched.process.poll() is not None:
                self._bury(watched)

    def _spawn(self, watched: _Watched) -> None:
        watched.process = spawn(watched.program)
        watched.started_at = time.monotonic()
        if watched.process.stdout:
            os.set_blocking(watched.process.stdout.fileno(), False)
            self._selector.register(watched.process.stdout, selectors.EVENT_READ, watched)

    def _read(self, watched: _Watched) -> bool:
        """Print the whole lines that have come; false when there is nothing to read (any more)."""
        stream = watched.process.stdout
        try:
            chunk = os.read(stream.fileno(), LONGEST_LINE)
        except BlockingIOError:
            return False
        if not chunk:
            with contextlib.suppress(KeyError):
                self._selector.unregister(stream)
            return False
        *lines, watched.rest = (watched.rest + chunk).split(b"\n")
        if len(watched.rest) >= LONGEST_LINE:
            lines.append(watched.rest)
            watched.rest = b""
        for line in lines:
            self._print(watched, line)
        return True

    def _print(self, watched: _Watched, line: bytes) -> None:
        self.say(line.decode(errors="replace").rstrip("\r"), watched.program.name)

    def _bury(self, watched: _Watched) -> None:
        """After a process died: end what it left behind, print its last lines, plan its next start."""
        process = watched.process
        kill_group(process)
        if process.stdout:
            while self._read(watched):
                pass
            if watched.rest:
                self._print(watched, watched.rest)
                watched.rest = b""
            with contextlib.suppress(KeyError):
                self._selector.unregister(process.stdout)
            process.stdout.close()
        watched.process = None
        self._last_code = exit_code(process.returncode)
        if watched.keep_running:
            if time.monotonic() - watched.started_at >= self._steady_after:
                watched.delay = 0.0
            self._schedule(watched, f"ended with code {self._last_code}")

    def _schedule(self, watched: _Watched, what: str) -> None:
        watched.delay = min(watched.delay * 2, self._longest_delay) or self._first_delay
        watched.start_at = time.monotonic() + watched.delay
        if not self._stop_asked:
            self.say(f"{watched.program.name} {what}; it starts again in {watched.delay:g} s")
