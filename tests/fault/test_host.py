"""A host under fault: pieces killed, held and moved from their ports, code replaced under load, the host itself killed.

One small system goes through all of it, since beginning it is what takes the time.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from actum.host.control import ControlClient
from actum.host.ports import is_free, port_of
from actum.service.control import Piece, PieceState
from tests.house import ROOT

LONG = 120

CODE = """
import ctypes
from pathlib import Path
from typing import Annotated
from actum import App, Command, Event, System, Tag, View

Id = Annotated[str, Tag("thing")]
class Counted(Event): thing: Id; word: str
class Count(Command): thing: Id

app = App("things")

@app.decides
def count(command: Count) -> Counted:
    if Path("hang").exists():
        Path("hang").unlink()
        ctypes.PyDLL(None).pause()  # holds the interpreter's lock: nothing else in this process goes on
    return Counted(thing=command.thing, word="WORD")

@app.view
class Thing(View):
    thing: Id
    count: int = 0
    word: str = ""
    def evolve(self, event: Counted) -> None:
        self.count += 1
        self.word = event.word

system = System("NAME", app)
"""


class Stage:
    """The system in a folder, begun by `actum up`; each time under a name of its own, so that its ports are its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"things-{uuid4().hex[:12]}"
        self.data = folder / "data"
        self.control = ControlClient(self.data)
        self.said: list[dict[str, Any]] = []
        self.url = ""
        self.write("one")

    def write(self, word: str, *, broken: bool = False) -> None:
        """Write the code: with another word, or with a fault in it."""
        code = CODE.replace("WORD", word).replace("NAME", self.name) + ("this is no Python\n" if broken else "")
        fresh = self.folder / "things.fresh"
        fresh.write_text(code)
        fresh.replace(self.folder / "things.py")

    @contextmanager
    def up(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """Run it."""
        self.said.clear()
        environment = os.environ | {"PYTHONPATH": f"{self.folder}{os.pathsep}{ROOT}"}
        command = [sys.executable, "-m", "actum.cli", "up", "things:system", "--data", str(self.data)]
        command += ["--port", "0", "--json", "--actor", "tester", *options]
        with subprocess.Popen(command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
            hearing = threading.Thread(target=self._hear, args=(process.stdout,), daemon=True)
            hearing.start()
            try:
                self.heard(lambda one: "ready" in one)
                self.url = next(one["ready"] for one in self.said if "ready" in one)
                yield process
            finally:
                process.terminate()
                hearing.join(LONG)

    def _hear(self, stdout: Any) -> None:
        for line in stdout:
            self.said.append(json.loads(line))

    def heard(self, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Until it says something of the kind."""
        until(lambda: any(wanted(one) for one in tuple(self.said)), "that was said")

    def piece(self, name: str) -> Piece:
        return next(piece for piece in self.control.pieces() if piece.name == name)

    def post(self, thing: str) -> tuple[int, dict[str, Any]]:
        body = json.dumps({"thing": thing}).encode()
        return self.ask("/things/commands/Count", body)

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(self.url + path, data=body, headers={"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=LONG) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as wrong:
            return wrong.code, json.loads(wrong.read())


def until(there: Callable[[], object], what: str) -> None:
    """Until it is there."""
    deadline = time.monotonic() + LONG
    pause = threading.Event()
    while not there():
        assert time.monotonic() < deadline, f"waited {LONG} s until {what}"
        pause.wait(0.02)


def is_gone(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return re.search(r"^State:\s+Z", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE) is not None
    return True


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_a_host_keeps_its_pieces_at_work_whatever_befalls_them(stage: Stage):
    with stage.up("--reload") as host:
        assert stage.post("T-1")[0] == 200
        _a_killed_piece_is_back_on_its_port(stage)
        _a_reload_under_load_loses_nothing(stage)
        _code_that_does_not_fit_changes_nothing(stage)
        _a_piece_that_cannot_begin_is_tried_again_and_says_why(stage)
        pids = [piece.pid for piece in stage.control.pieces() if piece.pid is not None]
        stage.control.pause("things/queries")
        host.kill()
        for pid in pids:
            until(lambda pid=pid: is_gone(pid), f"{pid} has ended with its host")
    _a_port_that_is_taken_is_passed_over(stage)
    _nobody_else_can_read_what_is_kept(stage)
    with stage.up("--silence", "6"):
        _a_piece_that_hangs_is_started_again_and_one_that_is_paused_is_not(stage)


def _a_killed_piece_is_back_on_its_port(stage: Stage) -> None:
    before = stage.piece("things/commands")
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: stage.piece("things/commands").restarts == 1, "it was begun again")
    assert stage.post("T-1")[0] == 200
    after = stage.piece("things/commands")
    assert (after.url, after.state) == (before.url, PieceState.RUNNING)
    assert after.pid != before.pid


def _a_reload_under_load_loses_nothing(stage: Stage) -> None:
    """Four who ask without a pause, before, while and after all pieces run the new code: every one is answered, once."""
    answered: Counter[int] = Counter()
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            answered[stage.post("T-2")[0]] += 1
            answered[stage.ask("/things/views/Thing")[0]] += 1

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    stage.write("two")
    stage.heard(lambda one: one.get("said") == "reloaded")
    over.set()
    for asker in askers:
        asker.join()
    assert set(answered) == {200}, answered
    position = stage.post("T-2")[1]["position"]
    status, shown = stage.ask(f"/things/views/Thing/T-2?wait_for={position}")
    assert (status, shown["count"], shown["word"]) == (200, answered.total() // 2 + 1, "two")


def _code_that_does_not_fit_changes_nothing(stage: Stage) -> None:
    pids = {piece.pid for piece in stage.control.pieces()}
    stage.write("three", broken=True)
    stage.heard(lambda one: "the new code does not fit, the old one goes on" in str(one.get("said")))
    assert {piece.pid for piece in stage.control.pieces()} == pids
    assert stage.post("T-1")[1]["events"][0]["data"]["word"] == "two"


def _a_piece_that_cannot_begin_is_tried_again_and_says_why(stage: Stage) -> None:
    """The code is still broken: what ends now cannot begin again."""
    pid = stage.piece("things/projections").pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: "cannot be imported" in str(stage.piece("things/projections").why), "it says why")
    assert stage.ask("/things/views/Thing")[0] == 200
    stage.write("two")
    until(lambda: stage.control.start("things/projections")[0].state is PieceState.RUNNING, "it runs the mended code")


def _a_port_that_is_taken_is_passed_over(stage: Stage) -> None:
    stage.write("four")
    taken = port_of(stage.name, "things/commands")
    known = json.loads((stage.data / "host/ports.json").read_text())
    # The last thread of a killed process may still be on its way out.
    until(lambda: is_free(known["things/commands"]), "its port is free")
    with socket.create_server(("127.0.0.1", known["things/commands"])), stage.up() as host:
        assert stage.piece("things/commands").url != f"http://127.0.0.1:{taken}"
        assert stage.piece("things/queries").url == f"http://127.0.0.1:{known['things/queries']}"
        assert stage.post("T-1")[1]["events"][0]["data"]["word"] == "four"
        host.terminate()
        assert host.wait(LONG) == 0
    assert not (stage.data / "host/control.json").exists()
    assert [one["said"] for one in stage.said if "said" in one] == ["stopping"]


def _nobody_else_can_read_what_is_kept(stage: Stage) -> None:
    kept = [stage.data, *stage.data.rglob("*")]
    assert {"things.actum", "things.views.db", "logs"} <= {path.name for path in kept}
    open_to_others = [f"{path} {path.stat().st_mode:o}" for path in kept if path.stat().st_mode & 0o077]
    assert open_to_others == []


def _a_piece_that_hangs_is_started_again_and_one_that_is_paused_is_not(stage: Stage) -> None:
    """Whoever had asked gets an answer all the same; the log says where the piece stood."""
    paused = stage.control.pause("things/queries")[0]
    (stage.folder / "hang").touch()
    assert stage.post("T-3")[0] == 200
    after = stage.piece("things/commands")
    assert after.restarts >= 1
    assert "answered nothing for 6 s" in str(after.why)
    assert stage.piece("things/queries") == paused
    assert ", line 17 in count" in (stage.data / "host/logs/things.commands.log").read_text()
    stage.control.resume("things/queries")
