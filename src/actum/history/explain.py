"""Explain this number: a cell of a state or view, down to the parts it is made of and the events that made it what it is.

Fold with difference: the thing's events are taken in one by one, and whichever changes the cell is one of its movements.
Then the check that they suffice: folded from these alone, the cell must come out the same; where it does not, all events
of the thing are needed, and that is said. Nothing is recorded for it, and no handler need know of it.
"""

from __future__ import annotations

import copy
from collections import deque
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar
from uuid import UUID

import msgspec

from actum.decision.state import Identity, State
from actum.history.formula import Formula, Sign, cells_of, formula_of, is_number
from actum.journal.errors import Invalid, Unknown
from actum.journal.event import Position
from actum.journal.fields import fields_of
from actum.journal.recorded import Recorded, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actum.history.timeline import Subject
    from actum.journal.codec import Codec
    from actum.journal.store import EventStore

StateT = TypeVar("StateT", bound=State)

_UNCHANGING = (str, int, float, bool, bytes, Decimal, datetime, date, UUID, Enum, type(None))


class Doubt(Enum):
    """Why an explanation is not exact."""

    OTHERS_COUNT = "others count"
    """Folded from the events that changed it alone, the cell comes out otherwise: the thing's other events count, too."""
    FORMULA = "formula"
    """The parts do not add up to the cell: somewhere it was left as it was when a part of it changed."""
    SHOWN = "shown"
    """The table shows something else: another definition made its rows, an event was put aside, or somebody touched it."""


class Movement(msgspec.Struct, frozen=True):
    """One event that changed the cell. `delta` is the difference, where that is a number."""

    recorded: Recorded
    before: object
    after: object
    delta: Any = None


class Part(msgspec.Struct, frozen=True):
    """One cell that a formula reads, explained in its turn; it was added ("+"), subtracted ("-"), or used otherwise ("")."""

    sign: Sign
    explanation: Explanation


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a cell of one thing has its value, as of `position`; `opening` is what it was at `since`.

    `movements` are the events that changed it after `since`, oldest first: the opening and they lead to the value. `moved`
    is how many there are, also where only the last of them are told. Each of the `parts` explains a cell of the `formula`.
    `shown` is what the table holds, where that is something else.
    """

    subject: str
    identity: tuple[Identity, ...]
    column: str
    title: str
    value: object
    position: Position
    since: Position
    opening: object
    formula: Formula | None
    parts: tuple[Part, ...]
    movements: tuple[Movement, ...]
    moved: int
    doubts: tuple[Doubt, ...]
    shown: object = None

    @property
    def exact(self) -> bool:
        """Whether the movements alone give the value, its parts add up to it, and the table shows it."""
        return not self.doubts and all(part.explanation.exact for part in self.parts)

    def doubted(self, shown: object) -> Explanation:
        """The same, where the table shows something else."""
        return msgspec.structs.replace(self, shown=shown, doubts=(*self.doubts, Doubt.SHOWN))


def explain(
    subject: Subject[StateT],
    column: str,
    *,
    store: EventStore,
    codec: Codec,
    since: Position = 0,
    until: Position,
    last: int | None = None,
    language: str = "en",
) -> Explanation:
    """Why that cell is what it is as of `until`, and how it came there from what it was at `since`.

    Reads the thing's events once, whatever the formulas. With `last`, so many movements are told at the most, the last ones. Raises
    `Unknown` for a cell that there is not, `Invalid` where `since` is behind `until`.
    """
    cls = subject.fold.cls
    if column not in cells_of(cls):
        raise Unknown(f"column of {cls.__name__}", column, cells_of(cls))
    if last is not None and (type(last) is not int or last < 0):
        raise Invalid(f"last: expected how many movements to tell, from 0, found {last!r}")
    if since > until:
        raise Invalid(f"since: position {since} is behind position {until}, as of which is asked")
    state = subject.fold.new(subject.ids)
    cells = {name: _Cell(subject, name, last) for name in _all_of(cls, column)}
    for stored in store.read(subject.fold.query(codec, subject.fold.tags(subject.ids)), until=until):
        for one in recorded(stored, codec):
            if type(one.event) in subject.fold.event_set:
                state.evolve(subject.fold.own(one.event))
                for cell in cells.values():
                    cell.see(one, state, counts=one.position > since)
    told = _Told(subject, cells, state, since=since, until=until, language=language)
    return told.explanation(column)


def title_of(cls: type[State], column: str, language: str = "en") -> str:
    """What people call a cell: the title that its type has (`Annotated[Decimal, Meta(title=…, extra={"fr": …})]`), or its name."""
    for mark in getattr(fields_of(cls).get(column), "__metadata__", ()):
        if isinstance(mark, msgspec.Meta):
            said = (mark.extra or {}).get(language) or mark.title
            if said:
                return str(said)
    return column.replace("_", " ")


def _all_of(cls: type[State], column: str) -> Iterator[str]:
    """The cell, and those that it is made of, each once."""
    waiting, seen = [column], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            formula = formula_of(cls, name)
            waiting += [] if formula is None else [term.column for term in formula.terms]


def _kept(value: Any) -> Any:
    """The value as it is now."""
    return value if isinstance(value, _UNCHANGING) else copy.deepcopy(value)


Movements: TypeAlias = "deque[Movement]"


class _Cell(Generic[StateT]):
    """One cell while its thing's events go by; `alone` is the thing folded only from those that changed the cell."""

    def __init__(self, subject: Subject[StateT], name: str, last: int | None) -> None:
        self.name = name
        self.alone = subject.fold.new(subject.ids)
        self._own = subject.fold.own
        self.value = self.opening = _kept(getattr(self.alone, name))
        self.movements: Movements = deque(maxlen=last)
        self.moved = 0
        self.enough = True

    def see(self, one: Recorded, state: StateT, *, counts: bool) -> None:
        """The state has taken in an event."""
        value = getattr(state, self.name)
        if value == self.value:
            return
        before, self.value = self.value, _kept(value)
        self._take_alone(one)
        if not counts:
            self.opening = self.value
            return
        numbers = is_number(before) and is_number(value)
        self.movements.append(Movement(one, before, self.value, value - before if numbers else None))
        self.moved += 1

    def _take_alone(self, one: Recorded) -> None:
        try:
            self.alone.evolve(self._own(one.event))
        except Exception:  # noqa: BLE001 - whatever it lacks, it lacks what the other events would have given
            self.enough = False


class _Told(Generic[StateT]):
    """What the cells tell, once all events have gone by."""

    def __init__(
        self,
        subject: Subject[StateT],
        cells: dict[str, _Cell[StateT]],
        state: StateT,
        *,
        since: Position,
        until: Position,
        language: str,
    ) -> None:
        self._subject = subject
        self._cells = cells
        self._state = state
        self._since = since
        self._until = until
        self._language = language

    def explanation(self, column: str, within: tuple[str, ...] = ()) -> Explanation:
        cls, cell = self._subject.fold.cls, self._cells[column]
        formula = None if column in within else formula_of(cls, column)
        terms = () if formula is None else formula.terms
        return Explanation(
            subject=cls.__name__,
            identity=self._subject.ids,
            column=column,
            title=title_of(cls, column, self._language),
            value=cell.value,
            position=self._until,
            since=self._since,
            opening=cell.opening,
            formula=formula,
            parts=tuple(Part(term.sign, self.explanation(term.column, (*within, column))) for term in terms),
            movements=tuple(cell.movements),
            moved=cell.moved,
            doubts=tuple(self._doubts(cell, formula)),
        )

    def _doubts(self, cell: _Cell[StateT], formula: Formula | None) -> Iterator[Doubt]:
        if formula is None and not (cell.enough and getattr(cell.alone, cell.name) == cell.value):
            yield Doubt.OTHERS_COUNT
        if formula is not None:
            total = formula.total(self._state)
            if total is not None and total != cell.value:
                yield Doubt.FORMULA
