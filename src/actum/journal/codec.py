"""Between typed events and stored bytes: stable names, schema versions, tags, and upcasting on the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from actum.journal.conforming import checker
from actum.journal.errors import Corrupted, Misdeclared, Unknown
from actum.journal.event import RESERVED, Event, EventData, Kind
from actum.journal.message import comes_back_alike, decoder_of, to_json
from actum.journal.tagging import tagger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from actum.journal.clock import Ids, Microseconds
    from actum.journal.event import Position, SequencedEvent
    from actum.journal.upcast import Parts, Upcaster

Plan: TypeAlias = "tuple[str, int, Callable[[Event], None], Callable[[Event], tuple[str, ...]]]"
"""Of a class of events: its name, its schema version, what checks one, and what says its tags."""

Read: TypeAlias = "Callable[[bytes], tuple[Event, ...]]"


class Codec:
    """The event types of one application and the upcasters into them. Made once; `Misdeclared` where they do not fit."""

    def __init__(self, types: Iterable[type[Event]], upcasters: Iterable[Upcaster] = ()) -> None:
        self._classes: dict[str, type[Event]] = {}
        self._upcasters: dict[Kind, Upcaster] = {}
        self._plans: dict[type[Event], Plan] = {}
        self._readers: dict[Kind, Read] = {}
        self.direct: dict[Kind, Callable[[bytes], Event]] = {}
        """The decoders of today's kinds: the fast way, for whoever replays millions."""
        self._directly: dict[frozenset[type[Event]], dict[Kind, Callable[[bytes], Event]]] = {}
        self.afresh: dict[type[Event], Callable[[bytes], Event]] = {}
        """The decoders of those classes whose events do not last as they were made: see `comes_back_alike`."""
        for cls in types:
            self._add(cls)
        for upcaster in upcasters:
            self._add_upcaster(upcaster)
        self._check_chains()
        self._names = self._sources()

    @property
    def types(self) -> dict[str, type[Event]]:
        """Today's event classes by their registered names."""
        return dict(self._classes)

    def encode(
        self,
        event: Event,
        *,
        ids: Ids,
        metadata: bytes = b"{}",
        effective: Microseconds | None = None,
        tags: tuple[str, ...] | None = None,
    ) -> EventData:
        """The event as it will be stored, with its own tags unless others are given.

        Raises `Invalid` for a value that is not what its class declares.
        """
        plan = self._plans.get(type(event))
        if plan is None:
            raise Unknown("event type", event.__kind__.type, tuple(sorted(self._classes)))
        type_name, version, check, tags_of = plan
        check(event)
        if tags is None:
            tags = tags_of(event)
        return EventData(ids.new(), type_name, to_json(event), ids.salt(), version, tags, metadata, effective)

    def decode(self, stored: SequencedEvent | EventData) -> tuple[Event, ...]:
        """The event in today's words: one, or what upcasters make of it.

        Raises `Unknown` for a kind that nothing here can read, `Corrupted` for bytes that do not fit their kind.
        """
        if isinstance(stored, EventData):
            return self.read(Kind(stored.type, stored.version), stored.data)
        return self.read(stored.kind, stored.data, at=stored.position)

    def read(self, kind: Kind, data: bytes, *, at: Position | None = None) -> tuple[Event, ...]:
        """The same of a kind and its data, which stands `at` a position."""
        read = self._readers.get(kind) or self._reader(kind)
        try:
            return read(data)
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as wrong:
            where = "" if at is None else f" at position {at}"
            raise Corrupted(f"the data of {kind}{where} cannot be read: {wrong}") from wrong

    def directly(self, types: frozenset[type[Event]]) -> dict[Kind, Callable[[bytes], Event]]:
        """Of `direct` the decoders of these classes."""
        found = self._directly.get(types)
        if found is None:
            today = [cls.__kind__ for cls in types if self._classes.get(cls.__kind__.type) is cls]
            found = self._directly[types] = {kind: self.direct[kind] for kind in today}
        return found

    def can_read(self, kind: Kind) -> bool:
        """Whether events of that kind can be decoded."""
        return kind in self.direct or kind in self._upcasters

    def check(self, kinds: Iterable[Kind]) -> None:
        """`Misdeclared` where a journal holds these kinds and one of them, of a name known here, cannot be read.

        Events of names that are not known here are somebody else's and are passed over.
        """
        known = {name for names in self._names.values() for name in names}
        for kind in sorted(kinds):
            if kind.type in known and not self.can_read(kind):
                newest = max(other.version for other in (*self.direct, *self._upcasters) if other.type == kind.type)
                raise Misdeclared(
                    f"the journal holds {kind}, this program reads {kind.type} up to version {newest}: a newer one wrote "
                    f'it; run that one, or declare upcast("{kind.type}", {kind.version}, …)'
                )

    def names(self, types: Collection[type[Event]]) -> frozenset[str]:
        """The stored names under which events of these classes may be found, older ones included."""
        return frozenset(name for cls in types for name in self._names.get(cls.__kind__.type, {cls.__kind__.type}))

    def _add(self, cls: type[Event]) -> None:
        kind = cls.__kind__
        other = self._classes.get(kind.type)
        if other is cls:
            return
        if other is not None:
            raise Misdeclared(
                f"two event classes are both called {kind.type!r}: {other.__module__}.{other.__qualname__} and "
                f"{cls.__module__}.{cls.__qualname__}; give one another name=…"
            )
        if kind.type.startswith(RESERVED) and not cls.__module__.startswith(RESERVED):
            raise Misdeclared(f"{cls.__qualname__}: names that begin with {RESERVED!r} are actum's own")
        plan = kind.type, kind.version, checker(cls), tagger(cls)
        decode = decoder_of(cls).decode
        self._plans[cls] = plan
        self._classes[kind.type] = cls
        self.direct[kind] = decode
        if not comes_back_alike(cls):
            self.afresh[cls] = decode
        self._readers[kind] = lambda data: (decode(data),)

    def _add_upcaster(self, upcaster: Upcaster) -> None:
        source = upcaster.source
        if source in self._upcasters:
            raise Misdeclared(f"{source} has two upcasters; there can be one")
        if source in self.direct:
            raise Misdeclared(
                f"{source} is what the class {source.type} reads today: raise its version, or upcast another"
            )
        self._upcasters[source] = upcaster

    def _check_chains(self) -> None:
        """Every upcaster leads to a class of today, and every version before today's has one."""
        for source in self._upcasters:
            self._walk(source, ())
        for kind in self.direct:
            for version in range(1, kind.version):
                if Kind(kind.type, version) not in self._upcasters:
                    raise Misdeclared(
                        f"{kind.type} is at version {kind.version}, but nothing reads version {version}; "
                        f'declare upcast("{kind.type}", {version}, …)'
                    )

    def _walk(self, kind: Kind, seen: tuple[Kind, ...]) -> set[str]:
        if kind in self.direct:
            return {kind.type}
        if kind in seen:
            raise Misdeclared(f"upcasters go round in a circle: {' -> '.join(map(str, (*seen, kind)))}")
        upcaster = self._upcasters.get(kind)
        if upcaster is None:
            raise Misdeclared(f"{seen[-1]} is upcast into {kind}, which is neither a class of today nor upcast further")
        return {name for target in upcaster.targets for name in self._walk(target, (*seen, kind))}

    def _sources(self) -> dict[str, set[str]]:
        names = {name: {name} for name in self._classes}
        for source in self._upcasters:
            for target in self._walk(source, ()):
                names[target].add(source.type)
        return names

    def _reader(self, kind: Kind) -> Read:
        if kind not in self._upcasters:
            cls = self._classes.get(kind.type)
            if cls is not None and kind.version > cls.__kind__.version:
                raise Unknown(
                    f"version of {kind.type} beyond {cls.__kind__.version}: a newer program wrote it; event kind",
                    str(kind),
                )
            raise Unknown("event kind", str(kind), tuple(sorted(map(str, self.direct))))

        def read(data: bytes) -> tuple[Event, ...]:
            fields: Any = msgspec.json.decode(data)
            return tuple(self._upcast([(kind.type, kind.version, fields)]))

        self._readers[kind] = read
        return read

    def _upcast(self, parts: Parts) -> Iterable[Event]:
        for type, version, data in parts:
            kind = Kind(type, version)
            decode = self.direct.get(kind)
            if decode is not None:
                yield decode(msgspec.json.encode(data))
            elif kind in self._upcasters:
                yield from self._upcast(self._upcasters[kind].change(data))
            else:
                raise Unknown("event kind", str(kind), tuple(sorted(map(str, self.direct))))
