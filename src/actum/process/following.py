"""Following the journal for one purpose: page by page, with a checkpoint that moves only from where it was seen.

A worker that is killed between its work and its checkpoint does that work again, and finds it done: every command has an
id that follows from the event. Where the read database is lost, the journal itself says up to where everything was done.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from actum.decision.acting import Acting
from actum.decision.outcome import Decided
from actum.journal.errors import Unavailable
from actum.journal.event import Event
from actum.journal.query import Query
from actum.journal.readmodel import Change, Mark, Shape
from actum.process.agenda import Wish
from actum.process.books import Begin
from actum.process.naming import derived
from actum.process.record import ProcessBegun, Reacted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from actum.journal.codec import Codec
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.readmodel import ReadDatabase
    from actum.journal.store import JournalStore
    from actum.process.agenda import Give

PAGE = 500
"""How many events are worked on before the checkpoint moves."""

IDLE = 1000
"""How many events that do not concern it a follower passes before that is worth a checkpoint."""


class Purpose(Protocol):
    """What is done with the events."""

    @property
    def name(self) -> str:
        """Under which it follows the journal."""
        ...

    @property
    def events(self) -> Sequence[type[Event]]:
        """Which it wants."""
        ...

    @property
    def from_beginning(self) -> bool:
        """Whether what was in the journal when it was first opened concerns it, too."""
        ...

    def take(self, events: Sequence[SequencedEvent], *, after: Position) -> None:
        """Work on the next events; everything up to `after` is done."""
        ...

    def forget(self) -> None:
        """Somebody else went on: what is kept between two pages is stale."""
        ...


class Follower:
    """Brings one purpose the events it wants, in order, from its checkpoint on."""

    def __init__(
        self, purpose: Purpose, *, store: JournalStore, codec: Codec, database: ReadDatabase, give: Give
    ) -> None:
        self.purpose = purpose
        self._store = store
        self._codec = codec
        self._database = database
        self._give = give
        self._shape = _shape(purpose.name)
        self._query = Query.of(types=codec.names(purpose.events))
        self._mark: Mark | None = None
        self._epoch = 0
        self._passed: Position = 0

    @property
    def position(self) -> Position:
        """Everything up to here is done or does not concern it."""
        return max(self._passed, self._mark.position if self._mark else 0)

    def begin(self) -> None:
        """Know where it stands; where nobody has followed for this purpose before, it is on record from where on."""
        if self._mark is None:
            self._mark = self._find_mark()

    def begin_again(self) -> None:
        """Go back to where it began: everything since is met again, and found done."""
        self._database.renew(self._shape)
        self._let_go()
        (begun,) = (event for event in self._begun() if isinstance(event, ProcessBegun))
        self._mark = self._begin_at(begun.after)

    def step(self) -> bool:
        """Work on one page; whether there was anything to work on."""
        self.begin()
        assert self._mark is not None
        newest = self._newest()
        if newest is None or newest.position <= self.position:
            return False
        seen = self.position
        events = list(self._store.read(self._query, after=seen, until=newest.position, limit=PAGE))
        full = len(events) == PAGE
        if events:
            try:
                self.purpose.take(events, after=seen)
            except BaseException:
                self._let_go()
                raise
        reached = events[-1] if full else newest
        if events or reached.position - self._mark.position > IDLE:
            self._move(Mark(reached.position, reached.id))
        self._passed = reached.position
        return bool(events)

    def _move(self, reached: Mark) -> None:
        assert self._mark is not None
        if self._database.commit([Change(self._shape, (), self._mark, reached, epoch=self._epoch)]):
            self._mark = reached
        else:
            self._let_go()

    def _let_go(self) -> None:
        """Where it stands is to be looked up again."""
        self._mark, self._passed = None, 0
        self.purpose.forget()

    def _newest(self) -> SequencedEvent | None:
        return next(iter(self._store.read(Query.all(), limit=1, backwards=True)), None)

    # Where it stands.

    def _find_mark(self) -> Mark:
        self.purpose.forget()
        self._database.prepare(self._shape)
        (share,) = self._database.shares(self._shape)
        mark, self._epoch = share.mark, share.epoch
        if mark.position == 0:
            return self._begin_at(self._recorded_start())
        stored = self._at(mark.position)
        if stored is None or stored.id != mark.event:
            raise Unavailable(
                f"{self.purpose.name} in {self._database.address} stands at position {mark.position}, where the journal has "
                "another event, or none: was an older copy of the journal put back? Delete the read database"
            )
        return mark

    def _begin_at(self, position: Position) -> Mark:
        """Where the read database knows nothing: from where the journal says that everything was done."""
        stored = self._at(position)
        mark = Mark() if stored is None else Mark(position, stored.id)
        if not self._database.commit([Change(self._shape, (), Mark(), mark, epoch=self._epoch)]):
            mark = self._database.mark(self._shape) or Mark()
        return mark

    def _at(self, position: Position) -> SequencedEvent | None:
        if position == 0:
            return None
        return next(iter(self._store.read(Query.all(), after=position - 1, until=position, limit=1)), None)

    def _recorded_start(self) -> Position:
        """Where the process began, or up to where it had come when it last reacted, if that is further."""
        tag = f"actum-process:{self.purpose.name}"
        query = Query.of(types=self._codec.names((Reacted,)), tags=[tag])
        newest = self._store.read(query, limit=1, backwards=True)
        found = (*self._begun(), *(event for stored in newest for event in self._codec.decode(stored)))
        return max(event.after for event in found if isinstance(event, ProcessBegun | Reacted))

    def _begun(self) -> tuple[Event, ...]:
        """Take down where it begins; whoever is first decides that for all."""
        name = self.purpose.name
        command = Begin(process=name, after=0 if self.purpose.from_beginning else self._store.head())
        wish = Wish(command, derived("begin", name), Acting(actor=f"process:{name}"))
        (answer,) = self._give([wish])
        if isinstance(answer, Decided):
            return answer.events
        stored = first_answer(self._store, wish.id)
        if not stored:
            raise answer
        return tuple(event for one in stored for event in self._codec.decode(one))


def first_answer(store: JournalStore, command: UUID) -> list[SequencedEvent]:
    """What was decided on a command, as it stands in the journal; nothing where it was not."""
    record = store.decision(command.bytes)
    return [] if record is None else list(store.read(Query.all(), after=record.first - 1, until=record.last))


def _shape(name: str) -> Shape:
    """The checkpoint's place in the read database: a follower that keeps no table of its own."""
    return Shape(f"actum_process_{name}", (), (), sha256(name.encode()).digest()[:16])
