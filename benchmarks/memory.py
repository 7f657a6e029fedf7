"""What a program holds in memory while it reads a very long journal, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.bank import Deposited, bank
from benchmarks.ground import Ground
from benchmarks.measure import resident_bytes, timed
from benchmarks.table import Section, at_most, fact, rate

GROWTH = 16
"""MiB between the first tenth and the highest: what may come of how memory is handed out."""


def measure(ground: Ground) -> Section:
    """The section."""
    events = ground.size(10_000_000, 20_000)
    path = ground.journal(events)
    asked = [sys.executable, "-m", "benchmarks.memory", str(path), str(events)]
    found = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
    grown = (max(found["held"]) - found["held"][0]) / 2**20
    lines = [
        at_most(f"growth while {events:,} events are replayed", grown, GROWTH, unit="MiB"),
        fact("held while replaying", f"{max(found['held']) / 2**20:,.0f} MiB"),
        fact("decoded and folded", rate(events / found["seconds"])),
    ]
    size = path.stat().st_size
    notes = [
        f"the file: {size / 2**20:,.0f} MiB, {size / events:,.0f} bytes an event (appended in batches, no commands)"
    ]
    return Section("Memory", lines, notes)


def replay(path: str, every: int) -> list[int]:
    """What is held after each tenth."""
    held: list[int] = []
    total = 0
    with bank.open(path, actor="bench") as running:
        for count, recorded in enumerate(running.events(), 1):
            match recorded.event:
                case Deposited(amount=amount):
                    total += amount
            if count % every == 0:
                held.append(resident_bytes())
    return held


if __name__ == "__main__":
    measured: list[int] = []
    seconds = timed(lambda: measured.extend(replay(sys.argv[1], int(sys.argv[2]) // 10)))
    print(json.dumps({"held": measured, "seconds": seconds}))
