"""Queries, rows and states over HTTP: filtered, sorted, page by page, as of a moment, and not sent twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from actum.http.asgi import asgi
from actum.http.limits import Limits
from actum.http.problem import URN
from actum.service.running import Running
from tests.unit.http.bank import Deposit, Open, bank


def kind(response: Any) -> str:
    return str(response.json()["type"]).removeprefix(URN)


def accounts(answer: Any) -> list[str]:
    return [row["account"] for row in answer.json()["rows"]]


def test_a_query_is_asked_with_its_fields(client: TestClient, filled: Running):
    answer = client.get("/queries/Richest", params={"at_least": "7.5"})
    assert accounts(answer) == ["A-9", "A-8"]
    assert answer.json()["rows"][0] == {
        "account": "A-9",
        "owner": "Bob",
        "branch": "praha",
        "balance": "9",
        "movements": 2,
        "words": [],
    }


@pytest.mark.parametrize("written", [{"branches": ["praha", "brno"]}, {"branches": '["praha","brno"]'}])
def test_a_list_is_several_values_or_one_that_is_json(client: TestClient, filled: Running, written: Any):
    assert len(accounts(client.get("/queries/Richest", params=written))) == 10
    assert accounts(client.get("/queries/Richest", params={"branches": "brno"})) == []


def test_a_query_goes_through_its_pages_by_cursor(client: TestClient, filled: Running):
    seen, after = [], None
    while True:
        page = client.get("/queries/Richest", params={"limit": 3, **({"after": after} if after else {})})
        seen += accounts(page)
        after = page.json()["next"]
        if after is None:
            break
    assert seen == [f"A-{number}" for number in range(9, -1, -1)]


@pytest.mark.parametrize(
    ("address", "pointer"),
    [
        ("/queries/Richest?at_least=much", "#/at_least"),
        ("/queries/Richest?limit=0", "#/limit"),
        ("/queries/Richest?limit=1&limit=2", "#/limit"),
        ("/queries/Richest?nonsense=1", "#/nonsense"),
        ("/queries/OwnerOf", "#/account"),
        ("/views/Balance?limit=0", "#/limit"),
        ("/views/Balance?balance.ge=much", "#/balance"),
        ("/views/Balance?words.eq=x", "#/words"),
        ("/views/Balance?order=words", "#"),
        ("/views/Balance?balance.near=1", "#/balance/near"),
        ("/views/Balance?wait_for=x", "#/wait_for"),
        ("/states/Account/A?at=yesterday", "#"),
        ("/states/Account/A?at=2026-01-01T00:00:00", "#"),
        ("/queries/Owners?beginning=%ff", "#"),
    ],
)
def test_what_does_not_fit_is_pointed_at(client: TestClient, filled: Running, address: str, pointer: str):
    answer = client.get(address)
    assert (answer.status_code, kind(answer)) == (400, "invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_cursor_of_another_question_leads_nowhere(client: TestClient, filled: Running):
    cursor = client.get("/views/Balance", params={"limit": 3}).json()["next"]
    answer = client.get("/views/Balance", params={"after": cursor, "order": "balance"})
    assert (answer.status_code, kind(answer)) == (422, "cursor")


def test_rows_are_filtered_and_sorted(client: TestClient, filled: Running):
    assert accounts(client.get("/views/Balance?owner=Ada&balance.gt=2&order=-balance")) == ["A-8", "A-6", "A-4"]
    assert accounts(client.get("/views/balances?account.in=A-1&account.in=A-3&account.in=X")) == ["A-1", "A-3"]
    assert accounts(client.get("/views/Balance?order=owner,-balance&limit=2")) == ["A-8", "A-6"]
    assert accounts(client.get("/views/Balance?balance.ge=2&balance.lt=4")) == ["A-2", "A-3"]


def test_rows_come_page_by_page(client: TestClient, filled: Running):
    first = client.get("/views/Balance?order=-balance&limit=6")
    second = client.get("/views/Balance", params={"order": "-balance", "limit": 6, "after": first.json()["next"]})
    assert accounts(first) + accounts(second) == [f"A-{number}" for number in range(9, -1, -1)]
    assert second.json()["next"] is None


@pytest.mark.parametrize("account", ["A-1", "A/1", "Zoé & Bob", "100%", "a?b#c", "..", "x/"])
def test_a_row_and_a_state_are_found_by_identity_whatever_characters_it_has(
    client: TestClient, running: Running, account: str
):
    done = running.execute(Open(account=account, owner="o"))
    running.wait_for(done.position)
    segment = quote(account, safe="").replace(".", "%2E")
    assert client.get(f"/views/Balance/{segment}").json()["account"] == account
    assert client.get(f"/states/Account/{segment}").json()["state"] == {"id": account, "open": True, "balance": "0"}


def test_a_row_that_is_not_there_is_not_found(client: TestClient, filled: Running):
    answer = client.get("/views/Balance/X")
    assert (answer.status_code, kind(answer)) == (404, "not-found")


def test_a_view_without_identity_has_one_row(client: TestClient, filled: Running):
    assert client.get("/views/Total").json()["rows"] == [{"accounts": 10}]
    assert client.get("/states/Total").json()["state"] == {"accounts": 10}


def test_everything_can_be_seen_as_of_a_position(client: TestClient, filled: Running):
    assert accounts(client.get("/queries/Richest?at=4")) == ["A-1", "A-0"]
    assert accounts(client.get("/views/Balance?at=3")) == ["A-0", "A-1"]
    assert client.get("/views/Balance/A-1?at=3").json()["balance"] == "0"
    assert client.get("/views/Balance/A-1?at=4").json()["balance"] == "1"
    assert client.get("/states/Account/A-1?at=2").json() == {
        "position": 2,
        "state": {"id": "A-1", "open": False, "balance": "0"},
    }


def test_everything_can_be_seen_as_of_a_time(client: TestClient, filled: Running):
    (event,) = list(filled.events(after=3, limit=1))
    moment = event.recorded_at.isoformat()
    assert client.get("/states/Account/A-1", params={"at": moment}).json()["state"]["balance"] == "1"
    assert client.get("/states/Account/A-1?at=2001-01-01T00:00:00Z").json()["position"] == 0


def test_a_position_from_the_future_is_not_there_yet(client: TestClient, filled: Running):
    for address in ("/queries/Owners?wait_for=21", "/views/Balance?at=21", "/states/Account/A?at=21"):
        answer = client.get(address)
        assert (answer.status_code, kind(answer)) == (409, "not-yet")


def test_a_view_as_of_a_moment_behind_too_many_events_is_too_costly_but_a_row_of_it_is_not(filled: Running):
    with TestClient(asgi(bank, filled, limits=Limits(replay=10))) as client:
        assert client.get("/views/Balance?at=10").status_code == 200
        assert kind(client.get("/views/Balance?at=11")) == "too-costly"
        assert kind(client.get("/queries/Owners?at=11")) == "too-costly"
        assert client.get("/views/Balance/A-1?at=11").status_code == 200


def test_whoever_waits_for_a_position_reads_what_was_written(client: TestClient, running: Running):
    client.post("/commands/Open", json={"account": "A", "owner": "o"})
    for number in range(20):
        done = client.post(
            "/commands/Deposit", json={"account": "A", "amount": "1"}, headers={"prefer": "return=minimal"}
        )
        row = client.get("/views/Balance/A", params={"wait_for": done.json()["position"]})
        assert row.json()["balance"] == str(number + 1)


def test_waiting_ends_when_the_time_is_over():
    with bank.open("memory:", actor="x", follow=False) as running:
        running.execute(Open(account="A", owner="o"))
        for _ in range(1500):
            running.execute(Deposit(account="A", amount=Decimal(1)))
        with TestClient(asgi(bank, running)) as client:
            answer = client.get("/views/Balance/A?wait_for=1501&timeout=0")
            assert (answer.status_code, kind(answer), answer.headers["retry-after"]) == (503, "busy", "1")
            assert client.get("/views/Balance/A?wait_for=1501").json()["balance"] == "1500"


@pytest.mark.parametrize(
    "address",
    ["/queries/Owners", "/views/Balance", "/views/Balance/A-1", "/states/Account/A-1", "/events", "/events/3"],
)
def test_what_somebody_has_already_is_not_sent_again_until_it_changes(
    client: TestClient, filled: Running, address: str
):
    first = client.get(address)
    etag = first.headers["etag"]
    again = client.get(address, headers={"if-none-match": f'W/"0-0", {etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    done = filled.execute(Deposit(account="A-1", amount=Decimal(1)))
    filled.wait_for(done.position)
    later = client.get(address, headers={"if-none-match": etag})
    if address == "/events/3":
        assert later.status_code == 304
    else:
        assert (later.status_code, later.headers["actum-position"]) == (200, str(done.position))
        assert later.headers["etag"] != etag


def test_the_version_of_an_answer_changes_with_the_code_that_gives_it(filled: Running):
    from actum import App

    other = App("bank", version="3")
    for name in ("Open", "Deposit"):
        other.decides(bank.handler(bank.command_type(name)).decide)
    other.view(bank.view_type("Balance"))
    with TestClient(asgi(bank, filled)) as client, other.open(filled.store, actor="x") as newer:
        newer.catch_up()
        with TestClient(asgi(other, newer)) as renewed:
            assert client.get("/views/Balance").headers["etag"] != renewed.get("/views/Balance").headers["etag"]


@pytest.mark.parametrize("address", ["/queries/Nope", "/views/Nope", "/views/Nope/x", "/states/Nope/x", "/nope", "/"])
def test_what_is_not_there_is_not_found(client: TestClient, address: str):
    answer = client.get(address)
    assert (answer.status_code, kind(answer)) == (404, "not-found")


def test_an_identity_of_too_few_parts_is_not_found(client: TestClient):
    for address in ("/states/Account", "/states/Account/A/B", "/views/Balance/A/B"):
        assert kind(client.get(address)) == "not-found"


def test_a_decision_that_was_never_taken_is_not_found(client: TestClient):
    assert kind(client.get(f"/decisions/{uuid4()}")) == "not-found"
    assert kind(client.get("/decisions/slip")) == "invalid"
