"""The main job and the CRM, played over HTTP as extensions would do it, each step in plain words."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from waplus.demo.extension import PATIENCE, ZONE, Extension, Refusal
from waplus.demo.keeping_customers import keep_customers
from waplus.lib.ids import uuid7
from waplus.management.commands.create_demo import EMAIL, demo_password

ADDRESS_BOOK = settings.BASE_DIR / "crm" / "tests" / "data" / "google_contacts.csv"


def _label(contact: dict) -> str:
    numbers = [identity["value"] for identity in contact["identities"]]
    return contact["name"] or contact["company"] or contact["email"] or ", ".join(numbers)


class Command(BaseCommand):
    help = (
        "Play extensions against a running server: install, log in, observe, tag, synchronise, import, schedule, send."
    )

    def add_arguments(self, parser):
        parser.add_argument("--base-url", default=settings.BASE_URL)
        parser.add_argument("--email", default=EMAIL)
        parser.add_argument("--password", default=None, help="without it: the demo person's")
        parser.add_argument("--file", type=Path, default=ADDRESS_BOOK, help="a Google Contacts CSV export")

    def handle(self, *args, **options):
        self.step_number = 0
        extension, other = Extension(options["base_url"]), Extension(options["base_url"], "Edge 140")
        email, password = options["email"], options["password"] or demo_password()
        try:
            self.log_in(extension, email, password)
            account = self.tell_number(extension)
            keep_customers(self, extension, other, email, password, account)
            self.import_contacts(extension, options["file"])
            contact = self.find_contact(extension)
            self.send_message(extension, account, contact)
        except requests.ConnectionError as error:
            raise CommandError(f"No server answers at {extension.base_url}. Start one with `make run`.") from error
        self.stdout.write(
            self.style.SUCCESS(
                "\nThat was the CRM on two computers, and the main job: one file, one message, sent once."
            )
        )

    def step(self, text: str) -> None:
        self.step_number += 1
        self.stdout.write(f"\n{self.style.MIGRATE_HEADING(f'{self.step_number}. {text}')}")

    def result(self, text: str) -> None:
        self.stdout.write(f"   {text}")

    def log_in(self, extension: Extension, email: str, password: str) -> None:
        self.step("The extension is installed: it makes an id and a secret and registers, without any login.")
        self.result(f"registered as {extension.register()['id']}")
        self.step(f"{email} logs in through the headless API, and the session is exchanged for this instance's tokens.")
        tokens = extension.log_in(email, password)
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
        self.step(
            "The number is told to be no young one, and to know no night: new contacts would wait for the morning."
        )
        budget = extension.api(
            "PATCH",
            f"/whatsapp-accounts/{account['id']}/budget/",
            json={"quiet_from": None, "quiet_until": None, "warm_up_from": None},
        )
        self.result(
            f"{budget['day']['limit']} messages may go today, to {budget['new_contacts']['limit']} new contacts"
        )

        wall = (datetime.now(ZoneInfo(ZONE)) + timedelta(seconds=5)).replace(tzinfo=None, microsecond=0)
        self.step(f"A message is scheduled for {wall:%H:%M:%S} in {ZONE}, five seconds from now.")
        scheduled = extension.api(
            "POST",
            "/scheduled-messages/",
            json={
                "id": str(uuid7()),
                "whatsapp_account": account["id"],
                "recipients": [{"contact": contact["id"]}],
                "parts": [{"body": "Olá {{first_name|amigo}}! 👋"}],
                "wall_time": wall.isoformat(),
                "time_zone": ZONE,
                "lateness_minutes": 10,
            },
        )
        self.result(
            f"that is {scheduled['due_at']} in UTC, to {scheduled['recipients'][0]['chat_jid']}, ten minutes late at most"
        )

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
