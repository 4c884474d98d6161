"""However transactions interleave, devices end with what the server has; and the same comparison finds a cursor that loses rows."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from crm.tests.sync.histories import Diverged, History

pytestmark = pytest.mark.django_db(transaction=True)

SETTINGS = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


def late_commit() -> History:
    """A device pulls while a transaction that began before the newest one is still open; then it commits."""
    history = History()
    history.found_workspace(limit=1000)
    history.add_contact(writer=0, name="Ana")
    history.add_contact(writer=1, name="Bea")
    history.commit(writer=1)
    history.pull(device=0)
    history.commit(writer=0)
    return history


def test_devices_end_with_what_the_server_has(roomy):
    run_state_machine_as_test(History, settings=SETTINGS)


def test_device_gets_what_was_committed_late(roomy):
    late_commit().teardown()


def test_finds_that_serial_cursor_loses_rows(roomy, serial_cursor):
    """Positive control: the same history, read by the order of writing, ends differently."""
    with pytest.raises(Diverged):
        late_commit().teardown()
