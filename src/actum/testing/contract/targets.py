"""The contract of a target: events and the mark in one step, and only from where it stood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from actum.journal.readmodel import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from actum.journal.recorded import Recorded

FIRST, SECOND = Mark(1, b"one"), Mark(2, b"two")


class Tried(Protocol):
    """A target, as it is put to the test; see `actum.projection.target.Target`."""

    def reached(self) -> Mark: ...

    def take(self, events: Sequence[Recorded], *, seen: Mark, reached: Mark) -> bool: ...


class TargetContract:
    """What every target promises, as tests. Subclass it and say how the one that belongs to a folder is opened."""

    def opener(self, folder: Path) -> Callable[[], Tried]:
        """How to open the target; an empty one at first. Opened twice, it is the same."""
        raise NotImplementedError(f"{type(self).__name__} must say how it is opened: opener(self, folder)")

    @pytest.fixture
    def open_target(self, tmp_path: Path) -> Callable[[], Tried]:
        """How this test opens its target."""
        return self.opener(tmp_path)

    def test_an_empty_target_stands_nowhere(self, open_target: Callable[[], Tried]) -> None:
        assert open_target().reached() == Mark()

    def test_a_target_stands_where_it_was_moved_to(self, open_target: Callable[[], Tried]) -> None:
        target = open_target()
        assert target.take([], seen=Mark(), reached=FIRST)
        assert target.reached() == FIRST
        assert target.take([], seen=FIRST, reached=SECOND)
        assert target.reached() == SECOND

    def test_a_target_is_not_moved_from_where_it_does_not_stand(self, open_target: Callable[[], Tried]) -> None:
        target = open_target()
        assert target.take([], seen=Mark(), reached=FIRST)
        assert not target.take([], seen=Mark(), reached=SECOND)
        assert not target.take([], seen=Mark(1, b"another"), reached=SECOND)
        assert target.reached() == FIRST

    def test_of_two_that_saw_the_same_one_moves_it(self, open_target: Callable[[], Tried]) -> None:
        one, other = open_target(), open_target()
        assert one.take([], seen=Mark(), reached=FIRST)
        assert not other.take([], seen=Mark(), reached=SECOND)
        assert one.reached() == other.reached() == FIRST

    def test_a_target_that_is_opened_again_stands_where_it_stood(self, open_target: Callable[[], Tried]) -> None:
        assert open_target().take([], seen=Mark(), reached=FIRST)
        assert open_target().reached() == FIRST
