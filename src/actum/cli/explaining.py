"""`actum explain`: why a number is what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.text import Text

from actum.cli.entity import at_option
from actum.cli.exits import FOUND
from actum.cli.naming import state_names
from actum.cli.options import MOMENT, app_option, journal_option, json_option, read_database_option
from actum.cli.rendering import colour_of, json_of, local
from actum.cli.terminal import line, out, readable
from actum.cli.views import open_
from actum.decision.state import fold_of
from actum.history.explain import Doubt
from actum.journal.errors import Invalid
from actum.journal.message import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from actum.history.explain import Explanation, Movement

DOUBTS = {
    Doubt.OTHERS_COUNT: "not exact: events that did not change it count, too; folded from these alone it comes out otherwise",
    Doubt.FORMULA: "not exact: its parts do not add up to it",
    Doubt.SHOWN: "not exact: the table shows something else",
}


@click.command()
@click.argument("state", shell_complete=state_names)
@click.argument("identity", nargs=-1, metavar="[IDENTITY]...")
@click.argument("column")
@app_option
@journal_option
@read_database_option
@at_option
@click.option("--since", type=MOMENT, metavar="MOMENT", help="Tell what happened since then, from what it was then.")
@click.option(
    "-n", "--last", type=click.IntRange(min=0), default=20, show_default=True, help="At most so many movements of each."
)
@json_option
def explain(
    state: str,
    identity: tuple[str, ...],
    column: str,
    app: str,
    journal: str,
    read_database: str | None,
    at: int | datetime | None,
    since: int | datetime | None,
    last: int,
    as_json: bool,
) -> None:
    """Explain a COLUMN of one thing in STATE (a state or view): its formula, its parts, and the events that made it.

    Ends with 1 where the explanation is not exact.
    """
    with open_(app, journal, read_database) as running:
        cls = running.app.state_type(state)
        ids = fold_of(cls).parse(identity)
        found = running.explain(cls, *ids, column=column, at=at, since=since, last=last)
    if as_json:
        line(json_of_explanation(found))
    else:
        for row in _told(found, ""):
            out().print(row, soft_wrap=True)
    if not found.exact:
        raise SystemExit(FOUND)


def _told(found: Explanation, indent: str, sign: str = "") -> Iterator[Text]:
    made = "" if found.formula is None else f" = {found.formula.text}"
    yield Text.assemble(f"{indent}{sign}", (found.title, "bold"), f" = {plain(found.value)}", (made, "cyan"))
    for doubt in found.doubts:
        shown = f": {plain(found.shown)}" if doubt is Doubt.SHOWN else ""
        yield Text(f"{indent}  {DOUBTS[doubt]}{shown}", "red")
    for part in found.parts:
        yield from _told(part.explanation, indent + "    ", {"-": "− "}.get(part.sign, f"{part.sign} ".lstrip()))
    if found.parts:
        return
    if found.since or found.moved > len(found.movements):
        where = "before the movements below" if found.moved > len(found.movements) else f"at position {found.since}"
        before = found.movements[0].before if found.movements else found.opening
        yield Text(f"{indent}  {where}: {plain(before)}", "dim")
    yield from (_movement(each, indent) for each in found.movements)


def _movement(movement: Movement, indent: str) -> Text:
    stored = movement.recorded.stored
    metadata = stored.said
    change = plain(movement.after) if movement.delta is None else f"{movement.delta:+} → {plain(movement.after)}"
    text = Text(f"{indent}  ")
    text.append(f"{local(stored.recorded_at):%Y-%m-%d %H:%M:%S}  {stored.position:>7}  ", "dim")
    text.append(f"{movement.recorded.type:<16}  ", colour_of(movement.recorded.type))
    text.append(f"{readable(metadata.actor) if metadata else '':<12}  ", "italic")
    text.append(change)
    if metadata and metadata.reason:
        text.append(f"  ({readable(metadata.reason)})", "dim")
    return text


def plain(value: object) -> str:
    """A value on a line."""
    try:
        text = to_json(value).decode()
    except Invalid:
        return readable(repr(value))
    return readable(text[1:-1] if text.startswith('"') and len(text) > 2 else text)


def json_of_explanation(found: Explanation) -> dict[str, Any]:
    """All of it, movements with their events."""
    movements = [
        {
            "before": _raw(each.before),
            "after": _raw(each.after),
            "delta": _raw(each.delta),
            "event": json_of(each.recorded.stored),
        }
        for each in found.movements
    ]
    return {
        "of": found.subject,
        "identity": found.identity,
        "column": found.column,
        "value": _raw(found.value),
        "position": found.position,
        "since": found.since,
        "opening": _raw(found.opening),
        "formula": None if found.formula is None else found.formula.text,
        "parts": [{"sign": part.sign, **json_of_explanation(part.explanation)} for part in found.parts],
        "moved": found.moved,
        "movements": movements,
        "exact": found.exact,
        "doubts": [doubt.value for doubt in found.doubts],
        **({"shown": _raw(found.shown)} if Doubt.SHOWN in found.doubts else {}),
    }


def _raw(value: object) -> Any:
    return msgspec.Raw(to_json(value))
