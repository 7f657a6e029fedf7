"""The bank where its door asks who is there: its page lets nobody in by itself, and asks for whoever asks it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import msgspec
import pytest

from actum.host.piece import Around
from actum.host.secured import Secured
from actum.host.whole import opened, paged, whole
from actum.http.access import Accessed, access
from actum.http.client import Client
from actum.http.serving import Serving
from actum.service.system import System
from demos.bank.accounts import Deposited, accounts
from demos.bank.assets import assets_of
from demos.bank.entrance import SECURITY, Keys, let_in
from demos.bank.people import camille
from demos.bank.placements import placements


class House:
    """The bank in this process, with Camille's year in it, given by the counter for her."""

    def __init__(self, url: str, keys: Keys, folder: Path) -> None:
        self.url = url
        self.keys = keys
        self.folder = folder

    @contextmanager
    def visitor(self, name: str) -> Iterator[httpx2.Client]:
        with httpx2.Client(base_url=self.url, timeout=60) as browser:
            login = {"user": name, "password": self.keys.passwords[name], "back": "/?step=2"}
            entered = browser.post("/console/login", data=login)
            assert (entered.status_code, entered.headers["location"]) == (303, "/?step=2")
            yield browser


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    let_in(tmp_path)
    keys = let_in(tmp_path)
    system = System("bank", accounts, placements, assets_of(1), page="demos.bank.page:page")
    around = Around(
        system=system, places=system.places(tmp_path), security=Secured(SECURITY).load(data=tmp_path), data=tmp_path
    )
    with ExitStack() as stack:
        contexts = stack.enter_context(opened(system, around))
        served = whole(system, contexts, around, admits=around.admission)
        serving = Serving(served)
        paged(served, msgspec.structs.replace(around, gateway=serving.url))
        stack.enter_context(serving)
        for app in (accounts, placements):
            with Client(f"{serving.url}/{app.name}", app, token=keys.counter) as counter:
                for wish in camille():
                    if wish.context == app.name:
                        counter.execute(wish.command, on_behalf_of=wish.actor, reason=wish.reason)
        contexts["assets"].listen({name: contexts[name] for name in ("accounts", "placements")}).catch_up()
        contexts["assets"].wait_for(contexts["assets"].head())
        yield House(serving.url, keys, tmp_path)


def csrf_of(page: str) -> str:
    return page.partition('name="csrf" value="')[2].partition('"')[0]


def test_nobody_sees_the_page_who_did_not_say_who_they_are(house: House):
    with httpx2.Client(base_url=house.url) as nobody:
        for address in ("/", "/customers", "/customers/C-0001/figures", "/tour/services", "/?step=7"):
            sent = nobody.get(address)
            assert sent.status_code == 303
            assert sent.headers["location"].startswith("/console/login?back=%2F")
            assert "Camille" not in sent.text
        assert nobody.get("/static/bank.css").status_code == 200
        for address in ("/tour/build", "/customers/C-0001/pay"):
            assert nobody.post(address, data={"amount": "1"}).headers["location"].startswith("/console/login")


def test_a_guest_looks_and_changes_nothing(house: House):
    with house.visitor("guest") as guest:
        shown = guest.get("/")
        assert "-58\xa0477,89\xa0€" in shown.text
        assert "Camille" in guest.get("/customers").text
        form = {"csrf": csrf_of(shown.text), "way": "in", "amount": "10,00"}
        for address, needed in (
            ("/customers/C-0001/pay", "commands:Deposit"),
            ("/tour/build", "console:operate"),
            ("/tour/stop", "console:control"),
        ):
            said = guest.get(guest.post(address, data=form).headers["location"])
            assert f"il faut {needed}" in said.text


def test_the_guide_does_what_the_tour_has_and_it_is_on_record_that_it_was_them(house: House):
    with house.visitor("guide") as guide:
        form = {"csrf": csrf_of(guide.get("/").text), "way": "in", "amount": "10,00"}
        assert guide.post("/customers/C-0001/pay", data=form | {"csrf": "forged"}).headers["location"].count("csrf")
        assert "événement n°" in guide.get(guide.post("/customers/C-0001/pay", data=form).headers["location"]).text
        guide.post("/tour/build", data=form)
        assert 'id="built"' in guide.get("/?step=3").text
        assert "said" not in guide.post("/tour/switch", data=form).headers["location"]
    with Client(f"{house.url}/accounts", accounts, token=house.keys.counter) as counter:
        (paid,) = (event for event in counter.newest(limit=1) if isinstance(event.event, Deposited))
        assert (paid.metadata.actor, paid.metadata.on_behalf_of) == ("guide", None)
        first = next(iter(counter.events()))
        assert first.metadata.actor == "counter"
        assert first.metadata.on_behalf_of is not None
    with access.open(house.folder / "access.db", actor="test") as running:
        seen = [event.event for event in running.events() if isinstance(event.event, Accessed)]
    assert {("guide", "/tour/switch", True), ("guide", "/accounts/commands/Deposit", True)} <= {
        (one.who, one.address, one.granted) for one in seen
    }
