"""Reading everything again: decoded and folded, and into a view that counts each event once."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from actum.decision.state import State
from actum.projection.view import View, plan_of
from actum.service.app import App
from actum.service.running import Running
from benchmarks import raw
from benchmarks.bank import AccountId, Deposited, Opened
from benchmarks.ground import Ground
from benchmarks.measure import Result, race
from benchmarks.table import Section, at_least, fact, rate

DECODED = 450 / 340
"""What is asked for: 450,000 events/s decoded and folded where raw SELECT and json.loads do 340,000."""

VIEWED = 150 / 340
"""150,000 events/s into a view on such a machine."""

SELECT = "SELECT position, type, data FROM events ORDER BY position"
PAGE = "SELECT position, type, data FROM events WHERE position > ? ORDER BY position LIMIT 100"
VIEW = """
CREATE TABLE balances (account TEXT PRIMARY KEY, balance INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE checkpoint (position INTEGER NOT NULL);
INSERT INTO checkpoint VALUES (0);
"""
ADD = "INSERT INTO balances VALUES (?1, ?2) ON CONFLICT (account) DO UPDATE SET balance = balance + ?2"

reading = App("bank")


@reading.view
class Balance(View, table="balances"):
    account: AccountId
    balance: int = 0

    def evolve(self, event: Opened | Deposited) -> None:
        match event:
            case Opened():
                pass
            case Deposited(amount=amount):
                self.balance += amount


@reading.folds
class Everything(State):
    """The whole journal as one thing: what `running.state` folds it into."""

    events: int = 0
    total: int = 0

    def evolve(self, event: Opened | Deposited) -> None:
        self.events += 1
        match event:
            case Opened():
                pass
            case Deposited(amount=amount):
                self.total += amount


def measure(ground: Ground) -> Section:
    """The section."""
    events = ground.size(200_000, 2_000)
    journal, by_hand = ground.journal(events), ground.raw_journal(events)
    views = ground.new("replay.views.db")
    with reading.open(journal, actor="bench", read_database=views, follow=False) as running:
        results = race(
            ground.rounds,
            raw=lambda: raw_decode(by_hand),
            raw_folded=lambda: raw_fold(by_hand),
            actum=lambda: running.state(Everything).events,
            each=lambda: one_by_one(running),
            raw_view=lambda: raw_view(by_hand, ground.new("replay-raw-view.db")),
            view=lambda: viewed(running),
        )
        agree = _same(views, ground.folder / "replay-raw-view.db")
    return _section(results, events, agree=agree)


def _section(results: dict[str, Result], events: int, *, agree: bool) -> Section:
    decoded, folded_raw, mine, each, raw_viewed, viewed = results.values()
    by_hand = f"raw {rate(decoded.rate)}"
    lines = [
        at_least("decoded and folded", mine.beside(decoded), DECODED, figure=rate(mine.rate), yardstick=by_hand),
        fact("  the same beside raw that folds, too", rate(mine.rate), f"raw {rate(folded_raw.rate)}", mine.beside(folded_raw)),
        fact("  each with its envelope, as running.events() gives them", rate(each.rate), by_hand, each.beside(decoded)),
        at_least("into a view, exactly once", viewed.beside(decoded), VIEWED, figure=rate(viewed.rate), yardstick=by_hand),
        at_least("  the same beside raw that commits every 100", viewed.beside(raw_viewed), 1, figure=rate(viewed.rate),
                 yardstick=f"raw {rate(raw_viewed.rate)}"),
    ]  # fmt: skip
    notes = [
        f"{events:,} events of 135 bytes and two tags; raw is SELECT position, type, data and json.loads",
        "the bars are 450,000/340,000 and 150,000/340,000: what is asked for where raw does 340,000 events/s",
        f"both views hold the same balances: {'yes' if agree else 'NO'}",
    ]
    return Section("Replay", lines, notes)


def viewed(running: Running) -> int:
    """The view, emptied and taken in again as it is when it is kept up."""
    projector = running.views.shelf.projector
    projector.renew(plan_of(Balance).kept_in(running.versions(Balance)[0].definition.table))
    return projector.catch_up()


def one_by_one(running: Running) -> int:
    """All events with their envelopes, decoded, and the balance of each account."""
    balances: dict[str, int] = defaultdict(int)
    count = 0
    for recorded in running.events():
        match recorded.event:
            case Deposited(account=account, amount=amount):
                balances[account] += amount
        count += 1
    return count


def raw_decode(path: Path) -> int:
    """All events by hand, decoded."""
    connection = raw.connect(path)
    count = 0
    for _, _, data in connection.execute(SELECT):
        json.loads(data)
        count += 1
    connection.close()
    return count


def raw_fold(path: Path) -> int:
    """The same, and the balance of each account."""
    connection = raw.connect(path)
    balances: dict[str, int] = defaultdict(int)
    count = 0
    for _, type, data in connection.execute(SELECT):
        event = json.loads(data)
        if type == "Deposited":
            balances[event["account"]] += event["amount"]
        count += 1
    connection.close()
    return count


def raw_view(path: Path, view: Path) -> int:
    """By hand into a table, a commit with the checkpoint every 100 events."""
    journal, table = raw.connect(path), raw.connect(view)
    table.execute(VIEW)
    count = position = 0
    while page := journal.execute(PAGE, (position,)).fetchall():
        table.execute("BEGIN IMMEDIATE")
        for _, type, data in page:
            event = json.loads(data)
            table.execute(ADD, (event["account"], event["amount"] if type == "Deposited" else 0))
        position = page[-1][0]
        table.execute("UPDATE checkpoint SET position = ?", (position,))
        table.execute("COMMIT")
        count += len(page)
    journal.close()
    table.close()
    return count


def _same(one: Path, other: Path) -> bool:
    asked = "SELECT account, balance FROM balances ORDER BY account"
    return raw.connect(one).execute(asked).fetchall() == raw.connect(other).execute(asked).fetchall()
