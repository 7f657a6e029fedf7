"""What can be done from the console: always by a form that is its own, always on record, never by a look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from actum.console import Console, console
from actum.service.control import Piece, PieceState
from tests.unit.console.street import Street, open_street
from tests.unit.history.wealth import wealth
from tests.unit.projection import flows
from tests.unit.projection.bank import fill, some_events
from tests.unit.projection.versions import at_work


@pytest.fixture
def mended(folder: Path) -> Iterator[Street]:
    with open_street(folder, mended=True) as street:
        yield street


@pytest.fixture
def app(mended: Street) -> Console:
    return console(mended.contexts, name="street", older={"wealth": wealth})


@pytest.fixture
def client(app: Console) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False, follow_redirects=True) as client:
        yield client


def send(client: TestClient, page: str, action: str, **fields: str):
    """Press a button of a page: its hidden fields, and what one types."""
    html = client.get(page).text if page.startswith("/") else page
    form = next(
        found for found in re.findall(r"<form[^>]*>.*?</form>", html, re.DOTALL) if f'action="{action}"' in found
    )
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    return client.post(action, data=hidden | fields, headers={"origin": "http://localhost"})


VIEW = "/wealth/views/Assets"


def test_a_wrong_total_is_mended_by_a_version_that_is_built_compared_and_switched_to(
    client: TestClient, mended: Street
):
    assert "another definition" in client.get(VIEW).text
    explained = client.get("/wealth/explain/Assets/C-1/total").text
    assert "The table shows -58,477.89 instead" in explained
    send(client, VIEW, f"{VIEW}/rebuild")
    compared = send(client, VIEW, f"{VIEW}/diff")
    assert "-58,477.89" in compared.text
    assert "-44,658.07" in compared.text
    assert '<a href="/wealth/events/2">Valued</a>' in compared.text  # the event since which the totals differ
    switched = send(client, compared.text, f"{VIEW}/switch", reason="the PEA is added")
    assert switched.status_code == 200
    assert "another definition" not in switched.text
    row = mended.wealth.view(mended.wealth.app.views["Assets"]).get("C-1")
    assert str(row.total) == "-44658.07"
    (record,) = [event for event in mended.wealth.events() if event.type == "actum.view_switched"]
    assert (record.metadata.actor, record.metadata.reason) == ("console", "the PEA is added")
    back = send(client, VIEW, f"{VIEW}/rollback", behind="yes", reason="not yet")
    assert "another definition" in back.text


def test_what_was_not_compared_is_not_switched_to(client: TestClient, mended: Street):
    send(client, VIEW, f"{VIEW}/rebuild")
    compared = send(client, VIEW, f"{VIEW}/diff").text
    stale = compared.replace('name="digest" value="', 'name="digest" value="0')
    assert send(client, stale, f"{VIEW}/switch").status_code == 400
    cancelled = send(client, VIEW, f"{VIEW}/cancel", reason="enough")
    assert "candidate" not in re.sub(r"<form.*?</form>", "", cancelled.text, flags=re.DOTALL)


def test_what_is_parked_is_retried_or_passed_over_with_a_reason(client: TestClient, mended: Street):
    send(client, "/parked", "/payouts/parked/retry", reason="mended")
    assert [event.type for event in mended.payouts.events()].count("actum.retried") == 1
    mended.payouts.processes.catch_up()
    refused = send(client, "/parked", "/payouts/parked/discard", reason="  ")
    assert (refused.status_code, "say why" in refused.text) == (400, True)
    send(client, "/parked", "/payouts/parked/discard", reason="never mind")
    (discarded,) = [event for event in mended.payouts.events() if event.type == "actum.discarded"]
    assert (discarded.metadata.actor, discarded.event.reason) == ("console", "never mind")


def test_a_form_that_is_not_the_consoles_own_is_turned_down(client: TestClient, mended: Street):
    before = mended.wealth.head()
    token = re.search(r'name="csrf" value="([^"]+)"', client.get(VIEW).text)[1]
    for data, headers, status in (
        ({"x": "1"}, {}, 403),
        ({"csrf": "guessed"}, {}, 403),
        ({"csrf": token}, {"origin": "http://elsewhere.example"}, 403),
        ({"csrf": token}, {"sec-fetch-site": "cross-site"}, 403),
    ):
        assert client.post(f"{VIEW}/rebuild", data=data, headers=headers).status_code == status
    assert client.post(f"{VIEW}/rebuild", json={"csrf": token}).status_code == 415
    assert client.post(f"{VIEW}/rebuild", data={"csrf": token, "more": "x" * 70_000}).status_code == 413
    assert client.post(f"{VIEW}/explode", data={"csrf": token}).status_code == 400
    assert client.get(f"{VIEW}/rebuild").status_code == 405
    assert mended.wealth.head() == before
    assert len(mended.wealth.versions(mended.wealth.app.views["Assets"])) == 1


def test_a_browser_keeps_its_users_language_and_theme(client: TestClient):
    page = send(client, "/views", "/settings", language="fr")
    assert (page.url.path, '<html lang="fr" data-theme="auto"' in page.text) == ("/views", True)
    assert 'data-theme="dark"' in send(client, "/views", "/settings", theme="dark").text
    away = client.get("/views").text.replace('name="back" value="/views"', 'name="back" value="//elsewhere.example/"')
    assert send(client, away, "/settings", theme="light").url.host == "localhost"


class Pieces:
    """Pieces of a system that only this test knows of, and what was done to them."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.state = PieceState.RUNNING

    def pieces(self) -> tuple[Piece, ...]:
        from datetime import UTC, datetime

        since = datetime(2026, 1, 31, tzinfo=UTC)
        return (
            Piece(name="bank/commands", context="bank", kind="commands", state=self.state, since=since, pid=42),
            Piece(name="console", context=None, kind="console", state=PieceState.RUNNING, since=since, pid=43),
        )

    def stop(self, name: str) -> tuple[Piece, ...]:
        self.done.append(("stop", name))
        self.state = PieceState.STOPPED
        return self.pieces()

    def start(self, name: str) -> tuple[Piece, ...]:
        self.done.append(("start", name))
        self.state = PieceState.RUNNING
        return self.pieces()

    kill = pause = resume = stop


def test_a_service_is_stopped_and_started_with_what_follows_foretold(mended: Street):
    pieces = Pieces()
    app = console(mended.contexts, control=pieces)
    with TestClient(app, base_url="http://localhost", follow_redirects=True) as client:
        stopped = send(client, "/map", "/map/stop")
        assert "Nobody can write to bank" in stopped.text
        assert "stopped" in stopped.text
        assert 'value="console"' not in stopped.text
        send(client, "/map", "/map/start")
        assert pieces.done == [("stop", "bank/commands"), ("start", "bank/commands")]
        token = re.search(r'name="csrf" value="([^"]+)"', client.get("/map").text)[1]
        assert client.post("/map/explode", data={"csrf": token}).status_code == 404


FLOWS = "/bank/views/flows"


def test_a_projection_with_tables_of_its_own_is_built_compared_switched_to_and_gone_back_from(tmp_path: Path):
    events = some_events(200, seed=91)
    with at_work(flows.first(), tmp_path / "bank.actum") as running:
        fill(running.store, events)
        running.catch_up()
    with at_work(flows.second(), tmp_path / "bank.actum") as running:
        made = console({"bank": running}, name="bank", older={"bank": flows.first()})
        with TestClient(made, base_url="http://localhost", follow_redirects=True) as client:
            assert f'href="{FLOWS}"' in client.get("/views").text
            assert "another definition" in client.get(FLOWS).text
            send(client, FLOWS, f"{FLOWS}/rebuild")
            compared = send(client, FLOWS, f"{FLOWS}/diff")
            assert "flows · " in compared.text
            assert '">Transferred</a>' in compared.text  # the event since which they differ
            switched = send(client, compared.text, f"{FLOWS}/switch", reason="big ones count twice")
            assert "another definition" not in switched.text
            assert "another definition" in send(client, FLOWS, f"{FLOWS}/rollback", behind="yes").text
        (record,) = [event for event in running.events() if event.type == "actum.view_switched"]
        assert (record.metadata.actor, record.metadata.reason) == ("console", "big ones count twice")
