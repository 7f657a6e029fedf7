"""The door itself: it opens and closes with its server, keeps what it was lent, and never falls over."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from actum import App, Misdeclared
from actum.http.asgi import asgi
from actum.http.limits import Limits
from actum.journal.errors import Invalid, Unavailable
from actum.service.running import Running
from tests.unit.http.bank import bank

OPEN = {"account": "A", "owner": "o"}


def test_an_address_is_opened_with_the_server_and_closed_with_it(tmp_path: Path):
    path = tmp_path / "bank.db"
    with TestClient(asgi(bank, path, actor="web")) as client:
        assert path.exists()
        assert client.post("/commands/Open", json=OPEN).status_code == 200
    assert not path.with_name("bank.db-wal").exists()


def test_a_running_application_stays_its_owners(running: Running):
    with TestClient(asgi(bank, running)):
        pass
    assert running.head() == 0


def test_a_door_can_be_opened_again(running: Running):
    door = asgi(bank, running)
    for _ in range(2):
        with TestClient(door) as client:
            assert client.get("/events").status_code == 200


def test_a_door_that_is_mounted_opens_with_the_first_request_and_knows_its_own_addresses(tmp_path: Path):
    door = asgi(bank, tmp_path / "bank.db", actor="web")
    with TestClient(Starlette(routes=[Mount("/bank", door)])) as client:
        done = client.post("/bank/commands/Open", json=OPEN | {"account": "A/1"})
        assert done.headers["location"].startswith("/bank/decisions/")
        assert client.get(done.headers["location"]).json()["handler"] == "open_account@1"
        assert client.get("/bank/states/Account/A%2F1").json()["state"]["open"] is True
        assert client.get("/bank/openapi.json").json()["servers"] == [{"url": "/bank"}]
        client.portal.call(door.close)


def test_a_door_about_to_stop_takes_in_nothing_more_and_still_says_how_it_is(running: Running):
    door = asgi(bank, running)
    with TestClient(door) as client:
        client.get("/health")
        client.portal.call(door.stop)
        answer = client.post("/commands/Open", json=OPEN)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:actum:problem:draining")
        assert answer.headers["retry-after"] == "1"
        assert client.get("/health").status_code == 200
        assert client.get("/ready").json()["trouble"] == "about to stop"


def test_declarations_that_do_not_fit_are_found_before_anybody_asks():
    app = App("odd")
    app.upcast("Nothing", 1, into=("Nowhere", 1))
    with pytest.raises(Misdeclared):
        asgi(app, "memory:")


def test_an_application_that_cannot_start_stops_the_server(tmp_path: Path):
    (tmp_path / "bank.db").write_bytes(b"something else" * 100)
    with pytest.raises(Unavailable), TestClient(asgi(bank, tmp_path / "bank.db")):
        pass


def test_a_fault_of_the_program_is_logged_under_the_name_that_the_answer_gives(
    running: Running, caplog: pytest.LogCaptureFixture
):
    with TestClient(asgi(bank, running), raise_server_exceptions=False) as client:
        running.store.head, kept = (lambda: 1 / 0), running.store.head
        try:
            with caplog.at_level(logging.ERROR):
                answer = client.get("/events")
        finally:
            running.store.head = kept
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:actum:problem:internal")
    assert answer.json()["instance"] in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "division" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/commands/Open", "POST"),
        ("POST", "/queries/Owners", "GET, HEAD"),
        ("DELETE", "/events/1", "GET, HEAD"),
        ("PUT", "/views/Balance/A", "GET, HEAD"),
        ("TRACE", "/health", "GET, HEAD"),
    ],
)
def test_another_method_is_told_which_there_are(client: TestClient, method: str, path: str, allowed: str):
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_the_head_of_an_answer_can_be_had_alone(client: TestClient, filled: Running):
    answer = client.head("/views/Balance")
    assert (answer.status_code, answer.headers["actum-position"], answer.content) == (200, "20", b"")


def test_headers_above_the_limit_are_turned_down(client: TestClient):
    answer = client.get("/events", headers={"x-much": "x" * 20_000})
    assert (answer.status_code, answer.json()["type"]) == (431, "urn:actum:problem:headers-too-large")


def test_every_answer_forbids_to_be_used_as_a_page(client: TestClient):
    for path in ("/health", "/nope", "/events"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")


def test_limits_are_checked_when_they_are_made():
    with pytest.raises(Invalid, match=r"Limits.body: expected a number above 0, found -1"):
        Limits(body=-1)


def test_a_web_socket_is_turned_away(client: TestClient):
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/events"):
        pass


PATHS = st.one_of(
    st.sampled_from(
        ["/commands/Open", "/commands/Note", "/queries/Richest", "/views/Balance", "/events", "/decisions/x"]
    ),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#?"), max_size=40).map("/{}".format),
    st.text(max_size=10).map("/views/Balance/{}".format),
    st.text(max_size=10).map("/states/Account/{}".format),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS"]),
    PATHS,
    st.dictionaries(
        st.sampled_from(
            [
                "at",
                "limit",
                "order",
                "after",
                "wait_for",
                "balance.ge",
                "type",
                "tag",
                "until",
                "at_least",
                "branches",
                "since",
                "x",
            ]
        ),
        st.text(max_size=12),
        max_size=4,
    ),
    st.dictionaries(
        st.sampled_from(
            [
                "content-type",
                "idempotency-key",
                "actum-actor",
                "if-none-match",
                "prefer",
                "traceparent",
                "actum-effective-at",
                "content-length",
            ]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
        max_size=3,
    ),
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from([b'{"account":"A","owner":"o"}', b'{"lines":[{"account":"A","amount":1e400}]}']),
    ),
)
def test_whatever_comes_in_gets_an_answer_that_is_no_fault_of_ours(
    client: TestClient, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes
):
    try:
        sent = {"content-type": "application/json"} | headers
        answer = client.request(method, path, params=query, headers=sent, content=body)
    except Exception as wrong:  # noqa: BLE001 - whose class that is depends on the version of Starlette
        assert isinstance(wrong, ValueError) or type(wrong).__name__ == "InvalidURL", wrong
        return  # the client itself will not send it
    assert answer.status_code < 500 or answer.status_code == 503, (method, path, query, headers, body, answer.text)
    if answer.status_code >= 400 and method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_trace_that_no_header_could_carry_back_is_passed_over_and_the_command_decided(client: TestClient):
    trace = b"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-\xe2\x82\xac"
    sent = {"account": "A", "owner": "o"}
    answer = client.post("/commands/Open", json=sent, headers={b"traceparent": trace})  # type: ignore[dict-item]
    assert (answer.status_code, "traceparent" in answer.headers) == (200, False)
