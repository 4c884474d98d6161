"""Listens to PostgreSQL, in a thread: connecting, TLS and queries of libpq block, and the event loop must not."""

import logging
import os
import random
import selectors
import threading
import time
from collections.abc import Callable
from uuid import UUID

from django.db import Error, connection

from waplus.wakeups.pending import Pending

CHANNEL = "waplus_changes"
HORIZON_EVERY = 0.1  # seconds between two looks at the horizon, while something waits for it
SIGN_OF_LIFE_EVERY = 30.0
HELD_WARNING_AFTER = 30.0
FIRST_DELAY = 0.25  # seconds before a lost connection is made anew; doubled each time
LONGEST_DELAY = 5.0

logger = logging.getLogger(__name__)


class Listener(threading.Thread):
    """Calls `wake(workspace ids)` once their changes can be read, and `wake_all()` after every (re)connection.

    Both are called in this thread. Notifications are not kept for a listener
    that is away, so after a gap everybody may have missed something. They are
    woken at once, and again when the last of what went unheard can be read.
    """

    def __init__(self, *, wake: Callable[[list[UUID]], None], wake_all: Callable[[], None]):
        super().__init__(name="wake-up listener", daemon=True)
        self._wake = wake
        self._wake_all = wake_all
        self._pending = Pending()
        self._stopping = threading.Event()
        self._bell_read, self._bell_write = os.pipe()
        self._held_since = self._warned_at = 0.0
        self.connected = False

    def run(self) -> None:
        delay = FIRST_DELAY
        while not self._stopping.is_set():
            try:
                connection.ensure_connection()
                self._listen(connection.connection)
            except Error as error:
                if self.connected:
                    delay = FIRST_DELAY
                logger.warning("no notifications from the database: %s", str(error).strip())
            finally:
                self.connected = False
                connection.close()
            # Spread, so that several processes do not come back in one moment.
            self._stopping.wait(delay * random.uniform(0.5, 1))  # noqa: S311 - no secret
            delay = min(delay * 2, LONGEST_DELAY)

    def stop(self) -> None:
        """End the thread; returns when it has ended, or after two seconds."""
        self._stopping.set()
        os.write(self._bell_write, b"x")
        self.join(2)

    def _listen(self, raw) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        # After LISTEN: whoever commits from here on is heard.
        self._pending.begin(int(self._ask("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")))
        self._held_since = self._warned_at = time.monotonic()
        self.connected = True
        self._wake_all()
        self._release()
        with selectors.DefaultSelector() as selector:
            selector.register(raw.fileno(), selectors.EVENT_READ)
            selector.register(self._bell_read, selectors.EVENT_READ)
            while not self._stopping.is_set():
                self._turn(raw, selector)

    def _turn(self, raw, selector: selectors.BaseSelector) -> None:
        """Wait for something to do, then do it."""
        # A query may have read notifications along with its answer; the socket would not tell of them.
        if not raw.notifies:
            quiet = not selector.select(HORIZON_EVERY if self._pending else SIGN_OF_LIFE_EVERY)
            with connection.wrap_database_errors:
                raw.poll()
            if quiet and not self._pending:
                self._ask("SELECT 1")
        had_none = not self._pending
        for notice in raw.notifies:
            if not self._pending.note(notice.payload):
                logger.warning("a notification on %s is none of ours: %.100r", CHANNEL, notice.payload)
        raw.notifies.clear()
        if self._pending:
            if had_none:
                self._held_since = self._warned_at = time.monotonic()
            self._release()

    def _release(self) -> None:
        horizon = int(self._ask("SELECT pg_snapshot_xmin(pg_current_snapshot())::text"))
        is_over_gap = self._pending.is_over_gap(horizon)
        if is_over_gap:
            self._wake_all()
        ready = self._pending.release(horizon)
        if ready or is_over_gap:
            self._held_since = time.monotonic()
            self._wake(ready)
        elif time.monotonic() - max(self._held_since, self._warned_at) > HELD_WARNING_AFTER:
            self._warned_at = time.monotonic()
            logger.warning(
                "a writing transaction has kept changes from being read for %.0f s", self._warned_at - self._held_since
            )

    def _ask(self, sql: str):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]
