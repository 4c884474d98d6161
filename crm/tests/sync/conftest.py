"""A plan without a rate, and the cursor that suites of synchronisation have to find out."""

import pytest

from crm.services.sync import pulling

STATEMENTS = (pulling._glance, pulling._changed_keys, pulling._start, pulling._rows)


@pytest.fixture
def roomy(monkeypatch):
    """Histories ask more often than a plan allows in a minute."""
    monkeypatch.setattr("accounts.throttles.PlanThrottle.limit", lambda throttle, request: 10**9)


@pytest.fixture
def serial_cursor(monkeypatch):
    """The cursor that loses rows: whatever is visible, in the order in which it was written."""
    monkeypatch.setattr(pulling, "HORIZON", "pg_snapshot_xmax(pg_current_snapshot())")
    for statement in STATEMENTS:
        statement.cache_clear()
    yield
    for statement in STATEMENTS:
        statement.cache_clear()
