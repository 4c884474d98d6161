"""Asks a server of ours how it is: for the wait after a start, and for containers' health checks."""

import os
import urllib.error
import urllib.request
from collections.abc import Mapping

TIME_OUT = 5  # seconds


class Health:
    """A health address; calling it tells whether the answer is 200, `last` is what was answered."""

    def __init__(self, url: str, environment: Mapping[str, str] = os.environ):
        self.last = "none"
        # Asked by an address, the server must still hear a name that it serves.
        names = [name.strip(" .") for name in environment.get("ALLOWED_HOSTS", "").split(",") if name.strip(" .*")]
        self._request = urllib.request.Request(url, headers={"Host": names[0]} if names else {})
        # No proxy of the environment between us and our own server.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __call__(self) -> bool:
        try:
            with self._opener.open(self._request, timeout=TIME_OUT) as answer:
                self.last = f"{answer.status} {answer.read(500).decode(errors='replace')}"
                return answer.status == 200
        except urllib.error.HTTPError as error:
            self.last = f"{error.code} {error.read(500).decode(errors='replace')}"
        except OSError as error:
            self.last = str(error)
        return False
