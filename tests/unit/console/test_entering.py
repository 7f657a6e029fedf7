"""Whoever looks is known, may, and is on record before the page is theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from actum.console import Console, console
from actum.console.routes import CONTROL, LOOK, OPERATE, ROUTES
from actum.http.access import Accessed, access
from actum.http.identities import Identities
from actum.http.policy import Policy
from actum.http.security import Security
from actum.http.serving import Serving
from actum.journal.errors import Invalid
from tests.unit.console.street import PASSWORD, Street

POLICY = Policy(roles={"reader": (LOOK,), "operator": (LOOK, OPERATE), "owner": ("*",)})


@pytest.fixture
def app(street: Street, tmp_path: Path) -> Console:
    with Identities(tmp_path / "identities.db") as known:
        for name, role in (("ada", "reader"), ("bob", "operator"), ("eve", "owner")):
            known.add_user(name, PASSWORD, roles=[role], actor="boss")
    security = Security(POLICY, str(tmp_path / "identities.db"), str(tmp_path / "access.db"))
    return console(street.contexts, security=security)


@pytest.fixture
def client(app: Console) -> Iterator[TestClient]:
    with TestClient(app, base_url="https://console.example", raise_server_exceptions=False) as client:
        yield client


def enter(client: TestClient, who: str, back: str = "/"):
    return client.post("/login", data={"user": who, "password": PASSWORD, "back": back})


def accesses(folder: Path) -> list[Accessed]:
    with access.open(folder / "access.db", actor="test") as running:
        return [event.event for event in running.events() if isinstance(event.event, Accessed)]


def test_every_page_takes_a_permission_but_those_that_tell_nothing(client: TestClient):
    open_routes = {route.path for route in ROUTES if route.permission is None}
    assert open_routes == {"/static/{file}", "/settings", "/login"}
    for route in ROUTES:
        if route.permission is not None and route.method == "GET":
            address = route.path.replace("*", "A-1").replace("{", "").replace("}", "")
            answer = client.get(address, follow_redirects=False)
            assert (answer.status_code, answer.headers["location"].startswith("/login?back=")) == (303, True), address
        elif route.permission is not None:
            address = route.path.replace("{", "").replace("}", "")
            assert client.post(address, data={"x": "1"}).status_code == 401, address


def test_one_logs_in_and_comes_back_to_where_one_was(client: TestClient):
    page = enter(client, "ada", back="/views")
    assert (page.status_code, page.url.path) == (200, "/views")
    assert "ada" in page.text
    assert client.cookies["__Host-actum_session"]
    assert enter(client, "ada", back="https://elsewhere.example/").url.host == "console.example"
    wrong = client.post("/login", data={"user": "ada", "password": "guessed"})
    assert (wrong.status_code, "do not fit together" in wrong.text) == (401, True)


def test_whoever_may_only_look_does_nothing_else(client: TestClient, street: Street):
    enter(client, "ada")
    page = client.get("/bank/views/Balance").text
    assert "It takes the permission console:operate" in page
    token = re.search(r'name="csrf" value="([^"]+)"', page)[1]
    assert client.post("/bank/views/Balance/rebuild", data={"csrf": token}).status_code == 403
    assert client.get("/looks").status_code == 403
    enter(client, "bob")
    page = client.get("/bank/views/Balance").text
    token = re.search(r'name="csrf" value="([^"]+)"', page)[1]
    assert client.post("/bank/views/Balance/rebuild", data={"csrf": "guessed"}).status_code == 403
    assert client.post("/bank/views/Balance/rebuild", data={"csrf": token}).status_code == 200
    client.post("/bank/views/Balance/switch", data={"csrf": token, "reason": "put right"})
    (record,) = [event for event in street.bank.events() if event.type == "actum.view_switched"]
    assert record.metadata.actor == "bob"
    assert client.post("/map/stop", data={"csrf": token, "piece": "bank/commands"}).status_code == 403
    assert CONTROL not in POLICY.permissions(["operator"])


def test_every_look_is_on_record_and_can_be_looked_at(client: TestClient, tmp_path: Path):
    client.get("/bank/events/3", follow_redirects=False)
    enter(client, "eve")
    client.get("/wealth/explain/Assets/C-1/total")
    page = client.get("/looks").text
    assert "/wealth/explain/Assets/C-1/total" in page
    client.post("/logout", data={"csrf": re.search(r'name="csrf" value="([^"]+)"', page)[1]})
    assert client.get("/looks", follow_redirects=False).status_code == 303
    found = [(one.who, one.address, one.granted) for one in accesses(tmp_path)]
    assert accesses(tmp_path)[0].permission == LOOK, "also of those who have it not"
    assert found[0][:2] == ("nobody", "/bank/events/3")
    assert ("eve", "/wealth/explain/Assets/C-1/total", True) in found
    assert ("eve", "/looks", True) in found
    assert not any(PASSWORD in one.address for one in accesses(tmp_path))


def test_nothing_is_shown_that_cannot_be_recorded(client: TestClient, app: Console):
    enter(client, "ada")
    assert app._guard is not None
    app._guard.accesses.close()
    page = client.get("/bank/events/3")
    assert (page.status_code, "le loyer" in page.text) == (503, False)


def test_a_page_that_refreshes_itself_is_one_look(client: TestClient, tmp_path: Path):
    enter(client, "ada")
    for _ in range(5):
        assert client.get("/views", headers={"hx-request": "true"}).status_code == 200
        assert client.get("/looks", headers={"hx-request": "true"}).status_code == 403
    found = [one.address for one in accesses(tmp_path) if one.who == "ada"]
    assert (found.count("/views"), found.count("/looks")) == (1, 5)


def test_without_security_it_answers_this_machine_only(street: Street):
    with pytest.raises(Invalid, match="no authentication"):
        Serving(console(street.contexts), host="0.0.0.0")
    app = console(street.contexts)
    with TestClient(app, base_url="http://evil.example", client=("203.0.113.9", 1)) as client:
        assert client.get("/", headers={"host": "evil.example"}).status_code in (200, 401, 421)
