"""Feeds and open questions on a real line: resumed, bounded in number, told when the server stops."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from actum.http.asgi import asgi
from actum.http.limits import Limits
from actum.http.problem import URN
from actum.http.serving import Serving
from actum.service.running import Running
from tests.unit.http.bank import Deposit, Open, bank


def lines_of(answer: httpx.Response, until: str) -> list[str]:
    found = []
    for line in answer.iter_lines():
        found.append(line)
        if line.startswith(until):
            break
    return found


def ids(lines: list[str]) -> list[int]:
    return [int(line.removeprefix("id: ")) for line in lines if line.startswith("id: ")]


def kind(response: Any) -> str:
    return str(response.json()["type"]).removeprefix(URN)


def test_a_feed_begins_behind_a_position_and_goes_on_where_the_listener_lost_it(serving: Serving, filled: Running):
    with httpx.stream("GET", f"{serving.url}/feed?after=17") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert ids(lines_of(answer, "id: 20")) == [18, 19, 20]
    with httpx.stream("GET", f"{serving.url}/feed?after=3", headers={"last-event-id": "19"}) as answer:
        assert ids(lines_of(answer, "id: 20")) == [20]


def test_a_feed_without_a_beginning_begins_now(serving: Serving, filled: Running):
    with httpx.stream("GET", f"{serving.url}/feed") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "retry: 2000"
        filled.execute(Deposit(account="A-1", amount=Decimal(1)))
        assert ids([line for line, _ in zip(lines, range(3), strict=False)]) == [21]


def test_a_feed_has_the_events_that_are_asked_for(serving: Serving, filled: Running):
    with httpx.stream("GET", f"{serving.url}/feed?after=0&type=Deposited&tag=account:A-3&tag=account:A-3") as answer:
        assert ids(lines_of(answer, "id: 8")) == [8]
    with httpx.stream("GET", f"{serving.url}/feed?after=0&actor=nobody") as answer:
        assert ids(lines_of(answer, "id: 20")) == [20], "a heartbeat says how far it has looked"


def test_an_open_question_is_answered_again_only_when_the_answer_changes(serving: Serving, running: Running):
    with httpx.stream("GET", f"{serving.url}/live/Owners?beginning=B") as answer:
        lines = answer.iter_lines()
        seen = [line for line, _ in zip(lines, range(5), strict=False)]
        assert "data: []" in seen
        running.execute(Open(account="A", owner="Ada"))
        running.execute(Open(account="B", owner="Bob"))
        data = next(line for line in lines if line.startswith("data"))
        assert data == 'data: ["Bob"]'


def test_everybody_is_told_when_the_server_stops(running: Running):
    with Serving(asgi(bank, running)) as serving:
        streams = [httpx.stream("GET", f"{serving.url}/{path}") for path in ("feed", "live/Owners")]
        answers = [stream.__enter__() for stream in streams]
        lines = [answer.iter_lines() for answer in answers]
        for each in lines:
            assert next(each) == "retry: 2000"
    for each, stream in zip(lines, streams, strict=True):
        assert "event: closing" in list(each)
        stream.__exit__(None, None, None)


def test_more_listeners_than_the_limit_are_told_to_come_again_until_one_leaves(running: Running):
    with Serving(asgi(bank, running, limits=Limits(feeds=1))) as serving:
        with httpx.stream("GET", f"{serving.url}/feed"):
            busy = httpx.get(f"{serving.url}/live/Owners")
            assert (busy.status_code, kind(busy)) == (503, "busy")
        for _ in range(1000):
            with httpx.stream("GET", f"{serving.url}/feed") as answer:
                if answer.status_code == 200:
                    break
        assert answer.status_code == 200


def test_the_head_of_a_feed_takes_no_place(client: TestClient):
    for _ in range(3):
        assert client.head("/feed").headers["content-type"].startswith("text/event-stream")
    assert "actum_feeds_open 0\n" in client.get("/metrics").text


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        ("/feed?after=1", 409, "not-yet"),
        ("/feed?after=x", 400, "invalid"),
        ("/feed?limit=1", 400, "invalid"),
        ("/live/Nope", 404, "not-found"),
        ("/live/OwnerOf", 400, "invalid"),
        ("/live/Owners?wait_for=1", 400, "invalid"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_sent(client: TestClient, path: str, status: int, name: str):
    answer = client.get(path)
    assert (answer.status_code, kind(answer)) == (status, name)


def test_a_listener_that_lost_us_at_no_position_is_turned_down(client: TestClient):
    assert kind(client.get("/feed", headers={"last-event-id": "seven"})) == "invalid"
