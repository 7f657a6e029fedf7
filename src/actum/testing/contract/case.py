"""What every case of the contract stands on: how a store is opened, and the seed of whatever is random."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Protocol

import pytest

from actum.journal.clock import SYSTEM_CLOCK
from actum.journal.store import DEFAULT_PAYLOAD_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from actum.journal.clock import Clock
    from actum.journal.store import JournalStore


class Opener(Protocol):
    """Opens one journal. Cases of several processes pickle it: a function, or `functools.partial` of one."""

    def __call__(self, *, clock: Clock = SYSTEM_CLOCK, payload_limit: int = DEFAULT_PAYLOAD_LIMIT) -> JournalStore: ...


class SeededCase:
    """A group of cases that make random choices."""

    @pytest.fixture
    def seed(self) -> int:
        """The seed of this test, printed where it fails; `ACTUM_SEED` gives it again."""
        chosen = int(os.environ.get("ACTUM_SEED") or random.SystemRandom().randrange(2**32))
        print(f"ACTUM_SEED={chosen} repeats this")  # noqa: T201
        return chosen


class StoreCase(SeededCase):
    """A group of cases. A store's test class says how the store is opened, everything else follows."""

    confusable_tags: tuple[tuple[str, str], ...] = ()
    """Pairs of different tags that this store in particular might take for one another, such as tags of equal hash."""

    def opener(self, folder: Path) -> Opener:
        """How to open the journal that belongs to `folder`; an empty one at first. To be said by the store's tests."""
        raise NotImplementedError(f"{type(self).__name__} must say how its store is opened: opener(self, folder)")

    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Opener:
        """How this test opens its journal."""
        return self.opener(tmp_path)

    @pytest.fixture
    def store(self, open_store: Opener) -> Iterator[JournalStore]:
        """An empty journal, open."""
        opened = open_store()
        yield opened
        opened.close()
