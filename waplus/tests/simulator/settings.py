"""The settings of tests from end to end, with faults at every commit, and tokens that outlive a run."""

from datetime import timedelta

from waplus.tests.end_to_end.settings import *  # noqa: F403
from waplus.tests.simulator import server_faults

ACCESS_TOKEN_LIFE = timedelta(hours=12)
CONN_MAX_AGE = 60

server_faults.install()
