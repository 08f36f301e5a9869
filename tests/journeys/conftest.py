"""A real browser: Debian's Chromium, driven by Playwright; tests that need it are skipped where there is none."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """One browser for all journeys."""
    if not CHROMIUM.exists():
        pytest.skip(f"There is no {CHROMIUM}: apt-get install chromium")
    # Playwright runs an event loop of its own in this thread, in which Django would refuse to talk to the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    contents = connection._test_serialized_contents  # type: ignore[attr-defined]  # Django's test runner leaves it there
    with sync_playwright() as playwright:
        # In that loop Django opens a connection of its own, which has to know what serialized_rollback restores.
        connection._test_serialized_contents = contents  # type: ignore[attr-defined]  # set or read at run time
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh window of somebody in Paris; whatever the page complains about fails the journey."""
    context = chromium.new_context(locale="en-GB", timezone_id="Europe/Paris", viewport={"width": 1440, "height": 900})
    window = context.new_page()
    complaints: list[str] = []
    window.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    window.on("pageerror", lambda error: complaints.append(str(error)))
    yield window
    context.close()
    assert not complaints
