"""The steps of the demo in which two computers of a team keep customers together."""

import time
from collections import Counter
from typing import Protocol

from waplus.demo.extension import Extension
from waplus.lib.ids import uuid7

NUMBER, LID, PROFILE_NAME = "5511970009999", "157999999999999@lid", "Rosa ✨"


class Narrator(Protocol):
    """Who tells what happens."""

    def step(self, text: str) -> None: ...

    def result(self, text: str) -> None: ...


class Copy:
    """A device's copy of the workspace, as far as it is pulled: `rows` by kind and id."""

    def __init__(self, extension: Extension):
        self.extension = extension
        self.token = self.epoch = ""
        self.rows: dict[tuple[str, str], dict] = {}

    def pull(self) -> list[dict]:
        """Everything that changed since the last pull; the copy has it now."""
        changes, more = [], True
        while more:
            page = self.extension.api("GET", "/sync/", params={"token": self.token} if self.token else {})
            for change in page["changes"]:
                key = change["kind"], change["id"]
                if "document" in change:
                    self.rows[key] = change["document"]
                else:
                    self.rows.pop(key, None)
            changes += page["changes"]
            self.token, self.epoch, more = page["next"], page["epoch"], page["more"]
        return changes


def keep_customers(
    tell: Narrator, extension: Extension, other: Extension, email: str, password: str, account: dict
) -> None:
    """Observe a person, tag them, write a note, pull, push what was done offline, and be woken up."""
    contact = _observe(tell, extension, account)
    _tag_and_note(tell, extension, contact)
    tell.step("The extension pulls a copy of the workspace, so that it works without a connection.")
    copy = Copy(extension)
    kinds = Counter(change["kind"] for change in copy.pull())
    tell.result(", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    tell.result(f"pulled again: {len(copy.pull())} changes")
    _push(tell, copy, contact)
    _be_woken(tell, copy, other, email, password, contact)


def _observe(tell: Narrator, extension: Extension, account: dict) -> dict:
    tell.step("WhatsApp shows somebody by number and by LID: the extension tells whom it sees.")
    item = {
        "jid": f"{NUMBER}:12@s.whatsapp.net",
        "lid": LID,
        "profile_name": PROFILE_NAME,
        "whatsapp_account": account["id"],
    }
    outcomes = []
    for _ in range(2):
        [result] = extension.api("POST", "/observations/", json={"items": [item], "create": True})["results"]
        outcomes.append(result["outcome"])
    contact = extension.api("GET", f"/contacts/{result['contact']}/")
    numbers = ", ".join(identity["value"] for identity in contact["identities"])
    tell.result(f"first {outcomes[0]}, then {outcomes[1]}: one contact, ~{contact['profile_name']}, with {numbers}")
    return contact


def _tag_and_note(tell: Narrator, extension: Extension, contact: dict) -> None:
    tell.step("The person puts a tag on the contact and writes a note.")
    tags = {tag["name"]: tag for tag in extension.api("GET", "/tags/")["results"]}
    tag = tags.get("VIP") or extension.api("POST", "/tags/", json={"id": str(uuid7()), "name": "VIP"})
    tagged = extension.api("PUT", f"/contacts/{contact['id']}/tags/{tag['id']}/")
    note = {"id": str(uuid7()), "text": "Asked for the price list."}
    extension.api("POST", f"/contacts/{contact['id']}/notes/", json=note)
    tell.result(f"{len(tagged['tags'])} tag, and a note: “{note['text']}”")


def _push(tell: Narrator, copy: Copy, contact: dict) -> None:
    tell.step("The connection is gone. The person goes on, and what they do waits in the extension.")
    known = copy.rows["contact", contact["id"]]
    batch = [
        {
            "change_id": str(uuid7()),
            "kind": "contact",
            "op": "update",
            "id": contact["id"],
            "epoch": copy.epoch,
            "base_version": known["version"],
            "set": {"name": "Rosa Andrade", "company": "Ateliê Rosa"},
        },
        {
            "change_id": str(uuid7()),
            "kind": "note",
            "op": "create",
            "id": str(uuid7()),
            "set": {"contact": contact["id"], "text": "Noted on the train."},
        },
    ]
    tell.result("a name, a company and a note")
    tell.step("It is back: the changes are pushed. The answer gets lost, so they are pushed once more.")
    for time_of in ("first", "again"):
        results = copy.extension.api("POST", "/sync/", json={"changes": batch})["results"]
        tell.result(f"{time_of}: " + ", ".join(f"{result['kind']} {result['status']}" for result in results))
    notes = copy.extension.api("GET", f"/contacts/{contact['id']}/notes/")["results"]
    tell.result(f"the note is there {sum(note['id'] == batch[1]['id'] for note in notes)} time")


def _be_woken(tell: Narrator, copy: Copy, other: Extension, email: str, password: str, contact: dict) -> None:
    tell.step("A second computer logs in. The first one listens, while the second one writes a note.")
    other.register()
    other.log_in(email, password)
    with copy.extension.listening() as wait_for:
        copy.pull()
        began = time.monotonic()
        other.api("POST", f"/contacts/{contact['id']}/notes/", json={"text": "Written on the other computer."})
        wait_for("changed")
        woken = time.monotonic()
        notes = [change["document"]["text"] for change in copy.pull() if change["kind"] == "note"]
    tell.result(
        f"woken after {(woken - began) * 1000:.0f} ms; the pull brings: {', '.join(f'“{text}”' for text in notes)}"
    )
