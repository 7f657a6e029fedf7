"""A real browser for tests, and who looks into it: Debian's chromium, driven by Playwright, with axe at hand."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

BROWSERS = [path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path][:1]
"""Where there is one; `@pytest.fixture(params=BROWSERS)` has no test where there is none, which on a CI is a failure."""

if not BROWSERS and os.environ.get("CI") == "true":
    raise AssertionError("expected chromium, found none; on Debian: apt-get install chromium")

PATIENCE = 30_000
"""Milliseconds that a page may take; it takes some tens."""

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""What axe holds a page to."""


@contextmanager
def opened(path: str) -> Iterator[Browser]:
    """The browser there, for the time of a `with` block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def looking(
    browser: Browser,
    base: str,
    *,
    language: str = "en",
    theme: Literal["light", "dark"] = "light",
    width: int = 1280,
    fingers: bool = False,
) -> BrowserContext:
    """Somebody with that language, theme and width of screen, to whom addresses are below `base`; or with a telephone."""
    context = browser.new_context(
        base_url=base,
        locale=language,
        color_scheme=theme,
        viewport={"width": width, "height": 900},
        is_mobile=fingers,
        has_touch=fingers,
    )
    context.set_default_timeout(PATIENCE)
    return context


def complaining(page: Page) -> list[str]:
    """What the browser finds wrong with a page from now on: errors, warnings, what its policy blocks. Not that it is not there."""
    found: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "404" not in message.text:
            found.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def axe() -> str:
    """The script that finds what keeps people out: `context.add_init_script(axe())`."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def violations(page: Page, kind: Literal["tag", "rule"] = "tag", values: list[str] = STANDARDS) -> list[str]:
    """What axe finds wrong, each with some of the places."""
    told = "found.violations.map(each => `${each.id}: ${each.nodes.map(node => node.html).slice(0, 3)}`)"
    found: list[str] = page.evaluate(
        f"axe.run({{runOnly: {{type: '{kind}', values: {values}}}}}).then(found => {told})"
    )
    return found


_SIDEWAYS = """() => [document.documentElement, ...document.querySelectorAll('main *')]
    .filter(each => each === document.documentElement || ['auto', 'scroll'].includes(getComputedStyle(each).overflowX))
    .filter(each => each.scrollWidth > each.clientWidth + 1)
    .map(each => `${each.tagName} ${each.className}: ${each.scrollWidth} in ${each.clientWidth}`)"""


def sideways(page: Page) -> list[str]:
    """What of a page is wider than there is room for, so that it scrolls sideways: the page itself, or a frame in it."""
    found: list[str] = page.evaluate(_SIDEWAYS)
    return found
