"""Where a context runs as several services, each door answers what its service is there for, and names who answers the rest."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from actum import App, Misdeclared
from actum.http.asgi import asgi
from actum.http.policy import Policy
from actum.http.security import Security
from actum.service.part import Part
from tests.unit.http.bank import Deposit, Open, bank


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    with bank.open(tmp_path / "bank.actum", actor="teller-7") as running:
        running.execute(Open(account="A-1", owner="Ada"))
        running.wait_for(running.execute(Deposit(account="A-1", amount=Decimal(5))).position)
    return tmp_path / "bank.actum"


def client_of(journal: Path, part: Part) -> TestClient:
    running = bank.open(journal, part=part, actor="teller-7")
    return TestClient(asgi(bank, running), base_url="http://localhost", raise_server_exceptions=False)


COMMAND = ("POST", "/commands/Deposit")
READS = ("/views/Balance/A-1", "/queries/Richest", "/states/Account/A-1", "/events", "/events/1")
EVERYBODY = ("/health", "/ready", "/metrics", "/openapi.json")
DEPOSIT = {"account": "A-1", "amount": "7"}


@pytest.mark.parametrize("part", Part)
def test_a_service_answers_its_part_and_says_who_answers_the_rest(journal: Path, part: Part):
    with client_of(journal, part) as client:
        for path in EVERYBODY:
            assert client.get(path).status_code == 200, path
        statuses = {path: client.get(path).status_code for path in READS}
        assert set(statuses.values()) == ({200} if part is Part.QUERIES else {421}), statuses
        given = client.post("/commands/Deposit", json=DEPOSIT)
        if part is Part.COMMANDS:
            assert given.status_code == 200
            assert client.get(given.headers["location"]).status_code == 200
        else:
            assert given.status_code == 421
            assert given.json()["services"] == ["bank/commands"]
            assert f"this is bank/{part.value}" in given.json()["detail"]


def test_a_stale_answer_says_up_to_which_position_it_shows_the_journal(journal: Path):
    with client_of(journal, Part.COMMANDS) as commands, client_of(journal, Part.QUERIES) as queries:
        position = commands.post("/commands/Deposit", json=DEPOSIT).json()["position"]
        shown = queries.get("/views/Balance/A-1")
        assert (shown.json()["balance"], shown.headers["actum-position"]) == ("5", str(position - 1))
        late = queries.get("/views/Balance/A-1", params={"wait_for": position, "timeout": 0.2})
        assert (late.status_code, late.headers["retry-after"]) == (503, "1")
        lag = next(line for line in queries.get("/metrics").text.splitlines() if line.startswith("actum_views_lag "))
        assert lag == "actum_views_lag 1"


def test_a_policy_may_name_what_another_context_beside_has(tmp_path: Path):
    policy = Policy(roles={"teller": ("commands:Deposit",)})
    security = Security(policy, identities=str(tmp_path / "i.db"), access=str(tmp_path / "a.db"))
    empty = App("empty")
    with pytest.raises(Misdeclared, match="none of the commands of empty"):
        asgi(empty, "memory:", security=security)
    assert asgi(empty, "memory:", security=security, beside=[empty, bank]).secured
