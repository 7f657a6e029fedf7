"""Measuring side by side: contestants take turns, round after round, so that the machine's moods meet all of them alike."""

from __future__ import annotations

import gc
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias


class Lap(NamedTuple):
    """One round of one contestant: operations done, seconds on the wall, seconds of processor in its own processes and, where
    that was measured, in the server.
    """

    operations: int
    seconds: float
    processor: float
    server: float = 0.0


class Result(NamedTuple):
    """All rounds of one contestant."""

    laps: list[Lap]

    @property
    def rates(self) -> list[float]:
        return [lap.operations / lap.seconds for lap in self.laps]

    @property
    def rate(self) -> float:
        """Operations a second: the median of the rounds."""
        return statistics.median(self.rates)

    @property
    def processor(self) -> float:
        """Microseconds of processor an operation: the median of the rounds."""
        return statistics.median(1e6 * lap.processor / lap.operations for lap in self.laps)

    @property
    def server(self) -> float:
        """The same in the server."""
        return statistics.median(1e6 * lap.server / lap.operations for lap in self.laps)

    @property
    def least(self) -> float:
        """The same, of the round that was disturbed least: for costs of microseconds."""
        return min(1e6 * lap.processor / lap.operations for lap in self.laps)

    def beside(self, other: Result) -> float:
        """How many times the other's rate: the median of the rounds, each compared with the one next to it."""
        return statistics.median(mine / its for mine, its in zip(self.rates, other.rates, strict=True))


class Prepared(NamedTuple):
    """Work on what was made before the watch is started."""

    prepare: Callable[[], Any]
    work: Callable[[Any], int]


Work: TypeAlias = "Callable[[], int | Lap]"
"""Does some operations and says how many; or, where another program keeps the time, what that says."""


def race(rounds: int, **contestants: Work | Prepared) -> dict[str, Result]:
    """Let each do its work in turn, `rounds` times: A B A B."""
    results = {name: Result([]) for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            work = _ready(contestant)
            gc.collect()
            results[name].laps.append(_lap(work))
    return results


def _ready(contestant: Work | Prepared) -> Work:
    if isinstance(contestant, Prepared):
        return partial(contestant.work, contestant.prepare())
    return contestant


def _lap(work: Work) -> Lap:
    wall, processor = time.perf_counter(), time.process_time()
    done = work()
    if isinstance(done, Lap):
        return done
    return Lap(done, time.perf_counter() - wall, time.process_time() - processor)


def timed(call: Callable[[], object]) -> float:
    """How many seconds one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def microseconds(call: Callable[[], object], times: int) -> float:
    """What one call of a small function costs: the best of seven rounds."""
    return min(_spin(call, max(1, times // 7)) for _ in range(7))


def _spin(call: Callable[[], object], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        call()
    return 1e6 * (time.perf_counter() - start) / times


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def in_threads(works: Iterable[Callable[[], object]]) -> None:
    """Run each in a thread of its own and wait for all."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fdatasyncs(folder: Path, times: int) -> int:
    """Append 4 KiB to a file and have the disk acknowledge it, so many times."""
    path = folder / "fdatasync"
    file = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        for _ in range(times):
            os.write(file, bytes(4096))
            _sync(file)
    finally:
        os.close(file)
        path.unlink()
    return times


def _sync(file: int) -> None:
    getattr(os, "fdatasync", os.fsync)(file)


def resident_bytes() -> int:
    """How much memory this process holds now; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def processor_of(process: int) -> float:
    """Seconds of processor that a process and its children have used so far; 0 where the system does not say."""
    used = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        user, system, of_children = int(words[11]), int(words[12]), int(words[13]) + int(words[14])
        if int(folder.name) == process:
            used += user + system + of_children
        elif int(words[1]) == process:
            used += user + system
    return used / os.sysconf("SC_CLK_TCK")
