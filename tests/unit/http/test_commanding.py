"""A command over HTTP: decided once for its key, answered with evidence, and each way it can go wrong told apart."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from actum import App, Command, Event
from actum.http.asgi import asgi
from actum.http.limits import Limits
from actum.http.problem import URN
from actum.journal.errors import OutcomeUnknown
from actum.journal.store import leaf_of
from actum.service.running import Running
from tests.unit.http.bank import AccountId, bank

OPEN = {"account": "A-1", "owner": "Zoé"}


def kind(response: Any) -> str:
    return str(response.json()["type"]).removeprefix(URN)


def test_a_command_is_answered_with_its_events_its_position_and_a_receipt_that_the_journal_bears_out(
    client: TestClient, running: Running
):
    answer = client.post("/commands/Open", json=OPEN)
    said = answer.json()
    (stored,) = running.store.read()
    assert (answer.status_code, said["position"], answer.headers["actum-position"]) == (200, 1, "1")
    assert said["events"] == [{"type": "Opened", "version": 1, "data": OPEN | {"branch": "praha"}}]
    assert said["receipt"] == {
        "journal": running.store.origin,
        "handler": "open_account@1",
        "records": [
            {
                "position": 1,
                "id": str(stored.uuid),
                "type": "Opened",
                "leaf": leaf_of(stored, running.store.origin).hex(),
            }
        ],
    }
    assert "repeated" not in said


def test_the_receipt_names_the_decision_record(client: TestClient):
    answer = client.post("/commands/Open", json=OPEN)
    record = client.get(answer.headers["location"]).json()
    assert record == {
        "command": answer.json()["command"],
        "handler": "open_account@1",
        "first": 1,
        "last": 1,
        "after": 0,
        "unless": [{"types": ["Opened"], "tags": ["account:A-1"]}],
    }


def test_a_caller_who_wants_little_gets_no_receipt(client: TestClient):
    answer = client.post("/commands/Open", json=OPEN, headers={"prefer": "respond-async, return=minimal"})
    assert "receipt" not in answer.json()


@pytest.mark.parametrize(
    "key", ["slip 4711", '"slip 4711"', "018f4b5e-7c44-7b0e-9d5e-acf1a2b3c4d5", '"sl\\"ip"', "%C5%99"]
)
def test_a_retry_with_the_same_key_gets_the_first_answer_marked_as_repeated(client: TestClient, key: str):
    first = client.post("/commands/Open", json=OPEN, headers={"idempotency-key": key})
    again = client.post("/commands/Open", json=OPEN, headers={"idempotency-key": key})
    assert again.json() == first.json() | {"repeated": True}
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")


def test_a_key_over_http_is_the_id_of_the_command_in_process(client: TestClient, running: Running):
    from tests.unit.http.bank import Open

    number = uuid4()
    for key, id in (("slip 4711", "slip 4711"), (str(number), number)):
        account = f"A-{key}"
        client.post("/commands/Open", json={"account": account, "owner": "Z"}, headers={"idempotency-key": key})
        assert running.execute(Open(account=account, owner="Z"), id=id).repeated


def test_a_refusal_is_a_problem_with_its_facts_and_its_place_on_record_and_so_is_its_repetition(client: TestClient):
    client.post("/commands/Open", json=OPEN)
    headers = {"idempotency-key": "again"}
    refused = client.post("/commands/Open", json=OPEN, headers=headers)
    again = client.post("/commands/Open", json=OPEN, headers=headers)
    assert (refused.status_code, kind(refused)) == (422, "refused")
    assert refused.headers["content-type"] == "application/problem+json"
    said = refused.json()
    assert (said["reason"], said["facts"], said["position"]) == ("the account is open already", {"account": "A-1"}, 2)
    assert again.json() == said | {"repeated": True}
    assert again.headers["idempotency-replayed"] == "true"


def test_the_same_key_for_another_command_is_turned_down(client: TestClient):
    client.post("/commands/Open", json=OPEN, headers={"idempotency-key": "one"})
    other = client.post("/commands/Open", json=OPEN | {"account": "A-2"}, headers={"idempotency-key": "one"})
    assert (other.status_code, kind(other)) == (422, "reused")


@pytest.mark.parametrize(
    ("command", "body", "pointer"),
    [
        ("Deposit", {"account": "A-1", "amount": 1.5}, "#/amount"),
        ("Deposit", {"account": "A-1", "amount": "much"}, "#/amount"),
        ("Deposit", {"account": "A-1", "amount": "NaN"}, "#/amount"),
        ("Deposit", {"account": 7, "amount": "1"}, "#/account"),
        ("Deposit", {"account": "A-1"}, "#/amount"),
        ("Deposit", {"account": "A-1", "amount": "1", "note": ""}, "#/note"),
        ("Note", {"lines": [{"account": "A", "amount": "1"}, {"account": "A", "amount": 0.1}]}, "#/lines/1/amount"),
        ("Note", {"lines": [{"account": "A", "amount": "1", "x": 1}]}, "#/lines/0/x"),
        ("Note", {"lines": [], "when": "2026-01-01T00:00:00"}, "#/when"),
        ("Note", {"lines": [], "words": {"a": 1}}, "#/words"),
        ("Open", {"account": "A", "owner": "o", "branch": "Paris"}, "#/branch"),
        ("Open", {"account": "A", "owner": "o" * 101}, "#/owner"),
        ("Open", [], "#"),
    ],
)
def test_what_does_not_fit_is_pointed_at(client: TestClient, running: Running, command: str, body: Any, pointer: str):
    answer = client.post(f"/commands/{command}", json=body)
    assert (answer.status_code, kind(answer)) == (400, "invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert running.head() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"account":"\\ud800","owner":"x"}'])
def test_what_is_no_json_is_said_to_be_so(client: TestClient, running: Running, body: bytes):
    answer = client.post("/commands/Open", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, kind(answer)) == (400, "invalid")
    assert running.head() == 0


def test_a_command_that_nobody_declared_is_not_found_and_the_others_are_named(client: TestClient):
    answer = client.post("/commands/Close", json={})
    assert (answer.status_code, kind(answer)) == (404, "not-found")
    assert answer.json()["known"] == ["Deposit", "Note", "Open", "Transfer"]


@pytest.mark.parametrize(
    "sent", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", ""]
)
def test_only_json_in_utf_8_is_taken(client: TestClient, sent: str):
    answer = client.post("/commands/Open", content=b"{}", headers={"content-type": sent})
    assert (answer.status_code, kind(answer)) == (415, "unsupported-media-type")


def test_a_body_with_an_encoding_is_not_taken(client: TestClient):
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert kind(client.post("/commands/Open", content=b"{}", headers=headers)) == "unsupported-media-type"


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_above_the_limit_is_turned_down_before_it_is_read_whole(running: Running, *, declared: bool):
    with TestClient(asgi(bank, running, limits=Limits(body=1000))) as client:
        content = b" " * 1001 if declared else (b" " * 100 for _ in range(11))
        answer = client.post("/commands/Open", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, kind(answer), answer.json()["limit"]) == (413, "too-large", 1000)


def test_what_the_headers_say_is_in_the_metadata_of_every_event(client: TestClient, running: Running):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    correlation, causation = uuid4(), uuid4()
    answer = client.post(
        "/commands/Open",
        json=OPEN,
        headers={
            "actum-actor": "zo%C3%A9",
            "actum-on-behalf-of": "Mrs M.",
            "actum-reason": "phone order, 100% sure",
            "actum-effective-at": "2026-01-31T12:00:00+01:00",
            "actum-correlation": str(correlation),
            "actum-causation": str(causation),
            "traceparent": trace,
            "tracestate": "vendor=1",
        },
    )
    (event,) = running.events()
    found = event.metadata
    assert (found.actor, found.on_behalf_of, found.reason) == ("zoé", "Mrs M.", "phone order, 100% sure")
    assert (found.correlation, found.causation, found.traceparent, found.tracestate) == (
        correlation,
        causation,
        trace,
        "vendor=1",
    )
    assert event.effective_at == datetime(2026, 1, 31, 11, tzinfo=UTC)
    assert found.command_id == UUID(answer.json()["command"])
    assert (answer.headers["actum-correlation"], answer.headers["traceparent"]) == (str(correlation), trace)


def test_without_a_story_the_command_is_its_own(client: TestClient):
    answer = client.post("/commands/Open", json=OPEN)
    assert answer.headers["actum-correlation"] == answer.json()["command"]
    assert "traceparent" not in answer.headers


def test_a_command_that_nobody_gives_is_turned_down():
    with TestClient(asgi(bank, "memory:")) as client:
        answer = client.post("/commands/Open", json=OPEN)
        assert (answer.status_code, kind(answer)) == (400, "invalid")
        assert "Actum-Actor" in answer.json()["detail"]
    with TestClient(asgi(bank, "memory:", actor="web")) as client:
        assert client.post("/commands/Open", json=OPEN).status_code == 200


class Waited(Event):
    account: AccountId


class Wait(Command):
    account: AccountId


def slow_bank(entered: threading.Event, leave: threading.Event) -> App:
    slow = App("slow")

    @slow.decides
    def wait(command: Wait) -> Waited:
        entered.set()
        leave.wait(30)
        return Waited(account=command.account)

    return slow


def test_a_command_without_an_answer_in_time_is_unknown_and_the_same_key_finds_out():
    entered, leave = threading.Event(), threading.Event()
    app = slow_bank(entered, leave)
    with TestClient(asgi(app, "memory:", actor="web", limits=Limits(wait=0.2))) as client:
        unknown = client.post("/commands/Wait", json={"account": "A"})
        leave.set()
        assert (unknown.status_code, kind(unknown), unknown.headers["retry-after"]) == (504, "outcome-unknown", "1")
        key = unknown.json()["idempotency_key"]
        again = client.post("/commands/Wait", json={"account": "A"}, headers={"idempotency-key": key})
        assert (again.status_code, again.json()["position"]) == (200, 1)


def test_more_commands_at_once_than_the_limit_are_told_to_come_again():
    entered, leave = threading.Event(), threading.Event()
    door = asgi(slow_bank(entered, leave), "memory:", actor="web", limits=Limits(commands=1))

    async def crowd() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://localhost") as client:
            first = asyncio.create_task(client.post("/commands/Wait", json={"account": "A"}))
            await asyncio.to_thread(entered.wait)
            second = await client.post("/commands/Wait", json={"account": "B"})
            leave.set()
            answers = [await first, second]
        await door.close()
        return answers

    first, second = asyncio.run(crowd())
    assert (first.status_code, second.status_code, kind(second)) == (200, 503, "busy")
    assert second.headers["retry-after"] == "1"


def test_an_outcome_that_the_journal_itself_does_not_know_is_passed_on_with_the_key_to_ask_again(running: Running):
    def fail(*appends: object) -> list[Any]:
        raise OutcomeUnknown("the line went dead")

    with TestClient(asgi(bank, running)) as client:
        write, running.store.append = running.store.append, fail
        try:
            unknown = client.post("/commands/Open", json=OPEN)
        finally:
            running.store.append = write
        assert (unknown.status_code, kind(unknown)) == (504, "outcome-unknown")
        again = client.post("/commands/Open", json=OPEN, headers={"idempotency-key": unknown.json()["idempotency_key"]})
        assert again.status_code == 200
