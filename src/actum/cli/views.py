"""`actum views`: the tables kept for reading, how far they have come, and whether they are what the journal says."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.table import Table
from rich.text import Text

from actum.cli.giving import answer_table
from actum.cli.naming import view_names
from actum.cli.options import app_option, existing, journal_option, json_option, load_app, read_database_option
from actum.cli.terminal import bar, line, note, out
from actum.journal.message import to_json
from actum.journal.readmodel import Role
from actum.projection.changed import Rebuilds
from actum.projection.view import plan_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.projection.status import FollowerStatus
    from actum.service.running import Running


@click.group()
def views() -> None:
    """Look at views, and build them anew: list, status, show, digest; rebuild, rebuild-rows, diff, switch, rollback, versions, cancel."""


@views.command("list")
@app_option
@journal_option
@read_database_option
@json_option
def list_(app: str, journal: str, read_database: str | None, as_json: bool) -> None:
    """List the views: their tables, by which version they are kept, how many rows, and how far behind the journal."""
    with open_(app, journal, read_database) as running:
        head = running.head()
        rows: list[dict[str, Any]] = []
        for name, view in sorted(running.app.views.items()):
            live = next(each for each in running.versions(view) if each.role is Role.LIVE)
            count = running.view(view).count() if running.view(view).readable else None
            rows.append(
                {
                    "view": name,
                    "table": view.__table__,
                    "version": live.definition.version,
                    "rows": count,
                    "position": live.position,
                    "behind": head - live.position,
                }
            )
        changed = list(running.views.shelf.changed.values()) if running.views.there else []
    for found in changed:
        note(f"{found}; see actum views versions {found.view}")
    if as_json:
        for row in rows:
            line(row)
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("view", "table", "version", "rows", "position", "behind"):
        table.add_column(name, justify="left" if name in ("view", "table") else "right")
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row.values()))
    out().print(table if rows else Text("the application has no views", "dim"))


@views.command()
@app_option
@journal_option
@read_database_option
@json_option
def status(app: str, journal: str, read_database: str | None, as_json: bool) -> None:
    """Show how far behind the journal each view is, in events and seconds, share by share, and who holds the shares."""
    with open_(app, journal, read_database) as running:
        found = running.followers()
    show_followers(found, "view", none="the application has no views", as_json=as_json)


def show_followers(found: Sequence[FollowerStatus], what: str, *, none: str, as_json: bool) -> None:
    """How far each of them is, share by share."""
    if as_json:
        for one in found:
            line(msgspec.Raw(to_json(one)))
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in (what, "slices", "position", "behind", "seconds", "held by", "for"):
        table.add_column(name, justify="left" if name in (what, "slices", "held by") else "right")
    for one in found:
        for share in one.shares:
            held = (share.owner, f"{share.lease:.1f} s") if share.owner else ("nobody", "")
            numbers = (f"{share.position:,}", f"{share.behind:,}", f"{share.seconds:,.1f}")
            table.add_row(one.name, str(share.slices), *numbers, *held)
    out().print(table if found else Text(none, "dim"))
    for one in found:
        if not one.divisible:
            note(f"{one.name} has one key for all events: one worker does all of it, however many there are")


@views.command()
@click.argument("view", shell_complete=view_names)
@click.argument("identity", nargs=-1)
@app_option
@journal_option
@read_database_option
@click.option("-n", "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many rows.")
@click.option("--order", metavar="FIELD", help="Sort by this field.")
@click.option("--descending", is_flag=True, help="The greatest first.")
@json_option
def show(
    view: str,
    identity: tuple[str, ...],
    app: str,
    journal: str,
    read_database: str | None,
    limit: int,
    order: str | None,
    descending: bool,
    as_json: bool,
) -> None:
    """Show the rows of a VIEW, or the one row with an IDENTITY. Brings the views up to date first."""
    with open_(app, journal, read_database) as running, bar("views") as shown:
        running.catch_up(shown.move)
        cls = load_app(app).view_type(view)
        table = running.view(cls)
        if identity:
            one = table.get(*plan_of(cls).fold.parse(identity))
            rows = [] if one is None else [one]
        else:
            ordered = table.order(order, descending=descending) if order else table
            rows = list(itertools.islice(ordered, limit))
        count = table.count()
    if as_json:
        for row in rows:
            line(msgspec.Raw(to_json(row)))
        return
    out().print(answer_table(rows))
    if not identity and count > len(rows):
        note(f"{len(rows):,} of {count:,} rows; -n shows more")


@views.command()
@click.argument("view", nargs=-1, shell_complete=view_names)
@app_option
@journal_option
@read_database_option
@json_option
def digest(view: tuple[str, ...], app: str, journal: str, read_database: str | None, as_json: bool) -> None:
    """Print one number for all rows of each VIEW (all views where none is named): equal for equal tables."""
    with open_(app, journal, read_database) as running, bar("views") as shown:
        reached = running.catch_up(shown.move)
        names = view or tuple(sorted(running.app.views))
        found = [(cls.__name__, running.digest(cls)) for cls in map(load_app(app).view_type, names)]
    for name, value in found:
        if as_json:
            line({"view": name, "digest": value, "position": reached})
        else:
            out().print(f"{value}  {name}", soft_wrap=True)


def open_(app: str, journal: str, read_database: str | None, *, actor: str | None = None) -> Running:
    """The application, its views as they are: what has changed is rebuilt by whoever asks for that."""
    return load_app(app).open(
        existing(journal), read_database=read_database, follow=False, actor=actor, rebuilds=Rebuilds.BY_HAND
    )
