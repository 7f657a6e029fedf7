"""One process of a piece, as its supervisor sees it: prepared, told to go, ready, signalled, ended.

The process prepares everything that takes time before it is told to go, so that one can take another's place within a
moment. It talks through a pipe, a line of JSON each time, and ends when its supervisor does, however that ended.
"""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import msgspec

from actum.host.folder import PRIVATE
from actum.journal.decoders import decoder_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actum.host.logs import Log

TELL = "ACTUM_TELL"
"""The environment variable with the number of the pipe's end that the process writes to."""

SUPERVISOR = "ACTUM_SUPERVISOR"
"""The environment variable with the process id of the supervisor."""


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that the process tells."""

    prepared: bool = False
    ready: str | None = None
    failed: str | None = None


class Process:
    """Made by `begin`."""

    def __init__(self, process: asyncio.subprocess.Process, told: asyncio.StreamReader, log: Log) -> None:
        self._process = process
        self._told = told
        self._log = log
        self._pumping = asyncio.create_task(self._pump())
        self._prepared: bool | None = None
        self.failed: str | None = None

    @classmethod
    async def begin(cls, command: Sequence[str], *, environment: Mapping[str, str], log: Log) -> Self:
        """Begin the process, apart from the terminal's signals."""
        read, write = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **environment, TELL: str(write), SUPERVISOR: str(os.getpid())},
                pass_fds=(write,),
                process_group=0,
                umask=PRIVATE,
            )
        except BaseException:
            os.close(read)
            raise
        finally:
            os.close(write)
        told = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(told), os.fdopen(read, "rb", 0)
        )
        return cls(process, told, log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.returncode is not None

    async def prepared(self) -> bool:
        """Until it is prepared, or has failed to be."""
        if self._prepared is None:
            told = await self._hear()
            self._prepared = told is not None and told.prepared
        return self._prepared

    async def go(self) -> str | None:
        """Tell it to go; where it can be reached once it is ready, None where it failed."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        told = await self._hear()
        return None if told is None else told.ready

    async def _hear(self) -> Told | None:
        line = await self._told.readline()
        if not line:
            return None
        told = decoder_for(Told).decode(line)
        self.failed = told.failed or self.failed
        return None if told.failed else told

    async def _pump(self) -> None:
        assert self._process.stdout is not None
        while said := await self._process.stdout.read(65536):
            self._log.write(said)

    def note(self, sentence: str) -> None:
        """Write what its supervisor has to say of it into its log."""
        self._log.write(f"--- {datetime.now(UTC):%Y-%m-%d %H:%M:%S} {sentence}\n".encode())

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        if not self.ended:
            self._process.send_signal(number)

    async def wait(self) -> int:
        """Until it has ended, and all that it said is in its log; its exit code."""
        code = await self._process.wait()
        await self._pumping
        return code

    async def stop(self, patience: float) -> None:
        """Ask it to end, and after so many seconds do not ask any more."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        try:
            async with asyncio.timeout(patience):
                await self._process.wait()
        except TimeoutError:
            self.signal(signal.SIGKILL)
        await self.wait()


def is_stopped(pid: int) -> bool | None:
    """Whether the process stands still by a signal; None where the system does not say."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - asked several times a second
            return file.read().rpartition(b") ")[2][:1] == b"T"
    except OSError:
        return None
