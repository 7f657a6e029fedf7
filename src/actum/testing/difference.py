"""What a scenario says when it does not come out: expected beside found, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from actum.testing.stage import Plan

ABSENT = "nothing"


def fields(message: msgspec.Struct) -> dict[str, object]:
    """The fields of a message and their values, in order."""
    return {name: getattr(message, name) for name in message.__struct_fields__}


def told(message: object) -> str:
    """A value on one line, cut where it would run on."""
    text = repr(message)
    return text if len(text) <= 200 else text[:199] + "…"


def compared(expected: Mapping[str, object], found: Mapping[str, object]) -> list[str]:
    """One line for each name whose values differ; empty where all are equal."""
    names = [name for name in dict.fromkeys([*expected, *found]) if _differ(name, expected, found)]
    if not names:
        return []
    wide = max(len(name) for name in names)
    left = {name: told(expected[name]) if name in expected else ABSENT for name in names}
    right = {name: told(found[name]) if name in found else ABSENT for name in names}
    column = max(len(text) for text in left.values())
    return [f"{name:<{wide}}  expected {left[name]:<{column}}  found {right[name]}" for name in names]


def _differ(name: str, expected: Mapping[str, object], found: Mapping[str, object]) -> bool:
    return name not in expected or name not in found or expected[name] != found[name]


def of_events(expected: Sequence[msgspec.Struct], found: Sequence[msgspec.Struct]) -> list[str]:
    """What is different between two sequences of events, or commands; empty where they are equal."""
    if list(expected) == list(found):
        return []
    lines = [f"expected {_count(expected)}, found {_count(found)}"]
    for number in range(max(len(expected), len(found))):
        lines += _of_one(number, expected, found)
    return lines


def _of_one(number: int, expected: Sequence[msgspec.Struct], found: Sequence[msgspec.Struct]) -> list[str]:
    place = f"  {number + 1}. "
    if number >= len(found):
        return [f"{place}missing: {told(expected[number])}"]
    if number >= len(expected):
        return [f"{place}not expected: {told(found[number])}"]
    one, other = expected[number], found[number]
    if one == other:
        return [f"{place}{type(one).__name__}, as expected"]
    if type(one) is not type(other):
        return [f"{place}expected {told(one)}", f"{' ' * len(place)}found    {told(other)}"]
    return [f"{place}{type(one).__name__}", *indented(compared(fields(one), fields(other)), by=5)]


def _count(events: Sequence[msgspec.Struct]) -> str:
    names = ", ".join(type(event).__name__ for event in events)
    return f"{names}" if events else "no event"


def indented(lines: Iterable[str], *, by: int) -> list[str]:
    """The lines, moved to the right."""
    return [" " * by + line for line in lines]


def failed(plan: Plan, store: str, lines: Sequence[str]) -> AssertionError:
    """The failure: what is different, then the scenario in which it is."""
    story = [f"given  {told(fact.event)}" for fact in plan.facts] or ["given  nothing"]
    story += [f"when   {told(asked.command)} by {asked.actor}" for asked in plan.asked]
    return AssertionError("\n".join([*lines, "", *indented(story, by=2), f"  on     {store}"]))
