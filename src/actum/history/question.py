"""What somebody searches for, in the words they type: `type:Transferred account:A-1 actor:teller-7 amount=30.00 rent`."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import msgspec

from actum.journal.errors import Invalid
from actum.journal.search import Entry, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from actum.journal.event import SequencedEvent

LONGEST = 1000
"""Characters of what one can search for."""

LONGEST_VALUE = 200
"""Characters of a field's value that can be searched for as a whole."""

_TERMS = re.compile(r'(?:[^\s"]|"[^"]*")+')
_PARTS = re.compile(r"[^\W_]+")
_NAME = re.compile(r"[\w.-]+\Z")
_AGO = re.compile(r"(\d{1,6})\s*(s|m|h|d)\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_OF_ENVELOPE = ("actor", "for", "did")


class Question(msgspec.Struct, frozen=True):
    """What somebody searches for. `story` and `id` where one is named, `since` and `until` times of recording."""

    wanted: Wanted = Wanted()
    story: UUID | None = None
    id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def everything(self) -> bool:
        """Whether every event is wanted, but for the time."""
        return self == Question(since=self.since, until=self.until)


def question(text: str, *, types: Iterable[str] = (), now: datetime | None = None) -> Question:
    """What the words stand for; `types` are those that there are, for `type:De*`. `Invalid` for what cannot be."""
    if len(text) > LONGEST:
        raise Invalid(f"expected at most {LONGEST:,} characters to search for, found {len(text):,}")
    reading = _Reading(tuple(types), now or datetime.now(UTC))
    for term in _TERMS.findall(text):
        reading.take(term.replace('"', ""))
    return reading.question()


class _Reading:
    """A question while its words are read."""

    def __init__(self, types: tuple[str, ...], now: datetime) -> None:
        self._types = types
        self._now = now
        self._marks: list[tuple[str, ...]] = []
        self._words: list[str] = []
        self._ids: dict[str, UUID] = {}
        self._times: dict[str, datetime] = {}

    def take(self, term: str) -> None:
        field, equals, value = term.partition("=")
        if equals and value and _NAME.match(field):
            self._marks.append((f"{field}={value}",))
            return
        name, colon, value = term.partition(":")
        match name:
            case _ if not colon or not value or not _NAME.match(name):
                self._take_word(term)
            case "type":
                found = tuple(f"type:{each}" for each in self._types if fnmatchcase(each, value))
                self._marks.append(found if "*" in value and found else (term,))
            case "story" | "id":
                self._ids[name] = _uuid(value, name)
            case "after" | "before":
                self._times[name] = _time(value, name, self._now)
            case "tag":
                self._marks.append((f"tag:{value}",))
            case _:
                self._marks.append((term if name in _OF_ENVELOPE else f"tag:{term}",))

    def _take_word(self, word: str) -> None:
        try:
            self._ids.setdefault("id", UUID(word))
        except ValueError:
            self._words.append(word)

    def question(self) -> Question:
        wanted = Wanted(tuple(self._marks), tuple(self._words))
        ids, times = self._ids, self._times
        return Question(wanted, ids.get("story"), ids.get("id"), times.get("after"), times.get("before"))


def _uuid(text: str, where: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as wrong:
        raise Invalid(f"{where}: expected a UUID, found {text!r:.80}", where=where) from wrong


def _time(text: str, where: str, now: datetime) -> datetime:
    ago = _AGO.match(text)
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as wrong:
        raise Invalid(
            f"{where}: expected a day, a time, or 2h for two hours ago, found {text!r:.80}", where=where
        ) from wrong
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def answers(asked: Question, event: SequencedEvent) -> bool:
    """Whether an event is one of those that are asked for, whenever it was recorded: as an index would say."""
    entry = entry_of(event)
    marks, there = set(entry.marks), words_of(entry.words)
    return (
        all(not marks.isdisjoint(choices) for choices in asked.wanted.marks)
        and all(_has(there, word) for word in asked.wanted.words)
        and (asked.story is None or entry.story == asked.story.bytes)
        and (asked.id is None or asked.id.bytes in (entry.id, entry.story))
    )


def words_of(text: str) -> list[str]:
    """The words of a text as an index has them: without case, accents and what stands between them."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return _PARTS.findall(plain.casefold())


def _has(there: list[str], wanted: str) -> bool:
    parts = words_of(wanted)
    if not parts or not wanted.endswith("*"):
        return bool(parts) and all(part in there for part in parts)
    *whole, begun = parts
    return all(part in there for part in whole) and any(each.startswith(begun) for each in there)


# What an event answers to.


def entry_of(event: SequencedEvent) -> Entry:
    """By what an event is found. What cannot be read is passed over: the event is then found by the rest."""
    metadata = event.said
    data = _object(event.data)
    marks = [f"type:{event.type}", *(f"tag:{tag}" for tag in event.tags)]
    words = list(_texts(data))
    if metadata is not None:
        marks += [f"actor:{metadata.actor}"]
        marks += [f"for:{metadata.on_behalf_of}"] if metadata.on_behalf_of else []
        marks += [f"did:{metadata.command_type}"] if metadata.command_type else []
        words += [metadata.reason] if metadata.reason else []
    marks += [f"{name}={text}" for name, value in data.items() if (text := _scalar(value)) is not None]
    return Entry(
        event.position,
        event.type,
        event.recorded,
        event.id,
        None if metadata is None else _bytes(metadata.correlation_id),
        None if metadata is None else _bytes(metadata.causation),
        tuple(marks),
        " ".join(words),
    )


def _bytes(id: UUID | None) -> bytes | None:
    return None if id is None else id.bytes


def _object(stored: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(stored)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value.encode("utf-8", "replace").decode()
        case dict():
            for each in cast("dict[str, object]", value).values():
                yield from _texts(each)
        case list():
            for each in cast("list[object]", value):
                yield from _texts(each)
        case _:
            return


def _scalar(value: object) -> str | None:
    match value:
        case str():
            return value if len(value) <= LONGEST_VALUE else None
        case bool() | int() | float():
            return msgspec.json.encode(value).decode()
        case _:
            return None
