"""The same real browser as for the pages of accounts, and Alice at it."""

import pytest

from accounts.tests.browser.conftest import chromium_path, visit
from conftest import PASSWORD

__all__ = ["chromium_path", "page", "visit"]


@pytest.fixture
def page(visit, alice, acme):
    visitor = visit()
    visitor.log_in(alice, PASSWORD)
    return visitor.page
