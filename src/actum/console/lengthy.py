"""Things of very many events: what is known at once is shown at once, what takes reading them all comes after it.

No page waits for a whole life to be read, and none reads without end: what has more events than a page can go through says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from actum.console.answering import Shown
from actum.http.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.console.asked import Asked
    from actum.history.timeline import Subject
    from actum.journal.event import SequencedEvent
    from actum.journal.store import JournalStore
    from actum.service.running import Running

LONG = 2_000
"""Events of a thing that are read before its page begins; some 20 ms."""

MOST = 500_000
"""Events of a thing that a page reads at all; some seconds."""


def comes_later(asked: Asked, running: Running, subject: Subject[Any]) -> bool:
    """Whether the page is to begin without what takes all events of the thing."""
    if asked.fragment or asked.query.get("whole"):
        return False
    fold = subject.fold
    query = fold.query(running.app.codec, fold.tags(subject.ids))
    return sum(1 for _ in running.store.read(query, limit=LONG + 1, backwards=True)) > LONG


def meanwhile(asked: Asked, title: str, values: dict[str, Any]) -> Shown:
    """The page until all is read: what it is about, what its table shows, and the address at which the rest is on its way."""
    path = asked.address().partition("?")[0]
    whole = f"{path}?{urlencode({**asked.query, 'whole': '1'})}"
    return Shown("meanwhile.html", title, {"fields": [], **values, "goes_on_at": whole}, here="things")


def bounded(store: JournalStore, most: int = MOST) -> JournalStore:
    """The same journal, of which nobody reads more than so many events at once: `too-costly` where there are more."""
    return cast("JournalStore", _Bounded(store, most))


class _Bounded:
    def __init__(self, store: JournalStore, most: int) -> None:
        self._store = store
        self._most = most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def read(self, *which: Any, **where: Any) -> Iterator[SequencedEvent]:
        for count, event in enumerate(self._store.read(*which, **where)):
            if count == self._most:
                raise Problem(
                    "too-costly",
                    f"it is made of more than {self._most:,} events; `actum` on the command line reads them all",
                )
            yield event
