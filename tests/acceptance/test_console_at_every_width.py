"""The console on a telephone, a tablet, a small and a large screen: all of it is in sight, whatever it has to show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from actum import App, Event, Tag, View
from actum.console import console
from actum.http.serving import Serving
from demos.building.building import the_works, works
from demos.building.page import Pages
from demos.building.replay import build as construct
from tests.acceptance.test_console_in_a_browser import OWN_PAGE, PAGES
from tests.browser import BROWSERS, axe, complaining, looking, opened, sideways, violations
from tests.unit.cli.bank import Deposit, Open
from tests.unit.console.street import PASSWORD, Street, build, open_street, owned
from tests.unit.history.wealth import Moved, Valued, wealth

SIXTY = "account-of-somebody-with-a-name-of-sixty-characters-or-more-1"
SPACED = "Compte de Madame Anne-Gaëlle de la Rochefoucauld-Montesquieu"
ROGUE = '<script>alert("1")</script><img src=x onerror=alert(1)><table><tr><td style="width:9999px">'
AMOUNT = Decimal("12345678901234567890.12")
REASON = ("a reason that goes on and on, since somebody had much to say about it " * 6)[:400].strip()
UNBROKEN = "x" * 400
ACTOR = "somebody-with-a-very-long-name-at-some-department.example.org"


Thing = Annotated[str, Tag("thing-of-a-kind-that-has-a-lengthy-name")]


class SomethingThatTakesManyWordsHasHappened(Event):
    thing: Thing
    what_was_there_before: Decimal


class WhateverTakesManyColumnsToBeTold(View):
    thing: Thing
    one: Decimal = AMOUNT
    two: Decimal = AMOUNT
    three: Decimal = AMOUNT
    four: Decimal = AMOUNT
    five: Decimal = AMOUNT
    six: Decimal = AMOUNT
    seven: Decimal = AMOUNT
    eight: Decimal = AMOUNT

    def evolve(self, event: SomethingThatTakesManyWordsHasHappened) -> None:
        self.one += event.what_was_there_before


lengthy = App("a-context-of-a-lengthy-name")
lengthy.view(WhateverTakesManyColumnsToBeTold)


def key(name: str) -> str:
    return quote(name, safe="")


MOVEMENTS = (
    f"/bank/explain/Balance/{SIXTY}/balance",
    f"/wealth/explain/Assets/{SIXTY}/total?at=4",
    "/wealth/explain/Assets/C-1/total",
)
LENGTHY = (
    *MOVEMENTS,
    "/search?q=type:De*",
    f"/bank/things/Balance/{SIXTY}",
    f"/bank/things/Balance/{key(SPACED)}?at=15",
    f"/bank/things/Balance/{key(ROGUE)}",
    f"/bank/compare/Balance/{SIXTY}?from=5&to=9",
    "/bank/events/8",
    "/bank/events/9",
    "/wealth/things/Assets",
    "/a-context-of-a-lengthy-name/things/WhateverTakesManyColumnsToBeTold",
    "/search?q=type:Something*",
)


@pytest.fixture(scope="module", params=BROWSERS)
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    with opened(request.param) as browser:
        yield browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("street")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def street(folder: Path) -> Iterator[Street]:
    """With names, amounts and reasons longer than anybody has; what a page shows of them is not more than there is room for."""
    with open_street(folder) as street:
        for name in (SIXTY, SPACED, ROGUE):
            street.bank.execute(Open(account=name, owner=ROGUE), reason=ROGUE)
            for amount, reason, actor in ((AMOUNT, REASON, None), (-AMOUNT, UNBROKEN, ACTOR), (-AMOUNT, REASON, None)):
                street.bank.execute(Deposit(account=name, amount=amount), reason=reason, actor=actor)
        street.wealth.append(Moved(customer=SIXTY, amount=AMOUNT), reason=REASON)
        street.wealth.append(Valued(customer=SIXTY, value=AMOUNT), reason=UNBROKEN)
        for running in (street.bank, street.wealth):
            running.catch_up()
        yield street


@pytest.fixture(scope="module")
def url(street: Street, folder: Path) -> Iterator[str]:
    """The console as somebody sees it who may do everything."""
    security = owned(folder)
    with lengthy.open(folder / "lengthy.db", actor=ACTOR) as running:
        done = running.append(SomethingThatTakesManyWordsHasHappened(thing=SIXTY, what_was_there_before=AMOUNT))
        running.wait_for(done.position)
        contexts = {**street.contexts, lengthy.name: running}
        with Serving(console(contexts, name="street", security=security, older={"wealth": wealth})) as serving:
            yield serving.url


class _Alone:
    """A page by itself, for whoever is on this machine."""

    secured = False

    def __init__(self, app: ASGIApp, *closing: Callable[[], Awaitable[None]]) -> None:
        self._app = app
        self._closing = closing

    async def stop(self) -> None:
        for close in self._closing:
            await close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def at(page: Page, address: str) -> Page:
    page.goto(address)
    return page


def entered(page: Page) -> Page:
    """As somebody who has logged in."""
    at(page, "/login").locator("#user").fill("zoe")
    page.locator("#password").fill(PASSWORD)
    page.locator("button.main").click()
    expect(page.locator("header .who")).to_have_text("zoe")
    return page


@pytest.mark.parametrize(
    ("width", "language"), [(360, "fr"), (390, "en"), (768, "fr"), (1200, "en"), (1200, "fr"), (1920, "fr")]
)
def test_neither_a_page_nor_a_table_scrolls_sideways(browser: Browser, url: str, width: int, language: str):
    with looking(browser, url, language=language, width=width, theme="dark" if width < 1000 else "light") as context:
        page = entered(context.new_page())
        found = {address: sideways(at(page, address)) for address in (*PAGES, *LENGTHY)}
    assert {address: wide for address, wide in found.items() if wide} == {}


def out_of_sight(those: Locator, width: int) -> list[object]:
    """Which of them are not within that width."""
    boxes = [each.bounding_box() for each in those.all()]
    return [box for box in boxes if box is None or box["x"] < 0 or box["x"] + box["width"] > width]


@pytest.mark.parametrize("width", [390, 1200])
def test_the_amounts_of_movements_are_in_sight(browser: Browser, url: str, width: int):
    with looking(browser, url, width=width) as context:
        page = entered(context.new_page())
        for address in MOVEMENTS:
            amounts = at(page, address).locator(".movements td.number")
            assert amounts.count() > 2, address
            assert out_of_sight(amounts, width) == [], address


def test_a_page_keeps_nobody_out_on_a_telephone(browser: Browser, url: str):
    """As axe sees it, down to how large what a finger has to hit is."""
    found: dict[str, list[str]] = {}
    with looking(browser, url, language="fr", width=390, fingers=True) as context:
        context.add_init_script(axe())
        page = entered(context.new_page())
        complaints = complaining(page)
        for address in (*PAGES, *LENGTHY):
            found[address] = violations(at(page, address))
    assert {address: wrong for address, wrong in found.items() if wrong} == {}
    assert complaints == []


def heard(page: Page) -> tuple[Counter[str], list[str]]:
    """What whoever does not see a page hears of its tables: how many of each part, and what the columns are called."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    there = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
    parts = Counter(role for role, _ in there if role in ("table", "row", "columnheader", "rowheader", "cell"))
    return parts, [name for role, name in there if role == "columnheader"]


@pytest.mark.parametrize(
    "address", [MOVEMENTS[0], "/search?q=type:De*", "/views", "/processes", "/bank/things/Balance"]
)
def test_cards_are_a_table_to_whoever_hears_them(browser: Browser, url: str, address: str):
    told = []
    for width in (1200, 390):
        with looking(browser, url, width=width) as context:
            page = entered(context.new_page())
            told.append(heard(at(page, address)))
            assert page.locator("tr").last.evaluate("each => getComputedStyle(each).display") == (
                "flex" if width == 390 else "table-row"
            )
    assert told[0] == told[1]
    parts, columns = told[1]
    assert parts["cell"] > parts["row"] > parts["table"] > 0
    assert all(columns)


def test_what_is_shortened_is_whole_for_whoever_points_at_it_or_comes_by_keys(browser: Browser, url: str):
    """A tag, without anything moving; a reason is shortened in the table, and whole in the event's page."""
    is_cut = "each => each.scrollHeight > each.clientHeight + 4"
    whole = "each => getComputedStyle(each, '::after').content"
    with looking(browser, url, width=1200) as context:
        page = at(entered(context.new_page()), f"/search?q=account:{SIXTY}")
        tag, row = page.locator(".tags a").first, page.locator(".events tr").last
        before = row.bounding_box()
        assert tag.locator("span").evaluate(is_cut)
        assert tag.evaluate(whole) == "none"
        tag.hover()
        assert SIXTY in tag.evaluate(whole)
        page.mouse.move(0, 0)
        assert tag.evaluate(whole) == "none"
        page.locator(".when a").first.focus()
        page.keyboard.press("Tab")
        expect(tag).to_be_focused()
        assert SIXTY in tag.evaluate(whole)
        assert row.bounding_box() == before
        assert page.locator(".says q").first.inner_text().strip("“”").endswith("…")
        page.locator(".when a").first.click()
        expect(page.locator("#envelope + .wide")).to_contain_text(REASON)
    with looking(browser, url, width=390) as context:
        page = at(entered(context.new_page()), f"/search?q=account:{SIXTY}")
        assert not page.locator(".tags span").first.evaluate(is_cut)


def test_what_is_stored_stays_text_at_every_width(browser: Browser, url: str):
    with looking(browser, url, width=390) as context:
        page = entered(context.new_page())
        complaints = complaining(page)
        expect(at(page, f"/bank/things/Balance/{key(ROGUE)}").get_by_role("heading", level=1)).to_have_text(ROGUE)
        assert page.locator("img[src=x]").count() == 0
    assert complaints == []


def own_page(_: Request) -> HTMLResponse:
    return HTMLResponse(OWN_PAGE)


def test_a_figure_of_a_page_of_ones_own_is_explained_in_sight_on_a_telephone(browser: Browser, street: Street):
    """In the theme of that page, not in that of the system."""
    shown = console(street.contexts, name="street")
    own = Route("/", own_page)
    site = _Alone(Starlette(routes=[Mount("/console", shown), own]), shown.close)
    with Serving(site) as serving, looking(browser, serving.url, width=390, theme="dark") as context:
        page = at(context.new_page(), "/")
        page.get_by_role("button", name="Pourquoi").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("PEA")
        amounts = dialog.locator(".movements td.number")
        assert amounts.count() > 2
        assert out_of_sight(amounts, 390) == []
        assert dialog.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(251, 250, 247)"


def test_the_building_fits_a_telephone(browser: Browser):
    with works.open("memory:", actor="architect") as running:
        construct(running, the_works())
        with Serving(_Alone(Pages(running, None, None).app())) as serving:
            for width in (390, 768, 1200, 1920):
                with looking(browser, serving.url, width=width) as context:
                    context.add_init_script(axe())
                    page = context.new_page()
                    for address in ("/", "/?step=2", "/permits"):
                        assert sideways(at(page, address)) == [], (width, address)
                    if width == 390:
                        assert violations(at(page, "/?step=2")) == []
