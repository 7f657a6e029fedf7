"""Whether what an append demands holds: asked of the newest events in memory, and of the index for older ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import msgspec

from actum.journal.errors import Corrupted, Invalid
from actum.journal.store import Collided
from actum.stores.sqlite import tag_index
from actum.stores.statements import statements

if TYPE_CHECKING:
    from actum.journal.event import Position
    from actum.journal.query import AppendCondition, Query
    from actum.journal.store import Append
    from actum.stores.sqlite.known import Known

_SQL = statements("sqlite/queries.sql")


class Conditions:
    """Checked inside a turn, one append of a batch after the other."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def collision(
        self, append: Append, condition: AppendCondition, *, head: Position, turned_down: list[Append]
    ) -> Collided | None:
        """The event that the condition forbids; None where it holds. `head` was the journal's before the batch."""
        after, query = condition.after, condition.fail_if_events_match
        if after > head:
            raise Invalid(f"a condition looks after position {after}, but the journal ends at {head}")
        if append.sequel:
            for earlier in turned_down:
                for event in earlier.events:
                    if query.matches(event.type, event.tags):
                        return Collided(0, event.type, event.tags, after)
        until = head if append.sequel else self._known.window.head
        if after >= until or (position := self._newest_match(query, after, until)) == 0:
            return None
        type, tags = self._words_at(position)
        return Collided(position, type, tags, after)

    def evidence(self, append: Append, head: Position) -> AppendCondition | None:
        """The condition as it will still hold when it is verified: a sequel has seen the earlier events of its batch."""
        condition, window = append.condition, self._known.window
        if condition is None or append.decision is None or not append.sequel or window.head == head:
            return condition
        query = condition.fail_if_events_match
        seen = window.find(query, head, window.head) if window.may_match(query, head) else None
        return msgspec.structs.replace(condition, after=seen[-1]) if seen else condition

    def _newest_match(self, query: Query, after: Position, until: Position) -> Position:
        """The position of an event in (after, until] that matches, 0 where there is none."""
        window = self._known.window
        floor = window.floor
        if found := window.find(query, max(after, floor), until):
            return found[-1]
        if after >= floor:
            return 0
        return self._older_match(query, after, min(until, floor))

    def _older_match(self, query: Query, after: Position, until: Position) -> Position:
        """The same, before the window: with the index for items with tags, by kind for the others."""
        if query.is_all:
            return until
        known = self._known
        untagged = frozenset(type for item in query.items if not item.tags for type in item.types)
        if any(known.window.newest_of.get(type, 0) > after for type in untagged):
            numbers = known.kinds.numbers(known.connection, untagged)
            row = known.connection.execute(_SQL["read_kinds_backwards"], (after, until, 1, numbers)).fetchone()
            if row is not None:
                return int(row[0])
        tagged = [item for item in query.items if item.tags]
        if not tagged:
            return 0
        return self._match_by_index(type(query)(tuple(tagged)), after, until)

    def _match_by_index(self, query: Query, after: Position, until: Position) -> Position:
        asked = tag_index.expressions(query)
        while until > after:
            found = tag_index.find(self._known.connection, asked, after=after, until=until, limit=256, backwards=True)
            for position in found:
                if query.matches(*self._words_at(position)):
                    return position
            until = found[-1] - 1 if len(found) == 256 else after
        return 0

    def _words_at(self, position: Position) -> tuple[str, tuple[str, ...]]:
        known = self._known
        if position > known.window.floor:
            return known.window.at(position)
        for _, kind, tags in known.connection.execute(_SQL["recent"], (position - 1, position)):
            return known.kinds.kinds(known.connection, kind)[kind].type, tuple(tags.split("\n")) if tags else ()
        self._missing(position)

    def _missing(self, position: Position) -> NoReturn:
        raise Corrupted(
            f"{self._known.path}: there is no event at position {position}, and there must be; restore from a backup"
        )
