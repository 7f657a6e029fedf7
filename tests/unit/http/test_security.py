"""Nobody gets through who may not, on any route; and whoever came is on record, with what they were answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from actum import Misdeclared
from actum.http.access import Accessed, access
from actum.http.asgi import Door, asgi
from actum.http.identities import Identities
from actum.http.limits import Limits
from actum.http.policy import Policy, Principal
from actum.http.problem import URN
from actum.http.routes import ENTRANCES, ROUTES, SECURED, UNRECORDED
from actum.http.security import MOST_TO_CHECK, Security
from actum.http.serving import Serving
from actum.http.throttle import FREE, Bucket
from actum.journal.errors import Unavailable
from actum.service.running import Running
from tests.unit.http.bank import bank

POLICY = Policy(
    roles={
        "teller": ("commands:Open", "commands:Deposit", "queries:*", "views:Balance"),
        "auditor": ("events:read", "decisions:read", "states:*"),
        "admin": ("*",),
    },
    public=("queries:Owners",),
)
PASSWORD = "correct horse battery"
OPEN = {"account": "A-1", "owner": "Zoé"}


class House(NamedTuple):
    door: Door
    folder: Path
    tokens: dict[str, str]

    def client(self, who: str | None = None, **headers: str) -> TestClient:
        named = headers if who is None else {"authorization": f"Bearer {self.tokens[who]}"} | headers
        return TestClient(self.door, base_url="http://localhost", headers=named, follow_redirects=False)

    def accesses(self) -> list[Accessed]:
        with access.open(self.folder / "access.db", actor="test") as running:
            return [event.event for event in running.events() if isinstance(event.event, Accessed)]


def security(folder: Path, **more: Any) -> Security:
    return Security(POLICY, str(folder / "identities.db"), str(folder / "access.db"), **more)


def known_in(folder: Path) -> dict[str, str]:
    """Somebody of each kind, known there; their tokens."""
    with Identities(folder / "identities.db") as known:
        known.add_user("ada", PASSWORD, roles=["teller"], actor="boss")
        return {
            "teller": known.issue("till-7", roles=["teller"], actor="boss"),
            "auditor": known.issue("audit-1", roles=["auditor"], actor="boss"),
            "admin": known.issue("root-1", roles=["admin"], actor="boss"),
            "reader": known.issue("page-1", permissions=["views:Balance"], actor="boss"),
            "stranger": known.issue("spy-1", roles=["admin"], tenant="other", actor="boss"),
            "roleless": known.issue("new-1", roles=["no such role"], actor="boss"),
        }


@pytest.fixture
def house(running: Running, tmp_path: Path) -> House:
    tokens = known_in(tmp_path)
    return House(asgi(bank, running, security=security(tmp_path)), tmp_path, tokens)


def kind(response: Any) -> str:
    return str(response.json()["type"]).removeprefix(URN)


def requests() -> Iterator[tuple[str, str, str]]:
    """Every route that takes a permission, as a request: method, address, and what it takes."""
    names = {"name": "Deposit", "key": "A-1", "which": "1"}
    fitting = {
        "/commands": "Deposit",
        "/queries": "Richest",
        "/live": "Richest",
        "/views": "Total",
        "/states": "Account",
    }
    for route in ROUTES:
        if route.permission is not None:
            named = names | {"name": fitting.get("/" + route.path.split("/")[1], "Deposit")}
            yield route.method, route.path.replace(":path", "").format(**named), route.needed(named) or ""


EVERY = list(requests())
Standing = tuple[TestClient, dict[str, str]]


def test_every_route_takes_a_permission_but_those_that_tell_nothing_of_anybody():
    open_routes = {route.path for route in (*ROUTES, *SECURED) if route.permission is None}
    assert open_routes == {*UNRECORDED, *ENTRANCES, "/logout", "/me"}
    assert len(EVERY) == len([route for route in ROUTES if route.permission]) >= 13


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """A house that stays open for all routes, and the tokens of those who come."""
    folder = tmp_path_factory.mktemp("house")
    tokens = known_in(folder)
    with bank.open("memory:") as running, TestClient(asgi(bank, running, security=security(folder))) as client:
        served = client.app._served  # type: ignore[attr-defined]
        served.guard._strangers = Bucket(1e9, most=1e9)
        yield client, tokens


@pytest.mark.parametrize(("method", "path", "needed"), EVERY, ids=[f"{method} {path}" for method, path, _ in EVERY])
class TestOnEveryRoute:
    def test_whoever_does_not_say_who_they_are_is_turned_away(
        self, standing: Standing, method: str, path: str, needed: str
    ):
        answer = standing[0].request(method, path, json={} if method == "POST" else None)
        assert (answer.status_code, kind(answer)) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")

    def test_a_token_that_is_not_good_opens_nothing(self, standing: Standing, method: str, path: str, needed: str):
        good = standing[1]["admin"]
        for token in ("", "x", "actum_", "actum_000000000000_x", "actum_\u00e9_x", good[:-1], f"{good}x"):
            answer = standing[0].request(method, path, headers={"authorization": f"Bearer {token}".encode()})
            assert (answer.status_code, kind(answer)) == (401, "unauthenticated")
        assert standing[0].request(method, path, headers={"authorization": f"Basic {good}"}).status_code == 401

    def test_a_role_without_the_permission_is_turned_away_and_told_which_it_takes(
        self, standing: Standing, method: str, path: str, needed: str
    ):
        turned_away = 0
        for who in ("teller", "auditor", "roleless", "reader"):
            granted = POLICY.permissions([who], ["views:Balance"] if who == "reader" else ())
            if not Principal(who, granted).may(needed):
                bearer = {"authorization": f"Bearer {standing[1][who]}"}
                answer = standing[0].request(method, path, json={} if method == "POST" else None, headers=bearer)
                assert (answer.status_code, kind(answer), answer.json()["needed"]) == (403, "forbidden", needed)
                turned_away += 1
        assert turned_away >= 2

    def test_another_tenants_administrator_is_turned_away(
        self, standing: Standing, method: str, path: str, needed: str
    ):
        bearer = {"authorization": f"Bearer {standing[1]['stranger']}"}
        answer = standing[0].request(method, path, json={} if method == "POST" else None, headers=bearer)
        assert (answer.status_code, kind(answer)) == (403, "forbidden")

    def test_a_session_that_was_not_sealed_here_opens_nothing(
        self, standing: Standing, method: str, path: str, needed: str
    ):
        answer = standing[0].request(method, path, headers={"cookie": "actum_session=eyJhIjoxfQ.AAAA"})
        assert (answer.status_code, kind(answer)) == (401, "unauthenticated")


def test_whoever_may_is_the_actor_of_what_they_do(house: House, running: Running):
    with house.client("teller") as client:
        assert client.post("/commands/Open", json=OPEN).status_code == 200
        assert client.get("/views/Balance/A-1", params={"wait_for": 1}).status_code == 200
    (event,) = running.events()
    assert event.metadata.actor == "till-7"


def test_nobody_acts_as_somebody_else(house: House, running: Running):
    with house.client("teller") as client:
        answer = client.post("/commands/Open", json=OPEN, headers={"actum-actor": "boss"})
        assert (answer.status_code, answer.json()["needed"]) == (403, "actor:boss")
        answer = client.post("/commands/Open", json=OPEN, headers={"actum-on-behalf-of": "boss"})
        assert (answer.status_code, answer.json()["needed"]) == (403, "on-behalf-of")
    assert running.head() == 0
    with house.client("admin") as client:
        assert client.post("/commands/Open", json=OPEN, headers={"actum-on-behalf-of": "boss"}).status_code == 200
    (event,) = running.events()
    assert (event.metadata.actor, event.metadata.on_behalf_of) == ("root-1", "boss")


@pytest.mark.parametrize("key", ["slip-1", "018f4b5e-7c44-7b0e-9d5e-acf1a2b3c4d5"])
def test_nobody_is_answered_for_a_command_of_somebody_else(house: House, running: Running, key: str):
    """Under the same key: a text is everybody's own, and a UUID that of whoever came first, also where it was refused."""
    headers = {"idempotency-key": key}
    with house.client("teller") as client:
        assert client.post("/commands/Open", json=OPEN, headers=headers).status_code == 200
        assert client.post("/commands/Open", json=OPEN, headers=headers).json()["repeated"]
    with house.client("admin") as client:
        answers = [client.post("/commands/Open", json=OPEN, headers=headers) for _ in range(2)]
    named = [kind(answer) for answer in answers]
    assert named == (["refused", "refused"] if key == "slip-1" else ["reused", "reused"])
    if key == "slip-1":
        assert [answer.json()["repeated"] for answer in answers] == [False, True]
        return
    refused = {"idempotency-key": key.replace("018f", "0190")}
    with house.client("admin") as client:
        assert kind(client.post("/commands/Open", json=OPEN, headers=refused)) == "refused"
    with house.client("teller") as client:
        assert kind(client.post("/commands/Open", json=OPEN, headers=refused)) == "reused"


def test_what_is_public_is_answered_to_everybody(house: House):
    with house.client() as client:
        assert client.get("/queries/Owners").json() == []
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 200


def test_what_is_wrong_inside_is_for_those_who_may_know_it(tmp_path: Path):
    """Sentences of errors have data and paths in them: strangers are told what kind of trouble it is."""
    running = bank.open("memory:", follow=False)
    house = House(asgi(bank, running, security=security(tmp_path)), tmp_path, known_in(tmp_path))
    running.views.progress.fail(Unavailable("the view Balance cannot take Opened(owner='camille'): boom"))
    with house.client() as client:
        assert client.get("/ready").json() == {
            "ready": False,
            "head": None,
            "views": None,
            "lag": None,
            "trouble": "the views have stopped",
        }
        assert house.accesses() == [], "machines ask it all day long"
    with house.client("teller") as client:
        assert client.get("/ready").json()["trouble"] == "the views have stopped"
    with house.client("admin") as client:
        assert "camille" in client.get("/ready").json()["trouble"]
    assert [(one.who, one.address) for one in house.accesses()] == [("till-7", "/ready"), ("root-1", "/ready")]
    running.close()
    (tmp_path / "none").write_text("no folder")
    door = asgi(bank, tmp_path / "none" / "bank.db", security=security(tmp_path))
    for path in ("/health", "/events", "/ready"):
        answer = TestClient(door).get(path)
        assert (answer.status_code, str(tmp_path) in answer.text, kind(answer)) == (503, False, "unavailable")


def test_what_is_public_may_be_all_of_a_kind(running: Running, tmp_path: Path):
    files = [str(tmp_path / name) for name in ("identities.db", "access.db")]
    with TestClient(asgi(bank, running, security=Security(Policy(public=("queries:*",)), *files))) as client:
        assert client.get("/queries/Owners").json() == []
        assert client.get("/views/Balance").status_code == 401
    with TestClient(asgi(bank, running, security=Security(Policy(public=("*",)), *files))) as client:
        assert client.get("/views/Balance").status_code == 200


def test_a_tenants_door_lets_in_the_tenants_own_and_writes_whose_it_was(running: Running, house: House):
    door = asgi(bank, running, security=security(house.folder, tenant="other"))
    with TestClient(door, headers={"authorization": f"Bearer {house.tokens['stranger']}"}) as client:
        assert client.post("/commands/Open", json=OPEN).status_code == 200
    with TestClient(door, headers={"authorization": f"Bearer {house.tokens['admin']}"}) as client:
        assert client.get("/events").status_code == 403
    (event,) = running.events()
    assert event.metadata.tenant == "other"


def test_a_revoked_token_opens_nothing_from_then_on(house: House):
    with house.client("teller") as client:
        assert client.get("/queries/Richest").status_code == 200
        with Identities(house.folder / "identities.db") as known:
            known.revoke(house.tokens["teller"].split("_")[1], actor="boss")
        served = house.door._served
        assert served is not None
        assert served.guard is not None
        served.guard.identities.running.wait_for(known_head(house))
        assert client.get("/queries/Richest").status_code == 401


def known_head(house: House) -> int:
    with Identities(house.folder / "identities.db") as known:
        return known.running.head()


def test_everybody_who_came_is_on_record_with_what_they_were_answered_and_without_secrets(house: House):
    with house.client("teller") as client:
        client.post("/commands/Open", json=OPEN)
        client.get("/views/Balance/A-1?at=1")
        client.get("/events")
        client.get("/health")
    with house.client() as client:
        client.get("/events")
        client.get("/nowhere")
        client.post("/login", json={"user": "ada", "password": "wrong password 123"})
    found = house.accesses()
    assert [
        (one.who, one.way.partition(":")[0], one.method, one.address, one.permission, one.granted, one.status)
        for one in found
    ] == [
        ("till-7", "token", "POST", "/commands/Open", "commands:Open", True, 200),
        ("till-7", "token", "GET", "/views/Balance/A-1?at=1", "views:Balance", True, 200),
        ("till-7", "token", "GET", "/events", "events:read", False, 403),
        ("nobody", "none", "GET", "/events", "events:read", False, 401),
        ("nobody", "none", "GET", "/nowhere", None, True, 404),
        ("nobody", "none", "POST", "/login", None, False, 401),
    ]
    written = (house.folder / "access.db").read_bytes()
    written += b"".join(path.read_bytes() for path in house.folder.glob("access.db-*"))
    for secret in (house.tokens["teller"].split("_", 2)[2], "wrong password 123", PASSWORD):
        assert secret.encode() not in written


def test_also_what_cannot_be_understood_is_on_record_with_who_said_it(house: House):
    with house.client("admin") as client:
        for headers in (
            {"actum-correlation": "zzz"},
            {"idempotency-key": ""},
            {"actum-effective-at": "x"},
            {"x": "x" * 20_000},
        ):
            assert client.get("/events", headers=headers).status_code in (400, 431)
        assert client.get("/nowhere").status_code == 404
        assert client.put("/events").status_code == 405
    assert [(one.who, one.status) for one in house.accesses()] == [
        *(("root-1", status) for status in (400, 400, 400, 431, 404, 405))
    ]


def test_nothing_is_answered_that_cannot_be_recorded(house: House):
    with house.client("admin") as client:
        assert client.get("/events").status_code == 200
        served = house.door._served
        assert served is not None
        assert served.guard is not None
        served.guard._access.running.close()
        answer = client.get("/events")
        assert (answer.status_code, kind(answer)) == (503, "unavailable")
        assert client.get("/health").status_code == 200


def test_strangers_who_come_too_often_are_told_to_wait_and_others_are_not(house: House):
    """Whatever they ask for, and whatever they are answered: they do not fill the access journal."""
    with house.client() as client:
        asyncio.run(house.door.open())
        house.door._served.guard._strangers = Bucket(1e-9, most=9)  # type: ignore[union-attr]
        answers = [client.get(path).status_code for path in ("/events", "/nowhere", "/me") for _ in range(2)]
        answers += [client.post("/login", content=b"{").status_code for _ in range(6)]
        assert answers == [401, 401, 404, 404, 401, 401, 415, 415, 415, 429, 429, 429]
        assert client.get("/queries/Owners").status_code == 200, "everybody may"
        bearer = {"authorization": f"Bearer {house.tokens['admin']}"}
        assert client.get("/events", headers=bearer).status_code == 200
    assert [one.status for one in house.accesses()] == [*answers[:9], 200, 200]


def test_another_way_of_knowing_who_asks_can_be_plugged_in(running: Running, tmp_path: Path):
    def authenticate(headers: Any) -> Principal | None:
        name = headers.get("x-forwarded-user")
        return None if name is None else Principal(name, POLICY.permissions(["teller"]))

    door = asgi(bank, running, security=security(tmp_path, authenticate=authenticate))
    with TestClient(door) as client:
        assert client.post("/commands/Open", json=OPEN, headers={"x-forwarded-user": "zoe"}).status_code == 200
        assert client.post("/commands/Open", json=OPEN).status_code == 401
    (event,) = running.events()
    assert event.metadata.actor == "zoe"


def test_a_policy_that_names_what_is_not_there_is_found_before_anybody_asks(running: Running, tmp_path: Path):
    wrong = Security(Policy(roles={"teller": ("commands:Depsoit",)}), str(tmp_path / "i.db"), str(tmp_path / "a.db"))
    with pytest.raises(Misdeclared, match="'commands:Depsoit' names none of the commands of bank: Deposit, Note"):
        asgi(bank, running, security=wrong)


def test_a_door_that_knows_who_asks_may_be_open_to_others(house: House):
    with Serving(house.door, host="0.0.0.0") as serving:
        assert serving.url.startswith("http://0.0.0.0:")


# People.


def logged_in(client: TestClient) -> str:
    answer = client.post("/login", json={"user": "ada", "password": PASSWORD})
    assert answer.status_code == 200
    return str(answer.json()["csrf"])


def test_a_user_logs_in_and_out_again(house: House, running: Running):
    with house.client() as client:
        answer = client.post("/login", json={"user": "ada", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("actum_session=")
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
        csrf = answer.json()["csrf"]
        assert client.get("/me").json()["id"] == "ada"
        assert client.post("/commands/Open", json=OPEN, headers={"actum-csrf": csrf}).status_code == 200
        kept = client.cookies["actum_session"]
        assert client.post("/logout", headers={"actum-csrf": csrf}).status_code == 204
        assert client.get("/me").status_code == 401
        stolen = client.get("/queries/Richest", headers={"cookie": f"actum_session={kept}"})
        assert stolen.status_code == 401, "the session is over, also for whoever kept the cookie"
    (event,) = running.events()
    assert event.metadata.actor == "ada"


def test_over_https_the_cookie_is_for_https_alone(house: House):
    with TestClient(house.door, base_url="https://bank.example") as client:
        answer = client.post("/login", json={"user": "ada", "password": PASSWORD})
    assert "Secure" in answer.headers["set-cookie"].split("; ")


def test_behind_a_proxy_that_speaks_tls_cookies_pages_and_addresses_are_those_of_the_browser(
    running: Running, house: House
):
    """The proxy asks in the clear and under whatever name; what counts is the public address, and what a trusted proxy says."""
    behind = security(house.folder, public_url="https://bank.example:8443/", proxies=("10.0.0.0/24",))
    door = asgi(bank, running, security=behind)
    with TestClient(door, base_url="http://inside", client=("10.0.0.7", 1)) as client:
        way = {"x-forwarded-for": "6.6.6.6, 203.0.113.9, 10.0.0.8"}
        said = {"user": "ada", "password": PASSWORD}
        assert client.post("/login", json=said, headers=way | {"origin": "http://inside"}).status_code == 403
        entered = client.post("/login", json=said, headers=way | {"origin": "https://bank.example:8443"})
        name, _, value = entered.headers["set-cookie"].partition(";")[0].partition("=")
        assert (name, "Secure" in entered.headers["set-cookie"].split("; ")) == ("__Host-actum_session", True)
        assert client.get("/me", headers={"cookie": f"{name}={value}"}).status_code == 200
        assert client.get("/me", headers={"cookie": f"actum_session={value}"}).status_code == 401, (
            "of anybody, in the clear"
        )
    with TestClient(door, client=("203.0.113.1", 1)) as client:
        client.get("/events", headers={"x-forwarded-for": "6.6.6.6"})
    assert [one.origin for one in house.accesses()] == ["203.0.113.9"] * 2 + ["10.0.0.7"] * 2 + ["203.0.113.1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"public_url": "bank.example"},
        {"public_url": "https://bank.example/path"},
        {"public_url": "https://bank.example:x"},
        {"proxies": ("everybody",)},
    ],
)
def test_an_address_that_is_none_is_found_before_anybody_asks(tmp_path: Path, wrong: dict[str, Any]):
    with pytest.raises(Misdeclared, match=next(iter(wrong))):
        security(tmp_path, **wrong)


@pytest.mark.parametrize(
    ("headers", "needed"),
    [
        ({}, "csrf"),
        ({"actum-csrf": "x"}, "csrf"),
        ({"actum-csrf": "good", "origin": "https://evil.example"}, "same-origin"),
        ({"actum-csrf": "good", "origin": "null"}, "same-origin"),
        ({"actum-csrf": "good", "sec-fetch-site": "cross-site"}, "same-origin"),
        ({"actum-csrf": "good", "sec-fetch-site": "same-site"}, "same-origin"),
    ],
)
def test_a_page_of_another_site_cannot_write_with_somebodys_cookie(
    house: House, running: Running, headers: dict[str, str], needed: str
):
    with house.client() as client:
        csrf = logged_in(client)
        sent = {name: csrf if value == "good" else value for name, value in headers.items()}
        answer = client.post("/commands/Open", json=OPEN, headers=sent)
        assert (answer.status_code, answer.json()["needed"]) == (403, needed)
        assert client.post("/logout", headers=sent).status_code == 403
        good = client.post("/commands/Open", json=OPEN, headers={"actum-csrf": csrf, "origin": "http://localhost"})
        assert good.status_code == 200
    assert running.head() == 1


def test_a_page_of_another_site_cannot_log_somebody_in(house: House):
    with house.client() as client:
        said = {"user": "ada", "password": PASSWORD}
        assert client.post("/login", json=said, headers={"origin": "https://evil.example"}).status_code == 403
        assert client.post("/login", data=said).status_code == 415


def test_a_wrong_password_and_an_unknown_user_are_told_the_same_and_must_wait_after_some_tries(house: House):
    with house.client() as client:
        wrong = client.post("/login", json={"user": "ada", "password": "x" * 12})
        unknown = client.post("/login", json={"user": "bob", "password": "x" * 12})
        assert wrong.json() == unknown.json()
        assert wrong.status_code == 401
        tries = (client.post("/login", json={"user": "ada", "password": "x" * 12}) for _ in range(20))
        # How soon depends on how fast a password is looked at: each wait is twice the one before.
        slowed = next(answer for answer in tries if answer.status_code != 401)
        assert slowed.status_code == 429
        assert int(slowed.headers["retry-after"]) >= 1


def test_many_wrong_passwords_at_once_are_no_more_than_a_few_and_wait_in_no_long_line(house: House):
    async def guess(count: int) -> list[int]:
        asking = httpx.ASGITransport(house.door)
        async with httpx.AsyncClient(transport=asking, base_url="http://localhost", timeout=60) as client:
            tries = [client.post("/login", json={"user": "ada", "password": f"wrong {n}"}) for n in range(count)]
            answers = [one.status_code for one in await asyncio.gather(*tries)]
            assert house.door._served is not None
            assert house.door._served.guard is not None
            house.door._served.guard._to_check = MOST_TO_CHECK
            return [*answers, (await client.post("/login", json={"user": "bob", "password": PASSWORD})).status_code]

    *answers, last = asyncio.run(guess(20))
    assert set(answers) == {401, 429}
    assert answers.count(401) < 20 - FREE
    assert last == 503


def test_who_is_removed_is_out_at_once(house: House):
    with house.client() as client:
        logged_in(client)
        assert client.get("/me").status_code == 200
        with Identities(house.folder / "identities.db") as known:
            known.remove_user("ada", actor="boss")
        served = house.door._served
        assert served is not None
        assert served.guard is not None
        served.guard.identities.running.wait_for(known_head(house))
        assert client.get("/me").status_code == 401
        assert client.get("/queries/Richest").status_code == 401


def anew(known: Identities) -> None:
    known.remove_user("ada", actor="boss")
    known.add_user("ada", PASSWORD, roles=["admin"], actor="boss")


@pytest.mark.parametrize(
    "changed",
    [
        lambda known: known.set_password("ada", "another horse battery", actor="boss"),
        lambda known: known.log_out("ada", actor="boss"),
        anew,
    ],
    ids=["another password", "logged out", "another of that name"],
)
def test_a_session_is_over_with_what_it_was_begun_by(house: House, changed: Callable[[Identities], None]):
    with house.client() as client:
        logged_in(client)
        with Identities(house.folder / "identities.db") as known:
            changed(known)
        house.door._served.guard.identities.running.wait_for(known_head(house))  # type: ignore[union-attr]
        assert client.get("/me").status_code == 401


def test_whoever_may_not_any_more_hears_no_more(house: House, running: Running):
    door = asgi(bank, running, limits=Limits(heartbeat=0.2), security=security(house.folder))
    bearer = {"authorization": f"Bearer {house.tokens['auditor']}"}
    with Serving(door) as serving, httpx.stream("GET", f"{serving.url}/feed", headers=bearer, timeout=60) as feed:
        lines = feed.iter_lines()
        assert next(lines) == "retry: 2000"
        with Identities(house.folder / "identities.db") as known:
            known.revoke(house.tokens["auditor"].split("_")[1], actor="boss")
        assert "you may not hear more" in [line for line in lines if line][-1]


def test_a_feed_is_for_those_who_may(house: House):
    with house.client("teller") as client:
        assert client.get("/feed").status_code == 403
        assert client.head("/live/Richest").status_code == 200
    with house.client("auditor") as client:
        assert client.head("/feed").status_code == 200


def test_there_is_no_provider_where_none_is_named(house: House):
    with house.client() as client:
        assert kind(client.get("/login/oidc")) == "not-found"
        assert kind(client.get("/login/oidc/callback?code=x&state=y")) == "not-found"


def test_a_door_without_security_has_no_entrance(client: TestClient):
    for path in ENTRANCES:
        assert client.get(path).status_code == 404


def test_the_client_shows_its_token(house: House, running: Running):
    from actum.http.client import Client
    from actum.journal.errors import Denied
    from tests.unit.http.bank import Note, Open

    with Serving(house.door) as serving:
        with Client(serving.url, bank, token=house.tokens["teller"]) as web:
            web.execute(Open(account="A", owner="o"))
            with pytest.raises(Denied, match="may not: it takes the permission commands:Note") as denied:
                web.execute(Note(lines=[]))
        with Client(serving.url, bank) as web, pytest.raises(Denied, match="say who you are"):
            web.head()
    assert denied.value.needed == "commands:Note"


def test_opening_and_closing_leaves_nothing_behind(house: House):
    async def main() -> None:
        for _ in range(2):
            await house.door.open()
            await house.door.close()

    asyncio.run(main())
