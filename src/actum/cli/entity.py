"""`actum entity` and `actum state`: one thing, with its life or as of a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.table import Table
from rich.text import Text

from actum.cli.naming import state_names
from actum.cli.options import MOMENT, app_option, journal_option, json_option, load_app, open_to_look
from actum.cli.rendering import colour_of, json_of, local
from actum.cli.terminal import line, note, out, readable
from actum.decision.state import fold_of
from actum.history.as_of import position_at, state_at
from actum.history.timeline import Step, Subject, timeline
from actum.journal.message import to_json

if TYPE_CHECKING:
    from datetime import datetime

    from actum.decision.state import State
    from actum.history.timeline import FieldChange

at_option = click.option(
    "--at", type=MOMENT, metavar="MOMENT", help="As of a position, a time, or so long ago (10m, 2h, 7d)."
)


@click.command()
@click.argument("state", shell_complete=state_names)
@click.argument("identity", nargs=-1)
@app_option
@journal_option
@at_option
@json_option
def entity(
    state: str, identity: tuple[str, ...], app: str, journal: str, at: int | datetime | None, as_json: bool
) -> None:
    """Tell the life of one thing: each event, and what it changed in STATE (a state or view of the application)."""
    declared = load_app(app)
    cls = declared.state_type(state)
    subject = Subject(cls, *fold_of(cls).parse(identity))
    store = open_to_look(journal)
    console = out()
    last: State | None = None
    try:
        for step in timeline(subject, store=store, codec=declared.codec, until=position_at(store, at)):
            last = step.after
            if as_json:
                line(_step_json(step))
            else:
                console.print(_step(step), soft_wrap=not console.is_terminal)
    finally:
        store.close()
    if last is None:
        note(f"nothing has happened to {cls.__name__} {' '.join(map(str, subject.ids))}")
    if not as_json:
        console.print(_state(last if last is not None else subject.fold.new(subject.ids)))


@click.command()
@click.argument("state", shell_complete=state_names)
@click.argument("identity", nargs=-1)
@app_option
@journal_option
@at_option
@json_option
def state(
    state: str, identity: tuple[str, ...], app: str, journal: str, at: int | datetime | None, as_json: bool
) -> None:
    """Show STATE (a state or view of the application) of one thing, now or as of a moment."""
    declared = load_app(app)
    fold = fold_of(declared.state_type(state))
    ids = fold.parse(identity)
    store = open_to_look(journal)
    try:
        until = position_at(store, at)
        found: State = state_at(store, declared.codec, fold=fold, ids=ids, until=until)
    finally:
        store.close()
    if as_json:
        line(_raw(found))
    else:
        out().print(_state(found))


def _step(step: Step[Any]) -> Text:
    stored = step.recorded.stored
    metadata = stored.said
    text = Text()
    text.append(f"{local(stored.recorded_at):%Y-%m-%d %H:%M:%S}  {stored.position:>7}  ", "dim")
    text.append(f"{step.recorded.type:<16}  ", colour_of(step.recorded.type))
    text.append(f"{readable(metadata.actor) if metadata else '':<12}  ", "italic")
    for number, change in enumerate(step.changes):
        text.append(", " if number else "")
        text.append_text(_change(change))
    return text


def _change(change: FieldChange) -> Text:
    return Text.assemble(
        (f"{change.field} ", ""), (_plain(change.before), "dim"), (" → ", "dim"), (_plain(change.after), "bold")
    )


def _plain(value: object) -> str:
    text = to_json(value).decode()
    return readable(text[1:-1] if text.startswith('"') and len(text) > 2 else text)


def _state(found: State) -> Table:
    table = Table(title=type(found).__name__, title_justify="left", title_style="bold", show_header=False, box=None)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name in found.__struct_fields__:
        table.add_row(name, _plain(getattr(found, name)))
    return table


def _step_json(step: Step[Any]) -> dict[str, Any]:
    changes = {change.field: {"before": _raw(change.before), "after": _raw(change.after)} for change in step.changes}
    return {**json_of(step.recorded.stored), "changes": changes, "after": _raw(step.after)}


def _raw(value: object) -> Any:
    return msgspec.Raw(to_json(value))
