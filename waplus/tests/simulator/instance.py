"""An extension that keeps to docs/dispatch.md, and the browser process in which several of them live."""

import json
import os
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from waplus.lib.ids import uuid7
from waplus.tests.simulator.client import Line
from waplus.tests.simulator.points import pass_point
from waplus.tests.simulator.whatsapp import WhatsApp

LIMIT = 10


class Instance:
    """One installation. Its journal lies on the disk; everything else is gone when its process is killed."""

    def __init__(self, port: int, number: str, seat: dict, folder: Path, whatsapp: WhatsApp, lost: float):
        self.id, self.number, self.whatsapp = seat["id"], number, whatsapp
        self.line = Line(port, seat["token"], lost=lost)
        self.journal = folder / f"{self.id}.journal"
        self.clock_wrong_by = timedelta(hours=random.Random(self.id).randint(-12, 12))
        self.ask_again_at = 0.0

    def start(self) -> None:
        """Tell what the journal says was sent and may never have been told."""
        if self.journal.exists():
            for line in self.journal.read_text().splitlines():
                entry = json.loads(line)
                self._report("sent from the journal", entry["id"], entry["fence"], "sent")
            self.journal.unlink()

    def turn(self) -> int:
        """Claim, find out what is unknown, send what was handed out; answers how many messages were sent."""
        if time.monotonic() < self.ask_again_at:
            return 0
        claimed_at = time.monotonic()
        status, answer = self.line.ask(
            "the claim",
            "POST",
            "/dispatch/claim/",
            {"claim_id": str(uuid7()), "whatsapp_account": self.number, "limit": LIMIT},
        )
        if status != 200:
            raise RuntimeError(f"a claim answered {status}: {answer}")
        for message in answer["reconcile"]:
            there = self.whatsapp.has(self.number, message["chat_jid"], message["message_id"])
            self._report("the look", message["id"], message["fence"], "sent" if there else "not_sent")
        failed_chats: set[str] = set()
        sent = 0
        for message in answer["messages"]:
            if message["chat_jid"] in failed_chats:
                self._report("releasing", message["id"], message["fence"], "released")
            elif self._send(message, claimed_at):
                sent += 1
            else:
                failed_chats.add(message["chat_jid"])
        wait = answer["next_claim_ms"] / 1000
        self.ask_again_at = time.monotonic() + (0 if sent else min(wait, 2.0))
        return sent

    def _send(self, message: dict, claimed_at: float) -> bool:
        wait = claimed_at + message["wait_ms"] / 1000 - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        asked_at = time.monotonic()
        status, answer = self._report("“sending”", message["id"], message["fence"], "sending")
        if status != 200:
            return False
        if time.monotonic() > asked_at + answer["send_within_ms"] / 1000:
            self._report("“not sent”", message["id"], message["fence"], "not_sent")
            return False
        allowed_at = time.time()
        pass_point("instance: before the send")
        self.whatsapp.send(
            self.number,
            chat=message["chat_jid"],
            message_id=message["message_id"],
            body=message["body"],
            instance=self.id,
            allowed_at=allowed_at,
        )
        pass_point("instance: after the send")
        with self.journal.open("a") as journal:
            journal.write(json.dumps({"id": message["id"], "fence": message["fence"]}) + "\n")
        status, _ = self._report("“sent”", message["id"], message["fence"], "sent")
        if status == 200:
            self.journal.unlink(missing_ok=True)
        return True

    def _report(self, name: str, message_id: str, fence: int, report: str) -> tuple[int, dict]:
        body = {"fence": fence, "report": report}
        if report == "sent":
            body["sent_at"] = (datetime.now(UTC) + self.clock_wrong_by).isoformat()
        return self.line.ask(name, "POST", f"/dispatch/{message_id}/report/", body)


def main() -> None:
    """A browser: the arguments are the port, a folder, a file with its seats, and the share of answers that are lost."""
    port, folder, seats, lost = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
    whatsapp = WhatsApp(folder / "whatsapp")
    instances = [
        Instance(port, seat["number"], seat, folder / "journals", whatsapp, lost)
        for seat in json.loads(seats.read_text())
    ]
    for instance in instances:
        instance.start()
    while not (folder / "over").exists() and os.getppid() != 1:
        if not sum(instance.turn() for instance in instances):
            time.sleep(0.2)


if __name__ == "__main__":
    main()
