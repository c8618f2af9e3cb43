"""A real, headless Chromium for the tests that look at a page, and what a page did in it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
SKIPPED = "no Chromium here; on Debian, as root: apt-get install chromium"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),  # root has no sandbox
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@dataclass
class Seen:
    """What a page did while it was watched."""

    errors: list[str] = field(default_factory=list)
    """Uncaught errors of its scripts, and what the console calls one."""
    requests: list[str] = field(default_factory=list)
    """All that it asked for, itself included."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium with an empty profile; the test is skipped where there is none."""
    found = subprocess.run([ROOT / ".ci/chromium.sh", "--path"], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(SKIPPED)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found.stdout.strip(), args=list(FLAGS))
        yield browser
        browser.close()


def watch(page: Page) -> Seen:
    """What the page does from now on."""
    seen = Seen()
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("console", lambda said: seen.errors.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: seen.requests.append(request.url))
    return seen
