"""A clock that stands until a test moves it, and requests of reminders in one line each."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts import actors
from crm.models import Contact
from crm.services.contacts import create_contact


class Clock:
    """The time of a test: noon in UTC on Monday, 1 June 2026, until it is moved."""

    def __init__(self):
        self.now = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta) -> datetime:
        self.now += timedelta(**delta)
        return self.now


@pytest.fixture
def clock(monkeypatch, settings) -> Clock:
    """Replaces the time of day everywhere; tokens live long enough for a test to travel."""
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    settings.ACCESS_TOKEN_LIFE = settings.REFRESH_TOKEN_TOTAL_LIFE = timedelta(days=3650)
    return clock


@pytest.fixture
def ana(acme, alice) -> Contact:
    """A contact of Acme."""
    return make_contact(acme, alice, "Ana")


def make_contact(workspace, person, name: str) -> Contact:
    return create_contact(workspace=workspace, actor=actors.person(person), source="person", identities=[], name=name)[
        0
    ]
