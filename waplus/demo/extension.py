"""An extension that speaks HTTP, for the demo and for tests from end to end."""

import base64
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import requests
from django.core.management.base import CommandError

from waplus.lib.ids import uuid7

ZONE = "America/Sao_Paulo"
PATIENCE = 90  # seconds


class Refusal(CommandError):
    """The server said no."""


class Extension:
    """A pretended extension: speaks HTTP and knows nothing else of the server."""

    def __init__(self, base_url: str, browser: str = "Chrome 140"):
        self.browser = browser
        self.base_url = base_url.rstrip("/")
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["X-Client-Version"] = "2.0.0"
        self.instance_id = str(uuid7())
        self.secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")

    def ask(self, method: str, path: str, **kwargs) -> dict:
        answer = self.http.request(method, self.base_url + path, timeout=30, **kwargs)
        if not answer.ok:
            raise Refusal(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json() if answer.content else {}

    def api(self, method: str, path: str, **kwargs) -> dict:
        return self.ask(method, f"/api/v1{path}", **kwargs)

    def register(self) -> dict:
        """Install it: an anonymous instance, as which it is known from now on."""
        return self.api(
            "POST",
            "/instances/",
            json={
                "id": self.instance_id,
                "secret": self.secret,
                "version": "2.0.0",
                "installed_at": datetime.now(UTC).isoformat(),
                "browser": self.browser,
                "operating_system": "Windows 11",
                "platform": "Win32",
                "language": "pt-BR",
                "time_zone": ZONE,
                "whatsapp_web_version": "2.3000.1026",
            },
        )

    def log_in(self, email: str, password: str) -> dict:
        """Log a person in through the headless API, and exchange the session for this instance's tokens."""
        login = self.ask("POST", "/_allauth/app/v1/auth/login", json={"email": email, "password": password})
        tokens = self.api(
            "POST",
            "/auth/token/",
            json={"instance_id": self.instance_id, "instance_secret": self.secret},
            headers={"X-Session-Token": login["meta"]["session_token"]},
        )
        self.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return tokens

    @contextmanager
    def listening(self) -> Iterator[Callable[[str], None]]:
        """Hold a stream of wake-ups open; what it gives waits for an event by name, as long as `PATIENCE`."""
        address = self.api("GET", "/me/")["wake_up_url"]
        with self.http.get(address, stream=True, timeout=PATIENCE) as stream:
            if not stream.ok:
                raise Refusal(f"GET {address} answered {stream.status_code}: {stream.text[:500]}")
            lines = stream.iter_lines(chunk_size=1)

            def wait_for(event: str) -> None:
                if f"event: {event}".encode() not in lines:
                    raise Refusal(f"The stream of wake-ups ended without “{event}”.")

            wait_for("hello")
            yield wait_for
