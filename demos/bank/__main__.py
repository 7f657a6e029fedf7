"""`python -m demos.bank`: opens the bank, each of its services a process, and says where its page is.

Goes on until Ctrl-C, or for `--for` seconds; where nobody sits at a terminal, for a minute, and then it also tells there what
the page would show: the read database deleted and restored, a refusal explained, how to go on. Nothing is needed from outside,
and nothing is left behind unless `--data` names a folder. `--store postgres` starts a PostgreSQL server for it.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from actum import ActumError, Busy, Refused
from actum.host.hosting import up
from actum.http.client import Client
from actum.service.site import Site
from actum.testing.postgres import postgres_server
from demos.bank.accounts import Withdraw
from demos.bank.activity import Activity, at_the_counter, at_the_exchange, first_day
from demos.bank.assets import code_of
from demos.bank.entrance import SECURITY, Keys, let_in
from demos.bank.people import CAMILLE, Wish, camille, customers
from demos.bank.system import RELEASE_FILE, bank
from demos.bank.telling import Tail
from demos.bank.tour import Tour
from demos.bank.words import money
from examples.demo.terminal import BOLD, FAINT, GREEN, RED, Terminal

if TYPE_CHECKING:
    from actum.host.hosting import Up

SEED = 1816
CUSTOMERS = 12
MINUTE = 60.0
PORT = 8000
YACHT = Decimal("250000.00")


class Opened:
    """The bank, open: what is given to it, and what is told of it."""

    def __init__(
        self, running: Up, data: Path, store: str | None, terminal: Terminal, *, rate: float, token: str | None = None
    ) -> None:
        self.url = running.url
        self._terminal = terminal
        self._token = token
        self._clients = {name: Client(f"{self.url}/{name}", app, token=token) for name, app in bank.contexts.items()}
        self._people = customers(CUSTOMERS, chance=Random(SEED))
        self._tail = Tail(terminal, [CAMILLE, *self._people])
        self.tour = Tour(Site(bank, self.url, bank.places(data, store=store), data, running.control))
        people, chance = self._people, Random(SEED + 1)
        streams = (at_the_counter(people, chance=chance), at_the_exchange(people, chance=Random(SEED + 2)))
        self.activity = Activity(self._give, *streams, rate=rate)
        self.closing = threading.Event()
        self._quiet = threading.Event()
        self._quiet.set()

    def _give(self, wish: Wish, id: UUID | str) -> None:
        """As whom they are; where the door knows who asks, it is the counter, for them."""
        actor, whom = (wish.actor, None) if self._token is None else (None, wish.actor)
        self._clients[wish.context].execute(wish.command, id=id, actor=actor, on_behalf_of=whom, reason=wish.reason)

    def begin(self, *, quiet: bool) -> None:
        """The first day, once for each bank; then everybody sees it."""
        for name in () if quiet else ("accounts", "placements"):
            threading.Thread(target=self._show, args=(name,), daemon=True).start()
        chance = Random(SEED)
        for number, wish in enumerate((*camille(), *first_day(self._people, chance=chance))):
            self._give(wish, f"first day {number}")
        view, assets = code_of(self.tour.release).Assets, self._clients["assets"]
        last = self._people[-1].customer
        until(lambda: (row := assets.row(view, last)) is not None and row.pea != 0)

    def _show(self, context: str) -> None:
        while not self.closing.is_set():
            try:
                for recorded in self._clients[context].follow():
                    self._quiet.wait()
                    if self.closing.is_set():
                        return
                    self._tail.show(context, recorded)
            except (ActumError, RuntimeError):
                self.closing.wait(1)

    # What the page would show.

    def tell(self) -> None:
        """The read database deleted and restored, and one refusal explained."""
        self._quiet.clear()
        try:
            self._figures()
            self._restored()
            self._refusal()
        finally:
            self._quiet.set()
        self._terminal.say()

    def _figures(self) -> None:
        self._terminal.act(2, "What the customer sees", "Ce que voit la cliente")
        row = self._clients["assets"].row(code_of(self.tour.release).Assets, CAMILLE.customer)
        assert row is not None
        for title, amount in (
            ("total", row.total),
            ("current account · compte courant", row.current_account),
            ("savings plan · PEA", row.pea),
        ):
            self._terminal.cells((title, 36, FAINT), (f"{money(amount, 'fr'):>16}", 0, BOLD))
        self._terminal.say(
            "  wrong, isn't it? the page's ⓘ says why · faux, n'est-ce pas ? le ⓘ de la page dit pourquoi"
        )

    def _restored(self) -> None:
        say, paint = self._terminal.say, self._terminal.paint
        self._terminal.act(3, "Destroyed, and restored from the journal", "Détruite, et restaurée depuis le journal")
        self.tour.delete()
        found = self.tour.done.restored
        assert found is not None
        say(f"digest before · empreinte avant   {found.before[:32]}…")
        for deleted in found.deleted:
            say(paint(f"deleted · supprimé                {deleted}", RED))
        say(f"rebuilt · reconstruite            {found.events} events in {found.seconds * 1000:.0f} ms")
        say(f"digest after · empreinte après    {found.after[:32]}…")
        if not found.equal:
            raise SystemExit("the digests differ: this must never happen, please report it")
        say(paint("identical · identique", GREEN))

    def _refusal(self) -> None:
        self._terminal.act(4, "One refusal, explained", "Un refus, expliqué")
        poor, accounts = self._people[0], self._clients["accounts"]
        wanted = Withdraw(account=poor.account, amount=YACHT, label="yacht · voilier")
        try:
            self._give(Wish("accounts", wanted, poor.app, "a yacht · un voilier"), uuid4())
        except Refused as refused:
            position = refused.position
            (recorded,), _ = accounts.page(after=position - 1, until=position)
            line = self._terminal.cells
            line(("who · qui", 22, FAINT), (f"{recorded.metadata.actor}, {recorded.recorded_at:%H:%M:%S} UTC", 0, ""))
            line(("what · quoi", 22, FAINT), (f"{wanted}, for {recorded.metadata.reason}", 0, ""))
            line(("why not · pourquoi", 22, FAINT), (str(refused), 0, RED))
            line(
                ("on record · consigné", 22, FAINT),
                (f"event {position} of accounts, by {recorded.metadata.producer}", 0, ""),
            )

    def onwards(self) -> None:
        """How to go on."""
        say = self._terminal.say
        self._quiet.clear()
        self._terminal.act(5, "Go on from here", "Et maintenant ?")
        say("  make demo               with a page to click through · avec une page à parcourir")
        say("  make story              a smaller bank, and its journal is yours · son journal est à vous")
        say("  docs/tutorial           a bank of your own · votre propre banque")
        say("  demos/bank              the one you saw · celle que vous venez de voir")

    def close(self) -> None:
        """No more is given or told."""
        self.activity.stop()
        self.closing.set()
        self._quiet.set()
        for client in self._clients.values():
            client.close()


def until(so: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + MINUTE
    while not so():
        if time.monotonic() > deadline:
            raise Busy("the bank does not open; its logs say why")
        time.sleep(0.05)


@contextmanager
def store_of(name: str | None) -> Generator[str | None]:
    """Where the journals are: in files, on a server that is started, or at an address."""
    if name == "postgres":
        with postgres_server(durable=True) as server:
            yield server.url
    else:
        yield None if name in (None, "sqlite") else name


def port_of(options: argparse.Namespace) -> int:
    """The port that was said; else the usual one, or any where somebody else has that."""
    if options.port is not None:
        return int(options.port)
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
        return PORT


def opened_for(options: argparse.Namespace) -> float | None:
    """For how many seconds; None for as long as somebody wants."""
    if options.seconds is not None:
        return float(options.seconds)
    return None if sys.stdin.isatty() else MINUTE


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the bank, and close it again; the exit code."""
    options = _options(arguments)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = options.data or Path(tempfile.mkdtemp(prefix="actum-bank-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return _open(options, folder)
    except KeyboardInterrupt:
        return 0
    except ActumError as wrong:
        print(f"the bank cannot open: {wrong}", file=sys.stderr)
        return 2
    finally:
        if options.data is None:
            shutil.rmtree(folder, ignore_errors=True)
            print("closed; nothing is left behind · fermée, il ne reste rien")


def _open(options: argparse.Namespace, folder: Path) -> int:
    began = time.monotonic()
    terminal = Terminal(haste=False)
    os.environ[RELEASE_FILE] = str(folder / "release")
    seconds = opened_for(options)
    with ExitStack() as stack:
        store = stack.enter_context(store_of(options.store))
        terminal.act(1, "A bank opens: each service a process", "Une banque ouvre : chaque service est un processus")
        keys = let_in(folder) if options.login else Keys()
        security = SECURITY if options.login else None
        running = stack.enter_context(
            up(
                "demos.bank:bank",
                data=folder,
                store=store,
                port=port_of(options),
                security=security,
                token=keys.contexts,
            )
        )
        opened = Opened(running, folder, store, terminal, rate=options.rate, token=keys.counter)
        stack.callback(opened.close)
        opened.begin(quiet=options.quiet)
        terminal.say()
        terminal.say(terminal.paint(f"  The bank is open · la banque est ouverte :  {opened.url}/", BOLD, GREEN))
        for name, password in keys.passwords.items():
            terminal.say(f"  log in as · se connecter :  {name}  {password}")
        terminal.say()
        opened.activity.start()
        alone = not sys.stdin.isatty() and not options.quiet
        if sys.stdin.isatty() and options.browser and _has_browser():
            webbrowser.open(opened.url)
        left = None if seconds is None else max(0.0, seconds - (time.monotonic() - began))
        _live(opened, left, alone=alone)
    return 0


def _live(opened: Opened, left: float | None, *, alone: bool) -> None:
    """Until Ctrl-C, or the time is over. Where nobody sits at the page, the terminal tells what it would show."""
    try:
        if not alone or left is None:
            opened.closing.wait(left)
            return
        ends = time.monotonic() + left
        opened.closing.wait(left / 3)
        opened.tell()
        opened.closing.wait(max(0.0, ends - time.monotonic()))
        opened.onwards()
    except KeyboardInterrupt:
        print("\nclosing · on ferme")


def _has_browser() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demos.bank", description="A bank, each of its services a process.")
    parser.add_argument("--for", dest="seconds", type=float, help="for how many seconds (until Ctrl-C)")
    parser.add_argument("--store", help="sqlite, postgres (a server is started), or postgresql://…")
    parser.add_argument("--data", type=Path, help="where to keep it (a temporary folder)")
    parser.add_argument("--port", type=int, help=f"where the page is ({PORT}, or a free one)")
    parser.add_argument("--rate", type=float, default=3.0, help="how many commands a second (3)")
    parser.add_argument("--login", action="store_true", help="have the door ask who is there; who may come in is said")
    parser.add_argument("--no-browser", dest="browser", action="store_false", help="do not open a browser")
    parser.add_argument("--quiet", action="store_true", help="say where the page is, and nothing else")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
