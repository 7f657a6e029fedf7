"""What must not be, after whatever has happened: found by an independent fold of the journal, and in the history that is kept there."""

from __future__ import annotations

import copy
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from actum.decision.state import fold_of
from actum.journal.query import Query

if TYPE_CHECKING:
    from actum.decision.state import Fold, Identity, State
    from actum.journal.event import Position

Key: TypeAlias = "tuple[Identity, ...]"
"""By what a row is found."""

MOST = 20
"""How many faults of one kind are told."""


def faults_of(running: Any) -> list[str]:
    """Every fault of an open application whose followers have come to rest, in words; nothing where all is well."""
    found = [fault for view in running.app.views.values() for fault in wrong_rows(running, view)]
    if running.app.reacts:
        found += done_twice(running)
        found += [
            f"{one.instance} at position {one.position}: on record {one.recorded or 'nothing'}, asked for {one.today or 'nothing'}"
            for one in running.processes.compare()[:MOST]
        ]
    return found


def wrong_rows(running: Any, view: type[Any]) -> list[str]:
    """Rows that are not what the journal's events make, folded here one by one. Keys that are parked are left out."""
    kind: Any = view
    fold: Fold[Any] = fold_of(kind)
    parked = {one.key for one in running.parked() if one.follower == view.__name__}
    expected = _folded(running, fold, without=parked)
    rows = {tuple(getattr(row, name) for name in fold.identity): row for row in running.view(view)}
    found = {key: row for key, row in rows.items() if _text(key) not in parked}
    wrong = [key for key in {**expected, **found} if expected.get(key) != found.get(key)]
    return [f"{view.__name__} {key}: expected {expected.get(key)}, found {found.get(key)}" for key in wrong[:MOST]]


def _folded(running: Any, fold: Fold[Any], *, without: set[str]) -> dict[Key, State]:
    """The rows, by their keys. What a row cannot take is passed over, as the projection did, or it would not be at rest."""
    passed = _discarded(running, fold.name)
    rows: dict[Key, State] = {}
    for recorded in running.events():
        if type(recorded.event) not in fold.event_set:
            continue
        for key in fold.keys(recorded.tags):
            if _text(key) in without or (recorded.position, _text(key)) in passed:
                continue
            row = copy.deepcopy(rows[key]) if key in rows else fold.new(key)
            with suppress(Exception):
                fold.take(row, [fold.own(recorded.event)])
                rows[key] = row
    return rows


def _discarded(running: Any, view: str) -> set[tuple[Position, str]]:
    """The positions and keys of what somebody said that a view never takes in."""
    notes = [recorded.event for recorded in running.events(Query.of(types=["actum.view-discarded"]))]
    return {(note.position, note.key) for note in notes if note.follower == view}


def _text(key: Key) -> str:
    return "\n".join(map(str, key))


def done_twice(running: Any) -> list[str]:
    """Events reacted to twice or out of order, timers fired and effects taken down twice."""
    found: list[str] = []
    reached: dict[str, int] = {}
    once: Counter[tuple[str, str]] = Counter()
    for recorded in running.events():
        event = recorded.event
        match recorded.type:
            case "actum.reacted":
                once["reaction", f"{event.instance} to {event.to}"] += 1
                if event.position <= reached.get(event.instance, 0):
                    found.append(
                        f"{event.instance} reacted to position {event.position} after {reached[event.instance]}"
                    )
                reached[event.instance] = max(event.position, reached.get(event.instance, 0))
            case "actum.timer-fired":
                once["timer", str(event.timer)] += 1
            case "actum.effect-done":
                once["effect", str(event.effect)] += 1
            case _:
                pass
    found += [f"{what} {which}: {times} times" for (what, which), times in once.items() if times > 1]
    return found[:MOST]
