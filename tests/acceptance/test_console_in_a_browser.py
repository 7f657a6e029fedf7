"""The console in a real browser: what it looks like to people, to keyboards and to those who do not see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from actum.console import console
from actum.http.serving import Serving
from tests.browser import BROWSERS, PATIENCE, axe, complaining, looking, opened, violations
from tests.unit.cli.bank import Deposit
from tests.unit.console.street import PASSWORD, STORY, Street, build, open_street, owned
from tests.unit.history.wealth import Moved, wealth

PAGES = (
    "/live",
    "/search?q=loyer",
    "/search?q=nothing-like-it",
    "/things",
    "/bank/things/Balance",
    "/bank/things/Balance/A-1",
    "/bank/things/Balance/A-1?at=1",
    f"/bank/things/Balance/{quote('A/2 é', safe='')}",
    "/wealth/compare/Assets/C-1?from=1&to=2",
    "/wealth/explain/Assets/C-1/total",
    "/views",
    "/wealth/views/Assets",
    "/parked",
    "/processes",
    "/map?off=bank/projections",
    "/bank/events/3",
    f"/stories/{STORY}",
    "/looks",
    "/login",
    "/nothing",
)


OWN_PAGE = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Ma banque</title>
<script type="module" src="/console/static/explain-cell.js"></script></head><body><main><h1>Total</h1>
<p>-58 477,89 € <explain-cell src="/console/wealth/explain/Assets/C-1/total"></explain-cell></p></main></body></html>"""


@pytest.fixture(scope="module", params=BROWSERS)
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    with opened(request.param) as browser:
        yield browser


class _Site:
    """A console at /console, beside a page of somebody's own."""

    secured = False

    def __init__(self, street: Street) -> None:
        self.console = console(street.contexts, name="street", older={"wealth": wealth})
        own = Route("/", lambda _: HTMLResponse(OWN_PAGE))
        self._app = Starlette(routes=[Mount("/console", self.console), own])

    async def stop(self) -> None:
        await self.console.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("street")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def street(folder: Path) -> Iterator[Street]:
    with open_street(folder, mended=True) as street:
        yield street


@pytest.fixture(scope="module")
def url(street: Street) -> Iterator[str]:
    with Serving(_Site(street)) as serving:
        yield serving.url


@pytest.fixture(scope="module")
def secured(street: Street, folder: Path) -> Iterator[str]:
    """The same console, which wants to know who looks."""
    security = owned(folder)
    shown = console(street.contexts, name="street", security=security, older={"wealth": wealth})
    with Serving(shown) as serving:
        yield serving.url


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with looking(browser, f"{url}/console/") as context:
        page = context.new_page()
        complaints = complaining(page)
        yield page
        assert complaints == []


def at(page: Page, address: str) -> Page:
    """Go there."""
    page.goto(address.removeprefix("/"))
    return page


def judged(page: Page) -> dict[str, list[str]]:
    """What is wrong with a page in either theme; contrast is all that a theme changes."""
    page.emulate_media(color_scheme="light")
    found = {f"{page.url}, light": violations(page)}
    page.emulate_media(color_scheme="dark")
    found[f"{page.url}, dark"] = violations(page, "rule", ["color-contrast"])
    return {where: wrong for where, wrong in found.items() if wrong}


def log_in(page: Page) -> None:
    """Past the login, which does not fit together at first."""
    for password in ("guessed", PASSWORD):
        page.locator("#user").fill("zoe")
        page.locator("#password").fill(password)
        page.locator("button.main").click()
        if password != PASSWORD:
            expect(page.get_by_role("alert")).to_be_visible(timeout=PATIENCE)
            assert judged(page) == {}
    expect(page.locator("header .who")).to_have_text("zoe", timeout=PATIENCE)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_is_accessible_in_both_themes_and_nothing_is_blocked_or_fails(
    browser: Browser, url: str, secured: str, language: str
):
    """As somebody who has logged in sees them: there is more on each than others see."""
    found: dict[str, list[str]] = {}
    with looking(browser, f"{url}/console/", language=language) as context:
        context.add_init_script(axe())
        page = context.new_page()
        complaints = complaining(page)
        for address in ("/live", "/looks"):
            found |= judged(at(page, address))
    with looking(browser, f"{secured}/", language=language) as context:
        context.add_init_script(axe())
        page = context.new_page()
        log_in(at(page, "/login"))
        heard = complaining(page)
        for address in PAGES:
            at(page, address)
            assert page.locator("html").get_attribute("lang") == language
            found |= judged(page)
        assert "zoe" in at(page, "/looks").locator("main").inner_text()
    assert (found, complaints, heard) == ({}, [], [])


def test_an_event_appears_the_moment_it_is_recorded(page: Page, street: Street):
    at(page, "/live?q=account:A-1")
    with page.expect_response("**/live/feed**"):
        page.reload()
    street.bank.execute(Deposit(account="A-1", amount=Decimal("0.77")))
    expect(page.locator("#rows tr").first).to_contain_text("0.77", timeout=PATIENCE)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_have_attribute("aria-pressed", "true")
    street.bank.execute(Deposit(account="A-1", amount=Decimal("0.88")))
    expect(page.locator("#news")).to_contain_text("new event", timeout=PATIENCE)
    expect(page.locator("#rows tr").first).to_contain_text("0.77")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#rows tr").first).to_contain_text("0.88", timeout=PATIENCE)


def test_everything_is_reached_by_keys(page: Page):
    at(page, "/search?q=type:Opened")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Opened")
    page.keyboard.press("/")
    page.keyboard.type("loyer g m ?")
    expect(page.get_by_label("Search events")).to_have_value("loyer g m ?")
    page.get_by_label("Search events").press("Escape")
    page.locator("main").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("v")
    expect(page.get_by_role("heading", level=1)).to_have_text("Projections")
    page.keyboard.press("?")
    page.get_by_label("do without keys of one letter").check()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page.get_by_role("heading", level=1)).to_have_text("Projections")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_count(1)


def test_a_life_is_scrubbed_through_event_by_event(page: Page):
    at(page, "/bank/things/Balance/A-1?at=3")
    expect(page.locator("#state + .wide")).to_contain_text("1,234.50")
    page.keyboard.press(",")
    expect(page.locator(".title")).to_contain_text("the past")
    expect(page.locator("#state + .wide")).not_to_contain_text("1,234.50")
    page.keyboard.press(".")
    expect(page.locator("#state + .wide")).to_contain_text("1,234.50")
    page.get_by_label("Its life, event by event").press("Home")
    expect(page.locator("#state + .wide")).not_to_contain_text("1,234.50")


def test_charts_are_drawn_and_lead_to_their_events(page: Page, street: Street):
    street.wealth.append(*(Moved(customer="C-9", amount=Decimal(number)) for number in range(5)))
    at(page, "/wealth/things/Assets/C-9")
    over = page.locator(".chart .u-over")
    box = over.bounding_box()
    assert box is not None
    over.click(position={"x": box["width"] - 2, "y": box["height"] / 2})
    expect(page.get_by_role("heading", level=1)).to_have_text("Moved")
    at(page, "/live?span=1h")
    page.get_by_text("As a table").click()
    page.locator(".chart tbody a").first.click()
    expect(page.locator("#q")).to_have_value(re.compile("^after:.* before:"))


def test_a_page_of_ones_own_explains_its_figure(page: Page, url: str):
    page.add_init_script(axe())
    page.goto(url)
    page.get_by_role("button", name="Pourquoi").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("La table montre pourtant")
    expect(dialog).to_contain_text("PEA")
    assert violations(page) == []
    dialog.get_by_role("button", name="Fermer").click()
    expect(dialog).to_be_hidden()


def test_what_is_chosen_is_kept(page: Page):
    at(page, "/views")
    page.get_by_role("button", name="Français").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Projections")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.get_by_role("button", name="Thème").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Thème").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


def test_without_scripts_every_page_is_whole(browser: Browser, url: str):
    with browser.new_context(base_url=f"{url}/console/", java_script_enabled=False, locale="en") as context:
        page = context.new_page()
        at(page, "/bank/things/Balance")
        page.get_by_role("link", name="Why is balance").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("balance")
        page.get_by_label("Search events").fill("loyer")
        page.get_by_label("Search events").press("Enter")
        expect(page.locator(".events tbody tr")).to_have_count(1)


def test_a_wrong_total_is_found_mended_compared_and_switched_to_by_buttons(browser: Browser, page: Page):
    page.add_init_script(axe())
    at(page, "/wealth/things/Assets")
    page.get_by_role("link", name="Why is total").first.click()
    expect(page.locator("main")).to_contain_text("The table shows -58,477.89 instead")
    at(page, "/wealth/views/Assets")
    page.get_by_role("button", name="Build beside").click()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("main")).to_contain_text("-44,658.07")
    assert judged(page) == {}
    with looking(browser, page.url, language="fr") as context:
        context.add_init_script(axe())
        french = context.new_page()
        french.goto(page.url)
        expect(french.locator("html")).to_have_attribute("lang", "fr")
        assert judged(french) == {}
    page.get_by_label("Why").first.fill("the PEA is added")
    page.get_by_role("button", name="Switch to what was compared").click()
    expect(page.locator("main")).not_to_contain_text("another definition")
    at(page, "/wealth/things/Assets")
    expect(page.locator("main")).to_contain_text("-44,658.07")
