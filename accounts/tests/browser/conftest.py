"""A real browser for the tests of pages."""

import os
import re
import shutil

import pytest
from django.core.cache import cache
from django.db import connections
from playwright.sync_api import sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 375, "height": 740}}


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where Chromium is; where there is none the tests are skipped, or fail if real parts are required."""
    path = os.environ.get("WAPLUS_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("WAPLUS_REQUIRE_REAL_PARTS"):
            pytest.fail("There is no Chromium: set WAPLUS_CHROMIUM.")
        pytest.skip("There is no Chromium: set WAPLUS_CHROMIUM.")
    return path


class Visitor:
    """One person at one browser, who writes down everything that the console complains about."""

    def __init__(self, browser, base_url: str, **context):
        self.context = browser.new_context(base_url=base_url, locale="en-US", **context)
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self._note("error", str(error)))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{self.page.url}: {text}")

    def open(self, path: str) -> None:
        self.page.goto(path, wait_until="load")

    def log_in(self, user, password: str) -> None:
        self.open("/accounts/login/")
        self.page.get_by_label("Email").fill(user.email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in", exact=True).click()
        self.page.wait_for_url("**/home/")

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture
def visit(chromium_path, live_server, monkeypatch):
    """Make a `Visitor`: `visit("narrow", color_scheme="dark")`. Complaints of the console fail the test at its end.

    Playwright runs an event loop in this thread for as long as it is started. Django
    then gives the thread a database connection of its own, and would refuse to use
    it; so Playwright lives no longer than a test, and that connection ends with it.
    """
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    visitors = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)

        def make(size: str = "wide", **context) -> Visitor:
            visitor = Visitor(browser, live_server.url, viewport=SIZES[size], **context)
            visitors.append(visitor)
            return visitor

        yield make
        complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
        browser.close()
        connections.close_all()
    cache.clear()
    assert complaints == []


def code_in(message) -> str:
    """The code of a message, which stands alone on an indented line."""
    return re.search(r"^    (\S+)$", message.body, re.MULTILINE)[1]
