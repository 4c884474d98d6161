"""A pretended WhatsApp: one file a number, to which every send is one line. A line that is written is sent, whoever dies."""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Seen:
    """A message that a recipient has seen. Times are of the machine, in seconds since 1970.

    `allowed_at` is when the instance had been allowed to send.
    """

    chat: str
    message_id: str
    body: str
    instance: str
    allowed_at: float
    seen_at: float


class WhatsApp:
    """The chats of all numbers, in files below a folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def send(self, number: str, *, chat: str, message_id: str, body: str, instance: str, allowed_at: float) -> None:
        """Append a line. The system keeps it even if the process is killed the moment after."""
        seen = Seen(chat, message_id, body, instance, allowed_at, time.time())
        line = (json.dumps(asdict(seen)) + "\n").encode()
        descriptor = os.open(self.folder / number, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.write(descriptor, line) != len(line):
                raise OSError("a line was written in part")
        finally:
            os.close(descriptor)

    def messages(self, number: str) -> list[Seen]:
        """What was sent from a number, in order."""
        path = self.folder / number
        return [Seen(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []

    def has(self, number: str, chat: str, message_id: str) -> bool:
        """A look into a chat for a message id."""
        return any(seen.chat == chat and seen.message_id == message_id for seen in self.messages(number))
