"""A clock that stands until a test moves it, numbers to send from, and hints that are noted instead of sent."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Workspace
from crm.models import WhatsAppAccount
from messaging.models import QueuedMessage, SendingBudget
from waplus.lib.ids import uuid7


class Clock:
    """The time of a test: noon in UTC on a Monday, until it is moved."""

    def __init__(self):
        self.now = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch, settings) -> Clock:
    """Replaces the time of day everywhere; tokens live long enough for a test to travel."""
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    settings.ACCESS_TOKEN_LIFE = settings.REFRESH_TOKEN_TOTAL_LIFE = timedelta(days=3650)
    return clock


@pytest.fixture(autouse=True)
def hints(monkeypatch) -> list[str]:
    """Names of the tasks that the worker was told of."""
    hints = []
    monkeypatch.setattr("waplus.lib.hints._send", hints.append)
    return hints


UNLIMITED = {
    **dict.fromkeys(("spacing_seconds", "jitter_seconds"), 0),
    **dict.fromkeys(("max_per_hour", "max_per_day", "max_new_per_day", "quiet_from", "quiet_until"), None),
    "min_reply_percent": None,
}


def add_number(workspace: Workspace, digits: str) -> WhatsAppAccount:
    """A number of a workspace whose budget limits nothing; past the limit of its plan if need be."""
    number = WhatsAppAccount.objects.create(workspace=workspace, jid=f"{digits}@c.us")
    SendingBudget.objects.create(workspace=workspace, whatsapp_account=number, **UNLIMITED)
    return number


@pytest.fixture
def number(acme) -> WhatsAppAccount:
    return add_number(acme, "5511911110001")


@pytest.fixture
def second_number(acme) -> WhatsAppAccount:
    return add_number(acme, "5511911110002")


@pytest.fixture
def foreign_number(other) -> WhatsAppAccount:
    return add_number(other, "4915112340001")


@pytest.fixture
def put(acme, number, alice, clock):
    """A message of the queue, due in so many minutes."""

    def put(state="queued", minutes=0.0, *, account=number, **values) -> QueuedMessage:
        due_at = clock() + timedelta(minutes=minutes)
        defaults = {
            "source": "direct",
            "origin_id": uuid7(),
            "occurrence_at": due_at,
            "chat_jid": "5511987654321@c.us",
            "body": "Olá <b>",
            "message_id": "3EB0" + uuid7().hex[-18:].upper(),
            "created_by": alice,
            "due_at": due_at,
            "not_before": due_at,
            "expires_at": due_at + timedelta(hours=1),
            "queued_at": clock(),
            "fence": 0 if state in ("queued", "late") else 1,
            "claimed_at": None if state in ("queued", "late") else due_at,
            "lease_until": due_at + timedelta(minutes=1) if state in ("leased", "sending") else None,
            "sent_at": due_at if state in ("sent", "delivered", "read", "played") else None,
        }
        return QueuedMessage.objects.create(
            workspace=account.workspace, whatsapp_account=account, state=state, **defaults | values
        )

    return put
