"""A keeper has a real process run: restarted where it ends by itself, held where that is no use, replaced within a moment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from actum import Invalid
from actum.host.keeper import Keeper, Patience
from actum.host.logs import Log
from actum.host.plan import Wanted
from actum.host.process import Process
from actum.service.control import PieceState

LONG = 60
QUICK = Patience(first_pause=0.01, longest_pause=0.02, steady=3600, most_falls=3, stop=30)

TELLS = """
import json, os, signal, sys
def tell(**said): os.write(int(os.environ["ACTUM_TELL"]), json.dumps(said).encode() + b"\\n")
"""
WORKS = (
    TELLS
    + 'tell(prepared=True); input(); print("at work", flush=True); tell(ready="http://127.0.0.1:1"); signal.pause()'
)
FAILS = TELLS + 'tell(prepared=True); input(); tell(failed="the disk is full"); sys.exit(4)'
CRASHES = TELLS + "tell(prepared=True); input(); os.kill(os.getpid(), signal.SIGKILL)"
BROKEN = TELLS + 'tell(failed="bank cannot be imported"); sys.exit(2)'
STUBBORN = WORKS.replace(
    "signal.pause()", "signal.signal(signal.SIGTERM, signal.SIG_IGN); tell(); \nwhile True: signal.pause()"
)


class Bench:
    """A keeper of a program that a test may change, and what became of it."""

    def __init__(self, program: str, folder: Path, patience: Patience = QUICK) -> None:
        self.program = program
        self.begun = 0
        self.states: list[PieceState] = []
        self.twice = asyncio.Event()
        self.whys: list[str | None] = []
        self.log = Log(folder / "piece.log")
        self.keeper = Keeper(
            Wanted("shop/commands", "shop/commands", "shop", "commands"),
            begin=self._begin,
            changed=self._changed,
            patience=patience,
        )

    def _changed(self, keeper: Keeper) -> None:
        self.states.append(keeper.state)
        if self.states.count(PieceState.RUNNING) == 2:
            self.twice.set()
        self.whys.append(keeper.why)

    async def _begin(self) -> Process:
        self.begun += 1
        return await Process.begin([sys.executable, "-S", "-c", self.program], environment={}, log=self.log)

    @property
    def pid(self) -> int:
        pid = self.keeper.piece.pid
        assert pid is not None
        return pid


def on(program: str, folder: Path, story: Callable[[Bench], Awaitable[None]], patience: Patience = QUICK) -> Bench:
    """Have a story happen to a keeper of that program; in the end it is stopped."""

    async def tell() -> Bench:
        bench = Bench(program, folder, patience)
        try:
            async with asyncio.timeout(LONG):
                await story(bench)
        finally:
            await bench.keeper.kill()
        return bench

    return asyncio.run(tell())


def test_a_piece_is_started_until_it_is_ready_and_stopped_until_it_is_gone(tmp_path: Path):
    async def story(bench: Bench) -> None:
        await bench.keeper.start()
        await bench.keeper.start()
        assert bench.keeper.piece.state is PieceState.RUNNING
        assert bench.keeper.piece.url == "http://127.0.0.1:1"
        pid = bench.pid
        await bench.keeper.stop()
        assert bench.keeper.piece.off
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    bench = on(WORKS, tmp_path, story)
    assert bench.begun == 1
    assert bench.states == [PieceState.STARTING, PieceState.RUNNING, PieceState.STOPPED]
    assert bench.log.last(1) == ["at work"]


def test_a_piece_that_ends_by_itself_is_started_again_at_once(tmp_path: Path):
    async def story(bench: Bench) -> None:
        await bench.keeper.start()
        os.kill(bench.pid, signal.SIGKILL)
        await bench.twice.wait()
        assert bench.keeper.piece.restarts == 1

    bench = on(WORKS, tmp_path, story)
    assert bench.states[2] is PieceState.FAILING
    assert bench.whys[2] == "somebody sent it SIGKILL"


@pytest.mark.parametrize(
    ("program", "why"),
    [
        (FAILS, "the disk is full"),
        (CRASHES, "SIGKILL"),
        (BROKEN, "bank cannot be imported"),
        ("raise SystemExit(7)", "exit code 7"),
    ],
)
def test_a_piece_that_ends_again_and_again_is_held_and_the_reason_named(tmp_path: Path, program: str, why: str):
    async def story(bench: Bench) -> None:
        await bench.keeper.start()
        await bench.keeper.until(PieceState.HELD)
        assert bench.begun == QUICK.most_falls + 1
        said = bench.keeper.piece.why
        assert said is not None
        assert said.startswith("ended 4 times in a row")
        assert why in said
        bench.program = WORKS
        await bench.keeper.start()
        assert bench.keeper.piece.state is PieceState.RUNNING

    on(program, tmp_path, story)


def test_a_piece_stands_still_and_goes_on_whoever_has_it_do_so(tmp_path: Path):
    async def story(bench: Bench) -> None:
        keeper = bench.keeper
        with pytest.raises(Invalid, match="only what runs can be paused"):
            await keeper.pause()
        await keeper.start()
        with pytest.raises(Invalid, match="only what is paused"):
            await keeper.resume()
        await keeper.pause()
        assert keeper.piece.state is PieceState.PAUSED
        await keeper.start()
        assert keeper.piece.state is PieceState.RUNNING
        for number, state in ((signal.SIGSTOP, PieceState.PAUSED), (signal.SIGCONT, PieceState.RUNNING)):
            os.kill(bench.pid, number)
            while keeper.state is not state:
                await keeper.look()
        await keeper.pause()
        await keeper.stop()

    assert on(WORKS, tmp_path, story).begun == 1


def test_a_new_process_takes_the_place_of_the_old_one(tmp_path: Path):
    async def story(bench: Bench) -> None:
        await bench.keeper.start()
        old = bench.pid
        assert await bench.keeper.reload() is None
        assert bench.pid != old
        assert bench.keeper.piece.restarts == 0

    assert on(WORKS, tmp_path, story).states.count(PieceState.RELOADING) == 1


def test_the_old_process_goes_on_where_the_new_code_does_not_fit(tmp_path: Path):
    async def story(bench: Bench) -> None:
        await bench.keeper.start()
        old, bench.program = bench.pid, BROKEN
        assert await bench.keeper.reload() == "bank cannot be imported"
        assert (bench.pid, bench.keeper.piece.state) == (old, PieceState.RUNNING)

    on(WORKS, tmp_path, story)


def test_a_piece_that_does_not_want_to_end_is_made_to(tmp_path: Path):
    async def story(bench: Bench) -> None:
        await bench.keeper.start()
        await bench.keeper.stop()
        assert bench.keeper.piece.pid is None

    on(STUBBORN, tmp_path, story, Patience(stop=0.2))


ANSWERS = (
    TELLS
    + """
import socket
door = socket.create_server(("127.0.0.1", 0))
tell(prepared=True); input(); tell(ready="http://127.0.0.1:%d" % door.getsockname()[1])
while True:
    there, _ = door.accept()
    asked = there.recv(4096)
    print(asked.split()[1].decode(), flush=True)
    there.sendall(b"HTTP/1.1 503 Service Unavailable\\r\\n\\r\\n")
    there.close()
    HANGS
"""
)
SILENT = Patience(first_pause=0.01, longest_pause=0.02, steady=3600, most_falls=3, stop=30, silence=0.6, last_words=0.1)


def test_a_piece_that_answers_nothing_any_more_is_ended_and_started_again_and_that_is_named(tmp_path: Path):
    async def story(bench: Bench) -> None:
        await bench.keeper.start()
        bench.program = ANSWERS.replace("HANGS", "")
        await bench.twice.wait()
        assert bench.keeper.piece.restarts == 1
        assert bench.keeper.piece.why == f"started again: {bench.whys[2]}"

    hangs = ANSWERS.replace("HANGS", "signal.signal(signal.SIGABRT, signal.SIG_IGN); signal.pause()")
    bench = on(hangs, tmp_path, story, SILENT)
    assert bench.states[2] is PieceState.FAILING
    assert bench.whys[2] == "it answered nothing for 0.6 s; where it stood is in `actum logs shop/commands`"
    assert any(
        line.endswith("shop/commands answered nothing for 0.6 s: ended, and started again")
        for line in bench.log.last(50)
    )
