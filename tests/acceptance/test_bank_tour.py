"""The guided tour in a real browser, over a bank whose services are processes: on files, and on a PostgreSQL server.

With `TOUR_PICTURES=folder` it leaves the pictures of the documentation there.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from actum.http.client import Client
from demos.bank.accounts import Accounts, accounts
from tests.browser import BROWSERS, axe, complaining, looking, opened, sideways, violations
from tests.house import ROOT

SECONDS = 60
PATIENT = SECONDS * 1000
PICTURES = os.environ.get("TOUR_PICTURES")
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SPACES = re.compile(r"[\u00a0\u202f]")


@contextmanager
def open_bank(folder: Path, store: str) -> Iterator[str]:
    """The bank as `make demo` opens it, on a free port; the address of its page."""
    command = [sys.executable, "-m", "demos.bank", "--port", "0", "--data", os.fspath(folder), "--store", store]
    bank = subprocess.Popen(
        [*command, "--rate", "3", "--for", "600", "--quiet"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert bank.stdout is not None
    try:
        address = next(
            found[0] for line in bank.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)) is not None
        )
        yield address
    finally:
        bank.send_signal(signal.SIGINT)
        rest = bank.stdout.read()
        assert bank.wait(timeout=SECONDS) == 0, rest
        bank.stdout.close()


@pytest.fixture(scope="module", params=BROWSERS)
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    with opened(request.param) as browser:
        yield browser


class Visitor:
    """Somebody in front of the page."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.address = address
        context = looking(browser, address, language="fr-FR")
        context.set_default_timeout(PATIENT)
        context.add_init_script(axe())
        self.page: Page = context.new_page()
        self.wrong = complaining(self.page)

    def at(self, step: int) -> None:
        self.page.goto(f"/?step={step}")

    def press(self, id: str) -> None:
        """A button of the tour, and what came of it."""
        self.page.click(f"#{id}")
        self.page.wait_for_load_state("load")
        assert self.page.locator(".said").count() == 0, self.page.locator(".said").all_inner_texts()

    def figures(self) -> tuple[str, str, str]:
        columns = ("total", "current_account", "pea")
        found = [self.page.locator(f'[data-column="{column}"]').inner_text() for column in columns]
        total, current, pea = (SPACES.sub(" ", text) for text in found)
        return total, current, pea

    def switch(self, verb: str, piece: str) -> None:
        """Stop or start a service."""
        self.page.click(f'[data-piece="{piece}"] button')
        state = "off" if verb == "stop" else "on"
        expect(self.page.locator(f'[data-piece="{piece}"]')).to_have_class(state, timeout=PATIENT)

    def keeps_nobody_out(self) -> None:
        """What axe finds in either theme, also on a telephone: nothing; and nothing scrolls sideways.

        It styles what it looks at, which the page's policy blocks.
        """
        heard, before = len(self.wrong), self.page.viewport_size
        assert before is not None
        for theme, width in zip(THEMES, (390, 1200), strict=True):
            self.page.emulate_media(color_scheme=theme)
            self.page.set_viewport_size({"width": width, "height": 900})
            assert violations(self.page) == []
            assert sideways(self.page) == []
        del self.wrong[heard:]
        self.page.set_viewport_size(before)
        self.page.emulate_media(color_scheme="light")

    def picture(self, name: str) -> None:
        """For the documentation, in both themes."""
        if PICTURES is None:
            return
        for theme in THEMES:
            self.page.emulate_media(color_scheme=theme)
            self.page.screenshot(path=Path(PICTURES) / f"{name}-{theme}.png")
        self.page.emulate_media(color_scheme="light")


def all_is_heard_once(address: str) -> None:
    """What the assets show of each current account is what the accounts say, once nothing is on its way."""
    with Client(f"{address}/accounts", accounts) as there:
        balances = {row.customer: row.balance for row in there.ask(Accounts(count=50))}
    shown = httpx2.get(f"{address}/assets/views/Assets").json()["rows"]
    assert len(balances) == 13
    assert {row["customer"]: str(balances[row["customer"]]) for row in shown} == {
        row["customer"]: row["current_account"] for row in shown
    }


BEFORE = ("-58 477,89 €", "-51 567,98 €", "6 909,91 €")
AFTER = ("-44 658,07 €", "-51 567,98 €", "6 909,91 €")


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgres", marks=pytest.mark.soak)])
def test_the_whole_tour_works_in_a_browser(store: str, browser: Browser, tmp_path: Path):
    with open_bank(tmp_path / "bank", store) as address:
        visitor = Visitor(browser, address)
        page = visitor.page
        visitor.at(1)
        assert visitor.figures() == BEFORE
        expect(page.locator("#live li.fresh")).not_to_have_count(0, timeout=PATIENT)
        visitor.keeps_nobody_out()
        visitor.picture("page")
        in_english(visitor)

        page.click("#next")
        explained(visitor)

        visitor.at(3)
        visitor.press("build")
        expect(page.locator("#built")).to_be_visible()
        assert visitor.figures() == BEFORE
        page.click("#next")
        visitor.press("compare")
        row = SPACES.sub(" ", page.locator(".apart tr", has_text="C-0001").inner_text())
        assert "-58 477,89 €" in row
        assert "-44 658,07 €" in row
        visitor.keeps_nobody_out()
        visitor.picture("compare")
        page.click("#next")
        visitor.press("switch")
        expect(page.locator("#switched")).to_be_visible()
        assert visitor.figures() == AFTER
        if store == "postgres":
            visitor.press("go_back")
            assert visitor.figures() == BEFORE
            visitor.press("switch")
            assert visitor.figures() == AFTER

        page.click("#next")
        visitor.press("delete")
        digests = page.locator("#restored code").all_inner_texts()
        assert digests[0] == digests[-1]
        assert visitor.figures() == AFTER

        page.click("#next")
        switched_off(visitor)
        # What is off cannot be loaded; nothing else may be wrong.
        assert [one for one in visitor.wrong if "Failed to load resource" not in one] == []


def explained(visitor: Visitor) -> None:
    """The figure's own ⓘ, and the console's page of it."""
    page = visitor.page
    formula = re.compile(r"compte courant\s*−\s*PEA")
    page.click("#explain")
    expect(page.locator(".total explain-cell dialog")).to_contain_text(formula, timeout=PATIENT)
    visitor.picture("explain")
    page.locator(".total explain-cell dialog .close").click()
    page.click("#in-console")
    expect(page.locator("main")).to_contain_text(formula)
    expect(page.locator("main")).to_contain_text("notaire")
    page.click('a[href="/?step=2"]')
    expect(page.locator("#explain")).to_be_visible()


def in_english(visitor: Visitor) -> None:
    """The other language, and everybody."""
    page = visitor.page
    page.click("#language")
    assert visitor.figures() == ("-€58,477.89", "-€51,567.98", "€6,909.91")
    page.click('nav a[href="/customers"]')
    expect(page.locator(".customers tbody tr, .customers tr:has(td)")).to_have_count(13)
    visitor.keeps_nobody_out()
    page.click("#language")
    visitor.at(1)


def switched_off(visitor: Visitor) -> None:
    """Each service off and on again: what works, what is refused, and nothing lost."""
    page = visitor.page
    visitor.switch("stop", "accounts/commands")
    expect(page.locator(".consequences")).to_contain_text("/accounts/commands")
    visitor.keeps_nobody_out()
    visitor.picture("services")
    page.click('button[value="in"]')
    expect(page.locator(".said")).to_contain_text("arrêté")
    assert visitor.figures() == AFTER
    visitor.at(7)
    visitor.switch("start", "accounts/commands")
    for piece in ("accounts/queries", "assets/processes", "assets/projections"):
        visitor.switch("stop", piece)
    page.click('button[value="in"]')
    expect(page.locator(".said")).to_contain_text("C'est fait")
    assert visitor.figures() == AFTER, "nothing new is heard"
    visitor.at(7)
    visitor.switch("stop", "assets/queries")
    visitor.at(7)
    expect(page.locator(".away")).to_be_visible()
    for piece in ("assets/queries", "assets/projections", "assets/processes", "accounts/queries"):
        visitor.switch("start", piece)
    visitor.at(1)
    expect(page.locator('[data-column="current_account"]')).to_have_text(re.compile(r"-51.557,98"), timeout=PATIENT)
    eventually(lambda: all_is_heard_once(visitor.address))


def eventually(check: Any) -> None:
    """It holds at some moment: events come and go meanwhile."""
    ends = time.monotonic() + SECONDS
    while True:
        try:
            return check()
        except (AssertionError, KeyError):
            if time.monotonic() > ends:
                raise


@pytest.mark.soak
def test_where_nobody_sits_the_terminal_tells_what_the_page_would_show():
    command = [sys.executable, "-m", "demos.bank", "--port", "0", "--for", "45"]
    told = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert told.returncode == 0, told.stdout + told.stderr
    assert re.search(
        r"^\d\d:\d\d:\d\d\.\d{3} +accounts +\d+ AccountOpened +.+ ouvre un compte$", told.stdout, re.MULTILINE
    )
    assert re.search(r"placements +\d+ PlanOpened +.+ opens a savings plan$", told.stdout, re.MULTILINE)
    assert SPACES.sub(" ", told.stdout).count("-58 477,89 €") == 1
    before, after = re.findall(r"^digest (?:before|after) .+ (\S{32})…$", told.stdout, re.MULTILINE)
    assert before == after
    assert "deleted · supprimé                assets.views.db\n" in told.stdout
    assert re.search(r"^why not · pourquoi +insufficient funds \(balance=", told.stdout, re.MULTILINE)
    assert "nothing is left behind" in told.stdout
    assert "Traceback" not in told.stderr
