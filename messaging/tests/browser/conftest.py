"""The same real browser as for the pages of accounts."""

from accounts.tests.browser.conftest import chromium_path, visit

__all__ = ["chromium_path", "visit"]
