"""Purity by trial: what runs twice on equal things must answer twice the same, and must not change what it was given."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from actum.decision.handler import Answer
from actum.journal.errors import Refused
from actum.journal.event import Event
from actum.testing.difference import compared, fields, told
from actum.testing.purity import mutable_globals

if TYPE_CHECKING:
    from actum.decision.command import Command
    from actum.decision.handler import Handler
    from actum.decision.state import Fold, Identity, State
    from actum.journal.codec import Codec
    from actum.journal.event import SequencedEvent
    from actum.testing.stage import Application

TEACH = "a rule is a function of the command and the states it reads, and of nothing else; bring facts in the command"


def changes_on_rerun(app: Application, command: Command, history: Sequence[SequencedEvent]) -> list[str]:
    """Fold the states that the command reads, twice, and decide it, twice; what differed, in lines, or nothing."""
    handler = app.handler(type(command))
    once, lines = _arguments(handler, command, app.codec, history)
    twice, more = _arguments(handler, command, app.codec, history)
    lines += more
    for name, value in once.items():
        if value != twice[name]:
            lines.append(f"folded twice from the same events, {name} was {told(value)}, then {told(twice[name])}")
    return lines or _decided_twice(handler, command, once)


def _decided_twice(handler: Handler, command: Command, arguments: dict[str, object]) -> list[str]:
    rule = handler.name.partition("@")[0]
    given, asked = copy.deepcopy(arguments), copy.deepcopy(command)
    around = mutable_globals(handler.decide)
    kept = copy.deepcopy(around)
    first = _answer(handler, command, arguments)
    lines = [f"{rule} changed what it was given; a rule answers events, and only evolve changes a state"] * (
        arguments != given or command != asked
    )
    lines += [line for name in given for line in _changed(name, given[name], arguments[name])]
    lines += [f"{rule} changed the global {name}; {TEACH}" for name in around if around[name] != kept[name]]
    second = _answer(handler, asked, given)
    if not lines and first != second:
        lines = [f"{rule} was run twice on the same: first {told(first)}, then {told(second)}; {TEACH}"]
    return lines


def _changed(name: str, before: Any, after: Any) -> list[str]:
    if before == after:
        return []
    if not isinstance(before, msgspec.Struct) or not isinstance(after, msgspec.Struct):
        return [f"  {name}  given {told(before)}  left {told(after)}"]
    lines = compared(fields(before), fields(after))
    return [f"  {name}.{line.replace('expected', 'given', 1).replace('found', 'left', 1)}" for line in lines]


def _answer(handler: Handler, command: Command, arguments: dict[str, object]) -> object:
    try:
        answer: Answer = handler.decide(command, **arguments)
        return list(answer) if isinstance(answer, Iterable) and not isinstance(answer, Event) else answer
    except Refused as refused:
        return ("refused", refused.reason, dict(refused.facts))


def _arguments(
    handler: Handler, command: Command, codec: Codec, history: Sequence[SequencedEvent]
) -> tuple[dict[str, object], list[str]]:
    """The states that the rule reads, folded anew, and what evolve changed besides its state."""
    lines: list[str] = []
    arguments: dict[str, object] = {}
    for read in handler.reads:
        states = [_folded(fold, ids, codec, history, lines) for fold, ids in read.keys(command)]
        arguments[read.parameter] = states if read.several else states[0]
    return arguments, lines


def _folded(
    fold: Fold[State], ids: tuple[Identity, ...], codec: Codec, history: Sequence[SequencedEvent], lines: list[str]
) -> State:
    tags, state = fold.tags(ids), fold.new(ids)
    for stored in history:
        if tags <= set(stored.tags):
            for event in codec.decode(stored):
                kept = copy.deepcopy(event)
                fold.take(state, (event,))
                if event != kept:
                    lines.append(f"{fold.name}.evolve changed the event {told(kept)} into {told(event)}")
    return state
