"""What the code of today would ask for, held against what is on record: nothing is given, and nothing is written.

A reaction on record stays what it was, whatever the code says later. Where the two differ, either the code was changed, which may be
just what was wanted, or it answers otherwise each time it is asked, which never is.
"""

from __future__ import annotations

import copy
from datetime import UTC
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from actum.journal.event import Position
from actum.journal.query import Query
from actum.process.following import first_answer
from actum.process.naming import derived
from actum.process.reacting import News, Tracked
from actum.process.reaction import Occasion
from actum.process.record import Discarded, ProcessBegun, Reacted, Said, TimerCancelled, TimerSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from actum.decision.state import Identity
    from actum.journal.codec import Codec
    from actum.journal.event import Event, SequencedEvent
    from actum.journal.store import JournalStore
    from actum.process.instances import React
    from actum.process.process import Definition


class ReactionDifference(msgspec.Struct, frozen=True):
    """One event to which the code of today reacts otherwise than is on record.

    `recorded` and `today` say in words what is asked for: commands, effects and timers, in order. What was cancelled is not
    compared. Where the code is not `steady`, it answered otherwise when it was asked the same once more.
    """

    process: str
    instance: str
    position: Position
    event: UUID
    type: str
    recorded: tuple[str, ...]
    today: tuple[str, ...]
    steady: bool


class Comparison:
    """One process, compared event by event. `parked` says from which position on an instance has not reacted yet."""

    def __init__(
        self, definition: Definition[Any], *, store: JournalStore, codec: Codec, parked: Mapping[str, Position]
    ) -> None:
        self._definition = definition
        self._store = store
        self._codec = codec
        self._parked = parked
        self._tracked: dict[str, Tracked] = {}
        self._discarded: set[tuple[str, UUID]] = set()

    def differing(self, *, until: Position) -> Iterator[ReactionDifference]:
        """What differs, in the order of the events, up to a position to which everything was reacted."""
        begun = self._begun()
        if begun is None:
            return
        self._discarded = set(self._passed_over())
        query = Query.of(types=self._codec.names(self._definition.events))
        for stored in self._store.read(query, until=until):
            for ids in self._definition.fold.keys(stored.tags):
                yield from self._compared(stored, ids, counts=stored.position > begun)

    def _begun(self) -> Position | None:
        """Behind which position the process reacts; None where it never began."""
        tag = f"actum-process:{self._definition.name}"
        query = Query.of(types=self._codec.names((ProcessBegun,)), tags=[tag])
        found = [event for stored in self._store.read(query, limit=1) for event in self._codec.decode(stored)]
        return next((event.after for event in found if isinstance(event, ProcessBegun)), None)

    def _passed_over(self) -> Iterator[tuple[str, UUID]]:
        """What somebody discarded: of which instance, which event."""
        for stored in self._store.read(Query.of(types=self._codec.names((Discarded,)))):
            for event in self._codec.decode(stored):
                if isinstance(event, Discarded):
                    yield event.instance, event.event

    def _compared(
        self, stored: SequencedEvent, ids: tuple[Identity, ...], *, counts: bool
    ) -> Iterator[ReactionDifference]:
        instance = self._definition.instance(ids)
        tracked = self._tracked.get(instance)
        if tracked is None:
            tracked = self._tracked[instance] = Tracked(self._definition, ids)
        counts = counts and stored.position < self._parked.get(instance, stored.position + 1)
        counts = counts and (instance, stored.uuid) not in self._discarded
        for part, event in enumerate(self._codec.decode(stored)):
            started, alive = tracked.started, tracked.advance(event)
            if alive and counts:
                id = derived("react", instance, stored.uuid, part)
                news = News(instance, self._definition.name, 0, started=not started, ended=tracked.state.ended)
                answers = [self._answer(tracked, event, stored, news=news, part=part, id=id) for _ in range(2)]
                yield from self._difference(news, answers, stored, self._recorded(id))

    def _answer(
        self, tracked: Tracked, event: Event, stored: SequencedEvent, *, news: News, part: int, id: UUID
    ) -> tuple[str, ...]:
        """What it asks for, from a state that is a copy."""
        if type(event) not in self._definition.reacts:
            return ()
        occasion = Occasion(stored, news.instance, part)
        try:
            wants = self._definition.react(copy.deepcopy(tracked.state), copy.deepcopy(event), occasion)
            return _asked_for(news.command(wants, stored, id))
        except Exception as wrong:  # noqa: BLE001 - it is told beside what is on record
            return (f"error {type(wrong).__name__}: {wrong}",)

    def _difference(
        self, news: News, answers: list[tuple[str, ...]], stored: SequencedEvent, recorded: tuple[str, ...]
    ) -> Iterator[ReactionDifference]:
        first, second = answers
        if not recorded == first == second:
            yield ReactionDifference(
                process=news.process,
                instance=news.instance,
                position=stored.position,
                event=stored.uuid,
                type=stored.type,
                recorded=recorded,
                today=first,
                steady=first == second,
            )

    def _recorded(self, id: UUID) -> tuple[str, ...]:
        """What is on record; nothing where it asked for nothing."""
        lines: list[str] = []
        for stored in first_answer(self._store, id):
            for event in self._codec.decode(stored):
                match event:
                    case Reacted(commands=commands):
                        lines += [_told("command", one) for one in commands]
                    case TimerSet():
                        lines.append(_timer(event))
                    case TimerCancelled():
                        pass
                    case _:
                        lines.append(_line("effect", stored.type, stored.data))
        return tuple(sorted(lines, key=_kind_of))


def _asked_for(command: React) -> tuple[str, ...]:
    lines = [_told("command", one) for one in command.commands]
    lines += [_timer(timer) for timer in command.timers]
    lines += [_told("effect", one) for one in command.effects]
    return tuple(sorted(lines, key=_kind_of))


def _kind_of(line: str) -> str:
    return line.partition(" ")[0]


def _timer(timer: TimerSet) -> str:
    then = timer.event or timer.command
    assert then is not None
    return f"timer {timer.name} at {timer.due.astimezone(UTC).isoformat()}: {_told('then', then)}"


def _told(what: str, one: Said) -> str:
    return _line(what, one.type, bytes(one.content))


def _line(what: str, type: str, content: bytes) -> str:
    """In words that do not depend on the order in which fields were written."""
    return f"{what} {type} {msgspec.json.encode(msgspec.json.decode(content), order='sorted').decode()}"
