"""Another context behind its door, as a source for whoever listens to it: pages of events, and a feed that says when to look.

What is heard comes in pages, in order; the feed only rings. So nothing is missed by a line that breaks, and a door that is
away for a while is asked again when it is back.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from actum.http.client import Client
from actum.journal.errors import ActumError
from actum.journal.query import Query
from actum.messaging.source import Heard
from actum.subscription.patience import pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from actum.journal.event import Position, SequencedEvent
    from actum.service.declared import Declared

PATIENCE = 10.0
"""Seconds to wait for an answer before the door counts as away."""


class Elsewhere:
    """The context `app` served at `url`, such as `http://127.0.0.1:8000/accounts`; `token` where the door asks who is there.

    A `Source` for `running.listen`. Close it after the listening was stopped.
    """

    def __init__(self, url: str, app: Declared, *, token: str | None = None, timeout: float = PATIENCE) -> None:
        self._client = Client(url, app, actor=app.name, token=token, timeout=timeout, tries=1)
        self._query = Query.all()
        self._wanted = threading.Event()
        self._stopped = threading.Event()

    def read(self, types: frozenset[str], *, after: Position) -> Heard:
        """See `actum.messaging.source.Source.read`."""
        self._query = Query.of(types=types)
        self._wanted.set()
        place: Position | None = after
        while place is not None:
            found, place = self._client.page(self._query, after=place)
            if found:
                events = {one.position: one.stored for one in found}
                return Heard([*events.values()], place is not None)
        return Heard((), more=False)

    def at(self, position: Position) -> SequencedEvent | None:
        """See `actum.messaging.source.Source.at`."""
        found, _ = self._client.page(after=position - 1, until=position)
        return found[0].stored if found else None

    def watch(self, ring: Callable[[Position], None]) -> Callable[[], None]:
        """See `actum.messaging.source.Source.watch`."""
        threading.Thread(target=self._listen, args=(ring,), name="actum-elsewhere", daemon=True).start()
        return self._stopped.set

    def close(self) -> None:
        """Give the connections back."""
        self._stopped.set()
        self._wanted.set()
        self._client.close()

    def _listen(self, ring: Callable[[Position], None]) -> None:
        self._wanted.wait()
        attempts = 0
        while not self._stopped.is_set():
            try:
                for event in self._client.follow(self._query, after=self._client.head()):
                    attempts = 0
                    ring(event.position)
                    if self._stopped.is_set():
                        return
            except (ActumError, RuntimeError):  # the door is away, or this was closed meanwhile
                attempts += 1
                self._stopped.wait(pause(attempts))
