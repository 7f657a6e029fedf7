"""`actum work`: workers that keep an application's views up and its processes at work, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import click

from actum.cli.options import existing, journal_option, json_option, load_app, read_database_option
from actum.cli.terminal import line, note
from actum.service.journals import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import SpawnProcess

RESTART = 1.0
"""Seconds between two looks at whether a worker has died and another one must be begun."""

Told: TypeAlias = tuple[str, str, str | None, float]
"""What a worker is told: the application, the journal, the read database, the lease."""

_SPAWN = multiprocessing.get_context("spawn")


@click.command()
@click.argument("app", envvar="ACTUM_APP")
@journal_option
@read_database_option
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="How many, each in a process of its own.",
)
@click.option(
    "--lease",
    type=click.FloatRange(min=0.1, max=86_400),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="For how long a worker that says nothing keeps what it holds.",
)
@json_option
def work(app: str, journal: str, read_database: str | None, workers: int, lease: float, as_json: bool) -> None:
    """Have workers keep the views of an application up and its processes at work, named MODULE:ATTRIBUTE, each with its part of the keys.

    Workers of several programs, also on several machines, divide the work among them; begin or stop some at any time.
    `actum views status` shows who holds what. Ends cleanly on Ctrl-C and on SIGTERM. A worker that dies is replaced.
    """
    load_app(app)
    told = (app, existing(journal), read_database, lease)
    with _stopped_by_signals() as stopping, _crew(told, workers) as crew:
        words = f"{workers} at work on {place_of(journal)}; Ctrl-C ends"
        _say({"working": app, "journal": place_of(journal), "workers": workers}, words, as_json=as_json)
        while not stopping.wait(RESTART):
            crew[:] = [process if process.is_alive() else _begin(told) for process in crew]
    _say({"stopped": workers}, "stopped", as_json=as_json)


@contextmanager
def _crew(told: Told, workers: int) -> Iterator[list[SpawnProcess]]:
    """The processes; in the end they finish what they are doing."""
    crew = [_begin(told) for _ in range(workers)]
    try:
        yield crew
    finally:
        for process in crew:
            process.terminate()
        for process in crew:
            process.join()


def _say(answer: dict[str, object], sentence: str, *, as_json: bool) -> None:
    if as_json:
        line(answer)
    else:
        note(sentence)


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    stopping = threading.Event()
    stops = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, frame: stopping.set()) for number in stops}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _begin(told: Told) -> SpawnProcess:
    process = _SPAWN.Process(target=_work, args=told, daemon=True)
    process.start()
    return process


def _work(app: str, journal: str, read_database: str | None, lease: float) -> None:
    """One worker, until it is told to stop or whoever began it is gone."""
    parent = multiprocessing.parent_process()
    with (
        _stopped_by_signals() as stopping,
        load_app(app).open(journal, read_database=read_database, follow=False) as running,
        running.work(lease=lease),
    ):
        while not stopping.wait(RESTART) and (parent is None or parent.is_alive()):
            continue
