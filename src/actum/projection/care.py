"""A page of events taken in with care: one event and one key at a time, so that what fails is alone with it.

Slow, and only for pages on which something failed or was discarded.
"""

from __future__ import annotations

import copy
import traceback
from typing import TYPE_CHECKING, Any

from actum.journal.errors import NewerSchema, Unknown
from actum.journal.readmodel import Change, Parked
from actum.projection.notes import EventParked, EventSkipped, notes_of
from actum.projection.rows import key_text
from actum.subscription.policy import Then

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.journal.codec import Codec
    from actum.journal.event import Event, SequencedEvent
    from actum.journal.readmodel import Mark
    from actum.projection.line import Line
    from actum.projection.notes import Scribe
    from actum.projection.view import Plan

LONGEST_TRACE = 8000
"""How many characters of a traceback are kept, the last ones."""


class Care:
    """One page of one line."""

    def __init__(self, line: Line, codec: Codec) -> None:
        self._line = line
        self._plan: Plan[Any] = line.plan
        self._codec = codec
        self._names = codec.names(line.plan.fold.events)
        self._changed: dict[int, Any] = {}
        self._parked: dict[str, Parked] = {}
        self._said: list[tuple[Event, SequencedEvent | None]] = []

    def change(self, events: Sequence[SequencedEvent], reached: Mark, *, owner: str, scribe: Scribe | None) -> Change:
        """What to write: rows, keys that are put aside, and what is noted of them."""
        keys_of = self._line.rows.keys
        mine = [(keys_of(stored.tag_text), stored) for stored in events if stored.type in self._names]
        rows = self._line.rows.having([key for keys, _ in mine for key in keys])
        for keys, stored in mine:
            for key in keys:
                self._take(rows[key], stored)
        share, plan = self._line.share, self._plan
        return Change(
            plan.shape,
            plan.rows(list(self._changed.values())),
            share.mark,
            reached,
            share.slices,
            share.epoch,
            owner,
            parked=tuple(self._parked.values()),
            notes=notes_of(self._said, scribe, plan.name),
        )

    def _take(self, row: Any, stored: SequencedEvent) -> None:
        key = key_text(self._plan.ids(row))
        if key in self._parked or (stored.position, key) in self._line.discarded:
            return
        taken, wrong = attempt(self._plan, row, stored, self._codec)
        if taken:
            self._changed[id(row)] = row
        elif wrong is not None and self._line.gives_up:
            self._put_aside(key, stored, wrong)
        elif wrong is not None:
            raise wrong

    def _put_aside(self, key: str, stored: SequencedEvent, wrong: Exception) -> None:
        plan, trouble = self._plan, self._line.trouble
        attempts = 1 if trouble is None else trouble.attempts
        about: dict[str, Any] = {"follower": plan.name, "key": key, "position": stored.position, "event": stored.uuid}
        if plan.policy.then is Then.SKIP:
            self._said.append((EventSkipped(error=said(wrong), reason=plan.policy.reason, **about), stored))
            return
        self._parked[key] = parked(key, stored, wrong, attempts=attempts)
        self._said.append((EventParked(error=said(wrong), attempts=attempts, **about), stored))


def attempt(plan: Plan[Any], row: Any, stored: SequencedEvent, codec: Codec) -> tuple[bool, Exception | None]:
    """Take a stored event into a row: whether it took anything, for the event may be nothing today; and what goes wrong. The row is then
    as it was.
    """
    before, wanted = copy.deepcopy(row), plan.fold.event_set
    mine: list[Event] = []
    try:
        mine += [event for event in codec.decode(stored) if type(event) in wanted]
        for event in mine:
            row.evolve(event)
        plan.rows([row])
    except Unknown as unknown:
        raise NewerSchema(f"position {stored.position}: {unknown}; upgrade the program that projects") from unknown
    except Exception as wrong:  # noqa: BLE001 - it is kept beside the event
        for field in row.__struct_fields__:
            setattr(row, field, getattr(before, field))
        return False, wrong
    return bool(mine), None


def said(wrong: Exception) -> str:
    """The error, in words that every database keeps."""
    return _kept(f"{type(wrong).__name__}: {wrong}")


def parked(key: str, stored: SequencedEvent, wrong: Exception, *, attempts: int) -> Parked:
    """The key put aside before that event."""
    trace = _kept("".join(traceback.format_exception(wrong)))[-LONGEST_TRACE:]
    return Parked(key=key, position=stored.position, event=stored.id, error=said(wrong), trace=trace, attempts=attempts)


def _kept(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
