"""`actum processes` and `actum timers`: what an application does by itself, how it stands, and helping it on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec
from rich.text import Text

from actum.cli.exits import FOUND
from actum.cli.helping import at_work, helps_on, lists
from actum.cli.options import AGO, app_option, journal_option, json_option, read_database_option
from actum.cli.terminal import line, out, readable
from actum.cli.views import show_followers
from actum.journal.message import to_json

if TYPE_CHECKING:
    from datetime import timedelta

    from actum.decision.outcome import Decided
    from actum.service.agenda import ProcessRow, TimerRow
    from actum.service.running import Running


@click.group()
def processes() -> None:
    """Look at processes and help them on: list, status, compare, retry, discard."""


@processes.command("list")
@click.option("--stuck", type=AGO, metavar="TIME", help="Only those that were not heard of for so long (90s, 2h, 7d).")
@lists("instance", "status", "reactions", "heard", "parked_at", "waiting", "error", "due")
def list_(running: Running, *, everything: bool, stuck: timedelta | None) -> list[ProcessRow]:
    """List the instances of processes: those that are parked, then those that are open."""
    work = running.processes
    if stuck is not None:
        return list(work.stuck(patience=stuck))
    rows = list(work.instances().where("status", "=", "parked"))
    rows += work.instances().where("status", "=", "open").order("heard")
    if everything:
        rows += work.instances().where("status", "=", "ended")
    return rows


@processes.command()
@app_option
@journal_option
@read_database_option
@json_option
def status(app: str, journal: str, read_database: str | None, as_json: bool) -> None:
    """Show how far behind the journal each process is, and timers and effects, share by share, and who holds the shares."""
    with at_work(app, journal, read_database) as running:
        found = running.processes.followers()
    show_followers(found, "process", none="the application has no processes", as_json=as_json)


@processes.command()
@click.argument("process", nargs=-1)
@app_option
@journal_option
@read_database_option
@json_option
def compare(process: tuple[str, ...], app: str, journal: str, read_database: str | None, as_json: bool) -> None:
    """Compare what is on record with what the code of today would ask for: of each PROCESS, or of all.

    Nothing is given and nothing is written. The exit code is 1 where anything differs.
    """
    with at_work(app, journal, read_database) as running:
        found = running.processes.compare(*[running.app.definition(name).cls for name in process])
    for one in found:
        if as_json:
            line(msgspec.Raw(to_json(one)))
            continue
        out().print(Text.assemble((f"{one.position:,} ", "dim"), (one.instance, "bold"), f" on {one.type}"))
        for words, lines in (("on record", one.recorded), ("today", one.today)):
            for each in lines or ("nothing",):
                out().print(Text(f"  {words:9}  {readable(each)}"))
        if not one.steady:
            out().print(Text("  asked the same once more, it answers otherwise: see actum check", "red"))
    if found:
        raise SystemExit(FOUND)
    if not as_json:
        out().print(Text.assemble(("✓ ", "green"), "today's code reacts as is on record"))


@processes.command()
@click.argument("instance")
@helps_on("{instance} will be tried again")
def retry(running: Running, *, instance: str, reason: str, actor: str) -> Decided:
    """Have what is parked at an INSTANCE, such as Payout/P-1, tried again by whoever runs the application."""
    return running.processes.retry_instance(instance, reason=reason, actor=actor)


@processes.command()
@click.argument("instance")
@helps_on("what was parked at {instance} is discarded")
def discard(running: Running, *, instance: str, reason: str, actor: str) -> Decided:
    """Have the event that is parked at an INSTANCE passed over, and what waits behind it taken."""
    return running.processes.discard_instance(instance, reason=reason, actor=actor)


@click.command()
@lists("due", "name", "status", "instance", "schedule", "then", "timer")
def timers(running: Running, *, everything: bool) -> list[TimerRow]:
    """List the timers that are set, the next one first, and those before that cannot fire."""
    work = running.processes
    rows = list(work.timers().where("status", "=", "parked"))
    rows += work.timers().where("status", "=", "set").order("due")
    if everything:
        rows += work.timers().where("status", "in", ["fired", "cancelled"])
    return rows
