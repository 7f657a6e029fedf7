"""`actum drill`: what follows when each service is off, predicted, seen, and held against each other."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from secrets import randbelow
from typing import TYPE_CHECKING

import click
import msgspec
from rich.text import Text

from actum.cli.exits import FOUND
from actum.cli.options import json_option
from actum.cli.piece import needs_http, store_option, token_option
from actum.cli.terminal import err, line, note, out
from actum.journal.errors import Unavailable
from actum.service.consequences import Happens
from actum.service.named import load_system

if TYPE_CHECKING:
    from actum.host.drilling import Drill, Step
    from actum.host.faults import Fault
    from actum.host.loading import Load
    from actum.service.control import Control
    from actum.service.system import System

_COLOURS = {Happens.ANSWERED: "green", Happens.STALE: "yellow", Happens.WAITS: "yellow", Happens.REFUSED: "red"}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """How to drill."""

    target: str
    data: Path
    store: str | None
    rate: float
    seconds: float
    ways: tuple[str, ...]
    only: tuple[str, ...]
    load: str | None
    token: str | None
    seed: int
    quick: bool
    as_json: bool


@click.command()
@click.argument("system", envvar="ACTUM_SYSTEM")
@click.option(
    "--data",
    metavar="DIR",
    help="An empty folder to drill in, kept afterwards; unless said, one that is deleted if all is right.",
)
@store_option
@click.option("--running", is_flag=True, help="Drill what `actum up` runs on --data, instead of starting it.")
@click.option("--rate", type=click.FloatRange(min=1), default=200.0, show_default=True, help="Requests a second.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=5.0, show_default=True, help="How long each is off.")
@click.option(
    "--way",
    "ways",
    multiple=True,
    type=click.Choice(["stop", "kill", "pause"]),
    help="In which way services are off; all three unless said. Repeatable.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Only this piece, as in accounts/commands. Repeatable; all unless said.",
)
@click.option(
    "--load",
    metavar="MODULE:ATTR",
    help="What commands to give: a function from a random.Random to wishes. Made up from the types unless said.",
)
@click.option("--quick", is_flag=True, help="Each service in one of the ways only, in turn.")
@click.option("--seed", type=int, metavar="N", help="The seed of what is made up.")
@token_option
@json_option
def drill(
    system: str,
    data: str | None,
    store: str | None,
    *,
    running: bool,
    rate: float,
    seconds: float,
    ways: tuple[str, ...],
    only: tuple[str, ...],
    load: str | None,
    seed: int | None,
    quick: bool,
    token: str | None,
    as_json: bool,
) -> None:
    """Switch each service of a SYSTEM off in turn under load, and hold what happens against what was predicted.

    Each is stopped, killed and paused; journals are locked and read databases deleted, where they are files; a disk is filled
    where --data is a small one of its own. Routes are looked at from outside, and everything that was acknowledged is
    counted in the journals. Exit code 1 where a prediction is wrong, or anything was lost or doubled.
    """
    needs_http()
    from actum.host.faults import WAYS  # noqa: PLC0415 - comes with the extra `http`

    seed = randbelow(1_000_000) if seed is None else seed
    folder = Path(data) if data else Path(tempfile.mkdtemp(prefix="actum-drill-"))
    wanted = Wanted(
        target=system,
        data=folder,
        store=store,
        rate=rate,
        seconds=seconds,
        ways=ways or WAYS,
        only=only,
        load=load,
        token=token,
        seed=seed,
        quick=quick,
        as_json=as_json,
    )
    right = _drilled(wanted, running=running)
    if right and data is None:
        shutil.rmtree(folder, ignore_errors=True)
    elif not right:
        note(f"journals and logs are kept in {folder}; seed {seed}")
        sys.exit(FOUND)


def _drilled(wanted: Wanted, *, running: bool) -> bool:
    from actum.host.control import ControlClient  # noqa: PLC0415 - comes with the extra `http`
    from actum.host.folder import Folder  # noqa: PLC0415
    from actum.service.consequences import checked  # noqa: PLC0415

    system = load_system(wanted.target)
    for name in wanted.only:
        checked(system, name)
    with ExitStack() as stack:
        if running:
            url, control = Folder(wanted.data).reached().gateway, ControlClient(wanted.data)
        else:
            note(f"starting {system.name} on {wanted.data}")
            url, control = stack.enter_context(_started(wanted)), ControlClient(wanted.data)
        return asyncio.run(_go(wanted, system, url, control))


@contextmanager
def _started(wanted: Wanted) -> Iterator[str]:
    """`actum up` in a process of its own, for the time of a `with` block; where its gateway is."""
    from actum.host.process import SUPERVISOR  # noqa: PLC0415 - comes with the extra `http`

    command = [
        sys.executable,
        "-m",
        "actum.cli",
        "up",
        wanted.target,
        "--data",
        str(wanted.data),
        "--port",
        "0",
        "--json",
    ]
    secret = {"ACTUM_STORE": wanted.store, "ACTUM_TOKEN": wanted.token, SUPERVISOR: str(os.getpid())}
    environment = os.environ | {name: value for name, value in secret.items() if value is not None}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:  # noqa: S603 - ourselves
        try:
            assert process.stdout is not None
            yield _ready(process.stdout)
        finally:
            process.terminate()
            process.wait()


def _ready(said: Iterable[str]) -> str:
    """The gateway's address, once everything runs; what is said from then on is read and left alone."""
    for one in said:
        found: dict[str, object] = msgspec.json.decode(one)
        if "ready" in found:
            threading.Thread(target=lambda: list(said), daemon=True).start()
            return str(found["ready"])
    raise Unavailable("the system could not be started; it says why above")


async def _go(wanted: Wanted, system: System, url: str, control: Control) -> bool:
    from actum.host.drilling import Drill  # noqa: PLC0415 - comes with the extra `http`
    from actum.host.loading import Load, chosen  # noqa: PLC0415
    from actum.host.piece import loaded  # noqa: PLC0415
    from actum.host.seeing import Eyes, probes_of  # noqa: PLC0415

    places = system.places(wanted.data, store=wanted.store)
    console = any(piece.kind == "console" for piece in await asyncio.to_thread(control.pieces))
    probes = probes_of(system, console=console)
    wishes = chosen(system, wanted.load, Random(wanted.seed), loaded)  # noqa: S311 - it is to be the same again
    asks = [probe.target for probe in probes if not probe.streams and probe.context is not None]
    load = Load(url, wishes, asks, rate=wanted.rate, token=wanted.token)
    drill = Drill(system, places, load=load, eyes=Eyes(load, probes), seconds=wanted.seconds, said=note)
    running = asyncio.create_task(load.run())
    try:
        faults = list(_faults(wanted, system, control))
        steps = [await _stepped(drill, fault, as_json=wanted.as_json) for fault in faults]
        load.stop()
        await running
        return _conclude(wanted, steps, load, await drill.rows())
    finally:
        load.stop()
        with suppress(asyncio.CancelledError):
            await running
        load.close()
        drill.close()


def _faults(wanted: Wanted, system: System, control: Control) -> Iterable[Fault]:
    from actum.host.faults import Filled, faults_of, may_be_filled  # noqa: PLC0415 - comes with the extra `http`
    from actum.service.consequences import DISK  # noqa: PLC0415

    places = system.places(wanted.data, store=wanted.store)
    yield from faults_of(system, places, control, ways=wanted.ways, only=wanted.only, quick=wanted.quick)
    if wanted.only and DISK not in wanted.only:
        return
    if wanted.store is not None:
        note("journals and read databases in PostgreSQL are neither locked nor deleted, and its disk is not filled")
    elif may_be_filled(wanted.data):
        yield Filled(wanted.data)
    else:
        note("the disk is not filled: that takes --data on a small disk of its own, such as a tmpfs of 64 MB")


async def _stepped(drill: Drill, fault: Fault, *, as_json: bool) -> Step:
    step = await drill.step(fault)
    if as_json:
        line(step)
    else:
        _show(step)
    return step


def _show(step: Step) -> None:
    mark = ("✓ ", "green") if step.right else ("✗ ", "bold red")
    counted = step.counted
    came = (
        f"   back in {step.ready:.2f} s, caught up {step.behind:,} in {step.caught_up:.2f} s; "
        f"{counted.acknowledged:,} acknowledged, {len(counted.lost)} lost, {len(counted.doubled)} doubled"
    )
    text = Text.assemble(mark, (f"{step.piece}: {step.way}", "bold"), (came, "dim"))
    console = out()
    console.print(text)
    for one in step.outcomes:
        if one.predicted is Happens.ANSWERED and one.observed in (Happens.ANSWERED, None):
            continue
        seen = "nothing" if one.observed is None else one.observed.value
        console.print(
            Text.assemble(
                "    ",
                f"{one.what:<28} ",
                "predicted ",
                (f"{one.predicted.value:<9}", _COLOURS[one.predicted]),
                "seen ",
                (f"{seen:<9}", "bold red" if not one.right else _COLOURS.get(one.observed or one.predicted, "")),
                (f" {one.shown}", "dim"),
            )
        )
    always = [one for one in step.outcomes if one.predicted is Happens.ANSWERED]
    others = sum(one.observed is Happens.ANSWERED for one in always)
    console.print(Text(f"    {others} others went on as always, as predicted", "dim"))
    silent = [one.what for one in always if one.observed is None]
    if silent:
        console.print(Text(f"    {len(silent)} showed nothing, for nothing happened there: {', '.join(silent)}", "dim"))


def _conclude(wanted: Wanted, steps: list[Step], load: Load, rows: list[str]) -> bool:
    wrong = [f"{step.piece} {step.way}: {one.what}" for step in steps for one in step.outcomes if not one.right]
    acknowledged = sum(step.counted.acknowledged for step in steps)
    lost, doubled, kept = (
        sum(len(getattr(step.counted, name)) for step in steps) for name in ("lost", "doubled", "kept")
    )
    outcomes, unseen = sum(len(step.outcomes) for step in steps), sum(len(step.unseen) for step in steps)
    right = not (wrong or lost or doubled or kept or rows)
    waited = sorted(load.waited) or [0.0]
    if wanted.as_json:
        line(
            {
                "right": right,
                "steps": len(steps),
                "outcomes": outcomes,
                "unseen": unseen,
                "wrong": wrong,
                "acknowledged": acknowledged,
                "lost": lost,
                "doubled": doubled,
                "kept": kept,
                "rows": rows,
                "requests": len(waited),
                "left_out": load.left_out,
                "p50": waited[len(waited) // 2],
                "p99": waited[len(waited) * 99 // 100],
                "seed": wanted.seed,
            }
        )
        return right
    err().print(
        Text.assemble(
            ("✓ " if right else "✗ ", "green" if right else "bold red"),
            f"{outcomes - len(wrong) - unseen} of {outcomes} predictions right in {len(steps)} steps, of {unseen} nothing "
            f"showed; {acknowledged:,} commands "
            f"acknowledged, {lost} lost, {doubled} doubled, {kept} kept that were turned down; "
            f"{'every row is what its events come to' if not rows else 'wrong rows: ' + ', '.join(rows)}",
        )
    )
    note(f"{len(waited):,} requests, half of them within {waited[len(waited) // 2] * 1000:.1f} ms; seed {wanted.seed}")
    return right
