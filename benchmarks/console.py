"""The console over a long journal: how soon each page begins, and what the index costs that finds events."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from actum.console import console
from actum.history.searching import Search
from actum.http.serving import Serving
from actum.journal.event import Event
from actum.projection.changed import Rebuilds
from actum.service.opening import open_search
from actum.service.running import Running
from benchmarks.bank import NOTE, Deposited, Opened, teller
from benchmarks.ground import Ground, add
from benchmarks.measure import timed
from benchmarks.replay import reading
from benchmarks.table import Section, at_most, fact

FIRST_BYTE = 200
"""What is asked for: so many milliseconds until a page begins, however long the journal is."""

INDEX = 80
"""Bytes an event that the index may take."""

BUSY = 100_000
"""Events of the account in which most happens."""

NAME = "BUSY"

TIMES = 20
"""How often each page is asked for."""


def measure(ground: Ground) -> Section:
    """The section."""
    events = ground.size(10_000_000 if ground.long else 1_000_000, 2_000)
    journal = ground.copy(ground.journal(events), "console.actum")
    busy = ground.size(BUSY, 200)
    add(journal, _busy(busy))
    with reading.open(
        journal, actor="bench", read_database=ground.new("console.views.db"), follow=False, rebuilds=Rebuilds.BY_HAND
    ) as running:
        running.catch_up()
        index = ground.new("bank.search.db")
        made = timed(lambda: _index(running, index))
        size = sum(part.stat().st_size for part in ground.folder.glob("bank.search.db*"))
        with served(running, ground) as client:
            waits = {address: _waits(client, address) for address in pages(running)}
    worst = max(waits, key=lambda address: statistics.quantiles(waits[address], n=100)[98])
    late = 1000 * statistics.quantiles(waits[worst], n=100)[98]
    every = sorted(wait for each in waits.values() for wait in each)
    lines = [
        at_most("first byte of the slowest page, p99", late, FIRST_BYTE, unit=" ms", figure=worst),
        fact("  of all pages, median", f"{1000 * statistics.median(every):,.1f} ms"),
        fact("  of all pages, p99", f"{1000 * every[int(len(every) * 0.99)]:,.1f} ms"),
        at_most("the index for searching", size / events, INDEX, unit=" B/event", figure=f"{events / made:,.0f} events/s"),
    ]  # fmt: skip
    notes = [
        f"{events:,} events behind it, and {busy:,} of one account more; {len(waits)} pages, each {TIMES} times over HTTP, one after another",
        "each page and its first byte, median and p99: "
        + "; ".join(
            f"{address} {1000 * statistics.median(each):,.0f} and {1000 * max(each):,.0f} ms"
            for address, each in waits.items()
        ),
    ]
    return Section("The console", lines, notes)


def _busy(events: int) -> Iterator[tuple[str, str, Event]]:
    """An account in which more happens than a page can read before it begins."""
    yield NAME, teller(0), Opened(account=NAME, teller=teller(0))
    for turn in range(1, events):
        yield NAME, teller(turn), Deposited(account=NAME, teller=teller(turn), amount=turn % 100, note=NOTE)


def _index(running: Running, index: object) -> None:
    kept = open_search(str(index), journal="memory:", origin=running.store.origin)
    Search(running.store, kept).catch_up()
    kept.close()


@contextmanager
def served(running: Running, ground: Ground) -> Iterator[httpx2.Client]:
    """Somebody who looks at the console."""
    with (
        Serving(console({"bank": running}, search=ground.folder)) as serving,
        httpx2.Client(base_url=serving.url, timeout=60) as client,
    ):
        yield client


def pages(running: Running) -> list[str]:
    """Addresses that need the whole length of the journal: its end, its middle, what is common in it and what is rare."""
    head = running.head()
    middle = next(running.events(after=head // 2, limit=1))
    account = middle.tags[0].partition(":")[2]
    return [
        "/live",
        "/live?span=1y",
        "/search",
        f"/search?before=bank.{head // 2}",
        "/search?q=type:Deposited",
        f"/search?q=account:{account}",
        "/search?q=actor:teller-7",
        "/search?q=nothing-like-it",
        "/search?q=before:1h",
        f"/events/{middle.id}",
        f"/bank/events/{head // 2}",
        "/things",
        "/bank/things/Balance",
        f"/bank/things/Balance/{account}",
        f"/bank/explain/Balance/{account}/balance",
        f"/bank/things/Balance/{NAME}",
        f"/bank/things/Balance/{NAME}?at={head - 10}",
        f"/bank/compare/Balance/{NAME}?from=1&to={head}",
        f"/bank/explain/Balance/{NAME}/balance",
        "/bank/things/Everything/-",
        "/bank/explain/Everything/-/total",
        "/views",
        "/bank/views/Balance",
        "/processes",
        "/parked",
        "/map",
    ]


def _waits(client: httpx2.Client, address: str) -> list[float]:
    """The seconds until the first byte of a page came, each time."""
    found: list[float] = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        with client.stream("GET", address, follow_redirects=True) as answer:
            answer.raise_for_status()
            next(answer.iter_raw())
            found.append(time.perf_counter() - begun)
    return found
