"""Where a scenario is played: an application, opened on a fresh journal in every kind of store, one after another.

Everything is real: events given are encoded, stored and read back; the command goes through the lane like any other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar
from uuid import UUID, uuid4

from actum.decision.command import Command, command_id_of
from actum.decision.outcome import Decided
from actum.journal.clock import SYSTEM_CLOCK
from actum.journal.errors import Refused
from actum.journal.event import Event
from actum.journal.query import Query
from actum.journal.store import Durability

if TYPE_CHECKING:
    from actum.decision.handler import Handler
    from actum.decision.state import Identity, State
    from actum.journal.clock import Clock
    from actum.journal.codec import Codec
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.store import DecisionRecord, JournalStore

Seen = TypeVar("Seen")
StateT = TypeVar("StateT", bound="State")


class AtWork(Protocol):
    """What a scenario asks of an application that is open: `actum.Running` is one."""

    @property
    def store(self) -> JournalStore:
        """The journal itself."""
        ...

    def execute(
        self,
        command: Command,
        *,
        id: UUID | str | None = None,
        actor: str | None = None,
        on_behalf_of: str | None = None,
        reason: str | None = None,
        correlation: UUID | None = None,
        causation: UUID | None = None,
        effective_at: datetime | None = None,
    ) -> Decided:
        """Have a command decided."""
        ...

    def append(self, *events: Event, actor: str | None = None, effective_at: datetime | None = None) -> Decided:
        """Take down facts."""
        ...

    def state(self, cls: type[StateT], /, *identity: Identity) -> StateT:
        """The state of one thing as it is now."""
        ...

    def view(self, view: Any, /) -> Any:
        """The table of a view: the rooms on this floor do not know each other, so neither by name."""
        ...

    @property
    def processes(self) -> Any:
        """What the application does by itself."""
        ...

    def catch_up(self) -> Position:
        """Have the views show everything there is."""
        ...

    def close(self) -> None:
        """Close the journal."""
        ...


class Scheduled(Protocol):
    """What a scenario asks of something that recurs."""

    @property
    def make(self) -> Callable[[datetime], Command]:
        """The command of each turn."""
        ...


class Performed(Protocol):
    """What a scenario asks of an effect."""

    @property
    def perform(self) -> Callable[..., Any]:
        """The function that has it."""
        ...


class Handled(Protocol):
    """What is asked of a projection."""

    @property
    def handle(self) -> Callable[..., object]:
        """Its handler."""
        ...


class Application(Protocol):
    """What a scenario asks of an application: `actum.App` is one."""

    @property
    def producer(self) -> str:
        """Which code is running."""
        ...

    @property
    def codec(self) -> Codec:
        """Between events and bytes."""
        ...

    @property
    def commands(self) -> dict[str, type[Command]]:
        """The commands by their names."""
        ...

    @property
    def states(self) -> dict[str, type[State]]:
        """The states by their names."""
        ...

    @property
    def projections(self) -> Mapping[str, Handled]:
        """The projections of any shape by their names."""
        ...

    @property
    def processes(self) -> Mapping[str, type[State]]:
        """The processes by their names."""
        ...

    @property
    def schedules(self) -> Mapping[str, Scheduled]:
        """What recurs, by name."""
        ...

    @property
    def effects(self) -> Mapping[str, Performed]:
        """The effects by the names of their requests."""
        ...

    def handler(self, command: type[Command]) -> Handler:
        """The rule that decides these commands."""
        ...

    def open(
        self,
        journal: str | Path,
        *,
        actor: str | None = None,
        durability: Durability = Durability.POWER_LOSS,
        follow: bool = True,
        clock: Clock = SYSTEM_CLOCK,
    ) -> AtWork:
        """Open it on a journal."""
        ...


Address: TypeAlias = Callable[[Path], str | Path]
"""A kind of store: from a fresh, empty folder to the address of a fresh, empty journal."""


def memory(folder: Path) -> str:
    """A journal in this process's memory, which needs no folder."""
    del folder
    return "memory:"


def sqlite(folder: Path) -> Path:
    """A journal in a SQLite file of its own."""
    return folder / "scenario.actum"


def postgresql(folder: Path) -> str:
    """A journal in PostgreSQL, on the server of `ACTUM_TEST_POSTGRES` or one that is started once for all scenarios.

    Not among the stores that a scenario runs on by itself: name it, as in `stores=(memory, postgresql)`. On a server of your
    own the journals stay; their names begin with `scenario_`.
    """
    from actum.testing.postgres import shared_url, with_journal

    del folder
    return with_journal(shared_url(), f"scenario_{uuid4().hex[:16]}")


STORES: tuple[Address, ...] = (memory, sqlite)
"""The kinds of store that a scenario runs on unless it names others."""

TELLER = "tester"
"""Who acts in a scenario that does not say."""


@dataclass(frozen=True)
class Fact:
    """Something that had happened before: an event, who did it, and when it took effect."""

    event: Event
    actor: str = "given"
    moment: datetime | None = None


def fact(event: object) -> Fact:
    """The event as a fact; one that is a fact already stays as it is."""
    if isinstance(event, Fact):
        return event
    if isinstance(event, Event):
        return Fact(event)
    hint = "; a command belongs into .when(…)" if isinstance(event, Command) else ""
    raise TypeError(f"given: expected events, or at(…) and by(…) around one, found {event!r:.120}{hint}")


def at(moment: datetime, event: Event | Fact) -> Fact:
    """The event took effect at that moment, which needs a time zone."""
    if moment.tzinfo is None:
        raise TypeError(f"at: expected a datetime with a time zone, found the naive {moment.isoformat()}")
    return replace(fact(event), moment=moment)


def by(actor: str, event: Event | Fact) -> Fact:
    """The event is on record as done by that actor."""
    return replace(fact(event), actor=actor)


@dataclass(frozen=True)
class Asked:
    """A command and all that is said around it."""

    command: Command
    id: UUID | str
    actor: str
    on_behalf_of: str | None
    reason: str | None
    correlation: UUID | None
    causation: UUID | None
    effective_at: datetime | None

    @property
    def command_id(self) -> bytes:
        """The id under which it is decided once."""
        return command_id_of(self.id)

    def ask(self, running: AtWork) -> Decided | Refused:
        """Have it decided; the answer, be it a refusal."""
        try:
            return running.execute(
                self.command,
                id=self.id,
                actor=self.actor,
                on_behalf_of=self.on_behalf_of,
                reason=self.reason,
                correlation=self.correlation,
                causation=self.causation,
                effective_at=self.effective_at,
            )
        except Refused as refused:
            return refused


@dataclass(frozen=True)
class Plan:
    """A scenario, said and not yet played: what had happened, and what is asked, one after another."""

    app: Application
    stores: Sequence[Address]
    facts: tuple[Fact, ...]
    asked: tuple[Asked, ...] = ()

    def play(self, look: Callable[[AtWork], Seen]) -> list[tuple[str, Seen]]:
        """Play all of it on each store, and look at the outcome there; the store's name beside what was seen."""
        seen: list[tuple[str, Seen]] = []
        for store in self.stores:
            with self._opened(store) as running:
                self._tell(running)
                for asked in self.asked:
                    asked.ask(running)
                seen.append((store.__name__, look(running)))
        return seen

    def play_last(self) -> list[Played]:
        """Play all but the last command on each store, then that one, and keep everything it left behind."""
        before = replace(self, asked=self.asked[:-1])
        return [replace(played, store=store) for store, played in before.play(self._last)]

    def _last(self, running: AtWork) -> Played:
        asked = self.asked[-1]
        history = tuple(running.store.read(Query.all()))
        answer = asked.ask(running)
        stored = tuple(running.store.read(Query.all(), after=len(history)))
        record = running.store.decision(asked.command_id)
        again = asked.ask(running)
        return Played("", history, stored, answer, again, record, running.store.head())

    @contextmanager
    def _opened(self, store: Address) -> Generator[AtWork]:
        with tempfile.TemporaryDirectory(prefix="actum-scenario-") as folder:
            weak = Durability.LOSES_LAST_COMMITS_WITH_POWER
            running = self.app.open(store(Path(folder)), actor=TELLER, durability=weak)
            try:
                yield running
            finally:
                running.close()

    def _tell(self, running: AtWork) -> None:
        for one in self.facts:
            running.append(one.event, actor=one.actor, effective_at=one.moment)


@dataclass(frozen=True)
class Played:
    """What a command left behind on one store."""

    store: str
    history: tuple[SequencedEvent, ...]
    """What stood in the journal before."""
    stored: tuple[SequencedEvent, ...]
    """What it added."""
    answer: Decided | Refused
    again: Decided | Refused
    """The answer to the very same command, asked again."""
    record: DecisionRecord | None
    head: Position
    """The end of the journal after both."""
