"""`actum parked`: what views could not take in, looked at, taken up again, or discarded with a reason."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from actum.cli.exits import FOUND
from actum.cli.options import app_option, journal_option, json_option, read_database_option
from actum.cli.terminal import line, out, readable
from actum.cli.views import open_
from actum.journal.errors import Unknown

if TYPE_CHECKING:
    from actum.projection.parking import ParkedKey
    from actum.service.running import Running

actor_option = click.option("--actor", envvar="ACTUM_ACTOR", help="Who does it. [env: ACTUM_ACTOR]")


@click.group()
def parked() -> None:
    """Look at events that views could not take in: list, show, retry, discard."""


@parked.command("list")
@app_option
@journal_option
@read_database_option
@json_option
def list_(app: str, journal: str, read_database: str | None, as_json: bool) -> None:
    """List what is parked: view, key, position of the first event, how many wait, and the error."""
    with open_(app, journal, read_database) as running:
        found = running.parked()
    if as_json:
        for one in found:
            line(_facts(one))
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("view", "key", "position", "waiting", "attempts", "error"):
        table.add_column(name, justify="right" if name in ("position", "waiting", "attempts") else "left")
    for one in found:
        numbers = (f"{one.position:,}", f"{one.waiting:,}", f"{one.attempts:,}")
        table.add_row(one.follower, readable(one.key), *numbers, readable(one.error or "waits behind one taken in"))
    out().print(table if found else Text("nothing is parked", "dim"))


@parked.command()
@click.argument("view")
@click.argument("key")
@app_option
@journal_option
@read_database_option
@json_option
def show(view: str, key: str, app: str, journal: str, read_database: str | None, as_json: bool) -> None:
    """Show what a KEY of a VIEW failed over: the event, the error, and where in the code."""
    with open_(app, journal, read_database) as running:
        name = running.views.parking(view, actor="").name
        here = {one.key: one for one in running.parked() if one.follower == name}
        if key not in here:
            raise Unknown(f"parked key of {name}", key, tuple(sorted(here)[:20]))
        one = here[key]
        event = next(running.store.read(after=one.position - 1, limit=1))
    if as_json:
        line(_facts(one) | {"trace": one.trace, "type": event.type, "data": event.data.decode(errors="replace")})
        return
    console = out()
    console.print(
        Text.assemble((f"{one.position:,} ", "dim"), (event.type, "bold")), Text(readable(event.data.decode()))
    )
    console.print(Text(readable(one.error or "waits behind one taken in"), "red"))
    for part in one.trace.splitlines():
        console.print(Text(readable(part), "dim"))


@parked.command()
@click.argument("view")
@click.argument("key", required=False)
@app_option
@journal_option
@read_database_option
@actor_option
@click.option("--one", is_flag=True, help="Only the first event of each key.")
@click.option("--reason", help="Why; goes on record.")
@json_option
def retry(
    view: str,
    key: str | None,
    app: str,
    journal: str,
    read_database: str | None,
    actor: str | None,
    one: bool,
    reason: str | None,
    as_json: bool,
) -> None:
    """Take up again what a VIEW has parked: one KEY, or all where none is named. Exit code 1 where something still fails."""
    with open_(app, journal, read_database) as running:
        running.retry(view, key, one=one, actor=actor, reason=reason)
        _tell(running, view, as_json=as_json)


@parked.command()
@click.argument("view")
@click.argument("key")
@app_option
@journal_option
@read_database_option
@actor_option
@click.option("--reason", required=True, help="Why the event does not matter; goes on record.")
@json_option
def discard(
    view: str,
    key: str,
    app: str,
    journal: str,
    read_database: str | None,
    actor: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Have a VIEW never take in the event that a KEY failed over, and take up the later ones."""
    with open_(app, journal, read_database) as running:
        running.discard(view, key, reason=reason, actor=actor)
        _tell(running, view, as_json=as_json)


def _tell(running: Running, view: str, *, as_json: bool) -> None:
    name = running.views.parking(view, actor="").name
    left = [one for one in running.parked() if one.follower == name]
    if as_json:
        line({"view": name, "parked": [one.key for one in left]})
    elif left:
        out().print(Text(f"{name}: still parked: {', '.join(readable(one.key) for one in left[:20])}"))
    else:
        out().print(Text.assemble(("✓ ", "green"), (name, "bold"), ": nothing is parked"))
    if left:
        sys.exit(FOUND)


def _facts(one: ParkedKey) -> dict[str, Any]:
    return {
        "view": one.follower,
        "key": one.key,
        "position": one.position,
        "waiting": one.waiting,
        "attempts": one.attempts,
        "error": one.error,
    }
