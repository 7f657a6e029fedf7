"""What a console looks at: the contexts of a system, the search of each, their pulse, and the control of their pieces."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actum.console.pulse import Pulse
from actum.journal.errors import Invalid, Unknown
from actum.service.app import App
from actum.service.opening import MEMORY
from actum.service.searching import Searching
from actum.service.system import System

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actum.history.searching import Search
    from actum.projection.difference import Difference
    from actum.service.control import Control
    from actum.service.declared import Declared
    from actum.service.running import Running

COLOURS = 6
"""How many colours and shapes contexts are told apart by."""


FEEDS_WRITTEN_AT_ONCE = 2
"""How many live feeds are written at once: where many listen, each gets larger batches less often, and pages are made meanwhile."""


class House:
    """Opened with the console, and closed with it; the running contexts stay their owner's to close.

    `search` is the folder of the indexes, in memory where none is named. `token` is what every form must send back where
    nobody is logged in.
    """

    def __init__(
        self,
        contexts: Mapping[str, Running],
        *,
        name: str,
        control: Control | None,
        search: str | Path | None,
        older: Mapping[str, Declared],
    ) -> None:
        for context, running in contexts.items():
            if context != running.app.name:
                raise Invalid(f"console: expected {running.app.name!r} by its own name, found it as {context!r}")
        self.name = name
        self.contexts = dict(contexts)
        self.control = control
        self.older = dict(older)
        self.token = secrets.token_urlsafe(32)
        self.compared: dict[tuple[str, str], Difference] = {}
        self.feeding = asyncio.Semaphore(FEEDS_WRITTEN_AT_ONCE)
        self._where = search
        self._searching: dict[str, Searching] = {}
        self.pulse = Pulse(self.contexts)

    def open(self) -> None:
        """Begin to take in what can be searched, and to feel the pulse."""
        for name, running in self.contexts.items():
            index = MEMORY if self._where is None else Path(self._where) / f"{name}.search.db"
            self._searching[name] = Searching(running.store, index)
        self.pulse.start()

    def close(self) -> None:
        """End both."""
        self.pulse.stop()
        for searching in self._searching.values():
            searching.close()
        self._searching.clear()

    def running(self, context: str) -> Running:
        """The context of that name, or `Unknown`."""
        if context not in self.contexts:
            raise Unknown("context", context, tuple(sorted(self.contexts)))
        return self.contexts[context]

    def app(self, context: str) -> Any:
        """What that context declares."""
        return self.running(context).app

    @property
    def searches(self) -> dict[str, Search]:
        """The search of every context."""
        return {name: searching.search for name, searching in self._searching.items()}

    def unsearchable(self) -> dict[str, int]:
        """How many events of each context cannot be searched yet, where there are any."""
        behind = {name: self.running(name).head() - search.position for name, search in self.searches.items()}
        return {name: count for name, count in behind.items() if count > 0}

    def colour(self, context: str) -> int:
        """The colour and shape of a context."""
        return list(self.contexts).index(context) % COLOURS if context in self.contexts else 0

    @property
    def system(self) -> System | None:
        """The contexts as a system, to foretell what follows when a part of it is off."""
        apps = [running.app for running in self.contexts.values()]
        return System("system", *(app for app in apps if isinstance(app, App))) if apps else None
