"""`python -m examples.ledger --data DIR --journal PATH`: a real bank's ledger through actum, every balance checked.

The journal is a file, or a PostgreSQL database: `--journal postgresql://…`, or `--store postgres` for a server that is started
for it and gone afterwards.

Imports every line as a command, in order of days; compares each balance that the bank stated with the view, while it is
imported, and with the account's state, folded anew from the journal; deletes the read database, has it rebuilt and compares
digests; imports everything again, which must change nothing. The last line of the output is JSON with the figures; the exit
code is 0 only if all of it holds.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from actum.testing.postgres import postgres_server, with_journal
from examples.ledger.auditor import Auditor
from examples.ledger.domain import bank
from examples.ledger.importing import Imported, audit_states, bring_in
from examples.ledger.progress import progress
from examples.ledger.records import ACCOUNTS, LEDGER, Line, read
from examples.ledger.views import Balance
from examples.places import Place, place_of

CLERK = "ledger-import"
SHOWN = 10


@dataclass
class Figures:
    """The last line of the output."""

    commands: int
    events: int
    refused: int
    balances_checked: int
    mismatches: int
    rebuild_seconds: float
    digests_equal: bool
    duplicates: int
    largest_difference: str
    seconds: float
    events_per_second: int

    @property
    def all_well(self) -> bool:
        return self.digests_equal and not (self.refused or self.mismatches or self.duplicates)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    if missing := [name for name in (ACCOUNTS, LEDGER) if not (options.data / name).is_file()]:
        print(f"expected {', '.join(missing)} in {options.data}; say --data DIR", file=sys.stderr)
        return 2
    with _place(options) as place:
        if place.is_taken():
            print(
                f"expected nothing at {place}: the audit begins with an empty journal, and runs its import twice by itself; "
                "delete what is there, or name another place",
                file=sys.stderr,
            )
            return 2
        figures = run(read(options.data), place)
    print(json.dumps(asdict(figures)))
    return 0 if figures.all_well else 1


@contextmanager
def _place(options: argparse.Namespace) -> Generator[Place]:
    """Where the journal is to lie; with a server that lasts as long as it is needed, where one is asked for."""
    if options.store == "postgres":
        with postgres_server(durable=True) as server:
            yield place_of(with_journal(server.url, "ledger"))
    else:
        yield place_of(options.journal)


def run(lines: Sequence[Line], place: Place) -> Figures:
    """All of it, step by step."""
    journal = place.journal
    watching, reading = Auditor(), Auditor()
    began = time.perf_counter()
    imported = asyncio.run(_import(lines, journal, watching))
    seconds = time.perf_counter() - began
    with bank.open(journal, actor=CLERK) as running:
        events = running.head()
        audit_states(running, lines, auditor=reading)
        before = running.digest(Balance)
    rebuild_seconds, after = _rebuild(place, events)
    again = asyncio.run(_import(lines, journal, None))
    with bank.open(journal, actor=CLERK) as running:
        duplicates = running.head() - events
    _report(imported, again, watching, reading)
    return Figures(
        commands=imported.commands,
        events=events,
        refused=imported.refused,
        balances_checked=min(watching.checked, reading.checked),
        mismatches=len({*watching.mismatches, *reading.mismatches}),
        rebuild_seconds=round(rebuild_seconds, 3),
        digests_equal=before == after,
        duplicates=duplicates,
        largest_difference=str(max(watching.largest, reading.largest)),
        seconds=round(seconds, 3),
        events_per_second=round(events / seconds),
    )


async def _import(lines: Sequence[Line], journal: str | Path, auditor: Auditor | None) -> Imported:
    what = "importing again" if auditor is None else "importing and auditing"
    async with bank.open_async(journal, actor=CLERK) as running:
        with progress(what, len(lines)) as progressed:
            return await bring_in(running, lines, auditor=auditor, progressed=progressed)


def _rebuild(place: Place, head: int) -> tuple[float, str]:
    """Delete the read database; opening the application makes it anew. How long that took, and its digest."""
    place.delete_views()
    began = time.perf_counter()
    with bank.open(place.journal, actor=CLERK) as running:
        running.wait_for(head, timeout=600)
        return time.perf_counter() - began, running.digest(Balance)


def _report(imported: Imported, again: Imported, watching: Auditor, reading: Auditor) -> None:
    print(f"imported {imported.commands:,} commands, {imported.refused:,} of them refused")
    print(f"imported again: {again.repeated + again.refused:,} of {again.commands:,} had been decided before")
    for what, auditor in (("view", watching), ("state", reading)):
        print(f"compared with the {what}: {auditor.checked:,} balances, {len(auditor.mismatches):,} mismatches")
        for mismatch in auditor.mismatches[:SHOWN]:
            print(f"  {mismatch}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.ledger", description="A real bank's ledger through actum."
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help=f"the folder with {LEDGER}")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--journal", metavar="PATH", help="the journal to make: a file, or postgresql://…")
    where.add_argument("--store", choices=["postgres"], help="in a PostgreSQL server that is started for it")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
