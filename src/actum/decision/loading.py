"""How states come from the journal into the cache, and leave it when others have made them stale."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from actum.decision.cache import Kept, StateCache
from actum.journal.errors import ActumError, Invalid
from actum.journal.message import from_json, to_json
from actum.journal.query import Query, QueryItem
from actum.journal.store import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actum.decision.handler import Key
    from actum.decision.order import Job
    from actum.decision.state import Fold
    from actum.journal.codec import Codec
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.store import JournalStore

MOST_LOOKED_AT = 10_000
"""Where more events than that came from elsewhere, everything is forgotten instead of looking at each."""


class Loader:
    """Keeps all that is in the cache valid as of one position."""

    def __init__(self, store: JournalStore, codec: Codec, cache: StateCache) -> None:
        self._store = store
        self._codec = codec
        self._cache = cache
        self._types: dict[Fold[Any], frozenset[str]] = {}

    def load(self, jobs: Sequence[Job]) -> None:
        """Have every state that the jobs need in the cache, as of one position: the newest there is where one is `narrowed`.

        What is kept may be older than the journal: an append whose condition is as wide as what was looked at finds that out.
        """
        cache = self._cache
        newest = not cache.as_of
        missing: list[Key] = []
        for job in jobs:
            newest = newest or job.narrowed
            missing += cache.missing(job.needs)
        if (missing or newest) and self._fetch(list(dict.fromkeys(missing))):
            needed = list(dict.fromkeys([key for job in jobs for key in job.needs]))
            if cache.missing(needed):
                # What came in meanwhile from elsewhere has made states stale that were there: all of them, as of one position.
                self._fetch(needed)

    def _fetch(self, keys: Sequence[Key]) -> bool:
        """Load these states; whether events came in meanwhile, which may have made others stale."""
        kept = [self._begin(fold, ids) for fold, ids in keys]
        head, loaded = self._store.load([one.query for _, one in kept], after=[position for position, _ in kept])
        caught_up = self._catch_up(head)
        for key, (_, one), events in zip(keys, kept, loaded, strict=True):
            self._fold(key, one, events, head)
        return caught_up

    def _begin(self, fold: Fold[Any], ids: tuple[Any, ...]) -> tuple[Position, Kept]:
        """Where the fold of a state begins: at a snapshot of this very fold, or at nothing."""
        tags = fold.tags(ids)
        position, state = self._remembered(fold, ids)
        types = self._types.get(fold)
        if types is None:
            types = self._types[fold] = self._codec.names(fold.events)
        return position, Kept(fold, tags, Query((QueryItem(types, tags),)), state)

    def _remembered(self, fold: Fold[Any], ids: tuple[Any, ...]) -> tuple[Position, Any]:
        if fold.snapshot_every is not None:
            snapshot = self._store.snapshot(_snapshot_key(fold, ids))
            if snapshot is not None and snapshot.fingerprint == fold.fingerprint:
                with suppress(Invalid):  # One that cannot be read is none: all that it spares is work.
                    return snapshot.position, from_json(snapshot.data, fold.cls)
        return 0, fold.new(ids)

    def _fold(self, key: Key, kept: Kept, events: Sequence[SequencedEvent], head: Position) -> None:
        fold, ids = key
        fold.replay(kept.state, events, self._codec)
        self._cache.put(key, kept)
        if fold.snapshot_every is not None and len(events) >= fold.snapshot_every:
            with suppress(ActumError):  # What is remembered only spares work: a decision must not fail for it.
                self._store.remember(_snapshot_key(fold, ids), Snapshot(head, fold.fingerprint, to_json(kept.state)))

    def _catch_up(self, head: Position) -> bool:
        """Forget what events from elsewhere have made stale, so that all that is kept is valid as of `head`; whether there were any."""
        seen = self._cache.as_of
        if head > seen:
            self.forget_stale(seen, head)
            self._cache.as_of = head
        return head > seen

    def forget_stale(self, after: Position, until: Position) -> None:
        """Forget what these events, which came from elsewhere, may concern."""
        if until - after > MOST_LOOKED_AT:
            self._cache.clear()
            return
        for event in self._store.read(Query.all(), after=after, until=until):
            self._cache.drop_tagged(event.tags)


def _snapshot_key(fold: Fold[Any], ids: tuple[Any, ...]) -> str:
    return msgspec.json.encode([fold.name, [str(value) for value in ids]]).decode()
