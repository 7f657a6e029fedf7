"""A journal that can be searched: its index, opened, and kept up by a thread where somebody wants that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from actum.history.searching import Search
from actum.service.opening import open_search
from actum.subscription.progress import Progress
from actum.subscription.runner import Runner

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from actum.journal.store import JournalStore


class Searching:
    """The search of one journal. A context manager that closes it; the journal stays its owner's to close.

    `index` is where the index is: the path of a file, or `memory:`. With `follow`, a thread takes in what comes.
    """

    def __init__(self, store: JournalStore, index: str | Path, *, follow: bool = True) -> None:
        self.search = Search(store, open_search(index, journal=store, origin=store.origin))
        self.progress = Progress("the search")
        self._runner: Runner | None = None
        if follow:
            self._runner = Runner(
                store,
                self.search.step,
                position=lambda: self.search.position,
                progress=self.progress,
                name="search",
            )
            self._runner.start()

    def close(self) -> None:
        """Take in nothing more, and close the index."""
        if self._runner is not None:
            self._runner.stop()
        self.search.index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
