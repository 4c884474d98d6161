"""The main job, played over HTTP as the extension would do it, each step in plain words."""

import base64
import secrets
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from waplus.lib.ids import uuid7
from waplus.management.commands.create_demo import EMAIL, demo_password

ADDRESS_BOOK = settings.BASE_DIR / "crm" / "tests" / "data" / "google_contacts.csv"
ZONE = "America/Sao_Paulo"
PATIENCE = 90


class Refusal(CommandError):
    """The server said no."""


class Extension:
    """A pretended extension: speaks HTTP and knows nothing else of the server."""

    def __init__(self, base_url: str):
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


def _label(contact: dict) -> str:
    numbers = [identity["value"] for identity in contact["identities"]]
    return contact["name"] or contact["company"] or contact["email"] or ", ".join(numbers)


class Command(BaseCommand):
    help = "Play an extension against a running server: install, log in, import, search, schedule, send, report."

    def add_arguments(self, parser):
        parser.add_argument("--base-url", default=settings.BASE_URL)
        parser.add_argument("--email", default=EMAIL)
        parser.add_argument("--password", default=None, help="without it: the demo person's")
        parser.add_argument("--file", type=Path, default=ADDRESS_BOOK, help="a Google Contacts CSV export")

    def handle(self, *args, **options):
        self.step_number = 0
        extension = Extension(options["base_url"])
        try:
            self.log_in(extension, options["email"], options["password"] or demo_password())
            account = self.tell_number(extension)
            self.import_contacts(extension, options["file"])
            contact = self.find_contact(extension)
            self.send_message(extension, account, contact)
        except requests.ConnectionError as error:
            raise CommandError(f"No server answers at {extension.base_url}. Start one with `make run`.") from error
        self.stdout.write(self.style.SUCCESS("\nThat was the main job: one file, one message, sent once."))

    def step(self, text: str) -> None:
        self.step_number += 1
        self.stdout.write(f"\n{self.style.MIGRATE_HEADING(f'{self.step_number}. {text}')}")

    def result(self, text: str) -> None:
        self.stdout.write(f"   {text}")

    def log_in(self, extension: Extension, email: str, password: str) -> None:
        self.step("The extension is installed: it makes an id and a secret and registers, without any login.")
        registered = extension.api(
            "POST",
            "/instances/",
            json={
                "id": extension.instance_id,
                "secret": extension.secret,
                "version": "2.0.0",
                "installed_at": datetime.now(UTC).isoformat(),
                "browser": "Chrome 140",
                "operating_system": "Windows 11",
                "platform": "Win32",
                "language": "pt-BR",
                "time_zone": ZONE,
                "whatsapp_web_version": "2.3000.1026",
            },
        )
        self.result(f"registered as {registered['id']}")
        self.step(f"{email} logs in through the headless API, and the session is exchanged for this instance's tokens.")
        login = extension.ask("POST", "/_allauth/app/v1/auth/login", json={"email": email, "password": password})
        tokens = extension.api(
            "POST",
            "/auth/token/",
            json={"instance_id": extension.instance_id, "instance_secret": extension.secret},
            headers={"X-Session-Token": login["meta"]["session_token"]},
        )
        extension.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        me = extension.api("GET", "/me/")
        self.result(f"logged in to “{me['workspace']['name']}” as {me['role']}, plan {me['plan']['name']}")
        self.result(f"the access token lives until {tokens['access_expires_at']}")

    def tell_number(self, extension: Extension) -> dict:
        self.step("WhatsApp Web is open: the extension tells which number it finds there.")
        account = extension.api(
            "POST", "/whatsapp-accounts/", json={"jid": "5511912345678@c.us", "name": "Demo number"}
        )
        self.result(f"{account['phone']} ({account['jid']})")
        return account

    def import_contacts(self, extension: Extension, file: Path) -> None:
        self.step(f"A Google Contacts export is imported: {file.name}.")
        with file.open("rb") as stream:
            batch = extension.api(
                "POST",
                "/imports/",
                files={"file": (file.name, stream, "text/csv")},
                data={"id": str(uuid7()), "default_country": "BR"},
            )
        batch = self._until(
            lambda: extension.api("GET", f"/imports/{batch['id']}/"), lambda b: b["state"] in ("finished", "failed")
        )
        if batch["state"] == "failed":
            raise Refusal(batch["problem"])
        self.result(
            f"{batch['rows_total']} rows: {batch['rows_created']} new contacts, {batch['rows_merged']} added to a contact, "
            f"{batch['rows_unchanged']} with nothing new, {batch['rows_refused']} refused"
        )
        refused = extension.api("GET", f"/imports/{batch['id']}/rows/?outcome=refused&limit=2")["results"]
        for row in refused:
            self.result(f"row {row['row_number']} was refused: {row['reason']}")

    def find_contact(self, extension: Extension) -> dict:
        self.step("Contacts are found by a name without its accents, and by a number in another spelling.")
        for query in ("joao", "letici"):
            page = extension.api("GET", "/contacts/", params={"q": query, "limit": 3})
            self.result(f"“{query}”: " + (", ".join(_label(contact) for contact in page["results"]) or "nobody"))
        candidates = extension.api("GET", "/contacts/", params={"q": "+5511", "limit": 50})["results"]
        contact = next(
            c
            for c in candidates
            if c["name"].replace(" ", "").isalpha() and any(i["kind"] == "phone" for i in c["identities"])
        )
        phone = next(i["value"] for i in contact["identities"] if i["kind"] == "phone")
        spelling = f"({phone[3:5]}) {phone[5:-4]}-{phone[-4:]}"
        found = extension.api("GET", "/contacts/", params={"q": spelling})["results"]
        self.result(f"“{spelling}”: {', '.join(map(_label, found))}")
        return contact

    def send_message(self, extension: Extension, account: dict, contact: dict) -> None:
        wall = (datetime.now(ZoneInfo(ZONE)) + timedelta(seconds=5)).replace(tzinfo=None, microsecond=0)
        self.step(f"A message is scheduled for {wall:%H:%M:%S} in {ZONE}, five seconds from now.")
        scheduled = extension.api(
            "POST",
            "/scheduled-messages/",
            json={
                "id": str(uuid7()),
                "whatsapp_account": account["id"],
                "contact": contact["id"],
                "body": f"Olá {contact['name']}! 👋",
                "wall_time": wall.isoformat(),
                "time_zone": ZONE,
                "lateness_minutes": 10,
            },
        )
        self.result(f"that is {scheduled['due_at']} in UTC, to {scheduled['chat_jid']}, ten minutes late at most")

        self.step("The extension asks for work until the message is handed out.")

        def claim() -> list[dict]:
            request = {"claim_id": str(uuid7()), "whatsapp_account": account["id"], "limit": 10}
            claimed = extension.api("POST", "/dispatch/claim/", json=request)["messages"]
            return [message for message in claimed if message["scheduled_message"] == scheduled["id"]]

        message = self._until(claim, bool)[0]
        late = datetime.now(UTC) - datetime.fromisoformat(message["due_at"])
        self.result(
            f"handed out {late.total_seconds():.1f} s after its time, under a lease with fence {message['fence']}"
        )
        self.result(f"its WhatsApp id is reserved: {message['message_id']}")

        self.step("The extension reports that it is sending, sends in WhatsApp Web, and reports that it was sent.")
        report = f"/dispatch/{message['id']}/report/"
        extension.api("POST", report, json={"fence": message["fence"], "report": "sending"})
        sent = extension.api(
            "POST", report, json={"fence": message["fence"], "report": "sent", "sent_at": datetime.now(UTC).isoformat()}
        )
        self.result(f"the message is {sent['state']} at {sent['sent_at']}")
        self.step("It asks for work again.")
        self.result("nothing to do: the message was handed out once" if not claim() else "it came a second time!")

    def _until(self, ask, done):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if done(answer := ask()):
                return answer
            time.sleep(0.5)
        raise CommandError(f"Nothing came within {PATIENCE} seconds: are worker and beat running?")
