"""The port of a journal's store: four verbs over stored bytes, and a second face for the decisions beside them.

A store author implements `EventStore` (and `DecisionLog`, to keep commands from being decided twice) and subclasses
the contract of `actum.testing`. Guarantees every store gives are written there as tests and in `docs/guarantees.md`.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import msgspec

from actum.journal.clock import EARLIEST, Microseconds, checked_moment
from actum.journal.errors import Conflict, Corrupted, Invalid
from actum.journal.event import LAST_POSITION, LONGEST_TYPE, EventData, Kind, Position, data_of
from actum.journal.merkle import leaf
from actum.journal.query import AppendCondition, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from actum.journal.event import SequencedEvent

DEFAULT_PAYLOAD_LIMIT = 1024 * 1024
"""How many bytes the data of one event may have, unless a store is told otherwise."""


class Durability(Enum):
    """What an acknowledged event survives."""

    POWER_LOSS = "power-loss"
    """A killed process, a crashed system, a power cut: the default."""
    LOSES_LAST_COMMITS_WITH_POWER = "loses-last-commits-with-power"
    """A killed process; after a power cut or a crashed system the last commits may be missing (never earlier ones)."""


class DecisionKey(msgspec.Struct, frozen=True, gc=False):
    """What makes an append a decision: it is taken once per `command`, whoever retries.

    `digest` tells one command's content from another's; `handler` names the rule that decided and its version.
    """

    command: bytes
    digest: bytes
    handler: str


class Append(msgspec.Struct, frozen=True, gc=False):
    """One all-or-nothing append: at least one event, perhaps a condition, perhaps the decision it stands for.

    `sequel`: the author has seen every earlier append of the same batch and reckons with all of them. Their events
    then do not collide with this condition; but if one of them that matches it is turned down, so is this one.
    """

    events: tuple[EventData, ...]
    condition: AppendCondition | None = None
    decision: DecisionKey | None = None
    sequel: bool = False

    def __post_init__(self) -> None:
        if not self.events:
            raise Invalid("an append needs at least one event")


class DecisionRecord(msgspec.Struct, frozen=True, gc=False):
    """A decision as the journal keeps it: the evidence it rested on and the events it led to.

    `condition` is what had to hold: no event matching it after `condition.after` and before `first`. Where the decision
    was a sequel, `after` is the last event of its own batch that it reckoned with. None where it looked at nothing.
    """

    command: bytes
    digest: bytes
    handler: str
    condition: AppendCondition | None
    first: Position
    count: int

    @property
    def last(self) -> Position:
        """The position of the decision's last event."""
        return self.first + self.count - 1


class Appended(msgspec.Struct, frozen=True, gc=False):
    """Written, durably. The events stand at `first` … `last` and were taken down at `recorded`."""

    first: Position
    last: Position
    recorded: Microseconds


class Repeated(msgspec.Struct, frozen=True, gc=False):
    """Nothing was written: the command was decided before, and this is that decision."""

    decision: DecisionRecord


class Collided(msgspec.Struct, frozen=True, gc=False):
    """Nothing of this append was written: an event that the author had not seen matches the condition.

    `position` is 0 where the collision is with an append of the same batch that was itself turned down.
    """

    position: Position
    type: str
    tags: tuple[str, ...]
    after: Position

    def error(self) -> Conflict:
        """The same, to raise."""
        return Conflict(position=self.position, type=self.type, tags=self.tags, after=self.after)


Outcome: TypeAlias = Appended | Repeated | Collided
"""What became of one append of a batch."""


def checked_limit(limit: int | None) -> int | None:
    """The limit of a read itself; `Invalid` where it is negative or no whole number."""
    if limit is not None and (type(limit) is not int or not 0 <= limit <= LAST_POSITION):
        raise Invalid(f"limit: expected a whole number from 0 to 2^63-1, or None for no limit, found {limit!r}")
    return limit


def checked_payload_limit(size: int) -> int:
    """The bound on an event's data itself; `Invalid` where it is no whole number of bytes from 1."""
    if type(size) is not int or size < 1:
        raise Invalid(f"payload_limit: expected a number of bytes from 1, found {size!r}")
    return size


def check_sizes(batch: Sequence[Append], *, payload_limit: int) -> None:
    """`Invalid` where data or metadata of an event has more than `payload_limit` bytes: before anything is written."""
    for append in batch:
        for event in append.events:
            if len(event.data) > payload_limit or len(event.metadata) > payload_limit:
                raise Invalid(
                    f"{event.type}: expected at most {payload_limit} bytes each of data and metadata, found "
                    f"{len(event.data)} and {len(event.metadata)}; keep large things elsewhere and their hash here, "
                    "or open the journal with a higher payload_limit"
                )


def check_positions(batch: Sequence[Append], *, head: Position) -> None:
    """`Invalid` where a condition looks after a position that there is not yet: before anything is written."""
    for append in batch:
        if append.condition is not None and append.condition.after > head:
            raise Invalid(
                f"after: position {append.condition.after} is from the future, the journal ends at {head}; "
                "use the head that the decision saw"
            )


def leaf_of(event: SequencedEvent, origin: str) -> bytes:
    """The commitment of an event of the journal `origin`, computed again from what the journal keeps."""
    return leaf(
        origin,
        position=event.position,
        id=event.id,
        type=event.type,
        version=event.version,
        recorded=event.recorded,
        effective=event.effective,
        tags=event.tag_text,
        metadata=event.metadata_bytes,
        data=event.data,
        salt=event.salt,
    )


def checked_continuation(
    origin: str,
    events: Sequence[SequencedEvent],
    decisions: Sequence[DecisionRecord],
    *,
    onto: str,
    head: Position,
    recorded: Microseconds,
) -> None:
    """What every store demands before it restores: see `Archive.restore`.

    The journal goes by the name `onto` and ends at `head`, whose event was taken down at `recorded`.
    """
    if not (0 < len(origin) <= LONGEST_TYPE and origin.isprintable()):
        raise Invalid(f"origin: expected a line of 1 to {LONGEST_TYPE} characters, found {origin!r:.80}")
    if head and origin != onto:
        raise Invalid(f"this is the journal {onto}, the events are of {origin}; restore into an empty one")
    expected, since = head + 1, recorded if head else EARLIEST
    for event in events:
        _check_next(event, origin, expected=expected, since=since)
        expected, since = expected + 1, event.recorded
    first = head + 1
    for record in decisions:
        if record.count < 1 or not first <= record.first <= record.last < expected:
            raise Invalid(
                f"the events of the decision at positions {record.first} to {record.last} are not all there; "
                f"expected decisions in order, on the events from {first} to {expected - 1}"
            )
        first = record.last + 1


def _check_next(event: SequencedEvent, origin: str, *, expected: Position, since: Microseconds) -> None:
    if event.position != expected:
        raise Invalid(f"expected the event at position {expected} next, found {event.position}; keep the order")
    if checked_moment(event.recorded, "recorded") < since:
        raise Invalid(f"the event at position {expected} was recorded before the one it follows; keep the order")
    data_of(event)
    if leaf_of(event, origin) != event.leaf:
        raise Corrupted(f"the event at position {expected} is not what was committed to; restore from another copy")


class EventStore(Protocol):
    """A totally ordered, gapless, append-only sequence of events. Safe to share between threads."""

    @property
    def origin(self) -> str:
        """The journal's own name, made with it and never changed: part of every leaf commitment."""
        ...

    def append(self, *batch: Append) -> list[Outcome]:
        """Write the batch in one durable transaction and say what became of each append, in order.

        Each has its own condition and is turned down alone; positions follow the order of the batch. Once this
        returns, what is `Appended` survives what the store promises to survive. If it raises, nothing was written
        (but for `OutcomeUnknown`, which says that this is not known).
        """
        ...

    def read(
        self,
        query: Query = ...,
        *,
        after: Position = 0,
        until: Position | None = None,
        limit: int | None = None,
        backwards: bool = False,
    ) -> Iterator[SequencedEvent]:
        """The events that match, in order, with `after` < position ≤ `until`; `limit` of them at the most.

        Backwards, the newest come first, from `until` down. Events appended while one iterates are seen, unless
        `until` bounds them. Never holds a transaction open between two pages.
        """
        ...

    def load(
        self, queries: Sequence[Query], *, after: Sequence[Position]
    ) -> tuple[Position, list[list[SequencedEvent]]]:
        """For each query all events after its own position, together as of one head, which comes first."""
        ...

    def head(self) -> Position:
        """The position of the newest event, 0 where there is none."""
        ...

    def watch(self, ring: Callable[[Position], None]) -> Callable[[], None]:
        """Call `ring` with the new head soon after each growth, from whatever process; the answer stops that.

        Rings may be merged and may come early, twice, or from any thread; none is lost for ever. `ring` must be quick.
        """
        ...


class DecisionLog(Protocol):
    """The decisions of a journal, kept with its events in the same transactions."""

    def decision(self, command: bytes) -> DecisionRecord | None:
        """What was decided on that command, if it was."""
        ...

    def decisions(self, *, after: Position = 0) -> Iterator[DecisionRecord]:
        """Every decision whose first event stands after that position, in order of position."""
        ...


class Snapshot(msgspec.Struct, frozen=True):
    """A fold remembered: the state's bytes, as of a position, under the fold that made it."""

    position: Position
    fingerprint: bytes
    data: bytes


class Snapshots(Protocol):
    """Remembered folds: a cache that may be emptied at any time."""

    def snapshot(self, key: str) -> Snapshot | None:
        """What is remembered under that key."""
        ...

    def remember(self, key: str, snapshot: Snapshot) -> None:
        """Keep this instead of what was there."""
        ...


class Archive(Protocol):
    """A journal that can be filled with what another one kept, to the byte."""

    def restore(self, origin: str, events: Sequence[SequencedEvent], decisions: Sequence[DecisionRecord]) -> Position:
        """Write the events at the very positions they had, with their times and leaves, in one transaction; the new head.

        Only as the continuation of what is there: an empty journal takes on `origin`, another one must have it
        already, and the first event stands right behind the head. Raises `Invalid` where it does not fit, `Corrupted`
        where an event's bytes do not give its leaf; nothing is then written.
        """
        ...


@runtime_checkable
class Indexed(Protocol):
    """A journal that finds events by an index which it keeps itself, so that it can be behind them, or have holes."""

    def hole(self) -> Position | None:
        """The first event that the index should have and does not: it is not found by its tags, and conditions miss it."""
        ...

    def reindex(self) -> Position:
        """Write the index anew; up to which position it reaches now. Whoever else has the journal open waits meanwhile."""
        ...


@runtime_checkable
class Replicated(Protocol):
    """A journal that may be a copy: it is given what is written elsewhere, a moment later."""

    def is_replica(self) -> bool:
        """Whether it is one now; what is not there yet may then be on its way."""
        ...


class JournalStore(EventStore, DecisionLog, Snapshots, Archive, Protocol):
    """All that a running application asks of the database that keeps its journal."""

    def now(self) -> Microseconds:
        """What the journal's clock says: nothing that is on record was recorded later.

        The same clock for all who share the journal, whatever theirs say.
        """
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Until the `with` block ends nobody else appends: what this thread loads in it still stands when it appends in it.

        For whoever was overtaken again and again; all others wait meanwhile. Raises what an append raises.
        """
        ...

    def kinds(self) -> frozenset[Kind]:
        """Every kind of event that the journal holds: whoever opens it sees at once what it cannot read."""
        ...

    def close(self) -> None:
        """Give everything back. Further calls raise `Unavailable`."""
        ...
