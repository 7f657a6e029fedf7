"""Who may is asked behind the gateway and before it: tokens and cookies come through, and where somebody came from is on record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from actum import Invalid
from actum.host.admitting import Admission
from actum.host.behind import Behind
from actum.host.standalone import gateway_to
from actum.http.access import Accessed, access
from actum.http.asgi import asgi
from actum.http.identities import Identities
from actum.http.policy import Policy
from actum.http.security import Security
from actum.http.serving import Serving
from actum.service.part import Part
from tests.unit.host.shop import shop, system

PASSWORD = "correct horse battery"
POLICY = Policy(roles={"clerk": ("commands:Stock", "views:Item"), "boss": ("*",), "watch": ("services:read",)})
STOCK = {"item": "I", "count": 3}


class House(NamedTuple):
    url: str
    tokens: dict[str, str]
    folder: Path

    def client(self, who: str | None = None) -> httpx2.Client:
        headers = {} if who is None else {"authorization": f"Bearer {self.tokens[who]}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60)

    def accesses(self) -> list[Accessed]:
        with access.open(self.folder / "access.db", actor="test") as running:
            return [event.event for event in running.events() if isinstance(event.event, Accessed)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The shop's commands and queries behind a gateway, all with one security."""
    security = Security(POLICY, str(tmp_path / "identities.db"), str(tmp_path / "access.db"))
    with Identities(tmp_path / "identities.db") as known:
        known.add_user("ada", PASSWORD, roles=["clerk"], actor="boss")
        tokens = {who: known.issue(who, roles=[who], actor="boss") for who in ("clerk", "watch")}
    shop.open(tmp_path / "shop.actum", follow=False).close()
    with ExitStack() as stack:
        projections = stack.enter_context(shop.open(tmp_path / "shop.actum", part=Part.PROJECTIONS))
        stack.enter_context(projections.work())
        at: list[str] = []
        for part in (Part.COMMANDS, Part.QUERIES):
            running = stack.enter_context(shop.open(tmp_path / "shop.actum", part=part))
            door = asgi(shop, running, security=security, beside=system.contexts.values())
            serving = stack.enter_context(Serving(Behind(door, prefix="/shop", key="key")))
            at.append(f"shop/{part.value}={serving.url}")
        gateway = gateway_to(system, at, key="key", secured=True, admits=Admission(security, system))
        url = stack.enter_context(Serving(gateway)).url
        yield House(url, tokens, tmp_path)


def test_whoever_may_gets_through_and_whoever_may_not_does_not(house: House):
    with house.client("clerk") as clerk, house.client("watch") as watch, house.client() as nobody:
        done = clerk.post("/shop/commands/Stock", json=STOCK)
        assert done.status_code == 200
        shown = clerk.get("/shop/views/Item/I", params={"wait_for": done.json()["position"]})
        assert shown.json()["left"] == 3
        assert clerk.get("/shop/events").status_code == 403
        assert clerk.get("/services").status_code == 403
        assert [piece["name"] for piece in watch.get("/services").json()["services"]] == [
            "shop/commands",
            "shop/queries",
        ]
        assert watch.post("/shop/commands/Stock", json=STOCK).status_code == 403
        for path in ("/shop/views/Item", "/services", "/shop/feed"):
            assert nobody.get(path).status_code == 401
        assert nobody.post("/shop/commands/Stock", json=STOCK).status_code == 401


def test_a_session_comes_through_with_its_cookie_and_its_token_against_forgery(house: House):
    with house.client() as browser:
        assert browser.post("/shop/login", json={"user": "ada", "password": PASSWORD}).status_code == 200
        assert browser.get("/shop/views/Item").status_code == 200
        assert browser.post("/shop/commands/Stock", json=STOCK).status_code == 403
        csrf = browser.get("/shop/me").json()["csrf"]
        headers = {"actum-csrf": csrf, "origin": house.url}
        assert browser.post("/shop/commands/Stock", json=STOCK, headers=headers).status_code == 200
        foreign = {"actum-csrf": csrf, "origin": "https://evil.example"}
        assert browser.post("/shop/commands/Stock", json=STOCK, headers=foreign).status_code == 403


def test_it_is_on_record_who_came_and_not_that_it_was_through_a_gateway(house: House):
    with house.client("clerk") as clerk, house.client("watch") as watch:
        clerk.post("/shop/commands/Stock", json=STOCK, headers={"actum-client": "10.6.6.6"})
        clerk.get("/services")
        watch.get("/services")
    found = [(one.who, one.address, one.granted, one.origin) for one in house.accesses()]
    assert found == [
        ("clerk", "/shop/commands/Stock", True, "127.0.0.1"),
        ("clerk", "/services", False, "127.0.0.1"),
        ("watch", "/services", True, "127.0.0.1"),
    ]


def test_a_gateway_that_knows_nobody_does_not_listen_beyond_this_machine():
    gateway = gateway_to(system, [], key=None, secured=False, admits=None)
    with pytest.raises(Invalid, match="can be reached from other machines"):
        Serving(gateway, host="0.0.0.0")


def test_where_pieces_are_is_said_by_name_and_address():
    with pytest.raises(Invalid, match="NAME=http://HOST:PORT"):
        gateway_to(system, ["shop/queries=10.0.0.1"], key=None, secured=False, admits=None)
    with pytest.raises(Exception, match="shop/commands"):
        gateway_to(system, ["shop/quarries=http://10.0.0.1"], key=None, secured=False, admits=None)
