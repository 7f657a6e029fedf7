"""Login at a real OpenID Connect provider, with a browser's manners: there, password, back; and what is forged is turned away."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest

from actum.console import console
from actum.http.access import Accessed, access
from actum.http.asgi import asgi
from actum.http.oidc import Oidc
from actum.http.policy import Policy
from actum.http.security import Security
from actum.http.serving import Serving
from tests.unit.http.bank import bank

PASSWORD = "a password of ada's"
POLICY = Policy(roles={"teller": ("commands:Open", "queries:*")})
OPEN = {"account": "A-1", "owner": "Zoé"}


class Place(NamedTuple):
    url: str
    issuer: str
    folder: Path


def free_port(path: str) -> tuple[int, str]:
    """A port that is free, and an address there to come back to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return port, f"http://127.0.0.1:{port}{path}"


@contextmanager
def provided(folder: Path, back: str) -> Iterator[str]:
    """The provider, which sends people back there; its address."""
    command = [sys.executable, str(Path(__file__).with_name("provider.py")), str(folder), back]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as provider:
        try:
            assert provider.stdout is not None
            yield provider.stdout.readline().strip()
        finally:
            provider.terminate()


def security_at(issuer: str, back: str, folder: Path, policy: Policy) -> Security:
    oidc = Oidc(issuer=issuer, client_id="bank", redirect_uri=back)
    return Security(policy, str(folder / "identities.db"), str(folder / "access.db"), oidc=oidc)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("login")
    port, back = free_port("/login/oidc/callback")
    with provided(folder, back) as issuer:
        security = security_at(issuer, back, folder, POLICY)
        with Serving(asgi(bank, folder / "bank.db", security=security), port=port) as serving:
            yield Place(serving.url, issuer, folder)


@pytest.fixture
def browser(place: Place) -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as browser:
        yield browser


def at_the_provider(browser: httpx.Client, place: Place, address: str = "/login/oidc") -> str:
    """Go there, log in there, and be sent back: to which address."""
    begun = browser.get(f"{place.url}{address}")
    assert begun.status_code == 303
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert (asked["response_type"], asked["code_challenge_method"]) == (["code"], ["S256"])
    there = browser.get(begun.headers["location"], follow_redirects=True)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', there.text)
    assert token
    said = {"csrfmiddlewaretoken": token[1], "username": "ada", "password": PASSWORD}
    back = browser.post(there.url, data=said, headers={"referer": str(there.url)})
    while not back.headers["location"].startswith(place.url):
        back = browser.get(httpx.URL(place.issuer).join(back.headers["location"]))
    return str(back.headers["location"])


def test_somebody_logs_in_at_the_provider_and_does_what_their_roles_allow(browser: httpx.Client, place: Place):
    entered = browser.get(at_the_provider(browser, place))
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    me = browser.get(f"{place.url}/me").json()
    assert (me["id"], me["permissions"]) == ("1", ["commands:Open", "queries:*"])
    headers = {"actum-csrf": me["csrf"]}
    assert browser.post(f"{place.url}/commands/Open", json=OPEN, headers=headers).status_code == 200
    assert browser.get(f"{place.url}/events").status_code == 403
    assert browser.post(f"{place.url}/logout", headers=headers).status_code == 204
    assert browser.get(f"{place.url}/me").status_code == 401
    with bank.open(place.folder / "bank.db") as running:
        (event,) = running.events()
        assert event.metadata.actor == "1"


def test_a_code_opens_once(browser: httpx.Client, place: Place):
    address = at_the_provider(browser, place)
    kept = dict(browser.cookies)
    assert browser.get(address).status_code == 303
    with httpx.Client(cookies=kept, timeout=60) as thief:
        assert thief.get(address).status_code == 401


def test_a_code_is_of_no_use_to_whoever_did_not_begin_the_login(browser: httpx.Client, place: Place):
    address = at_the_provider(browser, place)
    with httpx.Client(timeout=60) as thief:
        assert thief.get(address).status_code == 401
        thief.get(f"{place.url}/login/oidc")
        assert thief.get(address).status_code == 401, "the state is another"
        state = parse_qs(urlsplit(address).query)["state"][0]
        mine = parse_qs(urlsplit(thief.get(f"{place.url}/login/oidc").headers["location"]).query)["state"][0]
        assert thief.get(address.replace(state, mine)).status_code == 401, "the proof key is another"


def test_where_one_comes_back_to_is_here(browser: httpx.Client, place: Place):
    for back in ("https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "/\r\nx: y", "/é€"):
        assert browser.get(f"{place.url}/login/oidc", params={"back": back}).status_code == 403


def test_one_logs_into_the_console_there_too(browser: httpx.Client, tmp_path: Path):
    port, back = free_port("/login/oidc/callback")
    policy = Policy(roles={"teller": ("console:look",)})
    with (
        provided(tmp_path, back) as issuer,
        bank.open("memory:", actor="web") as running,
        Serving(console({"bank": running}, security=security_at(issuer, back, tmp_path, policy)), port=port) as serving,
    ):
        place = Place(serving.url, issuer, tmp_path)
        begin = re.search(r'href="(/login/oidc[^"]*)"', browser.get(f"{serving.url}/views", follow_redirects=True).text)
        assert begin
        entered = browser.get(at_the_provider(browser, place, begin[1].replace("&amp;", "&")))
        assert (entered.status_code, entered.headers["location"]) == (303, "/views")
        page = browser.get(f"{serving.url}/views").text
        assert '<span class="who">1</span>' in page
        assert browser.get(f"{serving.url}/looks").status_code == 403


def test_logins_are_on_record_without_their_codes(browser: httpx.Client, place: Place):
    browser.get(at_the_provider(browser, place))
    with access.open(place.folder / "access.db", actor="test") as running:
        found = [event.event for event in running.events() if isinstance(event.event, Accessed)]
    assert any(one.address == "/login/oidc/callback" and one.who == "1" for one in found)
    assert not any("code=" in one.address for one in found)
