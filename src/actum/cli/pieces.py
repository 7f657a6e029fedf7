"""`actum ps`, `start`, `stop`, `kill`, `pause`, `resume`, `logs`: what runs of a system, from another terminal."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from actum.cli.options import json_option
from actum.cli.piece import needs_http
from actum.cli.terminal import line, out, readable
from actum.cli.up import table_of
from actum.journal.errors import Unavailable, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from actum.host.control import ControlClient
    from actum.host.folder import Folder
    from actum.service.control import Piece

data_option = click.option(
    "--data",
    envvar="ACTUM_DATA",
    metavar="DIR",
    help="The data folder of the system; the one here on which something runs, unless said. [env: ACTUM_DATA]",
)
LOOK = 0.2
"""Seconds between two looks at a log that is followed."""


def _folder(data: str | None) -> Folder:
    from actum.host.folder import Folder, running_folder  # noqa: PLC0415 - comes with the extra `http`

    return Folder(Path(data) if data else running_folder())


def _control(data: str | None) -> ControlClient:
    needs_http()
    from actum.host.control import ControlClient  # noqa: PLC0415 - comes with the extra `http`

    return ControlClient(_folder(data).path)


@click.command()
@data_option
@json_option
def ps(data: str | None, *, as_json: bool) -> None:
    """Show the pieces of the system that runs here, and how each is."""
    _show(_control(data).pieces(), as_json=as_json)


def _show(pieces: tuple[Piece, ...], *, as_json: bool) -> None:
    if not as_json:
        out().print(table_of(pieces))
        return
    for piece in pieces:
        line(piece)


def _verb(name: str, help: str) -> click.Command:
    @click.argument("piece")
    @data_option
    @json_option
    def do(piece: str, data: str | None, *, as_json: bool) -> None:
        verb: Callable[[str], tuple[Piece, ...]] = getattr(_control(data), name)
        _show(verb(piece), as_json=as_json)

    return click.command(name, help=help)(do)


start = _verb("start", "Start a PIECE that was stopped or is held, such as accounts/commands; until it is ready.")
stop = _verb("stop", "Stop a PIECE gently, and leave it so: what is under way is finished.")
kill = _verb("kill", "Kill a PIECE at once (SIGKILL), and leave it so.")
pause = _verb("pause", "Have a PIECE stand still where it is (SIGSTOP).")
resume = _verb("resume", "Have a paused PIECE go on.")


@click.command()
@click.argument("piece", required=False)
@data_option
@click.option("-n", "--lines", type=click.IntRange(min=0), default=50, show_default=True, help="How many of the last.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is said from now on.")
def logs(piece: str | None, data: str | None, lines: int, *, follow: bool) -> None:
    """Show the last lines of the log of a PIECE, or of all of them."""
    needs_http()
    from actum.host.logs import Log  # noqa: PLC0415 - comes with the extra `http`

    folder = _folder(data)
    there = {path.stem.replace(".", "/", 1): path for path in sorted(folder.logs.glob("*.log"))}
    if not there:
        raise Unavailable(f"there are no logs in {folder.logs}")
    if piece is not None and piece not in there:
        raise Unknown("piece", piece, tuple(there))
    shown = there if piece is None else {piece: there[piece]}
    ends = {name: path.stat().st_size for name, path in shown.items()}
    for name, path in shown.items():
        for text in Log(path).last(lines):
            _say(name, text, alone=piece is not None)
    while follow:
        time.sleep(LOOK)
        for name, path in shown.items():
            ends[name] = _news(name, path, ends[name], alone=piece is not None)


def _news(name: str, path: Path, end: int, *, alone: bool) -> int:
    """Say what has come since; where it ends now. A log that was turned over begins anew."""
    size = path.stat().st_size if path.exists() else 0
    begin = end if size >= end else 0
    if size > begin:
        with path.open("rb") as file:
            file.seek(begin)
            for text in file.read(size - begin).decode(errors="replace").splitlines():
                _say(name, text, alone=alone)
    return size


def _say(name: str, text: str, *, alone: bool) -> None:
    sys.stdout.write(f"{'' if alone else name + '  '}{readable(text)}\n")
    sys.stdout.flush()
