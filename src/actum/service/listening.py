"""Listening to other contexts: a thread for each, which waits for one that is down and lets none hold up the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from actum.journal.errors import Invalid, Misdeclared
from actum.journal.event import Position, checked_position
from actum.messaging.listener import Listener
from actum.subscription.progress import Progress, checked_timeout
from actum.subscription.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from actum.journal.readmodel import ReadDatabase
    from actum.messaging.heard import Hearing
    from actum.messaging.listener import Give
    from actum.messaging.source import Source


class Heard(msgspec.Struct, frozen=True):
    """How far another context has been heard: up to `position` of its journal; `trouble` is what keeps it from going on."""

    context: str
    position: Position
    trouble: str | None = None


class _Line:
    """One context that is heard."""

    def __init__(self, listener: Listener, source: Source) -> None:
        self.listener = listener
        self.source = source
        self.progress = Progress(f"the listener to {listener.hearing.source}")
        self.runner: Runner | None = None

    def begin(self) -> None:
        self.runner = Runner(
            self.source,
            self.listener.step,
            position=lambda: self.listener.position,
            progress=self.progress,
            name=f"hears-{self.listener.hearing.source}",
        )
        self.runner.start()

    def status(self) -> Heard:
        trouble = self.progress.error
        return Heard(self.listener.hearing.source, self.listener.position, None if trouble is None else str(trouble))


class Listening:
    """All that an application hears, from these sources. `run` has threads do it, `step` does some now; a context manager."""

    def __init__(
        self,
        hearings: Sequence[Hearing],
        sources: Mapping[str, Source],
        *,
        database: ReadDatabase,
        give: Give,
    ) -> None:
        missing = [one.source for one in hearings if one.source not in sources]
        if missing:
            raise Misdeclared(
                f"{hearings[0].hearer} hears {', '.join(missing)}, found sources for {', '.join(sources) or 'none'}; "
                "give listen() each context that is heard"
            )
        self._lines = [
            _Line(Listener(one, source=sources[one.source], database=database, give=give), sources[one.source])
            for one in hearings
        ]

    def run(self) -> Self:
        """Have a thread for each context do what there is to do, until `stop`."""
        for line in self._lines:
            line.begin()
        return self

    def step(self) -> bool:
        """Take some events of each context, in this thread; whether there may be more."""
        more = [line.listener.step() for line in self._lines]
        return any(more)

    def catch_up(self) -> None:
        """Take everything there is, in this thread."""
        while self.step():
            pass

    def wait_for(self, context: str, position: Position, *, timeout: float = 10.0) -> None:
        """Block until what happened in that context up to an event of its journal that is heard has been done here.

        `Busy` after `timeout` seconds, `Invalid` for a context that is not heard.
        """
        line = self._line(context)
        checked_position(position, "wait_for")
        checked_timeout(timeout)
        if line.runner is None:
            self.catch_up()
        else:
            line.progress.wait(position, timeout=timeout)

    def _line(self, context: str) -> _Line:
        for line in self._lines:
            if line.listener.hearing.source == context:
                return line
        heard = ", ".join(line.listener.hearing.source for line in self._lines)
        raise Invalid(f"context: expected one that is heard ({heard}), found {context!r}")

    def look_again(self) -> None:
        """What stood in the way is mended: have it tried now."""
        for line in self._lines:
            if line.runner is not None:
                line.runner.nudge()

    @property
    def contexts(self) -> tuple[Heard, ...]:
        """How far each context has been heard."""
        return tuple(line.status() for line in self._lines)

    def stop(self) -> None:
        """End after the page under way, and wait for that."""
        for line in self._lines:
            if line.runner is not None:
                line.runner.stop()

    def __enter__(self) -> Self:
        return self.run()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
