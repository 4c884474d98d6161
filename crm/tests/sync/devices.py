"""A device as docs/sync.md asks for it: rows as dicts, a queue of changes, answers that get lost."""

from dataclasses import dataclass, field

from rest_framework.test import APIClient

SYNC = "/api/v1/sync/"


class AnswerLost(Exception):
    """The server did its work, and the device never heard of it."""


@dataclass
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

    def of(self, kind: str) -> dict[str, dict]:
        """The rows of a kind by id."""
        return {row_id: row for (name, row_id), row in self.rows.items() if name == kind}
