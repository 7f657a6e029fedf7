"""A bank behind a door, in memory, and somebody who asks it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from starlette.testclient import TestClient

from actum.http.asgi import asgi
from actum.http.limits import Limits
from actum.http.serving import Serving
from actum.service.running import Running
from tests.unit.http.bank import Deposit, Open, bank


@pytest.fixture
def running() -> Iterator[Running]:
    with bank.open("memory:", actor="teller-7") as running:
        yield running


@pytest.fixture
def client(running: Running) -> Iterator[TestClient]:
    with TestClient(asgi(bank, running), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def filled(running: Running) -> Running:
    """Ten accounts: A-0 to A-9, with 0 to 9 on them, at positions 1 to 20."""
    for number in range(10):
        running.execute(Open(account=f"A-{number}", owner=("Ada", "Bob")[number % 2]))
        done = running.execute(Deposit(account=f"A-{number}", amount=Decimal(number)))
    running.wait_for(done.position)
    return running


@pytest.fixture
def serving(running: Running) -> Iterator[Serving]:
    """The same bank on a real port."""
    with Serving(asgi(bank, running, limits=Limits(heartbeat=0.3, live=0.02))) as serving:
        yield serving
