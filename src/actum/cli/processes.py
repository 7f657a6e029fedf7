"""`actum processes` and `actum timers`: what an application does by itself, how it stands, and helping it on."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.table import Table
from rich.text import Text

from actum.cli.exits import FOUND
from actum.cli.options import (
    AGO,
    app_option,
    existing,
    journal_option,
    json_option,
    load_app,
    read_database_option,
)
from actum.cli.rendering import local
from actum.cli.terminal import line, note, out, readable
from actum.cli.views import show_followers
from actum.journal.message import to_json

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from datetime import timedelta

    from actum.projection.view import View
    from actum.service.processes import Processes

limit_option = click.option(
    "-n", "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many rows."
)
all_option = click.option("--all", "everything", is_flag=True, help="Those that are over as well.")
reason_option = click.option("--reason", required=True, metavar="TEXT", help="Why: it goes on record.")
actor_option = click.option(
    "--actor", envvar="ACTUM_ACTOR", required=True, metavar="NAME", help="Who decides: a pseudonym. [env: ACTUM_ACTOR]"
)


@contextmanager
def at_work(app: str, journal: str, read_database: str | None) -> Generator[Processes]:
    """The processes of an application, brought up to date and then left alone."""
    with load_app(app).open(existing(journal), read_database=read_database, follow=False) as running:
        yield running.processes


@click.group()
def processes() -> None:
    """Look at processes and help them on: list, status, compare, retry, discard."""


@processes.command("list")
@app_option
@journal_option
@read_database_option
@all_option
@click.option("--stuck", type=AGO, metavar="TIME", help="Only those that were not heard of for so long (90s, 2h, 7d).")
@limit_option
@json_option
def list_(
    app: str,
    journal: str,
    read_database: str | None,
    everything: bool,
    stuck: timedelta | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the instances of processes: those that are parked, then those that are open."""
    with at_work(app, journal, read_database) as work:
        if stuck is not None:
            rows = list(work.stuck(patience=stuck))
        else:
            rows = list(work.instances().where("status", "=", "parked"))
            rows += work.instances().where("status", "=", "open").order("heard")
            if everything:
                rows += work.instances().where("status", "=", "ended")
    show(
        rows,
        limit,
        ("instance", "status", "reactions", "heard", "parked_at", "waiting", "error", "due"),
        as_json=as_json,
    )


@processes.command()
@app_option
@journal_option
@read_database_option
@json_option
def status(app: str, journal: str, read_database: str | None, as_json: bool) -> None:
    """Show how far behind the journal each process is, and timers and effects, share by share, and who holds the shares."""
    with at_work(app, journal, read_database) as work:
        found = work.followers()
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
    with load_app(app).open(existing(journal), read_database=read_database, follow=False) as running:
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
@app_option
@journal_option
@read_database_option
@actor_option
@reason_option
@json_option
def retry(
    instance: str, app: str, journal: str, read_database: str | None, actor: str, reason: str, as_json: bool
) -> None:
    """Have what is parked at an INSTANCE, such as Payout/P-1, tried again by whoever runs the application."""
    with at_work(app, journal, read_database) as work:
        done = work.retry_instance(instance, reason=reason, actor=actor)
    say(f"{instance} will be tried again", done.position, as_json=as_json)


@processes.command()
@click.argument("instance")
@app_option
@journal_option
@read_database_option
@actor_option
@reason_option
@json_option
def discard(
    instance: str, app: str, journal: str, read_database: str | None, actor: str, reason: str, as_json: bool
) -> None:
    """Have the event that is parked at an INSTANCE passed over, and what waits behind it taken."""
    with at_work(app, journal, read_database) as work:
        done = work.discard_instance(instance, reason=reason, actor=actor)
    say(f"what was parked at {instance} is discarded", done.position, as_json=as_json)


@click.command()
@app_option
@journal_option
@read_database_option
@all_option
@limit_option
@json_option
def timers(app: str, journal: str, read_database: str | None, everything: bool, limit: int, as_json: bool) -> None:
    """List the timers that are set, the next one first, and those before that cannot fire."""
    with at_work(app, journal, read_database) as work:
        rows = list(work.timers().where("status", "=", "parked"))
        rows += work.timers().where("status", "=", "set").order("due")
        if everything:
            rows += work.timers().where("status", "in", ["fired", "cancelled"])
    show(rows, limit, ("due", "name", "status", "instance", "schedule", "then", "timer"), as_json=as_json)


def show(rows: Sequence[View], limit: int, columns: Iterable[str], *, as_json: bool) -> None:
    """Rows as a table of these columns, or whole as lines."""
    shown = rows[:limit]
    if as_json:
        for row in shown:
            line(msgspec.Raw(to_json(row)))
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in shown:
        table.add_row(*(_cell(getattr(row, name)) for name in columns))
    out().print(table if rows else Text("nothing", "dim"))
    if len(rows) > limit:
        note(f"{limit:,} of {len(rows):,} rows; -n shows more")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return "now" if value <= datetime(1970, 1, 1, tzinfo=UTC) else f"{local(value):%Y-%m-%d %H:%M:%S}"
    return readable(str(value))


def say(what: str, position: int, *, as_json: bool) -> None:
    """What was done, and where that is on record."""
    if as_json:
        line({"done": what, "position": position})
    else:
        out().print(Text.assemble(("✓ ", "green"), readable(what), (f"; on record at position {position:,}", "dim")))
