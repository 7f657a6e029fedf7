"""What the verbs on processes, timers and effects have in common: they list some, or somebody helps one on for a reason."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import click
import msgspec
from rich.table import Table
from rich.text import Text

from actum.cli.options import app_option, existing, journal_option, json_option, load_app, read_database_option
from actum.cli.rendering import local
from actum.cli.terminal import line, note, out, readable
from actum.journal.message import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actum.decision.outcome import Decided
    from actum.projection.view import View
    from actum.service.running import Running

limit_option = click.option(
    "-n", "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many rows."
)
all_option = click.option("--all", "everything", is_flag=True, help="Those that are over as well.")
reason_option = click.option("--reason", required=True, metavar="TEXT", help="Why: it goes on record.")
actor_option = click.option(
    "--actor", envvar="ACTUM_ACTOR", required=True, metavar="NAME", help="Who decides: a pseudonym. [env: ACTUM_ACTOR]"
)

Verb: TypeAlias = Callable[..., None]
"""What click makes a command of."""


@contextmanager
def at_work(app: str, journal: str, read_database: str | None) -> Iterator[Running]:
    """The application, its processes brought up to date when they are looked at, and left alone otherwise."""
    with load_app(app).open(existing(journal), read_database=read_database, follow=False) as running:
        yield running


def lists(*columns: str) -> Callable[[Callable[..., Sequence[View]]], Verb]:
    """A verb that lists the rows that a function finds in what is running, as a table of these columns, or whole as lines."""

    def verb(rows_in: Callable[..., Sequence[View]]) -> Verb:
        @app_option
        @journal_option
        @read_database_option
        @all_option
        @limit_option
        @json_option
        @functools.wraps(rows_in)
        def lists(
            app: str, journal: str, read_database: str | None, limit: int, as_json: bool, **wanted: object
        ) -> None:
            with at_work(app, journal, read_database) as running:
                rows = rows_in(running, **wanted)
            _show(rows, limit, columns, as_json=as_json)

        return lists

    return verb


def helps_on(done: str) -> Callable[[Callable[..., Decided]], Verb]:
    """A verb by which somebody decides something; `done` says so in the words of its arguments, as in `{effect} is done`."""

    def verb(decide: Callable[..., Decided]) -> Verb:
        @app_option
        @journal_option
        @read_database_option
        @actor_option
        @reason_option
        @json_option
        @functools.wraps(decide)
        def helps_on(app: str, journal: str, read_database: str | None, as_json: bool, **said: Any) -> None:
            with at_work(app, journal, read_database) as running:
                position = decide(running, **said).position
            _say(done.format(**said), position, as_json=as_json)

        return helps_on

    return verb


def _show(rows: Sequence[View], limit: int, columns: Sequence[str], *, as_json: bool) -> None:
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


def _say(what: str, position: int, *, as_json: bool) -> None:
    if as_json:
        line({"done": what, "position": position})
    else:
        out().print(Text.assemble(("✓ ", "green"), readable(what), (f"; on record at position {position:,}", "dim")))
