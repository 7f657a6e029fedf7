"""A projection of any shape: a handler, given each event and the open transaction in which the checkpoint moves.

What it writes there and the checkpoint stand or fall together, so each event has its effect once, whatever is killed when.
Its tables are its own: it makes them in `begin`, which is done when it begins anew, in one transaction, too.
"""

from __future__ import annotations

import copy
import re
import typing
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from actum.decision.state import events_in, fingerprint, hints_of, may_carry, source
from actum.journal.errors import ActumError, Misdeclared, NewerSchema, Unavailable, Unknown
from actum.journal.event import SequencedEvent, Tag
from actum.journal.fields import name_of, tag_declared
from actum.journal.query import Query
from actum.journal.readmodel import ALL_SLICES, Change, Shape, slice_of
from actum.projection.care import parked, said
from actum.projection.enrichment import Around, AsOf
from actum.projection.line import Line
from actum.projection.notes import EventParked, EventSkipped, notes_of
from actum.projection.table import Table
from actum.projection.view import View, plan_of, snake
from actum.subscription.policy import Policy, Then, checked_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from actum.journal.codec import Codec
    from actum.journal.event import Event, EventData, Position
    from actum.journal.readmodel import Mark, Parked, ReadDatabase, Share, Slices, Work
    from actum.projection.notes import Scribe
    from actum.projection.view import Plan

Handles: TypeAlias = "Callable[..., object]"
"""What a user writes: `def totals(event: Deposited | Withdrawn, db: Any) -> None`."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")

SAVEPOINT = "actum_event"
"""The savepoint to which one goes back where an event fails that is put aside."""


class Projection:
    """A handler understood: which events it takes, by which tag its keys are told apart, and what else it asks for.

    After the event it may ask for `key: str`, for `stored: SequencedEvent` (the envelope), for `Table[SomeView]` of another
    view as it was last committed, for `AsOf[SomeView]`, its rows as of the event, for a `Session` of SQLAlchemy, and for the
    driver's connection under any other name.
    """

    def __init__(
        self,
        handle: Handles,
        *,
        name: str,
        by: Any = None,
        begin: Work | None = None,
        version: int = 1,
        policy: Policy | None = None,
        cls: Handles | None = None,
    ) -> None:
        self.name = name
        self.cls: Handles = handle if cls is None else cls
        """What its author wrote: a function, or a class."""
        self.table = self._checked_name(name)
        self.begin = begin
        self.policy = checked_policy(policy, name)
        self.tag = _tag_of(by, name)
        self.divisible = self.tag is not None
        self._handle = handle
        hints = hints_of(handle, name)
        parameters = source().parameters_of(handle)
        self.events = events_in(hints.get(parameters[0])) if parameters else ()
        if not self.events:
            raise Misdeclared(
                f"{name}: expected events first, as in `def {name}(event: Deposited | Withdrawn, db: Any)`"
            )
        self._check(handle)
        self.event_set = frozenset(self.events)
        self._asked = {each: self._what(each, hints.get(each)) for each in parameters[1:]}
        self._session = "session" in [what for what in self._asked.values() if isinstance(what, str)]
        code = fingerprint().of_function(handle, about=()) if begin is None else b""
        self.shape = Shape(self.table, (), (), self._fingerprint(version), version=version, code=code)

    def _check(self, handle: Handles) -> None:
        if not source().is_ordinary(handle, generator=False):
            raise Misdeclared(
                f"{self.name}: a handler is an ordinary function, which has done its work when it returns; "
                "what must be awaited is an effect"
            )
        for event in self.events:
            if self.tag is not None and not may_carry(event, self.tag):
                raise Misdeclared(
                    f"{self.name} is divided by the tag {self.tag.name!r}, which {name_of(event)} never carries, so it would "
                    "never be handed over; give the event that identity, or write another projection for it"
                )

    @staticmethod
    def _checked_name(name: str) -> str:
        if not _NAME.match(name) or name.startswith("actum_"):
            raise Misdeclared(
                f"{name!r} cannot name a projection; expected lower-case letters, digits and '_', beginning with a letter, 63 at most; say name=…"
            )
        return name

    def _what(self, parameter: str, annotation: Any) -> str | Asks:
        """What a parameter is to be given: "key", "stored", "session", "db", or rows of a view."""
        if parameter == "key":
            return "key"
        if annotation is SequencedEvent:
            return "stored"
        if _is_session(annotation):
            return "session"
        kind = typing.get_origin(annotation)
        if kind not in (Table, AsOf):
            return "db"
        view = typing.get_args(annotation)[0]
        if not (isinstance(view, type) and issubclass(view, View)):
            raise Misdeclared(
                f"{self.name}: {parameter} is declared as {name_of(annotation)}; expected {kind.__name__}[SomeView]"
            )
        plan_of(view)
        return Asks(view, as_of=kind is AsOf)

    def _fingerprint(self, version: int) -> bytes:
        """Another one whenever it must begin anew: for its `version`, and, where it has a `begin`, for what its code may do.

        Without, nobody would take back what it did before; it then goes on where it is.
        """
        about = (self.name, version, None if self.tag is None else self.tag.name)
        kinds = sorted(str(event.__kind__) for event in self.events)
        code = () if self.begin is None else (self._handle, self.begin)
        made: bytes = fingerprint().of_function(*code, about=(*about, kinds))
        return made

    def kept_in(self, table: str) -> Projection:
        """The same, its place among those of other definitions known by that name; nothing else changes."""
        made = copy.copy(self)
        made.table = table
        made.shape = msgspec.structs.replace(self.shape, table=table, name="" if table == self.name else self.name)
        return made

    def query(self, key: str, codec: Codec) -> Query:
        """The events of a key."""
        tags = () if self.tag is None else (f"{self.tag.name}:{key}",)
        return Query.of(types=codec.names(self.events), tags=tags)

    @property
    def handle(self) -> Handles:
        """The handler itself."""
        return self._handle

    @property
    def views(self) -> tuple[type[View], ...]:
        """The views it looks into."""
        return tuple(what.view for what in self._asked.values() if not isinstance(what, str))

    def keys(self, tag_text: str) -> list[str]:
        """The keys of an event with these tags."""
        if self.tag is None:
            return [""]
        beginning = f"{self.tag.name}:"
        return [part[len(beginning) :] for part in tag_text.split("\n") if part.startswith(beginning)]

    @contextmanager
    def writing(self, db: Any) -> Iterator[dict[str, Any]]:
        """By what it writes, for some events: the connection, and a session on it where it asks for one."""
        if not self._session:
            yield {"db": db}
            return
        from actum.projection.session import session_on  # noqa: PLC0415 - SQLAlchemy is there only where somebody uses it

        with session_on(db) as session:
            yield {"db": db, "session": session}

    def take(self, event: Event, written: dict[str, Any], *, key: str, stored: SequencedEvent, around: Around) -> None:
        """Have the handler take an event."""
        given = {"key": key, "stored": stored, **written}
        self._handle(
            event,
            **{
                name: given[what] if isinstance(what, str) else what.rows(around, stored.position)
                for name, what in self._asked.items()
            },
        )


class Asks(NamedTuple):
    """Rows of a view that a handler asks for."""

    view: type[View]
    as_of: bool

    def rows(self, around: Around, position: Position) -> Table[Any] | AsOf[Any]:
        """As they are now, or as of that position."""
        return AsOf(self.view, around, until=position) if self.as_of else Table(self.view, around.database)


def _is_session(annotation: Any) -> bool:
    """Whether it is SQLAlchemy's session, told without having SQLAlchemy."""
    kinds: tuple[type, ...] = annotation.__mro__ if isinstance(annotation, type) else ()
    return any((kind.__module__, kind.__name__) == ("sqlalchemy.orm.session", "Session") for kind in kinds)


def _tag_of(by: Any, name: str) -> Tag | None:
    if by is None:
        return None
    tag = Tag(by) if isinstance(by, str) else tag_declared(by)
    if tag is None:
        raise Misdeclared(
            f"{name}: by={name_of(by)} is no identity type; expected one like Annotated[str, Tag('account')]"
        )
    return tag


class Keys:
    """Which events concern some slices of a projection, by their tags."""

    def __init__(self, projection: Projection, slices: Slices) -> None:
        self.projection = projection
        self._slices = slices
        self._left_out: frozenset[str] = frozenset()

    def of(self, tag_text: str) -> list[str]:
        """The keys of an event that are in these slices and not left out."""
        keys = self.projection.keys(tag_text)
        if self._slices != ALL_SLICES:
            keys = [key for key in keys if slice_of(key) in self._slices]
        return [key for key in keys if key not in self._left_out]

    def leave_out(self, keys: frozenset[str]) -> None:
        """Name these keys no more."""
        self._left_out = keys

    def forget(self, *, empty: bool = False) -> None:
        """There is nothing to forget."""

    def age(self) -> None:
        """There is nothing to let go of."""


class HandledLine(Line):
    """One share of one projection."""

    by_hand = True

    __slots__ = ("keys",)

    def __init__(
        self,
        projection: Projection,
        share: Share,
        database: ReadDatabase,
        *,
        parked: frozenset[str],
        discarded: frozenset[tuple[Position, str]],
    ) -> None:
        self.keys = Keys(projection, share.slices)
        super().__init__(projection, share, database, rows=self.keys, parked=parked, discarded=discarded)


def line_of(
    plan: Plan[Any] | Projection,
    share: Share,
    database: ReadDatabase,
    *,
    parked: frozenset[str],
    discarded: frozenset[tuple[Position, str]],
    kept: int,
) -> Line:
    """What a projector works with for one share; `kept` rows of a view stay in memory."""
    if isinstance(plan, Projection):
        return HandledLine(plan, share, database, parked=parked, discarded=discarded)
    return Line(plan, share, database, parked=parked, discarded=discarded, kept=kept)


class Handling:
    """One page of one line: what is done in the transaction. After too much trouble, each event in a savepoint of its own."""

    def __init__(self, line: HandledLine, around: Around, *, scribe: Scribe | None) -> None:
        self._line = line
        self._plan: Projection = line.keys.projection
        self._around = around
        self._carefully = line.gives_up
        self._scribe = scribe
        self._names = around.codec.names(self._plan.events)
        self._mine: list[tuple[SequencedEvent, str]] = []
        self._parked: list[Parked] = []
        self._notes: list[EventData] = []

    def change(self, events: Sequence[SequencedEvent], reached: Mark, *, owner: str) -> Change:
        """What to do with a page of events."""
        line, keys = self._line, self._line.keys
        self._mine = [
            (stored, key)
            for stored in events
            if stored.type in self._names
            for key in keys.of(stored.tag_text)
            if (stored.position, key) not in line.discarded
        ]
        share = line.share
        return Change(
            self._plan.shape,
            (),
            share.mark,
            reached,
            share.slices,
            share.epoch,
            owner,
            work=self._work if self._mine else None,
            parked=self._parked,
            notes=self._notes,
        )

    def _work(self, db: Any) -> None:
        self._parked.clear()
        self._notes.clear()
        if self._carefully:
            for stored, key in self._mine:
                self._try(db, stored, key)
            return
        with self._plan.writing(db) as written:
            for stored, key in self._mine:
                hand_over(self._plan, written, stored, key, around=self._around)

    def _try(self, db: Any, stored: SequencedEvent, key: str) -> None:
        if any(one.key == key for one in self._parked):
            return
        wrong = attempt_by_hand(self._plan, db, stored, key, around=self._around)
        if wrong is None:
            return
        plan, trouble = self._plan, self._line.trouble
        attempts = 1 if trouble is None else trouble.attempts
        about: dict[str, Any] = {"follower": plan.name, "key": key, "position": stored.position, "event": stored.uuid}
        if plan.policy.then is Then.SKIP:
            note: Event = EventSkipped(error=said(wrong), reason=plan.policy.reason, **about)
        else:
            note = EventParked(error=said(wrong), attempts=attempts, **about)
            self._parked.append(parked(key, stored, wrong, attempts=attempts))
        self._notes += notes_of([(note, stored)], self._scribe, plan.name)


def hand_over(plan: Projection, written: dict[str, Any], stored: SequencedEvent, key: str, *, around: Around) -> None:
    """Have the handler take a stored event. What goes wrong in it is said with the event."""
    try:
        events = around.codec.decode(stored)
    except Unknown as unknown:
        raise NewerSchema(f"position {stored.position}: {unknown}; upgrade the program that projects") from unknown
    for event in events:
        if type(event) not in plan.event_set:
            continue
        try:
            plan.take(event, written, key=key, stored=stored, around=around)
        except Exception as wrong:
            if isinstance(wrong, ActumError):
                raise
            raise Unavailable(
                f"the projection {plan.name} cannot take {event!r:.200}: {type(wrong).__name__}: {wrong}; mend its handler"
            ) from wrong


def attempt_by_hand(plan: Projection, db: Any, stored: SequencedEvent, key: str, *, around: Around) -> Exception | None:
    """The same, undone where it fails; what goes wrong is answered."""
    db.execute(f"SAVEPOINT {SAVEPOINT}")
    try:
        with plan.writing(db) as written:
            hand_over(plan, written, stored, key, around=around)
    except NewerSchema:
        raise
    except Exception as wrong:  # noqa: BLE001 - it is kept beside the event
        db.execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
        db.execute(f"RELEASE SAVEPOINT {SAVEPOINT}")
        return wrong.__cause__ if isinstance(wrong.__cause__, Exception) else wrong
    db.execute(f"RELEASE SAVEPOINT {SAVEPOINT}")
    return None


def projection_of(
    declared: Any, *, name: str | None, by: Any, begin: Work | None, version: int, on_failure: Policy | None
) -> Projection:
    """The projection that a class with `handle`, and perhaps `begin`, or a function is. `Misdeclared` where it is neither."""
    handle = declared
    if isinstance(declared, type):
        made: Any = declared()
        handle, begin = getattr(made, "handle", None), begin or getattr(made, "begin", None)
        if handle is None:
            raise Misdeclared(
                f"{declared.__name__} has no handle; write `def handle(self, event: A | B, db: Any) -> None`"
            )
    if not callable(handle):
        raise Misdeclared(f"expected a function or a class with handle, found {declared!r:.80}")
    named = snake(declared.__name__) if name is None else name
    return Projection(handle, name=named, by=by, begin=begin, version=version, policy=on_failure, cls=declared)
