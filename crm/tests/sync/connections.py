"""Several connections in one thread, so that a test decides itself which transaction writes and commits when."""

import contextlib
from collections.abc import Iterator

from django.db import Error, connection, connections


class Writer:
    """A connection with one transaction at a time, which stays open until it is told otherwise."""

    def __init__(self):
        self.wrapper = connections.create_connection("default")
        self._begin()

    def _begin(self) -> None:
        self.wrapper.set_autocommit(False)
        with self.wrapper.cursor() as cursor:
            # Whoever would wait for another writer of the same thread would wait for ever.
            cursor.execute("SET lock_timeout = '15ms'")
            cursor.execute("SELECT pg_backend_pid()")
            self.pid = cursor.fetchone()[0]
        self.wrapper.commit()

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Let everything inside run on this connection."""
        usual = connections["default"]
        connections["default"] = self.wrapper
        try:
            yield
        finally:
            connections["default"] = usual

    def commit(self) -> bool:
        """Commit; whether that worked. A reference that was deleted meanwhile is refused at this very moment."""
        try:
            self.wrapper.commit()
        except Error:
            self.roll_back()
            return False
        return True

    def roll_back(self) -> None:
        self.wrapper.rollback()

    def die(self) -> None:
        """End the server's process of this connection in the middle of its work, and connect anew."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [self.pid])
        with contextlib.suppress(Error):
            self.wrapper.close()
        self.wrapper = connections.create_connection("default")
        self._begin()

    def close(self) -> None:
        with contextlib.suppress(Error):
            self.wrapper.rollback()
            self.wrapper.close()
