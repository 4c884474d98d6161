"""What people want sent in a run: series over many chats, own messages in between, and people who opt out."""

import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from waplus.lib.ids import uuid7
from waplus.tests.simulator.client import Line

FIRST_DUE_SECONDS = 15
# Of each number: the last chat opts out, and in the one before members write by themselves.
TIGHT, ASKING = 3, 5


@dataclass(frozen=True)
class Size:
    """How large a run is. `seconds` is how long the due times are spread over."""

    numbers: int
    instances: int  # of each number
    chats: int  # of each number
    messages: int  # in each chat
    browsers: int
    seconds: float

    @property
    def total(self) -> int:
        return self.numbers * self.chats * self.messages


@dataclass
class Wishes:
    """The people at work, in a thread of their own; what they know afterwards."""

    size: Size
    line: Line
    numbers: list[str]
    deciding: Line
    bodies: set[str] = field(default_factory=set)
    opted_out: dict[tuple[str, str], float] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        """Schedule everything, then write own messages and opt out while it is being sent."""
        try:
            began = datetime.now(UTC) + timedelta(seconds=FIRST_DUE_SECONDS)
            gap = self.size.seconds / self.size.messages
            for turn in range(self.size.messages):
                for number in self.numbers:
                    self._schedule(number, turn, began + timedelta(seconds=turn * gap))
            for turn in range(self.size.messages):
                wait = (began - datetime.now(UTC)).total_seconds() + turn * gap
                time.sleep(max(0.0, wait))
                for number in self.numbers:
                    self._write(number, turn)
                    if turn == self.size.messages // 2:
                        self._opt_out(number)
        finally:
            self.done.set()

    def chat(self, index: int) -> str:
        return f"4915100{index:06}@c.us"

    def _schedule(self, number: str, turn: int, due: datetime) -> None:
        """One message to all chats of a number but the one that members write in."""
        chats = [self.chat(index) for index in range(self.size.chats) if index != self.size.chats - 2]
        body = f"{number} scheduled {turn}"
        tight = turn % 10 in (TIGHT, ASKING)
        self._post(
            "/scheduled-messages/",
            {
                "id": str(uuid7()),
                "whatsapp_account": number,
                "recipients": [{"chat_jid": chat} for chat in chats],
                "parts": [{"body": body}],
                "wall_time": due.replace(tzinfo=None).isoformat(timespec="milliseconds"),
                "time_zone": "UTC",
                "lateness_minutes": 1 if tight else 120,
                "on_late": "ask" if turn % 10 == ASKING else "skip",
            },
        )
        self.bodies.update(f"{chat} {body}" for chat in chats)

    def _write(self, number: str, turn: int) -> None:
        body = f"{number} direct {turn}"
        chat = self.chat(self.size.chats - 2)
        self._post(
            "/dispatch/messages/",
            {
                "id": str(uuid7()),
                "whatsapp_account": number,
                "chat_jid": chat,
                "parts": [{"body": body}],
                "send_within_minutes": 120,
            },
        )
        self.bodies.add(f"{chat} {body}")

    def _opt_out(self, number: str) -> None:
        """From the answer on nothing may be sent there any more; each number's chats are other people's elsewhere."""
        chat = self.chat(self.size.chats - 1)
        if not any(chat == other for _, other in self.opted_out):
            self._post("/suppressions/", {"id": str(uuid7()), "jid": chat})
            now = time.time()
            self.opted_out.update({(each, chat): now for each in self.numbers})

    def _post(self, path: str, body: dict) -> None:
        status, answer = self.line.ask(f"POST {path}", "POST", path, body)
        if status not in (200, 201):
            self.refused.append(f"{path} answered {status}: {answer}")

    def decide(self) -> None:
        """Decide about messages that were too late and ask, one way or the other."""
        _, answer = self.deciding.try_once("GET", "/dispatch/?state=late&limit=200")
        for message in answer.get("results", []):
            decision = random.choice(["send", "skip"])
            self.deciding.try_once("POST", f"/dispatch/{message['id']}/decide/", {"decision": decision})
