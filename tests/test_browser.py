"""The browser of the tests sees what a page does."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import watch

pytestmark = pytest.mark.slow


def test_a_script_error_and_a_request_are_seen(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<img src='http://127.0.0.1:9/pixel.png'><script>undefinedFunction()</script>")
    tab = browser.new_page()
    seen = watch(tab)
    tab.goto(page.as_uri())
    assert seen.requests == [page.as_uri(), "http://127.0.0.1:9/pixel.png"]
    assert any("undefinedFunction is not defined" in error for error in seen.errors)


def test_a_quiet_page_has_neither(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<title>quiet</title><p>Nothing happens.")
    tab = browser.new_page()
    seen = watch(tab)
    tab.goto(page.as_uri())
    assert (tab.title(), seen.errors, seen.requests) == ("quiet", [], [page.as_uri()])
