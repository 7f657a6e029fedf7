"""The words of the journal: a tag, an event as its author writes it, and an event as the journal keeps it."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, TypeAlias, dataclass_transform
from uuid import UUID

import msgspec

from actum.journal.clock import Microseconds, checked_moment, to_datetime, uuid_of
from actum.journal.errors import Invalid, Misdeclared
from actum.journal.metadata import Metadata

Position: TypeAlias = int
"""Where an event stands in its journal: 1 for the first, one more for each next, without gaps. 0 is before the first."""

LONGEST_TAG = 1024
"""The longest tag, in bytes of UTF-8."""

LONGEST_TYPE = 200
"""The longest name of an event type, in characters."""

MOST_TAGS = 256
"""How many tags one event can carry."""

LAST_POSITION = 2**63 - 1
"""No position is beyond this one."""

LAST_VERSION = 1_000_000
"""No schema version is beyond this one."""

RESERVED = "actum."
"""Names that begin so are actum's own."""

MOST_TYPES_KNOWN = 10_000
"""How many names of types are remembered as good."""

_SURELY_SHORT = LONGEST_TAG // 4
_GOOD_TYPES: set[str] = set()
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9._-]*\Z")
_TAG_NAME = re.compile(r"[a-z][a-z0-9_-]*\Z")


class Tag:
    """Declares an identity type: `AccountId = Annotated[str, Tag("account")]`.

    Every event and command with a field of that type carries the tag `account:<value>`; the name cannot hold a colon,
    so no two declarations can make the same tag.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        if not _TAG_NAME.match(name):
            raise Misdeclared(
                f"Tag({name!r}): expected lower-case letters, digits, '-' or '_', beginning with a letter"
            )
        self.name = name

    def of(self, value: str | int | UUID) -> str:
        """The tag of one identity: `Tag("account").of("A-1") == "account:A-1"`."""
        if value == "":
            raise Invalid(f"the identity of {self.name!r} is empty; expected a value")
        return checked_tag(f"{self.name}:{value}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tag) and other.name == self.name

    def __hash__(self) -> int:
        return hash((Tag, self.name))

    def __repr__(self) -> str:
        return f"Tag({self.name!r})"


def checked_tag(tag: str) -> str:
    """The tag itself where it can be stored; `Invalid` where it is empty, too long, or holds a control character."""
    if not isinstance(tag, str):
        raise Invalid(f"a tag is text, found {tag!r}")
    if not tag:
        raise Invalid("a tag cannot be empty; expected something like 'account:A-1'")
    if len(tag) * 4 > LONGEST_TAG and _size(tag) > LONGEST_TAG:
        raise Invalid(f"a tag is at most {LONGEST_TAG} bytes, found {_size(tag)}: {tag[:40]!r}…; keep identities short")
    if not tag.isprintable():
        for character in tag:
            if unicodedata.category(character) in ("Cc", "Cs"):
                raise Invalid(f"a tag cannot hold the control character {character!r}, found it in {tag[:80]!r}")
    return tag


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def checked_type(name: str) -> str:
    """The name of an event type where it can be stored; `Invalid` where not."""
    if type(name) is str and name in _GOOD_TYPES:
        return name
    if not isinstance(name, str) or len(name) > LONGEST_TYPE or not _TYPE.match(name):
        raise Invalid(
            f"{name!r} cannot name an event type; expected a letter, then letters, digits, '.', '-' or '_', "
            f"{LONGEST_TYPE} characters at most"
        )
    if len(_GOOD_TYPES) < MOST_TYPES_KNOWN:
        _GOOD_TYPES.add(name)
    return name


def checked_position(position: int, what: str) -> Position:
    """The position itself; `Invalid` where it is negative, too large, or no whole number."""
    if type(position) is not int or not 0 <= position <= LAST_POSITION:
        raise Invalid(f"{what}: expected a position from 0 to 2^63-1, found {position!r}")
    return position


class Kind(NamedTuple):
    """What tells a reader how to read the data: the registered name of the type and its schema version."""

    type: str
    version: int

    def __str__(self) -> str:
        return f"{self.type}@{self.version}"


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class MessageType(msgspec.StructMeta):
    """What makes a class of events, commands or queries: frozen, by keyword, no unknown fields, a stable name."""

    __kind__: Kind

    def __new__(
        mcls,
        class_name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        /,
        *,
        name: str | None = None,
        version: int = 1,
        **options: Any,
    ) -> Any:
        # Trees of plain values have no cycles to collect: not to look for them makes reading a fifth faster.
        options = {"frozen": True, "kw_only": True, "forbid_unknown_fields": True, "gc": False} | options
        made: Any = super().__new__(mcls, class_name, bases, namespace, **options)
        if type(version) is not int or not 1 <= version <= LAST_VERSION:
            raise Misdeclared(f"{class_name}: expected a schema version of 1 or more, found {version!r}")
        try:
            made.__kind__ = Kind(checked_type(name or class_name), version)
        except Invalid as wrong:
            raise Misdeclared(f"{class_name}: {wrong}") from None
        return made


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Event(msgspec.Struct, metaclass=MessageType):
    """Something that happened, in the past tense: `class Deposited(Event): account: AccountId; amount: Decimal`.

    The registered name is the class's own unless `class Deposited(Event, name="deposited", version=2)` says another;
    it is stored, so it must stay when the class moves or is renamed. Fields are typed as in msgspec, made by keyword,
    and cannot be changed.
    """

    __kind__: ClassVar[Kind]


class EventData(msgspec.Struct, frozen=True, gc=False):
    """An event on its way into a journal: all that its author decides. `tags` are a set, kept in order of first mention.

    `data` and `metadata` are stored to the byte. `effective` is when it happened, where that differs from when it is
    recorded. Raises `Invalid` for what cannot be stored.
    """

    id: bytes
    type: str
    data: bytes
    salt: bytes
    version: int = 1
    tags: tuple[str, ...] = ()
    metadata: bytes = b"{}"
    effective: Microseconds | None = None

    def __post_init__(self) -> None:
        if type(self.type) is not str or self.type not in _GOOD_TYPES:
            checked_type(self.type)
        id, salt = self.id, self.salt
        if not type(self.data) is type(self.metadata) is type(id) is type(salt) is bytes:
            raise Invalid(f"{self.type}: id, salt, data and metadata are bytes, found {_types_of(self)}")
        if not len(id) == len(salt) == 16:
            raise Invalid(f"an event's id and salt are 16 bytes each, found {len(id)} and {len(salt)}")
        if type(self.version) is not int or not 1 <= self.version <= LAST_VERSION:
            raise Invalid(f"{self.type}: expected a schema version from 1 to {LAST_VERSION}, found {self.version!r}")
        if self.effective is not None:
            checked_moment(self.effective, "effective")
        _check_tags(self.tags)


def _check_tags(tags: tuple[str, ...]) -> None:
    if type(tags) is not tuple:
        raise Invalid(f"an event's tags are a tuple of texts, found {tags!r:.80}")
    for tag in tags:
        if type(tag) is not str or not tag or len(tag) > _SURELY_SHORT or not tag.isprintable():
            checked_tag(tag)  # knows better, and says what is wrong
    if len(tags) > 1:
        if len(tags) > MOST_TAGS:
            raise Invalid(f"an event carries at most {MOST_TAGS} tags, found {len(tags)}")
        if len(set(tags)) < len(tags):
            raise Invalid(f"a tag is named twice in {tags}")


def _types_of(event: EventData) -> str:
    return ", ".join(type(part).__name__ for part in (event.id, event.salt, event.data, event.metadata))


class SequencedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event as the journal keeps it: stored bytes and the position they were given. Nothing is decoded before asked.

    `tag_text` is the tags joined by line feeds, as stored and as committed to by `leaf`.
    """

    position: Position
    kind: Kind
    id: bytes
    recorded: Microseconds
    effective: Microseconds | None
    tag_text: str
    data: bytes
    metadata_bytes: bytes
    salt: bytes
    leaf: bytes

    @property
    def type(self) -> str:
        """The registered name of the event's type."""
        return self.kind.type

    @property
    def version(self) -> int:
        """The schema version under which the data was written."""
        return self.kind.version

    @property
    def tags(self) -> tuple[str, ...]:
        """The event's tags, in the order in which they were given."""
        return tuple(self.tag_text.split("\n")) if self.tag_text else ()

    @property
    def uuid(self) -> UUID:
        """The event's id as people write it."""
        return uuid_of(self.id)

    @property
    def recorded_at(self) -> datetime:
        """When the journal took it down; never earlier than that of the event before."""
        return to_datetime(self.recorded)

    @property
    def effective_at(self) -> datetime:
        """When it happened; the time of recording where nobody said otherwise."""
        return to_datetime(self.recorded if self.effective is None else self.effective)

    @property
    def metadata(self) -> Metadata:
        """Who, why, caused by what: decoded anew at each call."""
        return Metadata.decode(self.metadata_bytes)

    @property
    def said(self) -> Metadata | None:
        """The metadata, None where it cannot be read: nobody must stand still for that who can do without."""
        try:
            return self.metadata
        except Invalid:
            return None


def data_of(event: SequencedEvent) -> EventData:
    """The event as its author gave it: what to append elsewhere to have it again."""
    return EventData(
        id=event.id,
        type=event.type,
        version=event.version,
        data=event.data,
        salt=event.salt,
        tags=event.tags,
        metadata=event.metadata_bytes,
        effective=event.effective,
    )
