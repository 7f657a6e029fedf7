"""A target of somebody's own, held to the contract that ships."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from actum.testing.contract.targets import TargetContract
from tests.unit.projection.shelves import Shelf


class TestShelf(TargetContract):
    def opener(self, folder: Path) -> Callable[[], Shelf]:
        return lambda: Shelf(folder / "shelf.db")
