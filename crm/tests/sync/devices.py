"""A device as docs/sync.md asks for it: rows as dicts, a queue of changes, answers that get lost."""

from dataclasses import dataclass, field

from rest_framework.test import APIClient

from waplus.lib.ids import uuid7

SYNC = "/api/v1/sync/"


class AnswerLost(Exception):
    """The server did its work, and the device never heard of it."""


@dataclass(eq=False)
class Replica:
    """A device's copy of a workspace."""

    client: APIClient
    limit: int = 100
    token: str = ""
    epoch: str = ""
    rows: dict[tuple[str, str], dict] = field(default_factory=dict)
    # While a first pull runs, what it brought: only at its end does it take the place of `rows`.
    coming: dict[tuple[str, str], dict] | None = None
    starts: list[str] = field(default_factory=list)
    pages: int = 0
    # What was changed offline, from the oldest on; it leaves the queue when its outcome has arrived.
    queue: list[dict] = field(default_factory=list)
    # What became of the changes, by their ids.
    outcomes: dict[str, dict] = field(default_factory=dict)

    def ask(self, token: str):
        """One request, and its answer."""
        return self.client.get(SYNC, {"token": token, "limit": self.limit} if token else {"limit": self.limit})

    def pull_page(self) -> bool:
        """Pull one page; whether there is more at once."""
        answer = self.ask(self.token)
        if answer.status_code == 410:
            self.starts.append(answer.json()["reason"])
            self.token, self.coming = "", None
            return True
        assert answer.status_code == 200, answer.content
        page = answer.json()
        if not self.token:
            self.coming = {}
        self.take(page["changes"])
        self.token, self.epoch = page["next"], page["epoch"]
        self.pages += 1
        if self.coming is not None and not page["more"]:
            self.rows, self.coming = self.coming, None
        return page["more"]

    def take(self, changes: list[dict]) -> None:
        rows = self.rows if self.coming is None else self.coming
        for change in changes:
            key = change["kind"], change["id"]
            if change.get("deleted"):
                rows.pop(key, None)
            else:
                rows[key] = change["document"]

    def pull(self) -> "Replica":
        """Pull until up to date."""
        while self.pull_page():
            pass
        return self

    def change(self, kind: str, op: str, row_id: str | None = None, /, **members) -> str:
        """Change something offline; answers the row's id."""
        row_id = row_id or str(uuid7())
        made = {"change_id": str(uuid7()), "kind": kind, "op": op, "id": row_id}
        if op == "update":
            made |= {"epoch": self.epoch, "base_version": self.rows[kind, row_id]["version"]}
        self.queue.append({**made, "set": members} if members else made)
        return row_id

    def push(self, *, lose_answer: bool = False) -> None:
        """Send the front of the queue; a lost answer leaves it as it is, and it is sent again."""
        batch = self.queue[:4]
        if not batch:
            return
        answer = self.client.post(SYNC, {"changes": batch})
        assert answer.status_code == 200, answer.content
        if lose_answer:
            return
        for sent, result in zip(batch, answer.json()["results"], strict=True):
            assert result["change_id"] == sent["change_id"]
            if result["code"] == "unavailable":
                return
            self.outcomes[sent["change_id"]] = result
            self.queue.remove(sent)
            if result["id"] not in (None, sent["id"]):
                self._know_as(sent["id"], result["id"])

    def _know_as(self, own: str, there: str) -> None:
        """The server knows a row under another id."""
        for waiting in self.queue:
            if waiting["id"] == own:
                waiting["id"] = there
            if "set" in waiting:
                waiting["set"] = {name: there if value == own else value for name, value in waiting["set"].items()}

    def of(self, kind: str) -> dict[str, dict]:
        """The rows of a kind by id."""
        return {row_id: row for (name, row_id), row in self.rows.items() if name == kind}
