"""A listener: takes one context's events in order, gives the commands that they lead to, and then moves its checkpoint.

Killed between two of these steps, it gives the same commands again and they are found done. Two listeners at once do the
same work twice and to no effect; the checkpoint is moved only from where it was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from actum.decision.acting import Acting
from actum.decision.command import Command
from actum.decision.outcome import Decided
from actum.journal.errors import Refused, Reused, Unavailable
from actum.journal.readmodel import Change, Mark, Shape
from actum.journal.tagging import tagger
from actum.messaging.heard import Told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actum.journal.event import Position, SequencedEvent
    from actum.journal.readmodel import ReadDatabase
    from actum.messaging.heard import Hearing
    from actum.messaging.source import Source

Give: TypeAlias = Callable[[Sequence[tuple[Command, UUID, Acting]]], Sequence[Decided | BaseException]]
"""Gives commands, in as few commits as can be; what one of them raises stands in its place."""


class Listener:
    """Hears one other context. Not to be shared between threads."""

    def __init__(self, hearing: Hearing, *, source: Source, database: ReadDatabase, give: Give) -> None:
        self.hearing = hearing
        self._source = source
        self._database = database
        self._give = give
        self._shape = shape_of(hearing)
        self._mark: Mark | None = None
        self._epoch = 0

    @property
    def position(self) -> Position:
        """Up to which event of the other journal everything is done."""
        return self._mark.position if self._mark else 0

    def step(self) -> bool:
        """Take some events; whether there may be more. Raises what keeps it from going on; nothing is lost by that."""
        if self._mark is None:
            self._mark = self._find_mark()
        heard = self._source.read(self.hearing.types, after=self._mark.position)
        taken, told, wrong = self._taken(heard.events)
        for wave in waves(told):
            self._have_done(wave)
        if taken is not None:
            self._move(self._mark, Mark(taken.position, taken.id))
        if wrong is not None:
            raise wrong
        return heard.more or taken is not None

    def _taken(
        self, events: Sequence[SequencedEvent]
    ) -> tuple[SequencedEvent | None, Sequence[Told], Exception | None]:
        """The last event that can be taken, what all up to it lead to, and what is wrong with the next one."""
        taken, told = None, list[Told]()
        for stored in events:
            try:
                told += list(self.hearing.told(stored))
            except Exception as wrong:  # noqa: BLE001 - whatever it is: what stands before it is done first
                return taken, told, wrong
            taken = stored
        return taken, told, None

    def _have_done(self, wave: Sequence[Told]) -> None:
        """That the rules refuse a command is an answer, and on record; that it was given before, in whatever words, as well."""
        for answer in self._give([(told.command, told.id, told.acting) for told in wave]):
            if not isinstance(answer, Decided | Refused | Reused):
                raise answer

    def _move(self, seen: Mark, reached: Mark) -> None:
        done = self._database.commit([Change(self._shape, (), seen, reached, epoch=self._epoch)])
        self._mark = reached if done else None

    def _find_mark(self) -> Mark:
        self._database.prepare(self._shape)
        (share,) = self._database.shares(self._shape)
        self._epoch = share.epoch
        if share.mark.position:
            stored = self._source.at(share.mark.position)
            if stored is None or stored.id != share.mark.event:
                raise Unavailable(
                    f"{self.hearing.hearer} has heard {self.hearing.source} up to position {share.mark.position}, where that "
                    "journal has another event, or none: was an older copy put back? Delete the read database to hear it all again"
                )
        return share.mark


def waves(told: Iterable[Told]) -> list[list[Told]]:
    """The commands in waves, each given in one commit, so that those about the same thing keep their order.

    A command is about what its tags say; those without any are about the same. A wave is given when the one before it is done.
    """
    found: list[list[Told]] = []
    reached: dict[str, int] = {}
    for one in told:
        tags = tagger(type(one.command))(one.command) or ("",)
        number = max(reached.get(tag, 0) for tag in tags)
        reached.update(dict.fromkeys(tags, number + 1))
        if number == len(found):
            found.append([])
        found[number].append(one)
    return found


def shape_of(hearing: Hearing) -> Shape:
    """The checkpoint's place in the read database; another one where something else is heard, so that all is heard again."""
    digest = sha256(hearing.fingerprint.encode()).digest()
    return Shape(f"actum_heard_{hearing.source}_{digest[:4].hex()}", (), (), digest[:16])
