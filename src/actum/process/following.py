"""Following the journal for one purpose: page by page, with a checkpoint for each share that moves only from where it was seen.

A worker that is killed between its work and its checkpoint does that work again, and finds it done: every command has an
id that follows from the event. Where the read database is lost, the journal itself says up to where everything was done.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

import msgspec

from actum.decision.acting import Acting
from actum.decision.outcome import Decided
from actum.journal.errors import Unavailable
from actum.journal.event import Event
from actum.journal.query import Query
from actum.journal.readmodel import ALL_SLICES, Change, Mark, Shape, slice_of
from actum.process.agenda import Wish
from actum.process.instances import Begin
from actum.process.naming import derived
from actum.process.record import ProcessBegun, Reacted
from actum.subscription.sharing import joined
from actum.subscription.worker import Followed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from actum.journal.codec import Codec
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.readmodel import ReadDatabase, Share, Slices
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

    def take(self, events: Sequence[SequencedEvent], *, after: Position, slices: Slices = ALL_SLICES) -> None:
        """Work on the next events for the instances in these slices; everything up to `after` is done, in all slices."""
        ...

    def forget(self) -> None:
        """Somebody else went on: what is kept between two pages is stale."""
        ...


class _Line:
    """One share of a follower's slices, and what it has passed since its checkpoint was moved."""

    __slots__ = ("passed", "share")

    def __init__(self, share: Share) -> None:
        self.share = share
        self.passed: Position = 0

    @property
    def position(self) -> Position:
        """Everything up to here is done or does not concern it."""
        return max(self.passed, self.share.mark.position)

    @property
    def place(self) -> tuple[Slices, int, Mark]:
        """What is known of it."""
        return self.share.slices, self.share.epoch, self.share.mark

    def stands_at(self, mark: Mark) -> None:
        """Its checkpoint was moved."""
        self.share = msgspec.structs.replace(self.share, mark=mark)


class Follower:
    """Brings one purpose the events it wants, in order, from its checkpoints on.

    With an `owner`, those of the instances in the shares that this worker holds; without one, in those that nobody does.
    """

    def __init__(
        self,
        purpose: Purpose,
        *,
        store: JournalStore,
        codec: Codec,
        database: ReadDatabase,
        give: Give,
        owner: str = "",
    ) -> None:
        self.purpose = purpose
        self.followed = Followed(_shape(purpose.name), name=purpose.name)
        self._shape = self.followed.shape
        self._store = store
        self._codec = codec
        self._database = database
        self._give = give
        self._owner = owner
        self.concerns = Query.of(types=codec.names(purpose.events))
        self._lines: list[_Line] = []
        self._others: list[Mark] = []
        self._looked = False

    @property
    def position(self) -> Position:
        """Everything up to here is done or does not concern it, in whoever's hands."""
        return min([*(line.position for line in self._lines), *(mark.position for mark in self._others)], default=0)

    def waits_for_others(self, position: Position) -> bool:
        """Whether others hold shares that have not come so far."""
        return any(mark.position < position for mark in self._others)

    @property
    def at_work(self) -> bool:
        """Whether anything is in our hands."""
        return bool(self._lines)

    def holds(self, instance: str) -> bool:
        """Whether that instance is in our hands."""
        held = [line.share.slices for line in self._lines]
        return held == [ALL_SLICES] or (bool(held) and any(slice_of(instance) in slices for slices in held))

    def begin(self) -> None:
        """Know where it stands; where nobody has followed for this purpose before, it is on record from where on."""
        if not self._looked:
            self._looked = self._take_over(self._shares())

    def look_again(self) -> None:
        """Others have changed who holds what."""
        self._looked = False

    def begin_again(self) -> None:
        """Go back to where it began: everything since is met again, and found done."""
        self._database.renew(self._shape)
        self._let_go()
        (begun,) = (event for event in self._begun() if isinstance(event, ProcessBegun))
        for share in self._shares():
            self._begun_at(share, begun.after)

    def step(self) -> bool:
        """Work on a page of each share; whether there was anything to work on."""
        self.begin()
        newest = self._newest()
        if newest is None:
            return False
        if self._others or len(self._lines) > 1 or any(line.position < newest.position for line in self._lines):
            self._looked = self._take_over(self._shares())
        worked = False
        for line in [line for line in self._lines if line.position < newest.position]:
            if line in self._lines:  # not let go meanwhile
                worked = self._advance(line, newest) or worked
        return worked

    def _advance(self, line: _Line, newest: SequencedEvent) -> bool:
        seen = line.position
        events = list(self._store.read(self.concerns, after=seen, until=newest.position, limit=PAGE))
        full = len(events) == PAGE
        if events:
            try:
                self.purpose.take(events, after=self.position, slices=line.share.slices)
            except BaseException:
                self._let_go()
                raise
        reached = events[-1] if full else newest
        # Others see by the checkpoint how far it is, and neighbours are joined where they stand at one.
        shown = bool(self._owner) or len(self._lines) > 1
        if events or shown or reached.position - line.share.mark.position > IDLE:
            self._move(line, Mark(reached.position, reached.id))
        line.passed = reached.position
        return bool(events)

    def _move(self, line: _Line, reached: Mark) -> None:
        if self._database.commit([self._change(line.share, reached)]):
            line.stands_at(reached)
        else:
            self._let_go()

    def _change(self, share: Share, reached: Mark) -> Change:
        slices, epoch = share.slices, share.epoch
        return Change(self._shape, (), share.mark, reached, slices, epoch, self._owner)

    def _let_go(self) -> None:
        """Where it stands is to be looked up again."""
        self._lines, self._looked = [], False
        self.purpose.forget()

    def _newest(self) -> SequencedEvent | None:
        return next(iter(self._store.read(Query.all(), limit=1, backwards=True)), None)

    # Where it stands.

    def _shares(self) -> list[Share]:
        """Every share; whoever works alone joins what workers who have gone left divided."""
        shares = self._database.shares(self._shape)
        if not shares:
            self._database.prepare(self._shape)
            shares = self._database.shares(self._shape)
        todo = [] if self._owner or len(shares) == 1 else joined(shares)
        for step in todo:
            self._database.recut(self._shape.table, step.seen, step.cuts, worker="", seconds=0)
        return self._database.shares(self._shape) if todo else shares

    def _take_over(self, shares: list[Share]) -> bool:
        """Work on what is ours of these; whether that was to be had.

        What is kept of instances holds only while nothing has changed hands.
        """
        mine = [share for share in shares if self._is_mine(share)]
        self._others = [share.mark for share in shares if not self._is_mine(share)]
        if [_Line(share).place for share in mine] != [line.place for line in self._lines]:
            self.purpose.forget()
            begun = [self._checked(share) for share in mine]
            self._lines = [_Line(share) for share in begun if share is not None]
            return None not in begun
        return True

    def _is_mine(self, share: Share) -> bool:
        return share.owner == self._owner if self._owner else not share.held

    def _checked(self, share: Share) -> Share | None:
        """The share, held against the journal, and begun where nobody has begun; None where somebody else was first."""
        mark = share.mark
        if mark.position == 0:
            return self._begun_at(share, self._recorded_start())
        stored = self._at(mark.position)
        if stored is None or stored.id != mark.event:
            raise Unavailable(
                f"{self.purpose.name} in {self._database.address} stands at position {mark.position}, where the journal has "
                "another event, or none: was an older copy of the journal put back? Delete the read database"
            )
        return share

    def _begun_at(self, share: Share, position: Position) -> Share | None:
        """Where the read database knows nothing: from where the journal says that everything was done."""
        stored = self._at(position)
        mark = Mark() if stored is None else Mark(position, stored.id)
        if mark != share.mark and not self._database.commit([self._change(share, mark)]):
            return None
        return msgspec.structs.replace(share, mark=mark)

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
