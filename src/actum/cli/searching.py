"""`actum search` and `actum story`: events by whatever one knows of them, and everything that one click led to."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.text import Text

from actum.cli.exits import FOUND
from actum.cli.options import journal_option, json_option, open_to_look
from actum.cli.rendering import colour_of, json_of, layout_for, local, row_of
from actum.cli.terminal import bar, line, note, out, readable
from actum.history.question import question
from actum.history.searching import Search
from actum.history.story import Branch, story
from actum.service.opening import open_search

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from actum.journal.event import SequencedEvent

index_option = click.option(
    "--index", metavar="PATH", help="Where the index for searching is, where it is not beside the journal."
)


@contextmanager
def _searching(journal: str, index: str | None) -> Iterator[Search]:
    """The search of that journal, brought up to date."""
    store = open_to_look(journal)
    try:
        kept = open_search(index, journal=journal, origin=store.origin)
        try:
            search = Search(store, kept)
            with bar("events", store.head()) as shown:
                search.catch_up(shown.move)
            yield search
        finally:
            kept.close()
    finally:
        store.close()


@click.command()
@click.argument("words", nargs=-1)
@journal_option
@index_option
@click.option(
    "-n", "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many events."
)
@click.option(
    "--before", type=click.IntRange(min=1), metavar="POSITION", help="Only events before this one: the next page."
)
@json_option
def search(
    words: tuple[str, ...], journal: str, index: str | None, limit: int, before: int | None, as_json: bool
) -> None:
    """Find events by WORDS: of their texts, or type:Deposited, account:A-1, actor:teller-7, did:Transfer, amount=30.00,
    story:UUID, id:UUID, after:2026-01-31, before:2h. The newest first.

    Keeps an index beside the journal, and makes it where there is none. Ends with 1 where nothing was found.
    """
    with _searching(journal, index) as found_by:
        asked = question(" ".join(words), types=found_by.index.types())
        found = found_by.find(asked, before=before, limit=limit)
    layout = layout_for(out().width if out().is_terminal else 0)
    for event in found.events:
        if as_json:
            line(json_of(event))
        else:
            out().print(row_of(event, layout))
    if found.next is not None and not as_json:
        note(f"there may be more: --before {found.next}")
    if not found.events:
        note("nothing was found")
        raise SystemExit(FOUND)


@click.command("story")
@click.argument("id", type=click.UUID)
@journal_option
@index_option
@json_option
def story_(id: UUID, journal: str, index: str | None, as_json: bool) -> None:
    """Tell everything that happened in the story of that ID (a correlation, or the id of the command it began with):
    who did what, what it led to, and what was refused.
    """
    with _searching(journal, index) as found_by:
        told = story({"": found_by}, id)
    for act in told.acts if as_json else ():
        for event in act.events:
            line(json_of(event))
    for root in told.roots if not as_json else ():
        for row in _branch(root, 0):
            out().print(row, soft_wrap=True)
    if not told.roots:
        note("nothing was found")
        raise SystemExit(FOUND)


def _branch(branch: Branch, depth: int) -> Iterator[Text]:
    act = branch.act
    actor = "" if act.metadata is None else readable(act.metadata.actor)
    when = f"{local(act.events[0].recorded_at):%Y-%m-%d %H:%M:%S.%f}"[:-3]
    text = Text("    " * depth)
    text.append(f"{when}  ", "dim")
    text.append(f"{act.did or 'taken down'}", "bold")
    text.append(f"  {actor}", "italic")
    yield text
    for event in act.events:
        yield Text.assemble(
            "    " * depth, f"{event.position:>9}  ", (event.type, colour_of(event.type)), f"  {_tags(event)}"
        )
    for each in branch.led_to:
        yield from _branch(each, depth + 1)


def _tags(event: SequencedEvent) -> str:
    return readable(" ".join(event.tags))
