"""`actum up`: a system as many processes behind one gateway, supervised; calmly shown."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.live import Live
from rich.table import Table
from rich.text import Text

from actum.cli.options import json_option
from actum.cli.piece import actor_option, data_option, needs_http, security_option, store_option, token_option
from actum.cli.terminal import err, line, note, readable
from actum.service.control import Piece, PieceState
from actum.service.named import load_system

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from actum.host.hosting import Host, Setup
    from actum.host.secured import Secured

COLOURS = {
    PieceState.RUNNING: "green",
    PieceState.EXTERNAL: "green",
    PieceState.STARTING: "yellow",
    PieceState.RELOADING: "yellow",
    PieceState.FAILING: "red",
    PieceState.HELD: "bold red",
    PieceState.PAUSED: "magenta",
    PieceState.STOPPED: "dim",
}


@click.command()
@click.argument("system", envvar="ACTUM_SYSTEM")
@data_option
@store_option
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The gateway's address.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    metavar="N",
    help="The gateway's port; 0 is a free one.",
)
@click.option(
    "--scale",
    multiple=True,
    metavar="NAME=N",
    help="How many processes do a service, as in projections=4 or accounts/projections=4. Repeatable.",
)
@click.option(
    "--external",
    multiple=True,
    metavar="NAME=URL",
    help="A service that somebody else runs, and where: accounts/queries=http://10.0.0.7:9000. Repeatable.",
)
@click.option(
    "--silence",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="A piece that answers nothing for so long is started again; 0: never.",
)
@click.option("--reload", is_flag=True, help="Take up changed code by itself; who asks meanwhile waits for a moment.")
@click.option(
    "--for", "seconds", type=click.FloatRange(min=0), metavar="SECONDS", help="End by itself after so many seconds."
)
@security_option
@token_option
@actor_option
@json_option
def up(
    system: str,
    data: str | None,
    store: str | None,
    host: str,
    port: int,
    scale: tuple[str, ...],
    external: tuple[str, ...],
    *,
    silence: float,
    reload: bool,
    seconds: float | None,
    security: Secured | None,
    token: str | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """Run a SYSTEM, named MODULE:ATTRIBUTE, each of its services in a process of its own, behind one gateway.

    Pieces that end or hang are started again, those that end again and again are held. Logs are files in the data folder. Ends on
    Ctrl-C and on SIGTERM: what is under way is finished. `actum ps`, `stop`, `start` and `logs` work from another terminal.
    """
    needs_http()
    from actum.host.child import Teller  # noqa: PLC0415
    from actum.host.folder import PRIVATE, default_folder  # noqa: PLC0415 - comes with the extra `http`
    from actum.host.hosting import Setup  # noqa: PLC0415
    from actum.host.keeper import Patience  # noqa: PLC0415

    Teller()
    os.umask(PRIVATE)
    folder = Path(data) if data else default_folder(load_system(system).name)
    setup = Setup(
        target=system,
        data=folder,
        store=store,
        host=host,
        port=port,
        scale=scale,
        external=external,
        security=security,
        token=token,
        actor=actor,
        reload=reload,
        patience=Patience(silence=silence),
    )
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(_up(setup, seconds=seconds, shown=_Lines(as_json=True) if as_json else _shown()))
    if not as_json:
        note("stopped; what was under way is finished")


async def _up(setup: Setup, *, seconds: float | None, shown: _Lines | _Board) -> None:
    from actum.host.hosting import hosting  # noqa: PLC0415 - comes with the extra `http`

    over = asyncio.Event()
    running = asyncio.create_task(_hosted(hosting, setup, shown, over))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _end, over, running)
    if seconds is not None:
        loop.call_later(seconds, over.set)
    with suppress(asyncio.CancelledError):
        await running


def _end(over: asyncio.Event, running: asyncio.Task[None]) -> None:
    """The first time gently; whoever asks again does not want to wait."""
    if over.is_set():
        running.cancel()
    over.set()


async def _hosted(hosting: Any, setup: Setup, shown: _Lines | _Board, over: asyncio.Event) -> None:
    with shown:
        async with hosting(setup, told=shown.told, said=shown.said, begun=shown.begun) as host:
            shown.ready(host)
            await over.wait()
            shown.said("stopping")


def _shown() -> _Lines | _Board:
    return _Board() if err().is_terminal else _Lines(as_json=False)


class _Lines:
    """A line for each thing that happens: for logs, and for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        return

    def begun(self, host: Host) -> None:
        self._say({"gateway": host.gateway, "data": str(host.setup.data)}, f"the gateway is at {host.gateway}")

    def ready(self, host: Host) -> None:
        count = len(host.supervisor.pieces())
        self._say(
            {"ready": host.gateway, "pieces": count},
            f"{count} pieces run; logs are in {host.setup.data / 'host' / 'logs'}. Ctrl-C stops.",
        )

    def told(self, piece: Piece) -> None:
        said = {"piece": piece.name, "state": piece.state.value, "pid": piece.pid, "why": piece.why}
        self._say(said, f"{piece.name} is {piece.state.value}{f': {piece.why}' if piece.why else ''}")

    def said(self, sentence: str) -> None:
        self._say({"said": sentence}, sentence)

    def _say(self, answer: Mapping[str, object], sentence: str) -> None:
        if self._as_json:
            line(answer)
        else:
            note(readable(sentence))


class _Board:
    """A table of the pieces that stays where it is, for whoever sits before a terminal."""

    def __init__(self) -> None:
        self._pieces: dict[str, Piece] = {}
        self._sentence = "starting"
        self._gateway = ""
        self._live = Live(console=err(), refresh_per_second=4, transient=True, get_renderable=self._board)

    def __enter__(self) -> None:
        self._live.start()

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def begun(self, host: Host) -> None:
        self._gateway = host.gateway
        self._pieces = {piece.name: piece for piece in host.supervisor.pieces()}

    def ready(self, host: Host) -> None:
        self._pieces = {piece.name: piece for piece in host.supervisor.pieces()}
        self._sentence = f"all is there; logs are in {host.setup.data / 'host' / 'logs'}. Ctrl-C stops."

    def told(self, piece: Piece) -> None:
        self._pieces[piece.name] = piece

    def said(self, sentence: str) -> None:
        self._sentence = readable(sentence)

    def _board(self) -> Table:
        grid = Table.grid()
        grid.add_row(Text.assemble(("gateway ", "dim"), (self._gateway, "bold")))
        grid.add_row(table_of(self._pieces.values()))
        grid.add_row(Text(self._sentence, "dim"))
        return grid


def table_of(pieces: Iterable[Piece]) -> Table:
    """The pieces for people."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("PIECE", "STATE", "PID", "PORT", "RESTARTS", "WHY"):
        table.add_column(name, justify="right" if name in ("PID", "PORT", "RESTARTS") else "left", overflow="ellipsis")
    for piece in pieces:
        table.add_row(
            piece.name,
            Text(piece.state.value, COLOURS[piece.state]),
            "" if piece.pid is None else str(piece.pid),
            "" if piece.url is None else piece.url.rpartition(":")[2],
            str(piece.restarts or ""),
            Text(readable(piece.why or ""), "dim"),
        )
    return table
