import pytest

from waplus.wakeups.tests.channel import running


@pytest.fixture(scope="module")
def channel(django_db_setup, tmp_path_factory):
    """The channel's process, one for all tests of a module."""
    with running(tmp_path_factory.mktemp("wakeups")) as channel:
        yield channel
