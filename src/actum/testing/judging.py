"""What must not be, after whatever has happened: found by an independent fold of the journal, and in the history that is kept there."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from actum.decision.state import fold_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.decision.state import Fold, Identity, State

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
    expected = dict(_folded(running, fold))
    parked = {one.key for one in running.parked() if one.follower == view.__name__}
    found = {tuple(getattr(row, name) for name in fold.identity): row for row in running.view(view)}
    keys = [key for key in {**expected, **found} if "\n".join(map(str, key)) not in parked]
    wrong = [key for key in keys if expected.get(key) != found.get(key)]
    return [f"{view.__name__} {key}: expected {expected.get(key)}, found {found.get(key)}" for key in wrong[:MOST]]


def _folded(running: Any, fold: Fold[Any]) -> Iterator[tuple[tuple[Identity, ...], State]]:
    states: dict[tuple[Identity, ...], State] = {}
    for recorded in running.events():
        if type(recorded.event) in fold.event_set:
            for key in fold.keys(recorded.tags):
                state = states.setdefault(key, fold.new(key))
                fold.take(state, [fold.own(recorded.event)])
    yield from states.items()


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
