"""`actum tail`: the journal as it grows, one line an event."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from rich.text import Text

from actum.cli.options import journal_option, json_option, open_to_look
from actum.cli.rendering import json_of, layout_for, local, row_of
from actum.cli.selecting import selected_from, selecting
from actum.cli.terminal import line, note, out
from actum.subscription.subscription import Subscription

if TYPE_CHECKING:
    from datetime import date, datetime

    from rich.console import Console

    from actum.journal.event import SequencedEvent


@click.command()
@journal_option
@selecting
@click.option(
    "-n", "--lines", "count", type=click.IntRange(min=0), default=10, show_default=True, help="How many of the past."
)
@click.option("--no-follow", is_flag=True, help="Show what there is, and end.")
@json_option
def tail(
    journal: str,
    types: tuple[str, ...],
    tags: tuple[str, ...],
    actors: tuple[str, ...],
    after: int,
    since: datetime | None,
    count: int,
    no_follow: bool,
    as_json: bool,
) -> None:
    """Watch the journal live: time, position, type, entity, actor, and what happened.

    Shows the last events, then each new one as it is recorded, also by other programs. Ends with Ctrl-C. Needs no
    application. With --after or --since, begins there. Times are those of this machine's clock and zone.
    """
    selected = selected_from(types=types, tags=tags, actors=actors, after=after, since=since)
    store = open_to_look(journal)
    printer = Printer(as_json=as_json)
    try:
        if after or since is not None:
            position = selected.start(store)
            if no_follow:
                for event in selected.all(store):
                    printer.show(event)
        else:
            position = store.head()
            for event in selected.last(store, count):
                printer.show(event)
        if no_follow:
            if not printer.shown:
                note(selected.missing(store))
            return
        with Subscription(store, selected.query, after=position) as subscription:
            for event in subscription:
                if selected.wants(event):
                    printer.show(event)
    finally:
        store.close()


class Printer:
    """Prints events one by one, with a rule between two days."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console: Console = out()
        self._day: date | None = None
        self.shown = 0

    def show(self, event: SequencedEvent) -> None:
        """One more event, on the terminal at once."""
        self.shown += 1
        if self._as_json:
            line(json_of(event))
            return
        day = local(event.recorded_at).date()
        if day != self._day:
            self._day = day
            self._console.print(Text(f"── {day.isoformat()} ──", "dim"), no_wrap=True, crop=False)
        layout = layout_for(self._console.width if self._console.is_terminal else 0)
        self._console.print(row_of(event, layout), no_wrap=True, crop=False, soft_wrap=True)
        sys.stdout.flush()
