"""Where it is to be known who asks, a system's own page is behind the guard, whatever its author forgot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from actum import System
from actum.host.behind import Behind
from actum.host.piece import Around, page_of
from actum.host.standalone import gateway_to
from actum.http.access import Accessed, access
from actum.http.identities import Identities
from actum.http.policy import Policy
from actum.http.security import Security
from actum.http.serving import Serving
from actum.service.control import Piece
from tests.unit.host.careless import REACHED
from tests.unit.host.shop import shop

PASSWORD = "correct horse battery"
POLICY = Policy(
    roles={
        "guest": ("page:look",),
        "clerk": ("commands:Stock",),
        "guide": ("page:look", "console:control"),
        "boss": ("*",),
    }
)
VERBS = ("start", "stop", "kill", "pause", "resume")


class Doing:
    """A control that takes down what it is told to do."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def pieces(self) -> tuple[Piece, ...]:
        return ()

    def _do(self, verb: str) -> tuple[Piece, ...]:
        self.done.append(verb)
        return ()

    def start(self, name: str) -> tuple[Piece, ...]:
        return self._do("start")

    def stop(self, name: str) -> tuple[Piece, ...]:
        return self._do("stop")

    def kill(self, name: str) -> tuple[Piece, ...]:
        return self._do("kill")

    def pause(self, name: str) -> tuple[Piece, ...]:
        return self._do("pause")

    def resume(self, name: str) -> tuple[Piece, ...]:
        return self._do("resume")


class House(NamedTuple):
    url: str
    control: Doing
    tokens: dict[str, str]
    folder: Path

    def client(self, who: str | None = None) -> httpx2.Client:
        headers = {} if who is None else {"authorization": f"Bearer {self.tokens[who]}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60)

    def accesses(self) -> list[tuple[str, str, bool, int]]:
        with access.open(self.folder / "access.db", actor="test") as running:
            seen = [event.event for event in running.events() if isinstance(event.event, Accessed)]
        return [(one.who, one.address, one.granted, one.status) for one in seen]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The careless page behind a gateway, with a security."""
    REACHED.clear()
    system, control = System("market", shop, page="tests.unit.host.careless:page"), Doing()
    with Identities(tmp_path / "known.db") as known:
        tokens = {who: known.issue(who, roles=[who], actor="boss") for who in POLICY.roles}
        tokens["stranger"] = known.issue("stranger", roles=["boss"], tenant="other", actor="boss")
        known.add_user("ada", PASSWORD, roles=["guide"], actor="boss")
    security = Security(POLICY, str(tmp_path / "known.db"), str(tmp_path / "access.db"))
    around = Around(system=system, places={}, security=security, control=control)
    with ExitStack() as stack:
        page = stack.enter_context(Serving(Behind(page_of(around), key="key")))
        gateway = gateway_to(system, [f"page={page.url}"], key="key", secured=True, admits=around.admission)
        yield House(stack.enter_context(Serving(gateway)).url, control, tokens, tmp_path)


def test_no_request_of_a_stranger_reaches_the_page_or_changes_anything(house: House):
    """However they ask: under a name of this machine, as if through its gateway, with what others could not have sealed."""
    forged = (
        {"host": "localhost"},
        {"actum-gateway": "guessed", "actum-client": "127.0.0.1"},
        {"cookie": "actum_session=eyJhIjoxfQ.AAAA"},
        {"authorization": "Bearer actum_000000000000_x"},
        {"authorization": f"Bearer {house.tokens['stranger']}"},
        {"authorization": f"Bearer {house.tokens['clerk']}"},
        {"actum-actor": b"\xff"},
    )
    with house.client() as nobody:
        for headers in forged:
            for verb in VERBS[:2]:
                sent = nobody.post(f"/{verb}", data={"name": "shop/commands"}, headers=headers)  # type: ignore[arg-type]
                assert sent.status_code in (303, 403), headers
            assert nobody.get("/", headers=headers).status_code in (303, 403)  # type: ignore[arg-type]
        assert nobody.request("HEAD", "/").status_code == 303
        assert nobody.put("/stop").status_code == 303
        assert nobody.get("/x?y=z").headers["location"] == "/console/login?back=%2Fx%3Fy%3Dz"
        assert (house.control.done, REACHED) == ([], [])
        seen = house.accesses()
        assert len(seen) == 3 * len(forged) + 3, "each of them is on record"
        assert {(granted, status) for _, _, granted, status in seen} == {(False, 401), (False, 403)}
        nobody.get("/static/page.css")
    assert REACHED == [("GET", "/static/page.css", "nobody")]


def test_who_may_look_looks_and_who_may_control_controls(house: House):
    with house.client("guest") as guest, house.client("guide") as guide:
        assert guest.get("/").status_code == 200
        assert {guest.post(f"/{verb}").status_code for verb in VERBS} == {403}
        assert house.control.done == []
        assert {guide.post(f"/{verb}").status_code for verb in VERBS} == {200}
        assert house.control.done == list(VERBS)
    assert REACHED[0] == ("GET", "/", "guest")
    assert ("guide", "/kill", True, 200) in house.accesses()


def test_a_page_of_another_site_sends_nothing_with_somebodys_cookie(house: House):
    with Identities(house.folder / "known.db") as known:
        user = known.check("ada", PASSWORD)
    from actum.http.sessions import Keeper, key_in

    keeper = Keeper(key_in(house.folder / "known.db.key"))
    sealed = keeper.seal(keeper.new(user.user, by=user.password))
    with house.client() as browser:
        browser.cookies.set("actum_session", sealed)
        assert browser.post("/stop", headers={"origin": "https://evil.example"}).status_code == 403
        assert browser.post("/stop", headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert house.control.done == []
        assert browser.post("/stop", headers={"origin": house.url}).status_code == 200
    assert house.control.done == ["stop"]
