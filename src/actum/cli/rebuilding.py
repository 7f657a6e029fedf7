"""`actum views rebuild` and what comes after it: compare, switch, go back, give up; and which tables there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.table import Table
from rich.text import Text

from actum.cli.naming import view_names
from actum.cli.options import app_option, journal_option, json_option, load_app, load_app_in, read_database_option
from actum.cli.rendering import counted
from actum.cli.terminal import bar, line, note, out
from actum.cli.views import open_
from actum.journal.message import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actum.journal.event import Position
    from actum.projection.difference import CellDifference, Difference, Parting, RowDifference
    from actum.projection.handling import Handles
    from actum.service.app import App
    from actum.service.rebuild import Version
    from actum.service.running import Running

actor_option = click.option(
    "--actor", envvar="ACTUM_ACTOR", metavar="NAME", required=True, help="Who does it: a pseudonym. [env: ACTUM_ACTOR]"
)
reason_option = click.option("--reason", metavar="TEXT", help="Why.")


def _named(view: str, app: str) -> tuple[Handles, str]:
    """What its author wrote, and what it is called."""
    kept = load_app(app).kept(view)
    return (kept, kept.__name__) if isinstance(kept, type) else (kept.cls, kept.name)


@click.command()
@click.argument("view", shell_complete=view_names)
@app_option
@journal_option
@read_database_option
@click.option("--switch", "switches", is_flag=True, help="And switch to it, without comparing first.")
@click.option(
    "--actor",
    envvar="ACTUM_ACTOR",
    metavar="NAME",
    help="Who does it: a pseudonym; needed with --switch. [env: ACTUM_ACTOR]",
)
@reason_option
@json_option
def rebuild(
    view: str,
    app: str,
    journal: str,
    read_database: str | None,
    switches: bool,
    actor: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """Build another table of a VIEW beside the one that readers see, by the application's definition; of a projection, all its tables.

    Goes on with what was begun before: interrupt it when you like. Then compare with `actum views diff`, and switch with
    `actum views switch`.
    """
    kept, name = _named(view, app)
    with open_(app, journal, read_database, actor=actor) as running, bar(f"rebuild {view}") as shown:
        begun = running.rebuild(kept)
        begun.wait(progress=shown.move)
        mine = begun.table
        if switches:
            begun.switch(reason=reason)
        version = next(each for each in running.versions(kept) if each.definition.table == mine)
    if as_json:
        line(_version_line(name, version))
        return
    out().print(
        Text.assemble(
            ("✓ ", "green"),
            (name, "bold"),
            f": {version.definition}, as of position {version.position:,}, is {version.role.value}",
        )
    )
    if not switches:
        note(f"compare: actum views diff {view}; then: actum views switch {view}")


@click.command()
@click.argument("view", shell_complete=view_names)
@app_option
@journal_option
@read_database_option
@click.option("--old", metavar="MODULE:ATTR", help="The application with the older definition: events are named, too.")
@click.option("--old-path", metavar="FOLDER", help="Where that is found: a folder with the older program.")
@click.option(
    "-n", "--limit", type=click.IntRange(min=0), default=20, show_default=True, help="At most so many rows one by one."
)
@json_option
def diff(
    view: str,
    app: str,
    journal: str,
    read_database: str | None,
    old: str | None,
    old_path: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Compare the candidate of a VIEW with the table that readers see: rows, cells, and the events since which they differ.

    The exit code is 1 where anything differs.
    """
    kept, _ = _named(view, app)
    before = _older(app, old, old_path)
    with open_(app, journal, read_database) as running:
        found = running.candidate(kept).diff(old=before, limit=limit)
    if as_json:
        line(summary(found))
        for row in found.rows:
            line(msgspec.Raw(to_json(row)))
    else:
        show(found)
    if not found.equal:
        raise SystemExit(1)


def _older(app: str, old: str | None, folder: str | None) -> App | None:
    if folder is not None:
        return load_app_in(folder, old or app)
    return None if old is None else load_app(old)


def summary(found: Difference) -> dict[str, Any]:
    """All but the rows."""
    return {name: getattr(found, name) for name in found.__struct_fields__ if name != "rows"} | {"equal": found.equal}


def show(found: Difference) -> None:
    """A comparison, for people."""
    shown = out()
    for name, side in (("live", found.live), ("candidate", found.candidate)):
        shown.print(f"{name:9}  {side.definition}, {counted(side.rows, 'row')}, digest {side.digest[:16]}")
    shown.print(f"as of position {found.position:,}")
    if found.equal:
        shown.print(Text.assemble(("✓ ", "green"), "nothing differs"))
        return
    for said in _what_differs(found):
        shown.print(said)
    if found.rows:
        shown.print(_rows_table(found.rows))
    if len(found.rows) < found.added + found.removed + found.changed:
        note(f"{len(found.rows):,} rows are shown; -n shows more")
    note(f"events: {found.reasons}")


def _what_differs(found: Difference) -> Iterator[str]:
    yield f"rows: {found.added:,} added, {found.removed:,} removed, {found.changed:,} changed"
    if found.cells:
        yield "cells: " + ", ".join(f"{name} {count:,}" for name, count in found.cells.items())
    for names, what in ((found.new, "new"), (found.gone, "gone")):
        if names:
            yield f"columns or tables {what}: {', '.join(names)}"


def _rows_table(rows: tuple[RowDifference, ...]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("key", "cell", "live", "candidate", "since"):
        table.add_column(name)
    for row in rows:
        key = " ".join(filter(None, (row.table, ", ".join(map(str, row.key)))))
        if row.what != "changed":
            table.add_row(key, row.what, "", "", _since(row.since))
        for cell in row.cells:
            table.add_row(key, cell.column, *_values(cell), _since(cell.since))
    return table


def _values(cell: CellDifference) -> tuple[str, str]:
    return str(cell.live), str(cell.candidate)


def _since(parting: Parting | None) -> str:
    if parting is None:
        return ""
    return f"{parting.position:,} {parting.type}" + (f" by {parting.actor}" if parting.actor else "")


@click.command()
@click.argument("view", shell_complete=view_names)
@app_option
@journal_option
@read_database_option
@click.option("--diffed", metavar="DIGEST", help="Only where the candidate has this digest, as `diff` gave it.")
@actor_option
@reason_option
@json_option
def switch(
    view: str,
    app: str,
    journal: str,
    read_database: str | None,
    diffed: str | None,
    actor: str,
    reason: str | None,
    as_json: bool,
) -> None:
    """Have the candidate of a VIEW take the place of the table that readers see, for all of them at once.

    That one is kept to go back to. Who did it and why goes on record.
    """
    kept, name = _named(view, app)
    _do(
        kept,
        name,
        app,
        journal,
        read_database,
        lambda running: running.candidate(kept).switch(diffed, actor=actor, reason=reason),
        as_json,
    )


@click.command()
@click.argument("view", shell_complete=view_names)
@app_option
@journal_option
@read_database_option
@click.option("--behind", is_flag=True, help="Accept rows as they were when the earlier table was last kept up.")
@actor_option
@reason_option
@json_option
def rollback(
    view: str,
    app: str,
    journal: str,
    read_database: str | None,
    behind: bool,
    actor: str,
    reason: str | None,
    as_json: bool,
) -> None:
    """Have the table of a VIEW that was live before take its place again. Who did it and why goes on record."""
    kept, name = _named(view, app)
    _do(
        kept,
        name,
        app,
        journal,
        read_database,
        lambda running: running.rollback(kept, behind=behind, actor=actor, reason=reason),
        as_json,
    )


@click.command()
@click.argument("view", shell_complete=view_names)
@app_option
@journal_option
@read_database_option
@actor_option
@reason_option
@json_option
def cancel(
    view: str, app: str, journal: str, read_database: str | None, actor: str, reason: str | None, as_json: bool
) -> None:
    """Give up the candidates of a VIEW: their tables are taken away. Who did it and why goes on record."""
    kept, name = _named(view, app)
    _do(
        kept,
        name,
        app,
        journal,
        read_database,
        lambda running: running.cancel_rebuild(kept, actor=actor, reason=reason),
        as_json,
    )


def _do(
    kept: Handles,
    name: str,
    app: str,
    journal: str,
    read_database: str | None,
    act: Callable[[Running], Position],
    as_json: bool,
) -> None:
    """Do it, and say what is live now."""
    with open_(app, journal, read_database) as running:
        position = act(running)
        live, *_ = running.versions(kept)
    if as_json:
        line(_version_line(name, live) | {"on_record": position})
    else:
        out().print(
            Text.assemble(
                ("✓ ", "green"),
                (name, "bold"),
                f": {live.definition} is live; on record at position {position:,}",
            )
        )


@click.command()
@click.argument("view", shell_complete=view_names)
@app_option
@journal_option
@read_database_option
@json_option
def versions(view: str, app: str, journal: str, read_database: str | None, as_json: bool) -> None:
    """List the tables of a VIEW that stand side by side: the live one, candidates, and the one to go back to."""
    kept, name = _named(view, app)
    with open_(app, journal, read_database) as running:
        found = running.versions(kept)
        head = running.head()
    if as_json:
        for version in found:
            line(_version_line(name, version))
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("version", "definition", "is", "position", "behind", "table"):
        table.add_column(name, justify="right" if name in ("version", "position", "behind") else "left")
    for version in found:
        known = version.definition
        table.add_row(
            str(known.version),
            known.fingerprint[:8] + (" (this program's)" if version.mine else ""),
            version.role.value,
            f"{version.position:,}",
            f"{head - version.position:,}",
            known.table,
        )
    out().print(table)


def _version_line(view: str, version: Version) -> dict[str, Any]:
    return {
        "view": view,
        "version": version.definition.version,
        "fingerprint": version.definition.fingerprint,
        "table": version.definition.table,
        "role": version.role.value,
        "position": version.position,
        "mine": version.mine,
    }
