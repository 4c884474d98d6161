"""An extension over HTTP that keeps to docs/dispatch.md, and the WhatsApp that it pretends to send with."""

import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from waplus.demo.extension import Extension
from waplus.lib.ids import uuid7
from waplus.tests.end_to_end.seed import PASSWORD

PAUSE = 0.3


class WhatsApp:
    """All chats: which message ids were sent in each, and from which number."""

    def __init__(self):
        self.sent: list[tuple[str, str, str]] = []
        self.handed_out: Counter[str] = Counter()
        self.lock = threading.Lock()


class Device(Extension):
    """An installed and logged-in extension."""

    def __init__(self, base_url: str, email: str):
        super().__init__(base_url)
        self.email = email

    def log_in(self) -> dict:
        """Log in by password, exchange the session for this instance's tokens, and answer what it is told about itself."""
        super().log_in(self.email, PASSWORD)
        return self.api("GET", "/me/")

    def schedule(self, number: str, chat_jid: str, body: str, seconds: float) -> str:
        wall = (datetime.now(UTC) + timedelta(seconds=seconds)).replace(tzinfo=None)
        message = {
            "id": str(uuid7()),
            "whatsapp_account": number,
            "recipients": [{"chat_jid": chat_jid}],
            "parts": [{"body": body}],
            "wall_time": wall.isoformat(timespec="milliseconds"),
            "time_zone": "UTC",
            "lateness_minutes": 10,
        }
        return self.api("POST", "/scheduled-messages/", json=message)["id"]

    def work(self, numbers: list[str], whatsapp: WhatsApp, done: threading.Event) -> None:
        """Claim for every number, send, report, until there is no more to do."""
        while not done.is_set():
            for number in numbers:
                request = {"claim_id": str(uuid7()), "whatsapp_account": number, "limit": 5}
                for message in self.api("POST", "/dispatch/claim/", json=request)["messages"]:
                    self.send(message, whatsapp)
            time.sleep(PAUSE)

    def send(self, message: dict, whatsapp: WhatsApp) -> None:
        with whatsapp.lock:
            whatsapp.handed_out[message["id"]] += 1
        report = f"/dispatch/{message['id']}/report/"
        self.api("POST", report, json={"fence": message["fence"], "report": "sending"})
        with whatsapp.lock:
            whatsapp.sent.append((message["chat_jid"], message["body"], message["message_id"]))
        self.api("POST", report, json={"fence": message["fence"], "report": "sent"})
