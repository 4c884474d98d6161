"""However transactions interleave, devices end with what the server has; and the same test finds a cursor that loses rows."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from crm.services.sync import pulling
from crm.tests.sync.histories import Diverged, History

pytestmark = pytest.mark.django_db(transaction=True)

SETTINGS = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
STATEMENTS = (pulling._changed_keys, pulling._start, pulling._rows)


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


def test_devices_end_with_what_the_server_has(roomy):
    run_state_machine_as_test(History, settings=SETTINGS)


def test_finds_that_serial_cursor_loses_rows(roomy, serial_cursor):
    """Positive control: the same histories, read by the order of writing, end differently."""
    with pytest.raises(Diverged):
        run_state_machine_as_test(History, settings=settings(SETTINGS, max_examples=300, phases=[Phase.generate]))
