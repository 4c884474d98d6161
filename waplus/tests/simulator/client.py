"""HTTP as a browser on a bad line has it: answers get lost, servers are away, and what is repeated is the same request."""

import http.client
import json
import random
import time

from waplus.tests.simulator.points import pass_point

PAUSE = 0.25


class Line:
    """A connection that repeats until it has an answer. `lost` is the share of answers that never arrive."""

    def __init__(self, port: int, token: str, *, lost: float = 0.0):
        self.port, self.lost = port, lost
        self.headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "X-Client-Version": "2.0.0",
        }
        self.connection: http.client.HTTPConnection | None = None
        self.answers_lost = 0
        self.chance = random.Random()

    def ask(self, name: str, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
        """The status and the document of an answer; `name` is what the request is called at its points."""
        pass_point(f"instance: before {name}")
        while True:
            status, document = self.try_once(method, path, body)
            if status in (0, 429) or status >= 500:
                time.sleep(PAUSE)
                continue
            if self.chance.random() < self.lost:
                self.answers_lost += 1
                self._close()
                continue
            pass_point(f"instance: after {name}")
            return status, document

    def try_once(self, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
        """The same without repeating: status 0 if nothing came back."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            self.connection.request(
                method, f"/api/v1{path}", json.dumps(body) if body is not None else None, self.headers
            )
            answer = self.connection.getresponse()
            data = answer.read()
            return answer.status, json.loads(data) if data else {}
        except (OSError, http.client.HTTPException, ValueError):
            self._close()
            return 0, {}

    def _close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None
