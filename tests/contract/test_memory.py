"""The model answer is held to the contract like every other store. It neither lasts nor is shared."""

from __future__ import annotations

from pathlib import Path

from actum.stores.memory import MemoryStore
from actum.testing.contract import EventStoreContract, Opener


class TestMemoryStore(EventStoreContract):
    """Not durable and not shared between processes: so neither of those contracts."""

    def opener(self, folder: Path) -> Opener:
        return MemoryStore
