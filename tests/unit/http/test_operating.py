"""Whether the service is alive and ready, and what it has counted."""

from __future__ import annotations

import asyncio

from starlette.testclient import TestClient

from actum.http.asgi import asgi
from actum.journal.errors import Unavailable
from actum.service.running import Running
from tests.unit.http.bank import bank


def test_a_ready_service_says_where_it_is(client: TestClient, filled: Running):
    assert client.get("/health").json() == {"status": "ok"}
    answer = client.get("/ready")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "head": 20, "views": 20, "lag": 0, "trouble": None}


def test_views_that_are_behind_are_ready_and_say_by_how_much():
    with bank.open("memory:", actor="x", follow=False) as running, TestClient(asgi(bank, running)) as client:
        client.post("/commands/Open", json={"account": "A", "owner": "o"})
        assert client.get("/ready").json() == {"ready": True, "head": 1, "views": 0, "lag": 1, "trouble": None}


def test_a_service_whose_journal_is_gone_is_alive_and_not_ready():
    running = bank.open("memory:", actor="x")
    with TestClient(asgi(bank, running)) as client:
        running.close()
        assert client.get("/health").status_code == 200
        answer = client.get("/ready")
        assert (answer.status_code, answer.json()["ready"]) == (503, False)
        assert client.get("/events").json()["type"] == "urn:actum:problem:unavailable"


def test_a_service_whose_views_have_stopped_is_not_ready():
    with bank.open("memory:", follow=False) as running, TestClient(asgi(bank, running)) as client:
        running.views.progress.fail(Unavailable("evolve cannot take it"))
        answer = client.get("/ready")
    assert (answer.status_code, answer.json()["trouble"]) == (503, "the views have stopped: evolve cannot take it")


def test_a_service_whose_feed_waits_is_not_ready(running: Running):
    door = asgi(bank, running)
    with TestClient(door) as client:
        served = asyncio.run(door.open())
        served.feed.trouble = Unavailable("the journal cannot be read")
        answer = client.get("/ready")
        assert (answer.status_code, answer.json()["trouble"]) == (503, "the feed waits: the journal cannot be read")
        assert "actum_ready 0\n" in client.get("/metrics").text


def test_counters_tell_outcomes_apart(client: TestClient, running: Running):
    opened = {"account": "A", "owner": "o"}
    for key in ("1", "1", "2"):
        client.post("/commands/Open", json=opened, headers={"idempotency-key": key})
    client.post("/commands/Open", json={})
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    for outcome in ("decided", "repeated", "refused"):
        assert f'actum_commands_total{{command="Open",outcome="{outcome}"}} 1\n' in answer.text
    assert 'actum_http_requests_total{route="/commands/{name}",method="POST",status="400"} 1\n' in answer.text
    assert "actum_journal_head 2\n" in answer.text
    assert "actum_commands_in_flight 0\n" in answer.text
