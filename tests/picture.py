"""A picture of a page, as the documents have them.

python -m tests.picture file:///path/page.html docs/report.png --from '#section-3' --width 1180
"""

import argparse
from pathlib import Path

from tests.browser import chromium


def take(address: str, out: Path, selector: str, width: int, height: int) -> None:
    """Save what `selector` shows of the page, in light, as PNG."""
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
        tab.goto(address)
        tab.evaluate("selector => document.querySelector(selector).scrollIntoView()", selector)
        tab.screenshot(path=out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("address")
    parser.add_argument("out", type=Path)
    parser.add_argument("--from", dest="selector", default="body", help="CSS selector of what stands on top")
    parser.add_argument("--width", type=int, default=1180)
    parser.add_argument("--height", type=int, default=1000)
    given = parser.parse_args()
    take(given.address, given.out, given.selector, given.width, given.height)
