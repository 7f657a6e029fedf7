"""`python -m examples.demo`: a bank at work, its read database destroyed and restored, a refusal explained.

About forty seconds; `--fast` leaves out the pauses. Nothing is needed from outside, and nothing is left behind but the
journal in the folder that the last act names (nothing at all after Ctrl-C). `--store postgres` plays it on a PostgreSQL server
that is started for it, `--journal postgresql://…` on one of your own.
"""

import argparse
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random

from actum import Refused, Running
from actum.decision.outcome import CommandRefused
from actum.testing.postgres import postgres_server, with_journal
from examples.demo.bank import Balance, CloseDay, DayClosed, Richest, Transfer, bank
from examples.demo.people import customers, openings, wishes
from examples.demo.tail import Tail
from examples.demo.terminal import BOLD, FAINT, GREEN, RED, Terminal, money
from examples.places import FilePlace, Place, place_of

SEED = 1816
CUSTOMERS = 10
WISHES = 60
INTERRUPTED = 130


class Demo:
    """The acts, in order, on one journal."""

    def __init__(self, place: Place, terminal: Terminal) -> None:
        self._place = place
        self._journal = place.journal
        self._terminal = terminal
        self._chance = Random(SEED)
        self._people = customers(CUSTOMERS, chance=self._chance)
        self._tail = Tail(terminal, self._people)

    def play(self) -> None:
        """All of it."""
        with bank.open(self._journal, actor="demo") as running:
            self._day(running)
            digest = self._balances(running)
        self._rebuild(digest)
        with bank.open(self._journal, actor="demo") as running:
            self._refusal(running)
        self._onwards()

    def _day(self, running: Running) -> None:
        """Customers do what customers do, in a thread of their own; the tail follows the journal."""
        self._terminal.act(
            1, "A day at the bank, live from its journal", "Une journée à la banque, en direct du journal"
        )
        with ThreadPoolExecutor(1) as thread:
            activity = thread.submit(self._live, running)
            try:
                for recorded in running.follow():
                    self._tail.show(recorded)
                    if isinstance(recorded.event, DayClosed):
                        break
            except KeyboardInterrupt:
                self._terminal.stop()
                raise
            activity.result()

    def _live(self, running: Running) -> None:
        try:
            for wish in (*openings(self._people), *wishes(self._people, WISHES, chance=self._chance)):
                # A refusal is a business answer: it is on record, and on the screen.
                with suppress(Refused):
                    running.execute(wish.command, actor=wish.actor, reason=wish.reason)
                self._terminal.pause(0.05 + self._chance.random() * 0.3)
                if self._terminal.stopped:
                    break
        finally:
            running.execute(CloseDay(entries=running.head()))

    def _balances(self, running: Running) -> str:
        self._terminal.act(2, "What the read database says", "Ce que dit la base de lecture")
        running.wait_for(running.head())
        self._show_richest(running)
        return running.digest(Balance)

    def _show_richest(self, running: Running) -> None:
        languages = {one.account: one.language for one in self._people}
        for row in running.ask(Richest()):
            amount = money(row.balance, languages[row.account])
            self._terminal.cells((row.account, 12, FAINT), (row.owner, 20, ""), (f"{amount:>12}", 0, BOLD))
        self._terminal.pause(2)

    def _rebuild(self, before: str) -> None:
        say, paint = self._terminal.say, self._terminal.paint
        self._terminal.act(3, "Destroyed, and restored from the journal", "Détruite, et restaurée depuis le journal")
        say(f"digest before · empreinte avant   {before[:32]}…")
        for deleted in self._place.delete_views():
            say(paint(f"deleted · supprimé                {deleted}", RED))
        self._terminal.pause(2)
        began = time.perf_counter()
        with bank.open(self._journal, actor="demo") as running:
            running.wait_for(running.head())
            took = time.perf_counter() - began
            after = running.digest(Balance)
            say(f"rebuilt · reconstruite            {running.head()} events in {took * 1000:.0f} ms")
            say(f"digest after · empreinte après    {after[:32]}…")
            if after != before:
                raise SystemExit("the digests differ: this must never happen, please report it")
            say(paint("identical · identique", GREEN))
            self._terminal.pause(1)
            say()
            self._show_richest(running)

    def _refusal(self, running: Running) -> None:
        self._terminal.act(4, "One refusal, explained", "Un refus, expliqué")
        poorest = running.view(Balance).order("balance").first()
        assert poorest is not None
        friend = next(one for one in self._people if one.account != poorest.account)
        wanted = Transfer(source=poorest.account, target=friend.account, amount=poorest.balance + 1)
        try:
            running.execute(wanted, actor=f"app-{poorest.account.lower()}", reason="a yacht · un voilier")
        except Refused as refused:
            self._explain(running, refused)

    def _explain(self, running: Running, refused: Refused) -> None:
        """Everything below is read back from the journal, not remembered."""
        recorded = next(running.events(after=refused.position - 1))
        refusal, metadata = recorded.event, recorded.metadata
        assert isinstance(refusal, CommandRefused)
        assert metadata.command_id is not None
        record = running.store.decision(metadata.command_id.bytes)
        assert record is not None
        assert record.condition is not None
        self._line("who · qui", f"{metadata.actor}, {recorded.recorded_at:%Y-%m-%d %H:%M:%S} UTC")
        self._line("what · quoi", f"{refusal.command} {bytes(refusal.said).decode()}, for {metadata.reason}")
        self._line("why not · pourquoi", str(refused))
        self._line("decided by · règle", f"{record.handler}, of {metadata.producer}")
        for item in record.condition.fail_if_events_match.items:
            tags, types = ", ".join(sorted(item.tags)), ", ".join(sorted(item.types))
            self._line("evidence · preuve", f"{tags}: {types}, up to position {record.condition.after}")
        self._terminal.say()
        self._terminal.say(self._terminal.paint("the last of it · la fin de celle-ci", FAINT))
        evidence = list(running.events(record.condition.fail_if_events_match, until=record.condition.after))
        for one in evidence[-5:]:
            self._tail.show(one)
        self._terminal.pause(4)

    def _line(self, what: str, text: str) -> None:
        self._terminal.cells((what, 22, FAINT), (text, 0, ""))

    def _onwards(self) -> None:
        say = self._terminal.say
        self._terminal.act(5, "Go on from here", "Et maintenant ?")
        program = os.path.relpath(Path(sys.executable).with_name("actum"))
        where = self._journal.parent if isinstance(self._journal, Path) else self._journal
        say("The journal is yours, in " + self._terminal.paint(str(where), BOLD))
        say("Le journal est à vous.")
        say()
        say(f"  export ACTUM_APP=examples.demo:bank ACTUM_JOURNAL={shlex.quote(str(self._journal))}")
        for verb in ("tail", f"entity Account {self._people[0].account}", "verify --decisions", "--help"):
            say(f"  {program} {verb}")
        say()
        say("  docs/tutorial   a bank of your own · votre propre banque")
        say("  examples/demo   the one you saw · celle que vous venez de voir")


def main(arguments: Sequence[str] | None = None) -> int:
    """Play it; the exit code."""
    options = _options(arguments)
    terminal = Terminal(haste=options.fast)
    if options.store == "postgres":
        with postgres_server(durable=True) as server:
            return _play(place_of(with_journal(server.url, "bank")), terminal, waits=True)
    if options.journal:
        return _play(place_of(options.journal), terminal)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="actum-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        print(f"expected an empty folder, found files in {folder}; say another --folder", file=sys.stderr)
        return 2
    code = _play(FilePlace(folder / "bank.actum"), terminal)
    if code == INTERRUPTED:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def _play(place: Place, terminal: Terminal, *, waits: bool = False) -> int:
    """All acts; afterwards, where the server goes with us and somebody is there, wait until they have seen enough."""
    if place.is_taken():
        print(f"expected nothing at {place} yet; name another journal", file=sys.stderr)
        return 2
    try:
        Demo(place, terminal).play()
        if waits and sys.stdin.isatty():
            input("\n  The server runs until you press Enter · le serveur tourne jusqu'à Entrée ")
    except KeyboardInterrupt:
        place.delete_views()
        print("\nstopped; nothing is left behind · arrêté, il ne reste rien")
        return INTERRUPTED
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description="A bank in front of your eyes.")
    parser.add_argument("--fast", action="store_true", help="without the pauses")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--folder", type=Path, help="where to keep the journal (a fresh temporary folder)")
    where.add_argument("--store", choices=["sqlite", "postgres"], help="postgres: on a server that is started for it")
    where.add_argument("--journal", metavar="URL", help="on a PostgreSQL server of your own: postgresql://…")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
