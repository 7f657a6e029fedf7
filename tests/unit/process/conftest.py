"""Each test on every kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actum import App
from tests.unit.process.payouts import Bench, Open


@pytest.fixture(params=["memory", "sqlite"])
def at_work(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens an application on a fresh journal."""
    benches: list[Bench] = []

    def open_(app: App) -> Bench:
        address = "memory:" if request.param == "memory" else tmp_path / f"bank-{len(benches)}.db"
        benches.append(Bench(address, app))
        return benches[-1]

    yield open_
    for bench in benches:
        bench.running.close()
