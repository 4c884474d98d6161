"""However transactions interleave, devices end with what the server has; and the same test finds a cursor that loses rows."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from crm.tests.sync.histories import Diverged, History

pytestmark = pytest.mark.django_db(transaction=True)

SETTINGS = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


def test_devices_end_with_what_the_server_has(roomy):
    run_state_machine_as_test(History, settings=SETTINGS)


def test_finds_that_serial_cursor_loses_rows(roomy, serial_cursor):
    """Positive control: the same histories, read by the order of writing, end differently."""
    with pytest.raises(Diverged):
        run_state_machine_as_test(History, settings=settings(SETTINGS, max_examples=300, phases=[Phase.generate]))
