"""A view built anew beside itself: how fast, beside keeping the same view up, and beside an event a transaction."""

from __future__ import annotations

from actum.projection.difference import Difference
from actum.projection.projector import Projector
from actum.projection.view import plan_of
from actum.service.running import Running
from benchmarks.ground import Ground
from benchmarks.measure import race, timed
from benchmarks.replay import Balance, reading, viewed
from benchmarks.table import Section, at_least, fact, rate

ONE_BY_ONE = 40
"""What is asked for: so many times as fast as an event a transaction."""


def measure(ground: Ground) -> Section:
    """The section."""
    events = ground.size(200_000, 2_000)
    journal = ground.journal(events)
    with reading.open(journal, actor="bench", read_database=ground.new("rebuild.views.db"), follow=False) as running:
        running.catch_up()
        results = race(
            ground.rounds,
            plain=lambda: viewed(running),
            rebuilt=lambda: rebuilt(running),
            single=lambda: one_by_one(running, events // 20),
        )
        rebuild = running.rebuild(Balance)
        rebuild.wait()
        differences: list[Difference] = []
        compared = timed(lambda: differences.append(rebuild.diff()))
        switched = timed(lambda: rebuild.switch(differences[0]))
        rows = differences[0].live.rows
    plain, anew, single = results.values()
    lines = [
        at_least("rebuilt beside the live table", anew.beside(plain), 1, figure=rate(anew.rate), yardstick=f"kept up {rate(plain.rate)}"),
        at_least("  the same beside an event a transaction", anew.beside(single), ONE_BY_ONE, figure=rate(anew.rate), yardstick=f"single {rate(single.rate)}"),
        fact("compared with the live table", f"{rows / compared:,.0f} rows/s"),
        fact("  checked, recorded and switched", f"{1000 * switched:,.0f} ms"),
    ]  # fmt: skip
    notes = [f"{events:,} events, {rows:,} rows; both tables hold the same: {'yes' if differences[0].equal else 'NO'}"]
    return Section("A rebuild", lines, notes)


def rebuilt(running: Running) -> int:
    """Another table of the view, from the beginning, and away with it."""
    build = running.views.shelf.build(Balance)
    while build.step():
        pass
    position = build.pace().position
    build.drop()
    return position


def one_by_one(running: Running, events: int) -> int:
    """The first events, each in a transaction of its own."""
    place = running.views.shelf.place(Balance)
    plan = plan_of(Balance).kept_in(place.new().table)
    projector = Projector(running.store, running.app.codec, database=place.database, plans=[plan], page=1, until=events)
    position = projector.catch_up()
    place.database.drop(plan.table)
    return position
