"""What being able to explain everything costs: each part switched off in turn, in here alone. The product has no such knobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from actum.decision import desk
from actum.decision.acting import Acting, Envelope
from actum.journal.clock import SYSTEM_CLOCK, SYSTEM_IDS, Uuid7Ids
from actum.journal.merkle import leaf
from actum.service.running import Running
from actum.stores.sqlite import rows
from benchmarks import raw
from benchmarks.bank import NOTE, Deposit, account, bank, teller
from benchmarks.ground import Ground, fill
from benchmarks.measure import Result, microseconds, race
from benchmarks.table import Line, Section, at_most, fact

SHARE = 15
"""Percent of a command that all parts together may cost."""


class UnsaltedIds(Uuid7Ids):
    """Salts are for commitments: without these, without those."""

    def salt(self) -> bytes:
        return bytes(16)


class Part(NamedTuple):
    """A part of traceability: how to do without it, and how to see in the file that it was done without."""

    words: str
    off: Callable[[], Any]
    gone: str
    size: str


@contextmanager
def replaced(owner: Any, name: str, instead: Any) -> Iterator[None]:
    """Something else in its place for a while."""
    before = getattr(owner, name)
    setattr(owner, name, instead)
    try:
        yield
    finally:
        setattr(owner, name, before)


PARTS = {
    "envelope": Part(
        "the envelope's metadata: who, what for, caused by what, with which code",
        lambda: replaced(Envelope, "of", lambda self, command: b"{}"),
        "SELECT max(length(metadata)) = 2 FROM events WHERE position > ?",
        "SELECT avg(length(metadata)) FROM events WHERE position > ?",
    ),
    "leaf": Part(
        "salt and leaf commitment",
        lambda: replaced(rows, "seal", lambda *_, **__: b""),
        "SELECT max(length(leaf)) = 0 FROM events WHERE position > ?",
        "SELECT avg(length(leaf) + length(salt)) FROM events WHERE position > ?",
    ),
    "record": Part(
        "the decision record, with which a retry is answered, too",
        lambda: replaced(desk, "DecisionKey", lambda *_: None),
        "SELECT count(*) = 0 FROM decisions WHERE first > ?",
        "SELECT (SELECT sum(pgsize) FROM dbstat WHERE name = 'decisions') * 1.0 / count(*) FROM decisions WHERE first > ?",
    ),
}


class Variant:
    """The bank with some parts switched off, on a file of its own."""

    def __init__(self, ground: Ground, name: str, off: list[str], seeded: Path) -> None:
        self.off = [PARTS[part] for part in off]
        self.path = ground.copy(seeded, f"traceability-{name}.actum")
        ids = UnsaltedIds(SYSTEM_CLOCK) if "leaf" in off else SYSTEM_IDS
        self.running: Running = bank.open(self.path, actor="bench", ids=ids)
        self.seeded = self.running.head()
        self._numbers = count()

    def commands(self, times: int) -> int:
        """Deposits, each on an account whose state has to be loaded."""
        with ExitStack() as without:
            for part in self.off:
                without.enter_context(part.off())
            for _ in range(times):
                number = next(self._numbers)
                self.running.execute(Deposit(account=account(number), teller=teller(number), amount=1000, note=NOTE))
        return times

    def asked(self, sql: str) -> float:
        """A number from its file, of what the commands wrote."""
        connection = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return float(connection.execute(sql, (self.seeded,)).get or 0)
        finally:
            connection.close()


def measure(ground: Ground) -> Section:
    """The section."""
    laps, times = ground.rounds * ground.size(32, 1), ground.size(25, 5)
    accounts = laps * times
    seeded = ground.new("traceability-seeded.actum")
    fill(seeded, accounts)
    combinations = {"whole": [], "envelope": ["envelope"], "leaf": ["leaf"], "record": ["record"], "bare": [*PARTS]}
    variants = {name: Variant(ground, name, off, seeded) for name, off in combinations.items()}
    try:
        results = race(
            laps,
            **{name: lambda one=one: one.commands(times) for name, one in variants.items()},
        )
    finally:
        for one in variants.values():
            one.running.close()
    return _section(results, variants)


def _section(results: dict[str, Result], variants: dict[str, Variant]) -> Section:
    whole = results["whole"].least
    lines = [_line(part, results, variants[name], variants["whole"], name) for name, part in PARTS.items()]
    together, share = _saved(results, "bare")
    size = sum(variants["whole"].asked(part.size) for part in PARTS.values())
    lines.append(
        at_most("all three together, percent of a command", share, SHARE, unit="%",
                figure=f"{together:,.1f} µs, {size:,.0f} B", yardstick=f"a command {whole:,.0f} µs")
    )  # fmt: skip
    notes = [
        "microseconds of processor; a command loads its account of ten events, decides, and is durable",
        "a part's figure is what a command saves without it, in the laps that were disturbed least",
        f"measured alone: a leaf {_leaf_alone():.1f} µs, the metadata {_metadata_alone():.1f} µs",
    ]
    return Section("What traceability costs", lines, notes)


def _leaf_alone() -> float:
    committed = partial(
        leaf, "0" * 32, position=1_000_000, id=bytes(16), type="Deposited", version=1, recorded=1_700_000_000_000_000,
        effective=None, tags="account:A00000001\nteller:T01", metadata=raw.METADATA, data=bytes(135), salt=bytes(16),
    )  # fmt: skip
    return microseconds(committed, 20_000)


def _metadata_alone() -> float:
    envelope = Acting("bench").envelope(command_type="Deposit", producer="bank@0")
    return microseconds(partial(envelope.of, bytes(16)), 20_000)


def _line(part: Part, results: dict[str, Result], without: Variant, whole: Variant, name: str) -> Line:
    saved, share = _saved(results, name)
    if not without.asked(part.gone):
        return fact(part.words, "could not be switched off", f"{whole.asked(part.size):,.0f} B")
    return fact(part.words, f"{saved:,.1f} µs, {whole.asked(part.size):,.0f} B", f"{share:.1f} % of a command")


def _saved(results: dict[str, Result], name: str) -> tuple[float, float]:
    """Microseconds of processor that a command saves without it, and how many percent that is."""
    whole = results["whole"].least
    saved = whole - results[name].least
    return saved, 100 * saved / whole
