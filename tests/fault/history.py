"""A whole journal judged by what it says of itself, read from its file by other code than the product's own.

Positions, times, commitments, conditions, commands and the tag index are checked as their definitions say; nothing here
asks the store whether it believes itself to be right.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b, sha256
from pathlib import Path

import apsw
import psycopg


@dataclass(frozen=True)
class Fact:
    """One stored event."""

    position: int
    type: str
    version: int
    id: bytes
    recorded: int
    effective: int | None
    tag_text: str
    data: bytes
    metadata: bytes
    salt: bytes
    leaf: bytes

    @cached_property
    def tags(self) -> frozenset[str]:
        """What it is about."""
        return frozenset(self.tag_text.split("\n")) if self.tag_text else frozenset()


@dataclass(frozen=True)
class Verdict:
    """One stored decision: its command, what had to hold, and what it led to."""

    command: bytes
    items: tuple[tuple[frozenset[str], frozenset[str]], ...] | None
    after: int
    first: int
    count: int

    @property
    def last(self) -> int:
        """Where its last event stands."""
        return self.first + self.count - 1


@dataclass
class History:
    """All of a journal's file."""

    origin: str
    indexed: int
    facts: list[Fact]
    verdicts: list[Verdict]
    index: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> History:
        """Read it. Nobody else needs to be gone."""
        with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as file, file:
            described = dict(file.execute("SELECT name, value FROM journal"))
            facts = [Fact(*row) for row in file.execute(_FACTS)]
            verdicts = [Verdict(c, _items(s, t), a or 0, f, n) for c, s, t, a, f, n in file.execute(_VERDICTS)]
            found = cls(described["origin"], int(described["indexed"]), facts, verdicts)
            for tag in {tag for fact in facts for tag in fact.tags}:
                rows = file.execute("SELECT rowid FROM tag_index WHERE tag_index MATCH ?", (_token(tag),))
                found.index[tag] = [position for (position,) in rows]
        return found

    @classmethod
    def on_server(cls, url: str, schema: str) -> History:
        """Read it from PostgreSQL, by the plainest statements there are."""
        with psycopg.connect(url) as connection:
            connection.execute(f"SET search_path = {schema}")
            described = dict(connection.execute("SELECT name, value FROM journal").fetchall())
            facts = [Fact(*row) for row in connection.execute(_FACTS_ON_SERVER, binary=True)]
            rows = connection.execute(_VERDICTS_ON_SERVER, binary=True)
            verdicts = [Verdict(c, _items(s, t), a or 0, f, n) for c, s, t, a, f, n in rows]
            found = cls(described["origin"], len(facts), facts, verdicts)
            connection.execute("SET enable_seqscan = off")
            for tag in {tag for fact in facts for tag in fact.tags}:
                found.index[tag] = [position for (position,) in connection.execute(_INDEXED_ON_SERVER, ([tag],))]
        return found

    def faults(self) -> Iterator[str]:
        """Everything that is wrong with it; nothing, where all promises hold."""
        yield from self._faults_of_order()
        yield from self._faults_of_commitments()
        yield from self._faults_of_decisions()
        yield from self._faults_of_index()

    def _faults_of_order(self) -> Iterator[str]:
        for expected, fact in enumerate(self.facts, 1):
            if fact.position != expected:
                yield f"expected position {expected}, found {fact.position}"
                return
        for before, fact in itertools.pairwise(self.facts):
            if fact.recorded < before.recorded:
                yield f"the time goes back at position {fact.position}"
        for id, count in Counter(fact.id for fact in self.facts).items():
            if count > 1:
                yield f"the event {id.hex()} is there {count} times"

    def _faults_of_commitments(self) -> Iterator[str]:
        for fact in self.facts:
            if _leaf(self.origin, fact) != fact.leaf:
                yield f"the commitment at position {fact.position} is wrong"

    def _faults_of_decisions(self) -> Iterator[str]:
        end = 0
        for verdict in sorted(self.verdicts, key=lambda verdict: verdict.first):
            if not end < verdict.first <= verdict.last <= len(self.facts):
                yield f"the decision {verdict.command.hex()} has events that are not its own, or not there"
            end = verdict.last
            for fact in self.facts[verdict.after : verdict.first - 1]:
                if verdict.items is not None and _matches(verdict.items, fact):
                    yield f"the decision at {verdict.first} had not seen {fact.position}, which matches its condition"
        for command, count in Counter(verdict.command for verdict in self.verdicts).items():
            if count > 1:
                yield f"the command {command.hex()} was decided {count} times"

    def _faults_of_index(self) -> Iterator[str]:
        tagged = self.tagged()
        for tag, found in self.index.items():
            if found != [position for position in tagged[tag] if position <= self.indexed]:
                yield f"the index does not say where {tag} is"

    def tagged(self) -> dict[str, list[int]]:
        """Where each tag is, by a scan."""
        tagged: dict[str, list[int]] = {}
        for fact in self.facts:
            for tag in fact.tags:
                tagged.setdefault(tag, []).append(fact.position)
        return tagged

    def decided(self) -> dict[bytes, Verdict]:
        """The decisions by their commands."""
        return {verdict.command: verdict for verdict in self.verdicts}


_FACTS = """
SELECT e.position, k.type, k.version, e.id, e.recorded, e.effective, e.tags, e.data, e.metadata, e.salt, e.leaf
FROM events AS e JOIN kinds AS k ON k.id = e.kind ORDER BY e.position
"""
_VERDICTS = """
SELECT d.command, s.shape, d.tags, d.after, d.first, d.count
FROM decisions AS d LEFT JOIN shapes AS s ON s.id = d.shape ORDER BY d.first
"""

_FACTS_ON_SERVER = """
SELECT position, type, version, id, recorded, effective, tags, data, metadata, salt, leaf FROM events ORDER BY position
"""
_VERDICTS_ON_SERVER = """
SELECT d.command, s.name, d.tags, d.after, d.first, d.count
FROM decisions AS d LEFT JOIN shapes AS s ON s.id = d.shape ORDER BY d.first
"""
_INDEXED_ON_SERVER = r"""
SELECT position FROM events
WHERE array_append(string_to_array(tags, E'\n'), E'\x01' || type) @> %s::text[] ORDER BY position
"""


def _items(shape: str | None, tags: str | None) -> tuple[tuple[frozenset[str], frozenset[str]], ...] | None:
    if shape is None:
        return None
    left = iter((tags or "").split("\n"))
    return tuple((frozenset(types), frozenset(itertools.islice(left, count))) for types, count in json.loads(shape))


def _matches(items: Collection[tuple[frozenset[str], frozenset[str]]], fact: Fact) -> bool:
    return not items or any((not types or fact.type in types) and tags <= fact.tags for types, tags in items)


def _token(tag: str) -> str:
    return blake2b(tag.encode(), digest_size=8).hexdigest()


def _leaf(origin: str, fact: Fact) -> bytes:
    tags = fact.tag_text.encode()
    envelope = sha256(fact.salt + len(tags).to_bytes(8, "big") + tags + fact.metadata).hexdigest()
    payload = sha256(fact.salt + fact.data).hexdigest()
    lines = (
        "actum/event/v1", origin, fact.position, fact.id.hex(), fact.type, fact.version, fact.recorded,
        "" if fact.effective is None else fact.effective, envelope, payload,
    )  # fmt: skip
    return sha256(b"\0" + "".join(f"{line}\n" for line in lines).encode()).digest()
