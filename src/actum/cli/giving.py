"""`actum run`, `send` and `ask`: an application at work, a command for it, a question to it."""

from __future__ import annotations

import signal
import sys
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import click
import msgspec
from rich.table import Table
from rich.text import Text

from actum.cli.exits import FOUND
from actum.cli.fields import message_from
from actum.cli.naming import command_names, query_names
from actum.cli.options import (
    TIME,
    app_option,
    existing,
    journal_option,
    json_option,
    load_app,
    optional_journal_option,
    read_database_option,
)
from actum.cli.piece import actor_option, data_option, security_option, store_option
from actum.cli.rendering import counted
from actum.cli.terminal import bar, complain, err, line, note, out, readable
from actum.cli.whole import Wanted, run_whole
from actum.journal.errors import Invalid, Refused
from actum.journal.message import to_json
from actum.projection.changed import Rebuilds
from actum.projection.paging import Page
from actum.service.journals import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from actum.decision.outcome import Decided
    from actum.host.secured import Secured
    from actum.service.running import Running


@click.command()
@click.argument("app", envvar="ACTUM_APP")
@optional_journal_option
@read_database_option
@click.option(
    "--rebuilds",
    type=click.Choice([each.value for each in Rebuilds]),
    default=Rebuilds.AUTOMATIC.value,
    show_default=True,
    help="What to do by itself where a view has changed.",
)
@data_option
@store_option
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    metavar="N",
    help="The port; 0 is a free one.",
)
@click.option(
    "--for", "seconds", type=click.FloatRange(min=0), metavar="SECONDS", help="End by itself after so many seconds."
)
@security_option
@actor_option
@json_option
def run(
    app: str,
    journal: str | None,
    read_database: str | None,
    rebuilds: str,
    data: str | None,
    store: str | None,
    host: str,
    port: int,
    *,
    seconds: float | None,
    security: Secured | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """Run a system or an application, named MODULE:ATTRIBUTE, in this process.

    With --journal: an application alone, without a door; it follows the journal and keeps its views up. Else the whole of
    it, every service of every context and the console, served at the addresses that `actum up` has. Makes journals where
    there are none. Ends cleanly on Ctrl-C and on SIGTERM.
    """
    if journal is None:
        wanted = Wanted(
            target=app,
            data=data,
            store=store,
            host=host,
            port=port,
            security=security,
            actor=actor,
            seconds=seconds,
        )
        run_whole(wanted, as_json=as_json)
    else:
        _follow(app, journal, read_database, rebuilds, as_json=as_json)


def _follow(app: str, journal: str, read_database: str | None, rebuilds: str, *, as_json: bool) -> None:
    declared = load_app(app)
    stopping = threading.Event()

    stops = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, frame: stopping.set()) for number in stops}
    try:
        with declared.open(journal, read_database=read_database, follow=True, rebuilds=Rebuilds(rebuilds)) as running:
            _begin(running, declared.name, journal, as_json=as_json)
            _report(running, stopping, as_json=as_json)
            head = running.head()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if as_json:
        line({"stopped": head})
    else:
        note(f"stopped; the journal ends at {head:,}")


def _begin(running: Running, name: str, journal: str, *, as_json: bool) -> None:
    head = running.head()
    if as_json:
        line({"running": name, "journal": place_of(journal), "head": head, "views": sorted(running.app.views)})
        return
    views = ", ".join(sorted(running.app.views)) or "none"
    err().print(
        Text.assemble(
            (name, "bold"), f" runs on {place_of(journal)}, {counted(head, 'event')}; views: {views}. Ctrl-C stops it."
        )
    )


def _report(running: Running, stopping: threading.Event, *, as_json: bool) -> None:
    """Say calmly how it goes, until it shall stop: on a terminal one line that changes, elsewhere only what is new."""
    console = err()
    trouble = ""
    if console.is_terminal and not as_json:
        with console.status("") as status:
            before = running.head()
            while not stopping.wait(1.0):
                head = running.head()
                status.update(_status(running, head, head - before))
                before = head
        return
    while not stopping.wait(1.0):
        stopped = _stopped(running)
        if stopped and stopped != trouble:
            complain(stopped)
        trouble = stopped


def _status(running: Running, head: int, rate: int) -> Text:
    text = Text(counted(head, "event"))
    if running.app.views:
        behind = head - running.views.progress.position
        text.append(f", views {'up to date' if behind <= 0 else f'{behind:,} behind'}")
    if rate:
        text.append(f", {rate:,}/s", "dim")
    text.append(f"  {stopped}" if (stopped := _stopped(running)) else "", "red")
    return text


def _stopped(running: Running) -> str:
    """What does not go on, and why; nothing where all is well."""
    troubles = {"views": running.views.progress.error}
    if running.app.reacts:
        troubles["processes"] = running.processes.progress.error
    said = [f"the {name} have stopped: {readable(str(error))}" for name, error in troubles.items() if error is not None]
    return "; ".join(said)


@click.command()
@click.argument("command", shell_complete=command_names)
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@app_option
@journal_option
@click.option(
    "--fields", "content", metavar="JSON", help="All fields as one JSON object, instead of FIELD=VALUE; - reads stdin."
)
@click.option("--id", "id", metavar="ID", help="The command's id: a repetition gets the first answer.")
@click.option(
    "--actor", envvar="ACTUM_ACTOR", required=True, metavar="NAME", help="Who asks: a pseudonym. [env: ACTUM_ACTOR]"
)
@click.option("--reason", metavar="TEXT", help="Why.")
@click.option("--effective-at", type=TIME, metavar="TIME", help="When it happened, where that is not now.")
@json_option
def send(
    command: str,
    fields: tuple[str, ...],
    app: str,
    journal: str,
    content: str | None,
    id: str | None,
    actor: str,
    reason: str | None,
    effective_at: datetime | None,
    as_json: bool,
) -> None:
    """Have a COMMAND decided: `actum send Deposit account=A-1 amount=12.50`.

    A refusal is on record as well; the exit code is then 1. Makes the journal where there is none.
    """
    declared = load_app(app)
    message = message_from(declared.command_type(command), fields, json=_text(content))
    with declared.open(journal, follow=False) as running:
        try:
            decided = running.execute(message, id=id, actor=actor, reason=reason, effective_at=effective_at)
        except Refused as refused:
            _say_refused(refused, as_json=as_json)
            sys.exit(FOUND)
    if as_json:
        line(_decided_json(decided))
    else:
        out().print(_decided(decided))


def _text(content: str | None) -> str | None:
    if content != "-":
        return content
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as wrong:
        raise Invalid(f"stdin is no UTF-8: {wrong}") from wrong


def _decided(decided: Decided) -> Text:
    names = ", ".join(event.__kind__.type for event in decided.events) or "nothing to do"
    text = Text.assemble(("✓ ", "green"), (readable(names), "bold"), f" at position {decided.position}")
    if decided.repeated:
        text.append(" (decided before; this is the first answer)", "dim")
    return text


def _decided_json(decided: Decided) -> dict[str, Any]:
    return {
        "position": decided.position,
        "command_id": decided.command_id,
        "repeated": decided.repeated,
        "recorded": decided.recorded_at,
        "events": [{"type": event.__kind__.type, "data": msgspec.Raw(to_json(event))} for event in decided.events],
    }


def _say_refused(refused: Refused, *, as_json: bool) -> None:
    if as_json:
        facts = {name: str(value) for name, value in refused.facts.items()}
        line({"refused": refused.reason, "facts": facts, "position": refused.position})
        return
    err().print(
        Text.assemble(
            ("✗ refused: ", "bold red"), readable(str(refused)), (f"; on record at position {refused.position}", "dim")
        )
    )


@click.command()
@click.argument("query", shell_complete=query_names)
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@app_option
@journal_option
@read_database_option
@click.option(
    "--fields", "content", metavar="JSON", help="All fields as one JSON object, instead of FIELD=VALUE; - reads stdin."
)
@json_option
def ask(
    query: str,
    fields: tuple[str, ...],
    app: str,
    journal: str,
    read_database: str | None,
    content: str | None,
    as_json: bool,
) -> None:
    """Ask the application a QUERY: `actum ask Richest at_least=1000`. Brings the views up to date first."""
    declared = load_app(app)
    message = message_from(declared.query_type(query), fields, json=_text(content))
    with declared.open(existing(journal), read_database=read_database, follow=False) as running, bar("views") as shown:
        running.catch_up(shown.move)
        answer: Any = running.ask(message)
    rows = rows_of(answer)
    if as_json:
        for row in rows:
            line(msgspec.Raw(to_json(row)))
    else:
        out().print(answer_table(rows))
    if isinstance(answer, Page) and answer.next is not None:
        click.echo(f"there is more: the cursor of the next page is {answer.next}", err=True)


def rows_of(answer: object) -> list[object]:
    """An answer as rows: those of a page or a list; anything else is one row."""
    if isinstance(answer, Page):
        return list(cast("Page[object]", answer).rows)
    if isinstance(answer, list | tuple):
        return list(cast("list[object]", answer))
    return [] if answer is None else [answer]


def answer_table(rows: Sequence[object]) -> Table | Text:
    """Rows for people: records as a table, anything else as the JSON it is."""
    if not rows:
        return Text("nothing", "dim")
    first = rows[0]
    if not isinstance(first, msgspec.Struct) or any(type(row) is not type(first) for row in rows):
        return Text("\n".join(readable(to_json(row).decode()) for row in rows))
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in first.__struct_fields__:
        numeric = isinstance(getattr(first, name), int | float | Decimal)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(getattr(row, name)) for name in first.__struct_fields__))
    return table


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = to_json(value).decode()
    return readable(value if isinstance(value, str) else text.strip('"'))
