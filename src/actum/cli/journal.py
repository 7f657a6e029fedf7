"""`actum journal`: journals as whole things, made, brought up to date, inspected and copied, in files and in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from actum.audit.copying import copy_journal
from actum.cli.options import existing, journal_option, json_option, read_database_option
from actum.cli.rendering import counted
from actum.cli.terminal import bar, line, note, out
from actum.service import journals
from actum.service.opening import open_store

if TYPE_CHECKING:
    from actum.journal.inspection import Inspection
    from actum.service.journals import JournalThere

_admit_option = click.option(
    "--admit",
    multiple=True,
    metavar="ROLE",
    help="Let this role of the PostgreSQL server append, and nothing more; may be repeated.",
)


@click.group()
def journal() -> None:
    """Make, migrate, inspect or copy a journal: a file, or a schema in PostgreSQL."""


@journal.command()
@journal_option
@_admit_option
@json_option
def create(journal: str, admit: tuple[str, ...], as_json: bool) -> None:
    """Make an empty journal. Where there is one already, nothing is done, and the exit code is 2."""
    origin = journals.create(journal, admit=admit)
    if as_json:
        line({"created": journals.place_of(journal), "origin": origin})
    else:
        out().print(Text.assemble(("✓ ", "green"), f"created: journal {origin}"), soft_wrap=True)


@journal.command()
@journal_option
@_admit_option
@json_option
def migrate(journal: str, admit: tuple[str, ...], as_json: bool) -> None:
    """Bring the tables of a journal up to date with this actum. Events stay as they are; there is no way back.

    Opening a journal does the same, where its role may. Roles that were admitted before are admitted again with --admit.
    """
    before, after = journals.migrate(journal, admit=admit)
    if as_json:
        line({"migrated": journals.place_of(journal), "from": before, "to": after})
    else:
        done = "was up to date" if before == after else f"brought from layout {before} up to date"
        out().print(Text.assemble(("✓ ", "green"), f"{done}: layout {after}"), soft_wrap=True)


@journal.command()
@journal_option
@json_option
def reindex(journal: str, as_json: bool) -> None:
    """Write the index of tags anew, where `actum verify` found that it misses events. Events stay as they are.

    Stop whatever has the journal open first. PostgreSQL looks after its indexes itself.
    """
    reached = journals.reindex(journal)
    if as_json:
        line({"reindexed": journals.place_of(journal), "until": reached})
    elif reached is None:
        out().print("nothing to do: PostgreSQL looks after its indexes itself")
    else:
        out().print(Text.assemble(("✓ ", "green"), f"written anew: {counted(reached, 'event')}"), soft_wrap=True)


@journal.command()
@journal_option
@read_database_option
@json_option
def inspect(journal: str, read_database: str | None, as_json: bool) -> None:
    """Show how large a journal is, how fast it grows, what of it is waste, and how far its views are behind."""
    found = journals.inspect(journal, read_database=read_database)
    if as_json:
        line(found)
        return
    console = out()
    console.print(
        Text.assemble(("journal ", "dim"), (found.origin, "bold"), (f" at {found.place}", "")), soft_wrap=True
    )
    console.print(f"{counted(found.head, 'event')}, {found.recent:,} within the last hour")
    console.print(_sizes(found.size))
    if found.views is not None:
        console.print(Text.assemble(("views ", "dim"), f"at {found.views.place}"), soft_wrap=True)
        for name, behind in found.views.behind.items():
            console.print(f"{name}: {'up to date' if behind <= 0 else counted(behind, 'event') + ' behind'}")
        console.print(_sizes(found.views.size))
    for text in _notes(found):
        note(text)


def _sizes(size: Inspection) -> Table:
    title = f"{size.engine}, layout {size.layout} of {size.newest}"
    table = Table(title=title, title_justify="left", title_style="dim", box=None, header_style="dim", pad_edge=False)
    for name in ("part", "bytes", "waste"):
        table.add_column(name, justify="left" if name == "part" else "right")
    for part in size.parts:
        table.add_row(part.name, f"{part.bytes:,}", f"{part.waste:,}")
    table.add_row("all", f"{size.bytes:,}", f"{size.reusable:,} bytes can be used again")
    return table


def _notes(found: JournalThere) -> list[str]:
    return [*found.size.notes, *(found.views.size.notes if found.views else ())]


@journal.command()
@click.argument("source")
@click.argument("target")
@json_option
def copy(source: str, target: str, as_json: bool) -> None:
    """Copy the journal at SOURCE to TARGET, from a file to PostgreSQL or back: same positions, ids, decisions and proofs.

    The copy is read back and compared to the byte. TARGET is made, or is a beginning of the same journal: then only what
    is new is copied, so that a journal can be copied while it is in use, and once more when it is not.
    """
    reading = open_store(existing(source), read_only=True)
    try:
        writing = open_store(target)
        try:
            with bar("copy", reading.head()) as shown:
                manifest = copy_journal(reading, writing, progress=shown.move)
        finally:
            writing.close()
    finally:
        reading.close()
    if as_json:
        line(manifest)
        return
    what = f"copied and compared: {counted(manifest.events, 'event')}, {counted(manifest.decisions, 'decision')} of journal {manifest.origin}"
    out().print(Text.assemble(("✓ ", "green"), what), soft_wrap=True)
