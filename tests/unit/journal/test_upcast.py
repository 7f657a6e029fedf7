"""Old events in today's words: every kind of change, chains of them, and the gaps that are found at start-up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from actum.journal.codec import Codec
from actum.journal.errors import Corrupted, Misdeclared
from actum.journal.event import Event, EventData, Kind
from actum.journal.upcast import (
    Change,
    Drop,
    Split,
    Upcaster,
    add,
    convert,
    drop,
    merge,
    remove,
    rename,
    split,
    upcaster,
)


class Opened(Event, version=4):
    owner: str
    currency: str


class Withdrawn(Event):
    amount: Decimal


class Deposited(Event):
    amount: Decimal


def up(name: str, version: int, *changes: Change | Split | Drop, into: Kind | None = None) -> Upcaster:
    return upcaster(Kind(name, version), changes, into)


OLD = (
    up("Opened", 1, rename("name", to="owner")),
    up("Opened", 2, add("currency", "CZK")),
    up("Opened", 3, remove("branch")),
)


def read(codec: Codec, name: str, version: int, data: bytes) -> tuple[Event, ...]:
    return codec.decode(EventData(id=bytes(16), salt=bytes(16), type=name, version=version, data=data))


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (rename("a", to="b"), {"x": 1, "a": 2}, {"x": 1, "b": 2}),
        (rename("a", to="b"), {"x": 1}, {"x": 1}),
        (add("c", "CZK"), {"x": 1}, {"x": 1, "c": "CZK"}),
        (add("c", lambda data: data["x"] + 1), {"x": 1}, {"x": 1, "c": 2}),
        (remove("a"), {"a": 1, "b": 2}, {"b": 2}),
        (remove("a"), {"b": 2}, {"b": 2}),
        (
            merge("f", "l", into="n", by=lambda first, last: f"{first} {last}"),
            {"f": "A", "x": 1, "l": "B"},
            {"x": 1, "n": "A B"},
        ),
        (merge("f", "l", into="n", by=lambda first, last: first), {"f": "A"}, {"n": "A"}),
        (merge("f", "l", into="f", by=lambda first, last: first + last), {"f": "A", "l": "B"}, {"f": "AB"}),
        (convert("a", str), {"a": 1}, {"a": "1"}),
        (convert("a", str), {"b": 1}, {"b": 1}),
    ],
)
def test_a_change_says_what_the_fields_are_today(change: Change, before: dict[str, Any], after: dict[str, Any]) -> None:
    kept = dict(before)
    assert change(before) == after
    assert before == kept


def test_every_old_version_is_read_through_the_chain() -> None:
    codec = Codec([Opened], OLD)
    today = (Opened(owner="Ann", currency="CZK"),)
    assert read(codec, "Opened", 1, b'{"name":"Ann","branch":7}') == today
    assert read(codec, "Opened", 2, b'{"owner":"Ann","branch":7}') == today
    assert read(codec, "Opened", 3, b'{"owner":"Ann","currency":"CZK","branch":7}') == today
    assert read(codec, "Opened", 4, b'{"owner":"Ann","currency":"CZK"}') == today


def test_an_older_name_leads_to_the_class_of_today() -> None:
    codec = Codec([Opened], [*OLD, up("AccountOpened", 1, add("branch", 1), into=Kind("Opened", 3))])
    assert read(codec, "AccountOpened", 1, b'{"owner":"Ann","currency":"EUR"}') == (
        Opened(owner="Ann", currency="EUR"),
    )
    assert codec.names([Opened]) == {"Opened", "AccountOpened"}


def moved(*into: tuple[str, int]) -> Upcaster:
    def parts(data: dict[str, Any]) -> list[tuple[str, int, dict[str, Any]]]:
        return [("Withdrawn", 1, {"amount": data["amount"]}), ("Deposited", 1, {"amount": data["amount"]})]

    return up("Moved", 1, split(parts, into=into))


def test_one_stored_event_may_be_several_today() -> None:
    codec = Codec([Withdrawn, Deposited], [moved(("Withdrawn", 1), ("Deposited", 1))])
    found = read(codec, "Moved", 1, b'{"amount":"1.50"}')
    assert found == (Withdrawn(amount=Decimal("1.50")), Deposited(amount=Decimal("1.50")))
    assert codec.names([Withdrawn]) == {"Withdrawn", "Moved"}
    assert codec.names([Withdrawn, Deposited]) == {"Withdrawn", "Deposited", "Moved"}


def test_one_stored_event_may_be_nothing_today() -> None:
    codec = Codec([Withdrawn], [up("Pinged", 1, drop())])
    assert read(codec, "Pinged", 1, b'{"any":"thing"}') == ()
    assert codec.can_read(Kind("Pinged", 1))


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"owner":7,"branch":1}', b"\xff", b'{"owner":"A","branch":1,"x":1}'])
def test_old_bytes_that_do_not_fit_are_corrupted(data: bytes) -> None:
    with pytest.raises(Corrupted, match="the data of Opened@2 cannot be read"):
        read(Codec([Opened], OLD), "Opened", 2, data)


@pytest.mark.parametrize(
    ("upcasters", "message"),
    [
        (OLD[1:], "Opened is at version 4, but nothing reads version 1"),
        (OLD[:2], "Opened@2 is upcast into Opened@3, which is neither a class of today nor upcast further"),
        ((*OLD, OLD[0]), "Opened@1 has two upcasters; there can be one"),
        ((*OLD, up("Opened", 4, remove("x"))), "Opened@4 is what the class Opened reads today"),
        (
            (*OLD, up("Old", 1, into=Kind("Older", 1)), up("Older", 1, into=Kind("Old", 1))),
            "round in a circle: Old@1 -> ",
        ),
        ((*OLD, moved(("Nowhere", 1))), "Moved@1 is upcast into Nowhere@1"),
    ],
)
def test_gaps_and_circles_are_found_at_once(upcasters: tuple[Upcaster, ...], message: str) -> None:
    with pytest.raises(Misdeclared, match=message):
        Codec([Opened], upcasters)


@pytest.mark.parametrize("whole", [drop(), split(lambda data: [], into=[])])
def test_a_whole_change_stands_alone(whole: Split | Drop) -> None:
    with pytest.raises(Misdeclared, match="say all there is to say"):
        up("Opened", 1, whole, remove("x"))
    with pytest.raises(Misdeclared, match="say all there is to say"):
        up("Opened", 1, remove("x"), whole)
    with pytest.raises(Misdeclared, match="say all there is to say"):
        up("Opened", 1, whole, into=Kind("Opened", 4))
