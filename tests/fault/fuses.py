"""A program that ends at any one of its steps: each write to a journal and each checkpoint, before and after it."""

from __future__ import annotations

from typing import Any


class Killed(BaseException):
    """The program ends here: nothing behind it runs."""


class Fuse:
    """Counts the steps, and kills at one of them; whatever the dead program still tries comes to nothing."""

    def __init__(self, at: int | None = None) -> None:
        self.steps = 0
        self.at = at
        self.landed = False
        self.dead = False

    def step(self) -> None:
        """One step."""
        if self.dead:
            raise Killed
        self.steps += 1
        if self.steps == self.at:
            self.landed = self.dead = True
            raise Killed

    def revive(self) -> None:
        """A new program."""
        self.dead = False


class Fused:
    """A store or a read database all of whose writes are steps."""

    def __init__(self, inner: Any, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def append(self, *batch: Any) -> Any:
        self._fuse.step()
        outcomes = self._inner.append(*batch)
        self._fuse.step()
        return outcomes

    def commit(self, changes: Any) -> Any:
        self._fuse.step()
        done = self._inner.commit(changes)
        self._fuse.step()
        return done
