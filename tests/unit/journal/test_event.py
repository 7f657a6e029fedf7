"""The words of the journal: tags, kinds, and what an event must be before it can be stored."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from actum.journal.clock import EARLIEST, LATEST
from actum.journal.errors import Invalid, Misdeclared
from actum.journal.event import (
    LONGEST_TAG,
    MOST_TAGS,
    Event,
    EventData,
    Kind,
    SequencedEvent,
    Tag,
    checked_tag,
    data_of,
)

ID = bytes(range(16))


class Opened(Event):
    account: str


class Moved(Event, name="bank.moved", version=3):
    account: str


def an_event(**changes: Any) -> EventData:
    return EventData(**({"id": ID, "type": "Opened", "data": b"{}", "salt": ID} | changes))


@pytest.mark.parametrize(
    ("value", "tag"),
    [("A-1", "account:A-1"), (7, "account:7"), (UUID(int=1), f"account:{UUID(int=1)}"), ("é:%", "account:é:%")],
)
def test_a_tag_is_the_name_and_the_identity(value: str | int | UUID, tag: str) -> None:
    assert Tag("account").of(value) == tag


@pytest.mark.parametrize("name", ["", "Account", "a:b", "1a", "a b", "a\n", "é"])
def test_a_tag_of_a_name_that_could_be_mistaken_is_misdeclared(name: str) -> None:
    with pytest.raises(Misdeclared, match="expected lower-case letters"):
        Tag(name)


def test_an_empty_identity_has_no_tag() -> None:
    with pytest.raises(Invalid, match="the identity of 'account' is empty"):
        Tag("account").of("")


def test_tags_of_one_name_are_one_declaration() -> None:
    assert Tag("a") == Tag("a") != Tag("b")
    assert len({Tag("a"), Tag("a"), Tag("b")}) == 2
    assert repr(Tag("a")) == "Tag('a')"


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("", "cannot be empty"),
        ("x" * (LONGEST_TAG + 1), f"at most {LONGEST_TAG} bytes, found {LONGEST_TAG + 1}"),
        ("é" * LONGEST_TAG, f"found {2 * LONGEST_TAG}"),
        ("a\x00b", r"control character '\\x00'"),
        ("a\nb", "control character"),
        ("a\x7f", "control character"),
        ("\ud800", "control character"),
        (7, "a tag is text, found 7"),
        (None, "a tag is text, found None"),
        (b"a", "a tag is text"),
    ],
)
def test_a_tag_that_cannot_be_stored_says_why(tag: Any, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        checked_tag(tag)


@pytest.mark.parametrize(
    "tag", ["a", "x" * LONGEST_TAG, "é" * (LONGEST_TAG // 2), "שלום", "👩‍👩‍👧", "a b", "\u2028", "%_'\"\\"]
)
def test_a_tag_of_any_other_text_is_itself(tag: str) -> None:
    assert checked_tag(tag) is tag


def test_an_event_class_has_the_name_and_version_it_declares() -> None:
    assert Opened.__kind__ == Kind("Opened", 1)
    assert Moved.__kind__ == Kind("bank.moved", 3)
    assert str(Moved.__kind__) == "bank.moved@3"


def test_an_event_is_frozen_by_keyword_and_compared_by_value() -> None:
    assert Opened(account="a") == Opened(account="a") != Opened(account="b")
    with pytest.raises(AttributeError):
        Opened(account="a").account = "b"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Opened("a")  # type: ignore[misc,call-arg]


@pytest.mark.parametrize("version", [0, -1, 1_000_001, 1.0, True, "1"])
def test_a_version_that_is_no_count_is_misdeclared(version: Any) -> None:
    with pytest.raises(Misdeclared, match="expected a schema version of 1 or more"):
        type(Event)("Wrong", (Event,), {}, version=version)


@pytest.mark.parametrize("name", ["1a", "a b", "a:b", "é", "x" * 201])
def test_a_name_that_cannot_be_stored_is_misdeclared(name: str) -> None:
    with pytest.raises(Misdeclared, match="cannot name an event type"):
        type(Event)("Wrong", (Event,), {}, name=name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"type": "a b"}, "cannot name an event type"),
        ({"type": 7}, "cannot name an event type"),
        ({"id": b"short"}, "16 bytes each, found 5 and 16"),
        ({"salt": b""}, "16 bytes each, found 16 and 0"),
        ({"id": "x" * 16}, "are bytes, found str"),
        ({"data": "{}"}, "are bytes, found bytes, bytes, str, bytes"),
        ({"data": bytearray(b"{}")}, "are bytes"),
        ({"metadata": None}, "are bytes"),
        ({"version": 0}, "expected a schema version from 1"),
        ({"version": True}, "expected a schema version from 1"),
        ({"effective": 1.5}, "effective: expected microseconds"),
        ({"effective": EARLIEST - 1}, "within the years 1 to 9999"),
        ({"effective": LATEST + 1}, "within the years 1 to 9999"),
        ({"tags": ["a"]}, "a tuple of texts"),
        ({"tags": ("",)}, "cannot be empty"),
        ({"tags": ("a", "b", "a")}, "named twice"),
        ({"tags": tuple(map(str, range(MOST_TAGS + 1)))}, f"at most {MOST_TAGS} tags, found {MOST_TAGS + 1}"),
    ],
)
def test_an_event_that_cannot_be_stored_cannot_be_made(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        an_event(**changes)


@pytest.mark.parametrize("effective", [None, EARLIEST, 0, LATEST])
def test_an_event_that_was_kept_tells_what_its_author_gave(effective: int | None) -> None:
    given = an_event(tags=("b", "a"), version=2, metadata=b'{"actor":"me"}', effective=effective)
    kept = SequencedEvent(1, Kind("Opened", 2), ID, 5, effective, "b\na", b"{}", given.metadata, ID, bytes(32))
    assert data_of(kept) == given
    assert (kept.type, kept.version, kept.tags, kept.uuid) == ("Opened", 2, ("b", "a"), UUID(bytes=ID))
    assert kept.recorded_at.year == 1970
    assert kept.effective_at == (kept.recorded_at if effective is None else kept.effective_at)
    assert kept.metadata.actor == "me"
    assert msgspec.structs.replace(kept, tag_text="").tags == ()
