"""Loaded by pytest before the settings: tests run in an environment of their own.

Workers of one run have a database server each: an open transaction anywhere on
a server holds back what devices may read (docs/adr/0010-change-stamps.md), so
on a common one the tests of one worker would wait for those of the other.
And each run has a folder of its own for temporary files, because pytest closes
the common one to everybody but its own user at each start, and with it the way
to the databases of a run that goes on beside.
"""

import contextlib
import os
import tempfile

from waplus.local.throwaway import throwaway_cluster

os.environ["WAPLUS_ENV"] = "test"
os.environ.pop("CACHE_URL", None)

_servers = contextlib.ExitStack()
if "PYTEST_XDIST_WORKER" not in os.environ:
    _folder = tempfile.TemporaryDirectory(prefix="waplus-tests-", ignore_cleanup_errors=True)
    os.environ["PYTEST_DEBUG_TEMPROOT"] = _servers.enter_context(_folder)
if os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0" and not os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = _servers.enter_context(throwaway_cluster()).url()


def pytest_unconfigure(config):
    _servers.close()
