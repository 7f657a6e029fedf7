"""The power goes, at points nobody chose: what was acknowledged is there, or a suffix is missing where that was said."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from actum.journal.event import SequencedEvent, data_of
from actum.journal.query import Query
from actum.journal.store import Append, Durability, leaf_of
from actum.stores.sqlite.database import SqliteStore
from actum.testing.assault import SeededIds
from actum.testing.builders import an_append, an_event
from tests.fault.disk import Op, PowerCuts, failing_disk, lay_out, pick_up
from tests.fault.seeds import minutes_of_soaking

JOURNAL = "journal.db"
CUTS = 40


def plan(seed: int, number: int) -> tuple[Append, ...]:
    """Mostly one event or a few, now and then so many that the index is written."""
    random = Random(f"{seed}/{number}")
    ids = SeededIds(random)
    size = random.choice((1, 1, 2, 3, 5, 8, 300))
    tags = (f"batch:{number}", f"thing:{random.randrange(5)}")
    events = [an_event("Written", *tags, data=random.randbytes(random.randrange(200)), ids=ids) for _ in range(size)]
    return (an_append(*events, unless=Query.of(tags=tags[:1]), command=f"{number}"),)


class Record:
    """What one run on the disk left behind: its log, and at which point of it each batch was acknowledged."""

    def __init__(self, before: dict[str, bytes], known: int) -> None:
        self.before = before
        self.known = known
        self.log: list[Op] = []
        self.acknowledged: list[int] = []

    def known_at(self, point: int) -> int:
        """How many batches had been acknowledged, in all runs, when the log was that long."""
        return self.known + sum(at <= point for at in self.acknowledged)


def run(folder: Path, seed: int, durability: Durability, *, batches: int, known: int = 0) -> Record:
    """Append so many batches, in two openings, checkpointing on the way."""
    record = Record(pick_up(folder), known)
    with failing_disk(checkpoint_pages=60) as disk:
        record.log = disk.log
        for part in (batches // 2, batches - batches // 2):
            store = SqliteStore(folder / JOURNAL, durability=durability)
            for _ in range(part):
                store.append(*plan(seed, known + len(record.acknowledged)))
                record.acknowledged.append(len(disk.log))
            store.close()
    return record


def cuts(record: Record, random: Random, folder: Path, many: int) -> Iterator[tuple[int, Path]]:
    """So many disks after a cut, each with the number of batches acknowledged before."""
    power = PowerCuts(record.log, before=record.before)
    for point in sorted(random.randrange(len(record.log) + 1) for _ in range(many)):
        yield record.known_at(point), lay_out(power.at(point, random), folder)


def whole_batches(folder: Path, seed: int) -> int:
    """How many batches of the plan are there, from the first on; fails unless that is all there is, and is sound."""
    store = SqliteStore(folder / JOURNAL)
    events = list(store.read())
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    assert all(leaf_of(event, store.origin) == event.leaf for event in events)
    number = left = 0
    while left < len(events):
        left += _check_batch(store, events[left:], plan(seed, number), left + 1)
        number += 1
    store.close()
    return number


def _check_batch(store: SqliteStore, events: list[SequencedEvent], planned: tuple[Append, ...], first: int) -> int:
    (append,) = planned
    assert append.condition is not None
    assert append.decision is not None
    size = len(append.events)
    assert tuple(map(data_of, events[:size])) == append.events
    assert len(list(store.read(append.condition.fail_if_events_match))) == size
    decision = store.decision(append.decision.command)
    assert decision is not None
    assert (decision.first, decision.count) == (first, size)
    return size


def lose_power(folder: Path, seed: int, durability: Durability, *, generations: int = 2) -> tuple[int, int]:
    """Cut the power again and again; how often, and how many acknowledged batches were missing in all."""
    random, disk, image = Random(seed), folder / "disk", folder / "image"
    done = missing = known = 0
    disk.mkdir(parents=True)
    for _ in range(generations):
        record = run(disk, seed, durability, batches=24, known=known)
        for acknowledged, left in cuts(record, random, image, CUTS):
            known = whole_batches(left, seed)
            missing += max(0, acknowledged - known)
            done += 1
            assert known <= acknowledged + 1
        # The next run goes on from what the last cut left.
        lay_out(pick_up(image), disk)
    print(f"{done} power cuts, {missing} acknowledged batches missing")
    return done, missing


def test_what_is_acknowledged_survives_a_power_cut_at_any_moment(tmp_path: Path, seed: int):
    done, missing = lose_power(tmp_path, seed, Durability.POWER_LOSS)
    assert done == 2 * CUTS
    assert missing == 0


def test_a_power_cut_while_a_journal_is_made_leaves_one_or_none(tmp_path: Path, seed: int):
    (tmp_path / "disk").mkdir()
    record = run(tmp_path / "disk", seed, Durability.POWER_LOSS, batches=2)
    power, random = PowerCuts(record.log), Random(seed)
    made = record.acknowledged[0]
    for point in range(made + 1):
        left = lay_out(power.at(point, random), tmp_path / "image")
        assert whole_batches(left, seed) >= record.known_at(point)
    print(f"{made + 1} power cuts")
    assert made > 20, "inconclusive"


def test_the_weaker_durability_loses_the_last_commits_with_the_power_and_never_earlier_ones(tmp_path: Path, seed: int):
    # That what is there is a prefix of whole batches, `whole_batches` checks; that something is missing shows that the
    # simulated disk really forgets.
    done = missing = 0
    while missing == 0:
        assert done < 20 * CUTS, f"inconclusive: nothing was ever missing after {done} cuts"
        cut, lost = lose_power(tmp_path / f"{done}", seed + done, Durability.LOSES_LAST_COMMITS_WITH_POWER)
        done, missing = done + cut, missing + lost


def test_a_disk_that_does_not_sync_is_found_out_by_the_simulation(tmp_path: Path, seed: int):
    (tmp_path / "disk").mkdir()
    record = run(tmp_path / "disk", seed, Durability.POWER_LOSS, batches=24)
    record.log = [op for op in record.log if op.what != "sync"]
    record.acknowledged = [len(record.log)] * len(record.acknowledged)
    power = PowerCuts(record.log)
    left = power.at(len(record.log), Random(1))
    assert left.get(JOURNAL, b"") != (tmp_path / "disk" / JOURNAL).read_bytes()


@pytest.mark.soak
def test_power_is_cut_for_many_minutes_and_nothing_acknowledged_is_ever_missing(tmp_path: Path, seed: int):
    for number in minutes_of_soaking():
        _, missing = lose_power(tmp_path / f"{number}", seed + number, Durability.POWER_LOSS, generations=4)
        shutil.rmtree(tmp_path / f"{number}")
        assert missing == 0
