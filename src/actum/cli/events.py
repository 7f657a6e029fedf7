"""`actum events`: what is in the journal, as a list or one by one in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import click
import msgspec
from rich.json import JSON
from rich.table import Table
from rich.text import Text

from actum.cli.options import journal_option, json_option, load_app, open_to_look, optional_app_option
from actum.cli.rendering import colour_of, json_of, local
from actum.cli.selecting import selected_from, selecting
from actum.cli.tail import Printer
from actum.cli.terminal import line, note, out, readable
from actum.history.finding import event_at, event_with_id
from actum.journal.errors import Invalid
from actum.journal.message import to_json
from actum.journal.store import leaf_of

if TYPE_CHECKING:
    from datetime import datetime

    from actum.journal.event import SequencedEvent
    from actum.journal.store import DecisionRecord, JournalStore


@click.group()
def events() -> None:
    """Look at events: list them, show one."""


@events.command("list")
@journal_option
@selecting
@click.option(
    "-n", "--limit", type=click.IntRange(min=1), help="At most so many; without --after and --since, the newest."
)
@json_option
def list_(
    journal: str,
    types: tuple[str, ...],
    tags: tuple[str, ...],
    actors: tuple[str, ...],
    after: int,
    since: datetime | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """List events in order, one line each, and end."""
    selected = selected_from(types=types, tags=tags, actors=actors, after=after, since=since)
    store = open_to_look(journal)
    printer = Printer(as_json=as_json)
    try:
        if limit is not None and not after and since is None:
            found = iter(selected.last(store, limit))
        else:
            found = selected.all(store)
        for number, event in enumerate(found, 1):
            printer.show(event)
            if number == limit:
                break
        if not printer.shown:
            note(selected.missing(store))
    finally:
        store.close()


@events.command()
@click.argument("event")
@journal_option
@optional_app_option
@json_option
def show(event: str, journal: str, app: str | None, as_json: bool) -> None:
    """Show one EVENT in full, by position or id: envelope, data, leaf, and the decision it belongs to.

    With an application, also what the event is in its words of today.
    """
    store = open_to_look(journal)
    try:
        stored = _find(store, event)
        metadata = stored.said
        command = None if metadata is None else metadata.command_id
        record = None if command is None else store.decision(command.bytes)
        today = () if app is None else load_app(app).codec.decode(stored)
        intact = leaf_of(stored, store.origin) == stored.leaf
    finally:
        store.close()
    if as_json:
        said = (
            {}
            if app is None
            else {
                "today": [
                    {"type": one.__kind__.type, "version": one.__kind__.version, "data": msgspec.Raw(to_json(one))}
                    for one in today
                ]
            }
        )
        line({**json_of(stored), "leaf": stored.leaf.hex(), "intact": intact, "decision": _record_json(record), **said})
        return
    console = out()
    console.print(_envelope(stored, intact=intact))
    console.print(_data(stored))
    for one in today:
        console.print(Text(f"today {one.__kind__}: {readable(to_json(one).decode())}", "dim"))
    if record is not None:
        console.print(_record(record))


def _find(store: JournalStore, name: str) -> SequencedEvent:
    if name.isascii() and name.isdigit():
        return event_at(store, int(name))
    try:
        return event_with_id(store, UUID(name))
    except ValueError as wrong:
        raise Invalid(f"expected the position of an event or its id, a UUID, found {name!r}") from wrong


def _envelope(event: SequencedEvent, *, intact: bool) -> Table:
    table = _grid()
    table.add_row("position", str(event.position))
    table.add_row("type", Text(f"{event.type} (version {event.version})", colour_of(event.type)))
    table.add_row("id", str(event.uuid))
    table.add_row("recorded", local(event.recorded_at).isoformat(sep=" "))
    if event.effective is not None:
        table.add_row("effective", local(event.effective_at).isoformat(sep=" "))
    for tag in event.tags:
        table.add_row("tag", readable(tag))
    metadata = event.said
    if metadata is not None:
        for name in metadata.__struct_fields__:
            value = getattr(metadata, name)
            if value not in (None, {}):
                table.add_row(name.replace("_", " "), readable(str(value)))
    table.add_row(
        "leaf", Text(f"{event.leaf.hex()} {'✓' if intact else '✗ not what is stored'}", "" if intact else "red")
    )
    return table


def _data(event: SequencedEvent) -> JSON | Text:
    try:
        return JSON(msgspec.json.format(event.data, indent=2).decode(), ensure_ascii=False)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        return Text(f"{len(event.data)} bytes: {event.data[:200].hex(' ')}", "dim")


def _record(record: DecisionRecord) -> Table:
    table = _grid()
    table.add_row("decided by", readable(record.handler))
    last = f" to {record.last}" if record.count > 1 else ""
    table.add_row("led to", f"position {record.first}{last}")
    if record.condition is None:
        table.add_row("rested on", "nothing")
    else:
        table.add_row("having seen", f"position {record.condition.after}")
        for item in record.condition.fail_if_events_match.items:
            types = " | ".join(sorted(item.types)) or "anything"
            table.add_row("unless", readable(f"{types} with {', '.join(sorted(item.tags)) or 'any tags'}"))
        if record.condition.fail_if_events_match.is_all:
            table.add_row("unless", "anything")
    return table


def _record_json(record: DecisionRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    condition = record.condition
    items = () if condition is None else condition.fail_if_events_match.items
    return {
        "command": UUID(bytes=record.command),
        "handler": record.handler,
        "first": record.first,
        "last": record.last,
        "after": None if condition is None else condition.after,
        "unless": [{"types": sorted(item.types), "tags": sorted(item.tags)} for item in items],
    }


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table
