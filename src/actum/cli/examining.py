"""`actum verify`, `export` and `import`: whether a journal is what was committed to, and how it comes out and in."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click
from rich.text import Text

from actum.audit.archive import Manifest, examine_archive, export_archive, import_archive
from actum.audit.verify import verify as verify_journal
from actum.cli.exits import FOUND
from actum.cli.options import journal_option, json_option, load_app, open_to_look, optional_app_option
from actum.cli.rendering import counted
from actum.cli.terminal import Bar, bar, err, line, out, readable
from actum.journal.errors import Invalid, ReadOnly, StorageFull, Unavailable
from actum.service.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.audit.report import Report


@click.command()
@journal_option
@click.option("--decisions", is_flag=True, help="Also whether each decision could be taken when it was taken.")
@optional_app_option
@json_option
def verify(journal: str, decisions: bool, app: str | None, as_json: bool) -> None:
    """Verify the journal: every stored byte against its leaf, positions without gaps, time that never goes back, the index.

    The exit code is 1 where anything is found. With --app, decisions by rules that it does not have are named.
    """
    handlers = None if app is None else load_app(app).rules
    store = open_to_look(journal)
    try:
        with bar("verify", store.head()) as shown:
            report = verify_journal(store, decisions=decisions, handlers=handlers, progress=shown.move)
    finally:
        store.close()
    if as_json:
        _report_json(report)
    else:
        _report(report, decisions=decisions)
    if not report.sound:
        sys.exit(FOUND)


def _report_json(report: Report) -> None:
    for finding in report.findings:
        line(finding)
    line(
        {
            "sound": report.sound,
            "origin": report.origin,
            "head": report.head,
            "events": report.events,
            "decisions": report.decisions,
            "findings": report.count,
            "unknown_handlers": report.unknown_handlers,
        }
    )


def _report(report: Report, *, decisions: bool) -> None:
    console = out()
    for finding in report.findings:
        console.print(Text.assemble(("✗ ", "red"), readable(str(finding))))
    if report.count > len(report.findings):
        console.print(Text(f"… and {report.count - len(report.findings):,} more", "dim"))
    for handler in report.unknown_handlers:
        console.print(Text(f"decided by {readable(handler)}, which the application does not have", "dim"))
    seen = counted(report.events, "event") + (f", {counted(report.decisions, 'decision')}" if decisions else "")
    verdict = ("✓ sound: ", "green") if report.sound else (f"✗ {report.count:,} found: ", "bold red")
    console.print(Text.assemble(verdict, f"{seen}, journal {report.origin}"))


@click.command()
@click.argument("file")
@journal_option
@json_option
def export(file: str, journal: str, as_json: bool) -> None:
    """Write the whole journal into FILE as NDJSON, everything needed to have it again to the byte; - is stdout.

    A file that is there is replaced, once all of the new one is written.
    """
    store = open_to_look(journal)
    try:
        with bar("export", store.head()) as shown, _output(file) as output:
            manifest = export_archive(store, output, progress=shown.move)
    finally:
        store.close()
    _say("exported", manifest, to_stderr=file == "-", as_json=as_json)


@contextmanager
def _output(file: str) -> Iterator[BinaryIO]:
    """Where to write: a file beside the one that is asked for, which takes its place once it is whole and on the disk."""
    if file == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = Path(f"{file}.part")
    try:
        with part.open("wb") as output:
            yield output
            output.flush()
            os.fsync(output.fileno())
        part.replace(file)
    except OSError as wrong:
        raise _translated(wrong, file) from wrong
    finally:
        part.unlink(missing_ok=True)


def _translated(wrong: OSError, file: str) -> Unavailable:
    if isinstance(wrong, PermissionError):
        return ReadOnly(f"{file} cannot be written: {wrong.strerror}; name a file that this user may write")
    if wrong.errno == 28:
        return StorageFull(f"the disk of {file} is full; make room and repeat it")
    return Unavailable(f"{file} cannot be used: {wrong.strerror or wrong}; name another file")


@click.command("import")
@click.argument("file")
@journal_option
@click.option("--dry-run", is_flag=True, help="Verify the file, and import nothing.")
@json_option
def import_(file: str, journal: str, dry_run: bool, as_json: bool) -> None:
    """Fill the journal from FILE, which `actum export` wrote: same positions, same bytes, same origin.

    The journal is empty or a beginning of the same one; then the rest is added. Every line is verified before anything
    is written.
    """
    try:
        source = Path(file).open("rb")  # noqa: SIM115 - what cannot be opened is told apart from what is in it
    except OSError as wrong:
        raise Invalid(f"{file} cannot be read: {wrong.strerror}; name a file that `actum export` wrote") from wrong
    with source, bar("import") as shown:
        manifest = examine_archive(source, progress=shown.move)
        if not dry_run:
            _fill(journal, source, manifest, shown)
    _say("the file is whole" if dry_run else "imported", manifest, to_stderr=False, as_json=as_json)


def _fill(journal: str, source: BinaryIO, manifest: Manifest, shown: Bar) -> None:
    store = open_store(journal)
    try:
        import_archive(store, source, examined=manifest, progress=lambda at: shown.move(at, manifest.events))
    finally:
        store.close()


def _say(done: str, manifest: Manifest, *, to_stderr: bool, as_json: bool) -> None:
    if as_json and not to_stderr:
        line(manifest)
        return
    what = f"{done}: {counted(manifest.events, 'event')}, {counted(manifest.decisions, 'decision')} of journal {manifest.origin}"
    (err() if to_stderr else out()).print(Text.assemble(("✓ ", "green"), what), soft_wrap=True)
