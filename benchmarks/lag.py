"""How soon a view shows an event: from the moment its commit was acknowledged until the row is there, at 1,000 events a second.

Several callers append one event each, at times that are fixed beforehand; a thread of the same process keeps the view up. Whoever
waits for a position is told once the transaction with its row is committed.
"""

from __future__ import annotations

import threading
import time
from statistics import median
from typing import Any

from actum.service.running import Running
from benchmarks.bank import NOTE, Deposited, account, teller
from benchmarks.ground import Ground
from benchmarks.measure import in_threads, percentile
from benchmarks.replay import Balance, reading
from benchmarks.server import field
from benchmarks.table import Line, Section, at_most, fact, rate

PACE = 1_000
"""Events a second."""

CALLERS = 4
BAR = 50.0
"""Milliseconds that the slowest of a hundred may take."""

WAITED = 60.0


def measure(ground: Ground) -> Section:
    """The section."""
    seconds = ground.size(5, 1) if not ground.quick else 0.2
    lines: list[Line] = []
    journal = ground.copy(ground.journal(ground.size(200_000, 2_000)), "lag.actum")
    with reading.open(journal, actor="bench", read_database=ground.new("lag.views.db")) as running:
        lines += _lines("a file", [_lags(running, seconds) for _ in range(ground.rounds)])
    with (
        field(ground, events=ground.size(200_000, 2_000)) as server,
        reading.open(server.journal, actor="bench") as running,
    ):
        lines += _lines("PostgreSQL", [_lags(running, seconds) for _ in range(ground.rounds)])
    notes = [
        f"{CALLERS} callers append {PACE:,} events a second together for {seconds:g} s, each by itself; a thread of their process keeps the view up"
    ]
    return Section("How soon a view shows an event", lines, notes)


def _lines(where: str, rounds: list[tuple[list[float], float]]) -> list[Line]:
    slow = median(percentile(lags, 0.99) for lags, _ in rounds)
    usual = median(median(lags) for lags, _ in rounds)
    return [
        at_most(f"on {where}: p99", 1e3 * slow, BAR, unit="ms"),
        fact("  p50", f"{1e3 * usual:.2f} ms"),
        fact("  events a second that were appended", rate(median(pace for _, pace in rounds))),
    ]


def _lags(running: Running, seconds: float) -> tuple[list[float], float]:
    """How long each event took from its acknowledgement until the view showed it; and how many came a second."""
    running.wait_for(running.head(), timeout=WAITED)
    first, count = running.head() + 1, int(PACE * seconds)
    acknowledged: dict[int, float] = {}
    shown: dict[int, float] = {}
    resting = threading.Event()
    begun = time.perf_counter()

    def append(caller: int) -> None:
        for number in range(caller, count, CALLERS):
            due = begun + number / PACE
            resting.wait(max(0.0, due - time.perf_counter()))
            done = running.append(_deposit(number))
            acknowledged[done.position] = time.perf_counter()

    def look() -> None:
        progress: Any = running.views.progress
        for position in range(first, first + count):
            progress.wait(position, timeout=WAITED)
            shown[position] = time.perf_counter()

    watching = threading.Thread(target=look)
    watching.start()
    in_threads([lambda caller=caller: append(caller) for caller in range(CALLERS)])
    took = time.perf_counter() - begun
    watching.join()
    assert running.view(Balance).count() > 0
    return [max(0.0, shown[position] - at) for position, at in acknowledged.items()], count / took


def _deposit(number: int) -> Deposited:
    return Deposited(account=account(number % 1000), teller=teller(number), amount=1, note=NOTE)
