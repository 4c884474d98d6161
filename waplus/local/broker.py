"""kombu's folder transport, with its three races closed.

As it comes (kombu 5.7), a reader may take a message's file before the writer
has filled it, which costs the message and ends the worker with a JSON error;
taken messages go through the system's temporary folder, which copies instead
of moves when that is another file system, so that two readers may both have
one; and a sender may read the table of queues while it is being created.
Here everything appears under its name when it is whole, and moves inside one folder.
"""

import contextlib
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

LONGEST_WAIT = 0.5  # seconds


class Channel(filesystem.Channel):
    def _put(self, queue, payload, **kwargs):
        # The clock and not `monotonic`, which starts anew after a reboot; names sort by age.
        path = Path(self.data_folder_out) / f"{time.time_ns():020}_{uuid.uuid4()}.{queue}.msg"
        try:
            with _unfinished(path, dumps(payload)) as unfinished:
                unfinished.rename(path)
        except OSError as error:
            raise ChannelError(f"Cannot add the message {path}") from error

    def _get(self, queue):
        for path in sorted(Path(self.data_folder_in).iterdir()):
            if path.name.partition(".")[2] != f"{queue}.msg":
                continue
            try:
                taken = path.rename(Path(self.processed_folder) / path.name)
            except FileNotFoundError:  # another reader was faster
                continue
            payload = loads(taken.read_text())
            if not self.store_processed:
                taken.unlink()
            return payload
        raise Empty

    def _queue_bind(self, exchange, routing_key, pattern, queue):
        table = self._exchange_file(exchange)
        if not table.exists():
            # A link never replaces: of two processes that start together, the second adds to the first one's table.
            with contextlib.suppress(FileExistsError), _unfinished(table, "[]") as unfinished:
                table.hardlink_to(unfinished)
        super()._queue_bind(exchange, routing_key, pattern, queue)


class Transport(filesystem.Transport):
    Channel = Channel

    def drain_events(self, connection, timeout=None):
        # A worker looks whether it should stop between two waits only, and asks for waits of 2 s.
        return super().drain_events(connection, timeout=min(timeout, LONGEST_WAIT) if timeout else timeout)


@contextlib.contextmanager
def _unfinished(path: Path, text: str) -> Iterator[Path]:
    """A file with the text beside `path`, under a name that nobody looks for; gone afterwards."""
    unfinished = path.with_name(f".{uuid.uuid4()}.{path.name}")
    try:
        unfinished.write_text(text)
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)
